"""What a finished fit of a classifier leaves behind: card, encoder, metrics.json, history.csv, report."""

from __future__ import annotations

from throughtime.page.classify_report import render_classify_report
from throughtime.tasks.classify_card import ClassifyCard
from throughtime.tasks.classify_report import ClassifyFitted, build_report
from throughtime.tasks.classify_scores import ClassifyMetrics
from throughtime.tasks.fitting import shared_card
from throughtime.tasks.model_folder import HISTORY, METRICS, REPORT
from throughtime.tasks.results import history_as_csv
from throughtime.training import Diagnosis, diagnose

ADVICE = {
    "high bias": (
        "longer training: more --epochs, or another --learning-rate",
        "a larger network: --hidden twice as large, or more --layers",
        "less restraint: a smaller --dropout and --input-dropout",
    ),
    "high variance": (
        "more labelled {noun}s help most",
        "more restraint: a larger --input-dropout, --dropout or --weight-decay",
        "more --members, whose errors even out",
    ),
    "both": (
        "more labelled {noun}s, and a look at the labels of the {noun}s it is surest and wrong about",
        "another --learning-rate or more --epochs: the training itself may be what fails",
    ),
    "balanced": (
        "more labelled {noun}s, or a larger --hidden, may still gain a little",
        "another --seed shows how much of a gain is chance",
    ),
}


def make_card(fitted: ClassifyFitted, temperature: float) -> ClassifyCard:
    """The model card."""
    data = fitted.data
    return ClassifyCard(
        **shared_card(fitted), classes=data.classes, shares=data.shares, temperature=temperature
    )


def make_texts(fitted: ClassifyFitted) -> dict[str, str]:
    """Content of the text files of the model folder, by name."""
    report = build_report(fitted, diagnose_classifier(fitted.evaluation.metrics, fitted.data.encoder.noun))
    return {
        fitted.data.encoder.file: fitted.data.encoder.to_json(),
        METRICS: fitted.evaluation.metrics.model_dump_json(indent=2) + "\n",
        HISTORY: history_as_csv(fitted.result),
        REPORT: render_classify_report(report),
    }


def diagnose_classifier(metrics: ClassifyMetrics, noun: str) -> Diagnosis:
    """High bias or high variance, by the share of wrong answers beside the best baseline's."""
    assert metrics.training is not None
    assert metrics.validation is not None
    wrong = {
        one.label: 100 * (1 - one.validation.accuracy) for one in metrics.baselines.values() if one.validation
    }
    best = min(wrong, key=lambda label: wrong[label])
    found = diagnose(
        100 * (1 - metrics.training.accuracy),
        100 * (1 - metrics.validation.accuracy),
        wrong[best],
        unit="%",
        name_of_baseline=best,
    )
    advice = tuple(line.format(noun=noun) for line in ADVICE[found.verdict])
    return found.model_copy(update={"advice": advice})

"""What a finished fit of a classifier leaves behind: card, tokenizer, metrics.json, history.csv, report."""

from __future__ import annotations

from throughtime.page.classify_report import render_classify_report
from throughtime.tasks.classify_card import TOKENIZER, ClassifyCard
from throughtime.tasks.classify_report import ClassifyFitted, build_report
from throughtime.tasks.classify_scores import ClassifyMetrics
from throughtime.tasks.fitting import shared_card
from throughtime.tasks.model_folder import HISTORY, METRICS, REPORT
from throughtime.tasks.results import history_as_csv
from throughtime.training import Diagnosis, diagnose

ADVICE = {
    "high bias": (
        "longer training: more --epochs, or another --learning-rate",
        "a larger network: --hidden or --embedding twice as large",
        "less restraint: a smaller --dropout and --word-dropout",
    ),
    "high variance": (
        "more labelled texts help most",
        "more restraint: a larger --word-dropout, --input-dropout or --weight-decay",
        "more --members, whose errors even out",
    ),
    "both": (
        "more labelled texts, and a look at the labels of the texts it is surest and wrong about",
        "another --learning-rate or more --epochs: the training itself may be what fails",
    ),
    "balanced": (
        "more labelled texts, or a larger --hidden, may still gain a little",
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
    report = build_report(fitted, diagnose_classifier(fitted.evaluation.metrics))
    return {
        TOKENIZER: fitted.data.words.to_json(),
        METRICS: fitted.evaluation.metrics.model_dump_json(indent=2) + "\n",
        HISTORY: history_as_csv(fitted.result),
        REPORT: render_classify_report(report),
    }


def diagnose_classifier(metrics: ClassifyMetrics) -> Diagnosis:
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
    return found.model_copy(update={"advice": ADVICE[found.verdict]})

"""What a finished fit of a tagger leaves behind: card, vocabulary, metrics.json, history.csv, report."""

from __future__ import annotations

from throughtime.page.tag_report import render_tag_report
from throughtime.tasks.fitting import shared_card
from throughtime.tasks.model_folder import HISTORY, METRICS, REPORT
from throughtime.tasks.results import history_as_csv
from throughtime.tasks.tag_card import VOCABULARY, TagCard
from throughtime.tasks.tag_report import TagFitted, build_report
from throughtime.tasks.tag_scores import TagMetrics
from throughtime.training import Diagnosis, diagnose

ADVICE = {
    "high bias": (
        "longer training: more --epochs, or another --learning-rate",
        "a larger network: --hidden or --embedding twice as large",
        "less restraint: a smaller --dropout, --word-dropout and --character-dropout",
    ),
    "high variance": (
        "word vectors learnt from much more text: --vectors FILE",
        "more tagged sentences, above all of the kind it will read",
        "more restraint: a larger --word-dropout, --input-dropout or --character-dropout",
    ),
    "both": (
        "word vectors learnt from much more text: --vectors FILE",
        "more tagged sentences, and a look at the tags of the spans it is surest and wrong about",
        "another --learning-rate or more --epochs: the training itself may be what fails",
    ),
    "balanced": (
        "more tagged sentences, or a larger --hidden, may still gain a little",
        "another --seed shows how much of a gain is chance",
    ),
}


def make_card(fitted: TagFitted) -> TagCard:
    """The model card."""
    vectors = fitted.data.vectors
    return TagCard(
        **shared_card(fitted),
        classes=fitted.data.classes,
        offset=fitted.evaluation.metrics.offset,
        vector_size=0 if vectors is None else vectors.size,
    )


def make_texts(fitted: TagFitted) -> dict[str, str]:
    """Content of the text files of the model folder, by name."""
    report = build_report(fitted, diagnose_tagger(fitted.evaluation.metrics))
    return {
        VOCABULARY: fitted.data.vocabulary.to_json(),
        METRICS: fitted.evaluation.metrics.model_dump_json(indent=2) + "\n",
        HISTORY: history_as_csv(fitted.result),
        REPORT: render_tag_report(report),
    }


def diagnose_tagger(metrics: TagMetrics) -> Diagnosis:
    """High bias or high variance, by what span F1 lacks to 100 % beside the best baseline's."""
    assert metrics.training is not None
    assert metrics.validation is not None
    wrong = {one.label: 100 * (1 - one.validation.f1) for one in metrics.baselines.values()}
    best = min(wrong, key=lambda label: wrong[label])
    found = diagnose(
        100 * (1 - metrics.training.f1),
        100 * (1 - metrics.validation.f1),
        wrong[best],
        unit="points of F1",
        name_of_baseline=best,
    )
    return found.model_copy(update={"advice": ADVICE[found.verdict]})

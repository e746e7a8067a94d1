"""What a finished fit of a generator leaves behind: card, alphabet, metrics.json, history.csv, report."""

from __future__ import annotations

from throughtime.page.generate_text_report import render_text_report
from throughtime.tasks.fitting import shared_card
from throughtime.tasks.generate_text_card import SYMBOLS, TextCard
from throughtime.tasks.generate_text_report import TextFitted, build_report
from throughtime.tasks.generate_text_scores import TextMetrics
from throughtime.tasks.model_folder import HISTORY, METRICS, REPORT
from throughtime.tasks.results import history_as_csv
from throughtime.training import Diagnosis, diagnose

ADVICE = {
    "high bias": (
        "longer training: more --epochs, or another --learning-rate",
        "a larger network: --hidden twice as large, or one more of --layers",
        "less restraint: a smaller --dropout",
    ),
    "high variance": (
        "more text helps most",
        "more restraint: a larger --dropout, or --input-dropout",
        "fewer --epochs if the validation loss rose at the end, or a smaller --hidden",
    ),
    "both": (
        "more text, and a look at whether training and validation part are of one kind",
        "another --learning-rate or more --epochs: the training itself may be what fails",
    ),
    "balanced": (
        "a larger --hidden or more --epochs may still gain a little",
        "another --seed shows how much of a gain is chance",
    ),
}


def make_card(fitted: TextFitted) -> TextCard:
    """The model card."""
    return TextCard(**shared_card(fitted), shares=fitted.data.shares)


def make_texts(fitted: TextFitted) -> dict[str, str]:
    """Content of the text files of the model folder, by name."""
    report = build_report(fitted, diagnose_generator(fitted.evaluation.metrics))
    return {
        SYMBOLS: fitted.data.symbols.to_json(),
        METRICS: fitted.evaluation.metrics.model_dump_json(indent=2) + "\n",
        HISTORY: history_as_csv(fitted.result),
        REPORT: render_text_report(report),
    }


def diagnose_generator(metrics: TextMetrics) -> Diagnosis:
    """High bias or high variance, by the nats per character beside the best counting model's."""
    assert metrics.training is not None
    assert metrics.validation is not None
    best = {one.label: one.validation.nats for one in metrics.baselines.values() if one.validation}
    name = min(best, key=lambda label: best[label])
    found = diagnose(
        metrics.training.nats, metrics.validation.nats, best[name], unit="nats", name_of_baseline=name
    )
    return found.model_copy(update={"advice": ADVICE[found.verdict]})

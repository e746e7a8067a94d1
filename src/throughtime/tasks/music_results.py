"""What a finished fit of a composer leaves behind: card, metrics.json, history.csv, report."""

from __future__ import annotations

from throughtime.page.music_report import render_music_report
from throughtime.tasks.fitting import shared_card
from throughtime.tasks.model_folder import HISTORY, METRICS, REPORT
from throughtime.tasks.music_card import MusicCard
from throughtime.tasks.music_report import MusicFitted, build_report
from throughtime.tasks.music_scores import MusicMetrics
from throughtime.tasks.results import history_as_csv
from throughtime.training import Diagnosis, diagnose

ADVICE = {
    "high bias": (
        "longer training: more --epochs, or another --learning-rate",
        "a larger network: --hidden twice as large",
        "less restraint: a smaller --dropout and --input-dropout",
    ),
    "high variance": (
        "more pieces help most",
        "pieces in many keys: --transpose 5; pieces all brought to one key: without it",
        "more restraint: a larger --dropout, --input-dropout or --weight-decay",
    ),
    "both": (
        "more pieces, and a look at what was read: does the --grid suit this music?",
        "another --learning-rate or more --epochs: the training itself may be what fails",
    ),
    "balanced": (
        "more pieces, or a larger --hidden, may still gain a little",
        "another --seed shows how much of a gain is chance",
    ),
}


def make_card(fitted: MusicFitted) -> MusicCard:
    """The model card."""
    data = fitted.data
    return MusicCard(
        **shared_card(fitted),
        lowest=data.lowest,
        highest=data.highest,
        rates=tuple(data.rates.tolist()),
        tempo=data.tempo,
    )


def make_texts(fitted: MusicFitted) -> dict[str, str]:
    """Content of the text files of the model folder, by name."""
    metrics = fitted.evaluation.metrics
    report = build_report(fitted, diagnose_composer(metrics))
    return {
        METRICS: metrics.model_dump_json(indent=2) + "\n",
        HISTORY: history_as_csv(fitted.result),
        REPORT: render_music_report(report),
    }


def diagnose_composer(metrics: MusicMetrics) -> Diagnosis:
    """High bias or high variance, by the nats per step beside the best baseline's."""
    assert metrics.training is not None
    assert metrics.validation is not None
    nats = {one.label: one.validation.nats_per_step for one in metrics.baselines.values() if one.validation}
    best = min(nats, key=lambda label: nats[label])
    found = diagnose(
        metrics.training.nats_per_step,
        metrics.validation.nats_per_step,
        nats[best],
        unit="nats",
        name_of_baseline=best,
    )
    return found.model_copy(update={"advice": ADVICE[found.verdict]})

"""Measuring a composer beside its baselines on the same pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from throughtime.nn.music_network import MusicNetwork
from throughtime.tasks.music_baselines import MusicBaseline, constant_rates, following, run_baselines
from throughtime.tasks.music_data import MusicData, MusicPart
from throughtime.tasks.music_network import note_logits, step_nats
from throughtime.tasks.music_scores import (
    MusicMetrics,
    MusicScores,
    PieceScore,
    baseline_scores,
    music_scores,
    note_bins,
)

NOT_KEPT = "it needs the training pieces, which are not kept"


@dataclass(frozen=True)
class MusicEvaluation:
    """Everything measured in one evaluation.

    Attributes:
        metrics: The figures.
        test: Logits of the network for each test piece, each (T, N).
    """

    metrics: MusicMetrics
    test: list[Tensor]


def evaluate_parts(network: MusicNetwork, data: MusicData) -> MusicEvaluation:
    """Measure network and baselines on the parts of the data it was trained on."""
    logits = note_logits(network, data.test.bits)
    metrics = _metrics(logits, data.test, run_baselines(data), data.validation)
    others = {
        "validation": _scores(note_logits(network, data.validation.bits), data.validation),
        "training": _scores(note_logits(network, data.train.bits), data.train),
    }
    return MusicEvaluation(metrics.model_copy(update=others), logits)


def evaluate_other(network: MusicNetwork, rates: Tensor, part: MusicPart) -> MusicEvaluation:
    """Measure the network on other pieces, beside the one baseline that needs no training pieces."""
    logits = note_logits(network, part.bits)
    metrics = _metrics(logits, part, [constant_rates(rates, part, None)], None)
    left_out = {"one step of memory": NOT_KEPT, "k-nearest neighbours": NOT_KEPT}
    return MusicEvaluation(metrics.model_copy(update={"left_out": left_out}), logits)


def piece_nats(logits: Sequence[Tensor], part: MusicPart) -> list[Tensor]:
    """Nats of every step of each piece, each (T,)."""
    return [step_nats(one.double(), bits.double()) for one, bits in zip(logits, part.bits, strict=True)]


def _scores(logits: Sequence[Tensor], part: MusicPart) -> MusicScores:
    return music_scores(torch.cat([one[1:] for one in logits]), following(part.bits)[1], len(part))


def _metrics(
    logits: Sequence[Tensor],
    test: MusicPart,
    baselines: Sequence[MusicBaseline],
    validation: MusicPart | None,
) -> MusicMetrics:
    truth = following(test.bits)[1]
    known = None if validation is None else (following(validation.bits)[1], len(validation))
    scored = {one.name: baseline_scores(one, (truth, len(test)), known) for one in baselines}
    nats = piece_nats(logits, test)
    return MusicMetrics(
        test=_scores(logits, test),
        first_step_nats=float(torch.stack([one[0] for one in nats]).mean()),
        calibration=note_bins(torch.cat([one[1:] for one in logits]), truth),
        pieces=tuple(
            PieceScore(
                name=roll.name,
                steps=len(roll),
                nats_per_step=float(one[1:].mean()) if len(one) > 1 else None,
            )
            for roll, one in zip(test.rolls, nats, strict=True)
        ),
        baselines=scored,
        left_out={},
        best_baseline=min(scored, key=lambda name: scored[name].nats_per_step),
    )

"""How good a composer is: how well it foretells the notes, and whether its probabilities mean something."""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from throughtime.tasks.music_baselines import MusicBaseline
from throughtime.tasks.music_network import step_nats

BINS = 10


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MusicScores(_Record):
    """Figures over one part; the first step of each piece is left out, as nothing comes before it.

    Attributes:
        nats_per_step: Mean negative log-likelihood of a step, summed over the notes.
        frame_accuracy: Of the notes that sounded, were foretold (p at least 0.5), or both, the share that
            was both: TP / (TP + FP + FN) over all steps.
        steps: How many count.
        pieces: How many there are.
    """

    nats_per_step: float
    frame_accuracy: float
    steps: int
    pieces: int


class MusicBaselineScores(MusicScores):
    """A baseline on the test part, and on the validation part where there is one."""

    label: str
    note: str
    validation: MusicScores | None = None


class NoteBin(_Record):
    """Notes given about the same probability: its mean, the share that sounded, how many."""

    probability: float
    sounded: float
    notes: int


class PieceScore(_Record):
    """One test piece. `nats_per_step` is None for a piece of one step."""

    name: str
    steps: int
    nats_per_step: float | None


class MusicMetrics(_Record):
    """What `evaluate` prints with --json, and what metrics.json holds.

    Attributes:
        first_step_nats: Mean of the first steps of the test pieces, which `test` leaves out.
        calibration: All notes of all test steps by probability, bins without notes left out.
        pieces: The test pieces in the order of the data.
    """

    test: MusicScores
    validation: MusicScores | None = None
    training: MusicScores | None = None
    first_step_nats: float
    calibration: tuple[NoteBin, ...]
    pieces: tuple[PieceScore, ...]
    baselines: dict[str, MusicBaselineScores]
    left_out: dict[str, str]
    best_baseline: str


def music_scores(logits: Tensor, truth: Tensor, pieces: int) -> MusicScores:
    """Figures of some steps.

    Args:
        logits: (S, N).
        truth: 1 where a note sounds, (S, N).
        pieces: How many pieces the steps are of.
    """
    foretold, sounded = logits >= 0, truth > 0
    either = int((foretold | sounded).sum())
    both = int((foretold & sounded).sum())
    return MusicScores(
        nats_per_step=float(step_nats(logits.double(), truth.double()).mean()),
        frame_accuracy=both / either if either else 1.0,
        steps=len(truth),
        pieces=pieces,
    )


def note_bins(logits: Tensor, truth: Tensor) -> tuple[NoteBin, ...]:
    """All notes by probability, in `BINS` bins of equal width."""
    probability = logits.sigmoid().flatten().double()
    sounded = truth.flatten().double()
    place = (probability * BINS).long().clamp(max=BINS - 1)
    return tuple(
        NoteBin(
            probability=float(probability[place == number].mean()),
            sounded=float(sounded[place == number].mean()),
            notes=int((place == number).sum()),
        )
        for number in torch.unique(place).tolist()
    )


def baseline_scores(
    baseline: MusicBaseline, test: tuple[Tensor, int], validation: tuple[Tensor, int] | None
) -> MusicBaselineScores:
    """A baseline's figures on the parts it answered for; each part is its steps (S, N) and its pieces."""
    known = None
    if baseline.validation is not None and validation is not None:
        known = music_scores(baseline.validation, *validation)
    return MusicBaselineScores(
        label=baseline.label,
        note=baseline.note,
        **music_scores(baseline.test, *test).model_dump(),
        validation=known,
    )

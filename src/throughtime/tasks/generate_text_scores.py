"""How well a generator of text foresees a text: nats per character, and what follows from them."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from throughtime.tasks.counting_models import CountingModel, Floats

JudgedPart = Literal["validation", "test"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TextScores(_Record):
    """Figures over one part.

    Attributes:
        nats: Mean of -log of the probability of each character but the first, known ones alone.
        bits: The same by the logarithm to base 2.
        perplexity: exp(nats): it knows as little as if it chose among so many characters blindly.
        characters: How many were judged.
        unknown: How many never occurred in training, and were not judged.
        pieces: How many words or byte pieces these characters are; None where each is read by itself.
        piece_perplexity: exp of the mean nats of a piece.
    """

    nats: float
    bits: float
    perplexity: float
    characters: int
    unknown: int
    pieces: int | None = None
    piece_perplexity: float | None = None


class MethodScores(_Record):
    """A baseline on the parts that it was judged on."""

    label: str
    note: str
    validation: TextScores | None = None
    test: TextScores | None = None


class TextMetrics(_Record):
    """What `evaluate` prints with --json, and what metrics.json holds.

    Attributes:
        unit: What is read in one step.
        alphabet: Characters or pieces known.
        validation: The part that chose the epoch.
        test: A part that chose nothing; None where there is none.
        training: The beginning of the training part.
        best_baseline: The one with the fewest nats on the part that counts.
    """

    unit: Literal["character", "piece"] = "character"
    alphabet: int
    validation: TextScores | None = None
    test: TextScores | None = None
    training: TextScores | None = None
    baselines: dict[str, MethodScores]
    left_out: dict[str, str]
    best_baseline: str

    @property
    def part(self) -> JudgedPart:
        """The part that counts: test where there is one."""
        return "test" if self.test is not None else "validation"

    @property
    def judged(self) -> TextScores:
        """Figures of the network on the part that counts."""
        found = self.test or self.validation
        assert found is not None
        return found

    def baseline(self, name: str) -> TextScores:
        """Figures of a baseline on the part that counts."""
        found = getattr(self.baselines[name], self.part)
        assert isinstance(found, TextScores)
        return found


def text_scores(surprise: Any, *, pieces: int | None = None) -> TextScores:
    """Figures of -log of the probability of each character; NaN where it is unknown.

    Args:
        surprise: (N,), nats.
        pieces: How many words or byte pieces the characters are, none of them unknown; None: single ones.
    """
    nats = np.asarray(surprise, dtype=np.float64)
    known = nats[~np.isnan(nats)]
    mean = float(known.mean())
    return TextScores(
        nats=mean,
        bits=mean / math.log(2),
        perplexity=_perplexity(mean),
        characters=len(known),
        unknown=len(nats) - len(known),
        pieces=pieces,
        piece_perplexity=None if pieces is None else _perplexity(float(known.sum()) / pieces),
    )


def shares_as_model(shares: Floats, part: Any) -> CountingModel:
    """Training's shares of the characters as a model of a test part: no more of that text is kept."""
    with_unknown = np.append(np.maximum(shares, 1e-12), np.nan)
    nats = -np.log(with_unknown[np.asarray(part)[1:]])
    return CountingModel("order_0", "counts, order 0", "shares of the characters", {"test": nats})


def _perplexity(nats: float) -> float:
    return math.exp(min(nats, 700.0))

"""How good a classifier is: what it gets right, class by class, and if its confidence means something."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    precision_recall_fscore_support,
)

from throughtime.tasks.classify_learners import Baseline

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BINS = 10


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PartScores(_Record):
    """Figures over one part.

    Attributes:
        accuracy: Share whose class is right.
        macro_f1: Mean over the classes of F1, each class weighing the same.
        log_loss: Mean of -log of the probability of the true class, nats.
        calibration_error: Mean distance of confidence from accuracy, over `BINS` bins of equal width.
        count: How many texts or sequences there are.
    """

    accuracy: float
    macro_f1: float
    log_loss: float
    calibration_error: float
    count: int


class ClassScores(_Record):
    """One class on the test part: of those called so how many are so, and the other way round."""

    precision: float
    recall: float
    f1: float
    count: int


class Bin(_Record):
    """Those whose confidence lies in one bin: mean confidence, share that is right, how many."""

    confidence: float
    accuracy: float
    count: int


class BaselineScores(PartScores):
    """A baseline on the test part, and on the validation part where there is one."""

    label: str
    note: str
    validation: PartScores | None = None


class ClassifyMetrics(_Record):
    """What `evaluate` prints with --json, and what metrics.json holds.

    Attributes:
        noun: What was classed: "text" or "sequence".
        confusion: The test part by true class (rows) and predicted class (columns).
        calibration: The test part by confidence, empty bins left out.
        temperature: Fitted on the validation part; see `find_temperature`.
    """

    noun: str
    classes: tuple[str, ...]
    test: PartScores
    validation: PartScores | None = None
    training: PartScores | None = None
    per_class: dict[str, ClassScores]
    confusion: tuple[tuple[int, ...], ...]
    calibration: tuple[Bin, ...]
    temperature: float
    baselines: dict[str, BaselineScores]
    left_out: dict[str, str]
    best_baseline: str


def part_scores(probabilities: Floats, truth: Ints) -> PartScores:
    """Figures of one part.

    Args:
        probabilities: (N, K).
        truth: (N,), 0 to K - 1.
    """
    labels = np.arange(probabilities.shape[1])
    found = probabilities.argmax(axis=1)
    bins = calibration_bins(probabilities, truth)
    return PartScores(
        accuracy=float(accuracy_score(truth, found)),
        macro_f1=float(f1_score(truth, found, labels=labels, average="macro", zero_division=0)),
        log_loss=float(log_loss(truth, probabilities, labels=labels)),
        calibration_error=sum(abs(b.confidence - b.accuracy) * b.count for b in bins) / len(truth),
        count=len(truth),
    )


def calibration_bins(probabilities: Floats, truth: Ints) -> tuple[Bin, ...]:
    """All by confidence, the probability of the predicted class, in `BINS` bins of equal width."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return tuple(
        Bin(
            confidence=float(confidence[place == number].mean()),
            accuracy=float(right[place == number].mean()),
            count=int((place == number).sum()),
        )
        for number in np.unique(place)
    )


def class_scores(probabilities: Floats, truth: Ints, classes: Sequence[str]) -> dict[str, ClassScores]:
    """Precision, recall and F1 of every class; 0 where there is nothing to divide by."""
    figures = precision_recall_fscore_support(
        truth, probabilities.argmax(axis=1), labels=np.arange(len(classes)), zero_division=0
    )
    return {
        label: ClassScores(precision=float(p), recall=float(r), f1=float(f), count=int(n))
        for label, p, r, f, n in zip(classes, *figures, strict=True)
    }


def confusion(probabilities: Floats, truth: Ints) -> tuple[tuple[int, ...], ...]:
    """How many by true class (rows) and predicted class (columns)."""
    labels = np.arange(probabilities.shape[1])
    counts = confusion_matrix(truth, probabilities.argmax(axis=1), labels=labels)
    return tuple(tuple(row) for row in counts.tolist())


def baseline_scores(baseline: Baseline, test: Ints, validation: Ints | None) -> BaselineScores:
    """A baseline's figures on the parts it answered for."""
    known = baseline.validation is not None and validation is not None
    return BaselineScores(
        label=baseline.label,
        note=baseline.note,
        **part_scores(baseline.test, test).model_dump(),
        validation=part_scores(baseline.validation, validation) if known else None,  # type: ignore[arg-type]
    )

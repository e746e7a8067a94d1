"""Simple classifiers on features of any kind: logistic regression, near neighbours, the largest class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.neighbors import NearestNeighbors

from throughtime.tasks.classify_data import Part

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)  # C of the logistic regression
NEIGHBOURS = (1, 3, 5, 11, 21, 51, 101, 201)  # candidates for k


@dataclass(frozen=True)
class Baseline:
    """Probabilities of one baseline.

    Attributes:
        name: Key in metrics.json.
        label: What people read.
        note: What it did, in a few words.
        test: (N, K).
        validation: (N, K), or None where there is no validation part.
    """

    name: str
    label: str
    note: str
    test: Floats
    validation: Floats | None


@dataclass(frozen=True)
class Features:
    """What a simple classifier reads of the three parts, each (N, F), dense or sparse, and a name for it."""

    note: str
    train: Any
    validation: Any
    test: Any


def largest_class(
    classes: Sequence[str], shares: Sequence[float], test: Part, validation: Part | None
) -> Baseline:
    """Always the class that training holds most of, with the classes' shares as probabilities."""
    rows = np.array(shares)
    return Baseline(
        "largest_class",
        "largest class",
        f"always {classes[int(rows.argmax())]!r}",
        np.tile(rows, (len(test), 1)),
        None if validation is None else np.tile(rows, (len(validation), 1)),
    )


def logistic_regression(
    name: str, label: str, candidates: Iterable[Features], truth: Ints, judged: Ints
) -> Baseline:
    """Logistic regression; features and strength by the accuracy on the validation part.

    Args:
        name: Of the baseline.
        label: For people.
        candidates: Features to choose from.
        truth: Classes of the training part, (N,).
        judged: Classes of the validation part.
    """
    best = -1.0
    for features in candidates:
        for strength in STRENGTHS:
            model = LogisticRegression(C=strength, max_iter=1_000).fit(features.train, truth)
            found = model.predict_proba(features.validation)
            accuracy = accuracy_score(judged, found.argmax(axis=1))
            if accuracy > best:
                best, on_validation = accuracy, found
                on_test = model.predict_proba(features.test)
                note = f"{features.note}, C = {strength:g}"
    return Baseline(name, label, note, on_test, on_validation)


def nearest_neighbours(
    features: Features, truth: Ints, judged: Ints, classes: int, *, metric: str
) -> Baseline:
    """Shares of the classes among the k nearest training rows; k by validation accuracy.

    Args:
        features: What distances are measured on.
        truth: Classes of the training part, (N,).
        judged: Classes of the validation part.
        classes: K.
        metric: "cosine" or "euclidean".
    """
    candidates = [k for k in NEIGHBOURS if k <= len(truth)]
    index = NearestNeighbors(n_neighbors=candidates[-1], metric=metric, algorithm="brute").fit(features.train)
    near = [
        truth[index.kneighbors(part, return_distance=False)] for part in (features.validation, features.test)
    ]
    scores = [accuracy_score(judged, _votes(near[0], k, classes).argmax(axis=1)) for k in candidates]
    k = candidates[int(np.argmax(scores))]
    on_validation, on_test = (_votes(part, k, classes) for part in near)
    note = f"k = {k}, {features.note}"
    return Baseline("nearest_neighbours", "k-nearest neighbours", note, on_test, on_validation)


def _votes(near: Ints, k: int, classes: int) -> Floats:
    """Share of each class among k neighbours, each class counted once more, so that none is impossible."""
    votes = np.stack([(near[:, :k] == number).sum(axis=1) for number in range(classes)], axis=1) + 1.0
    shares: Floats = votes / votes.sum(axis=1, keepdims=True)
    return shares

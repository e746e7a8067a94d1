"""What simple classifiers read of sequences of numbers: every step at one length, or figures over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from throughtime.tasks.classify_data import ClassifyData
from throughtime.tasks.classify_learners import Features

Floats = npt.NDArray[np.float64]

MOST_STEPS = 128  # that sequences are brought to, to be held against each other step by step


def every_step(data: ClassifyData) -> Features:
    """All sequences brought to the median length of training, at most `MOST_STEPS`, by straight lines."""
    steps = int(min(np.median([len(one) for one in data.train.inputs]), MOST_STEPS))
    parts = (data.train, data.validation, data.test)
    found = [np.stack([resampled(one, steps).ravel() for one in part.inputs]) for part in parts]
    return Features(f"Euclidean over {steps} steps", *found)


def resampled(sequence: Tensor, steps: int) -> Floats:
    """A sequence (T, I) brought to (steps, I): its beginning and end stay, straight lines between steps."""
    values = sequence.numpy().astype(np.float64)
    if len(values) == steps:
        return values
    places = np.linspace(0, len(values) - 1, steps)
    return np.stack([np.interp(places, np.arange(len(values)), column) for column in values.T], axis=1)


def summaries(data: ClassifyData) -> Features:
    """Figures of each channel over the steps, and the length, scaled by the training part."""
    parts = (data.train, data.validation, data.test)
    train, validation, test = (_figures(part.inputs) for part in parts)
    scaler = StandardScaler().fit(train)
    return Features(
        "mean, spread, ends, slope, change",
        scaler.transform(train),
        scaler.transform(validation),
        scaler.transform(test),
    )


def _figures(sequences: Sequence[Tensor]) -> Floats:
    return np.stack([summary(one.numpy().astype(np.float64)) for one in sequences])


def summary(values: Floats) -> Floats:
    """Figures of one sequence (T, I), (8 I + 1,).

    Mean, standard deviation, smallest, largest, first and last value, slope of the straight line over the
    steps (whole sequence: 1), and mean size of the change from step to step, of each channel; and log T.
    """
    T = len(values)
    time = np.linspace(-0.5, 0.5, T)
    spread = float((time**2).sum())
    slope = time @ values / spread if T > 1 else np.zeros(values.shape[1])
    change = np.abs(np.diff(values, axis=0)).mean(axis=0) if T > 1 else np.zeros(values.shape[1])
    return np.concatenate(
        [
            values.mean(axis=0),
            values.std(axis=0),
            values.min(axis=0),
            values.max(axis=0),
            values[0],
            values[-1],
            slope,
            change,
            [np.log(T)],
        ]
    )

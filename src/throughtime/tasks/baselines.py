"""What a forecast must beat: persistence, the same hour of the day before, and nearest neighbours.

All of them run on the same windows as the network and see nothing that it does not see.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import NearestNeighbors

from throughtime.data import Windows
from throughtime.data.windows import ALL, Indices

Floats = npt.NDArray[np.floating]
Neighbours = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]  # rows of windows, their neighbours

DAY = timedelta(days=1)
NEIGHBOURS = (1, 2, 5, 10, 20, 50, 100, 200)  # candidates for k
MAX_REFERENCES = 10_000  # windows that the nearest neighbours are looked for among
MAX_FEATURES = 500  # numbers that describe one window
QUERIES_AT_ONCE = 2_048


@dataclass(frozen=True)
class Baseline:
    """Forecasts of one baseline, in the target's unit.

    Attributes:
        name: Key in metrics.json.
        label: What people read.
        note: What it did, in a few words.
        test: (windows, K).
        validation: (windows, K), or None where there is no validation part.
    """

    name: str
    label: str
    note: str
    test: Floats
    validation: Floats | None


@dataclass(frozen=True)
class LeftOut:
    """A baseline that could not run, and why."""

    label: str
    reason: str


def persistence(windows: Windows, rows: Indices = ALL) -> Floats:
    """The last known value, at every lead time, of all windows or of those in `rows`: (windows, K)."""
    return np.repeat(windows.known((0,), rows), len(windows.leads), axis=1)


def same_hour_day_before(windows: Windows, step: timedelta) -> Floats:
    """The latest known value at the same time of day: (windows, K).

    For a lead time beyond 24 h that is the last day already known, not the day before the forecast.
    """
    day = DAY // step
    return windows.known(tuple(lead - day * math.ceil(lead / day) for lead in windows.leads))


class NearestNeighboursForecast:
    """Mean of what followed the k most similar training windows (scikit-learn, brute force).

    Windows are compared by all their scaled inputs (averaged over neighbouring time steps where one
    window holds more than `MAX_FEATURES` numbers). What is averaged is either the value that followed
    or its change from the window's last value; k and that choice are made on the validation part.
    """

    def __init__(self, training: Windows) -> None:
        self.chosen = _spread(len(training), MAX_REFERENCES)
        self.total = len(training)
        references, self.steps_averaged = _describe(training, self.chosen)
        self.levels = training.truth(self.chosen)
        self.changes = self.levels - training.known((0,), self.chosen)
        self.candidates = [k for k in NEIGHBOURS if k <= len(self.chosen)]
        self.index = NearestNeighbors(n_neighbors=self.candidates[-1], algorithm="brute").fit(references)
        self.k = self.candidates[0]
        self.by_change = True

    def choose(self, validation: Windows) -> Floats:
        """Choose k, and level or change, by the mean absolute error on `validation`; its forecasts."""
        truth = validation.truth()
        neighbours = list(self._neighbours(validation))
        best = math.inf
        for by_change in (True, False):
            for k in self.candidates:
                forecast = self._combine(validation, neighbours, k, by_change)
                error = float(np.mean(np.abs(forecast - truth)))
                if error < best:
                    best, chosen = error, forecast
                    self.k, self.by_change = k, by_change
        return chosen

    def forecast(self, windows: Windows) -> Floats:
        """Forecast every window: (windows, K), in the target's unit."""
        return self._combine(windows, self._neighbours(windows), self.k, self.by_change)

    @property
    def note(self) -> str:
        """What was chosen, in a few words."""
        averaged = "the change" if self.by_change else "the value"
        words = f"k = {self.k}, mean of {averaged} that followed"
        if len(self.chosen) < self.total:
            words += f"; among {len(self.chosen):,} of {self.total:,} training windows"
        if self.steps_averaged > 1:
            words += f"; inputs averaged over {self.steps_averaged} steps"
        return words

    def _neighbours(self, windows: Windows) -> Iterator[Neighbours]:
        for rows in np.array_split(np.arange(len(windows)), max(1, len(windows) // QUERIES_AT_ONCE)):
            queries, _ = _describe(windows, rows)
            yield rows, self.index.kneighbors(queries, return_distance=False)

    def _combine(self, windows: Windows, neighbours: Iterable[Neighbours], k: int, by_change: bool) -> Floats:
        followed = self.changes if by_change else self.levels
        parts = []
        for rows, nearest in neighbours:
            mean = followed[nearest[:, :k]].mean(axis=1)
            parts.append(mean + windows.known((0,), rows) if by_change else mean)
        return np.concatenate(parts)


def run_baselines(
    test: Windows, validation: Windows | None, training: Windows | None, step: timedelta
) -> tuple[list[Baseline], list[LeftOut]]:
    """Run every baseline that these windows allow.

    Args:
        test: Windows to forecast.
        validation: Windows on which k is chosen; None leaves the nearest neighbours out.
        training: Windows to look for neighbours in; None leaves them out.
        step: Time between two rows.

    Returns:
        The baselines, and those left out with the reason.
    """
    last = [None if part is None else persistence(part) for part in (test, validation)]
    done = [Baseline("persistence", "persistence", "the last known value", _some(last[0]), last[1])]
    left_out = []
    if reason := _no_day_before(test, step):
        left_out.append(LeftOut("same hour of the day before", reason))
    else:
        before = [None if part is None else same_hour_day_before(part, step) for part in (test, validation)]
        same = np.array_equal(_some(before[0]), done[0].test)
        note = "the same as persistence at this horizon" if same else "the latest value known at that hour"
        done.append(
            Baseline("same_hour_day_before", "same hour of the day before", note, _some(before[0]), before[1])
        )
    if training is None or validation is None:
        left_out.append(LeftOut("k-nearest neighbours", "they need the training data, which is not kept"))
    else:
        neighbours = NearestNeighboursForecast(training)
        on_validation = neighbours.choose(validation)
        on_test = neighbours.forecast(test)
        done.append(
            Baseline("nearest_neighbours", "k-nearest neighbours", neighbours.note, on_test, on_validation)
        )
    return done, left_out


def _describe(windows: Windows, rows: npt.NDArray[np.integer]) -> tuple[Floats, int]:
    """Windows as flat vectors (rows, features), and how many time steps were averaged into one."""
    inputs = windows.inputs(rows).numpy()  # (T, rows, I)
    steps, _, width = inputs.shape
    averaged = math.ceil(steps * width / MAX_FEATURES)
    kept = steps - steps % averaged  # the oldest steps that fill no whole group are left out
    grouped = inputs[steps - kept :].reshape(kept // averaged, averaged, len(rows), width).mean(axis=1)
    return grouped.transpose(1, 0, 2).reshape(len(rows), -1), averaged


def _no_day_before(windows: Windows, step: timedelta) -> str | None:
    if step >= DAY or DAY % step:
        return "the rows are not a whole part of a day apart"
    return "the history is shorter than a day" if windows.history < DAY // step else None


def _spread(count: int, most: int) -> npt.NDArray[np.intp]:
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.intp))


def _some(values: Floats | None) -> Floats:
    assert values is not None
    return values

"""Rows onto a grid of equal steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from throughtime.data.durations import format_duration
from throughtime.data.table import Repair, counted
from throughtime.errors import DataError

_US = np.timedelta64(1, "us")
_MAX_STRETCH = 10
_USUAL = [
    timedelta(seconds=seconds)
    for base, numbers in (
        (1, (1, 2, 5, 10, 15, 20, 30)),
        (60, (1, 2, 5, 10, 15, 20, 30)),
        (3600, (1, 2, 3, 6, 12, 24)),
    )
    for seconds in (base * number for number in numbers)
]


@dataclass(frozen=True)
class Grid:
    """Where each row belongs on a regular grid.

    Attributes:
        start: Time of slot 0, datetime64[us].
        step: Length of a slot.
        size: Number of slots N.
        slots: Slot of each row (M,), int64; -1 for a row that lost its slot to a nearer one.
        averaged: Slots are means over several rows.
        repairs: What was moved or averaged.
    """

    start: np.datetime64
    step: timedelta
    size: int
    slots: np.ndarray
    averaged: bool
    repairs: list[Repair]

    @property
    def times(self) -> np.ndarray:
        """Time of every slot, datetime64[us] (N,)."""
        return np.asarray(self.start + np.arange(self.size) * np.timedelta64(self.step))


def native_step(times: np.ndarray) -> timedelta | None:
    """The most frequent difference between sorted times, or None for one row.

    Where no difference makes up half of them (clocks that jitter), the median, if a usual step lies
    within 5 % of it.
    """
    differences = np.diff(times).astype(np.int64)
    if not len(differences):
        return None
    values, counts = np.unique(differences, return_counts=True)
    frequent = timedelta(microseconds=int(values[np.argmax(counts)]))
    if 2 * counts.max() >= len(differences):
        return frequent
    median = timedelta(microseconds=float(np.median(differences)))
    usual = min(_USUAL, key=lambda step: abs(step - median))
    return usual if abs(usual - median) <= 0.05 * median else frequent


def lay_grid(
    times: np.ndarray, offset: np.ndarray, every: timedelta | None, name: str, asked: str = "--every"
) -> Grid:
    """Lay sorted, distinct times (M,) on a regular grid.

    Without `every`, or at the data's own step, each row goes to its nearest slot, counted from the first
    row. A coarser `every` averages all rows of a slot; slots then begin at whole multiples of `every` in
    local time.

    Args:
        times: datetime64[us] (M,), sorted, each once.
        offset: Seconds to local time (M,).
        every: Step of the grid, or None for the most frequent difference.
        name: The table's name, for messages.
        asked: Where `every` comes from, for messages.

    Raises:
        DataError: one row, a step finer than the data's, or times too irregular for a grid.
    """
    native = native_step(times)
    if native is None and every is None:
        raise DataError(f"{name}: holds one row; a series needs many, one per step of time.")
    step = every or native or timedelta(0)
    if native is not None and step < native:
        raise DataError(
            f"{name}: the rows are {format_duration(native)} apart, and {asked} ({format_duration(step)}) "
            f"is finer; steps of {format_duration(native)} or more are possible."
        )
    span = int((times[-1] - times[0]) / _US)
    width = int(np.timedelta64(step) / _US)
    if span // width > _MAX_STRETCH * len(times) + 1000:
        raise DataError(_too_long(times, step, name))
    if native is not None and step > native:
        return _average(times, offset, step, width)
    return _nearest(times, step, width)


def _too_long(times: np.ndarray, step: timedelta, name: str) -> str:
    gaps = np.diff(times)
    widest = int(np.argmax(gaps))
    ends = [str(times[widest + i].astype("datetime64[s]")).replace("T", " ") for i in (0, 1)]
    slots = int((times[-1] - times[0]) / np.timedelta64(step))
    return (
        f"{name}: {len(times):,} rows would leave most of {slots:,} steps of {format_duration(step)} empty "
        f"(widest gap: {ends[0]} to {ends[1]}); check the times, or choose a longer step with --every."
    )


def _nearest(times: np.ndarray, step: timedelta, width: int) -> Grid:
    distance = ((times - times[0]) / _US).astype(np.int64)
    slots = (distance + width // 2) // width
    moved = np.abs(distance - slots * width)
    repairs = []
    if moved.any():
        count, most = int((moved > 0).sum()), timedelta(microseconds=int(moved.max()))
        text = (
            f"{counted(count, 'row')} moved to the nearest step of {format_duration(step)}, "
            f"by at most {format_duration(most)}."
        )
        repairs.append(Repair(kind="moved onto the grid", count=count, text=text))
    slots, lost = _one_row_a_slot(slots, moved)
    if lost:
        text = f"{counted(lost, 'row')} left out because another row is nearer to the same step."
        repairs.append(Repair(kind="two rows a step", count=lost, text=text))
    return Grid(times[0], step, int(slots.max()) + 1, slots, averaged=False, repairs=repairs)


def _one_row_a_slot(slots: np.ndarray, moved: np.ndarray) -> tuple[np.ndarray, int]:
    """Keep the nearest row of each slot, the first of equals; the others get slot -1."""
    order = np.lexsort((moved, slots))
    later = np.concatenate([[False], np.diff(slots[order]) == 0])
    out = slots.copy()
    out[order[later]] = -1
    return out, int(later.sum())


def _average(times: np.ndarray, offset: np.ndarray, step: timedelta, width: int) -> Grid:
    local = times[0] + offset[0].astype("timedelta64[s]")
    into = int((local - np.datetime64("1970-01-05", "us")) / _US) % width  # a Monday: weeks begin there
    start = times[0] - np.timedelta64(into, "us")
    slots = ((times - start) / _US).astype(np.int64) // width
    filled = len(np.unique(slots))
    text = f"{counted(len(times), 'row')} averaged into {counted(filled, 'step')} of {format_duration(step)}."
    repairs = [Repair(kind="averaged", count=len(times), text=text)]
    return Grid(start, step, int(slots[-1]) + 1, slots, averaged=True, repairs=repairs)

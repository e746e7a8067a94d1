"""Cells onto the grid, and holes filled from the past only."""

from __future__ import annotations

import numpy as np

from throughtime.data.grid import Grid


def to_grid(values: np.ndarray, grid: Grid) -> np.ndarray:
    """Put a column (M,) on the grid (N,): its row's value, or the mean over a slot; NaN where none."""
    held = (grid.slots >= 0) & ~np.isnan(values)
    slots, values = grid.slots[held], values[held]
    out = np.full(grid.size, np.nan)
    if not grid.averaged:
        out[slots] = values
        return out
    count = np.bincount(slots, minlength=grid.size)
    total = np.bincount(slots, weights=values, minlength=grid.size)
    return np.asarray(np.divide(total, count, out=out, where=count > 0))


def occupied(grid: Grid) -> np.ndarray:
    """Slots that at least one row fell into, bool (N,)."""
    out = np.zeros(grid.size, dtype=bool)
    out[grid.slots[grid.slots >= 0]] = True
    return out


def run_lengths(flags: np.ndarray) -> np.ndarray:
    """Length of the run of True that each True belongs to, 0 elsewhere; int64 (N,)."""
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    out = np.zeros(len(flags), dtype=np.int64)
    out[flags] = np.repeat(ends - begins, ends - begins)
    return out


def carry_forward(values: np.ndarray, limit: int, beyond: float) -> np.ndarray:
    """Fill NaN with the last value for at most `limit` steps, then with `beyond`."""
    position = np.arange(len(values))
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, position))
    fresh = (last >= 0) & (position - last <= limit)
    return np.where(fresh, values[np.maximum(last, 0)], beyond)


def broken_rows(present: np.ndarray, observed: np.ndarray, limit: int) -> np.ndarray:
    """Rows in a run longer than `limit` without rows or without target, and rows before its first value."""
    broken = (run_lengths(~present) > limit) | (run_lengths(~observed) > limit)
    first = int(np.argmax(observed)) if observed.any() else len(observed)
    broken[:first] = True
    return np.asarray(broken)

"""A table in the order of time, with the grid its rows go to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from throughtime.data.clock import Clock, local_offset, read_clock
from throughtime.data.find_time import TimeColumns
from throughtime.data.grid import Grid, lay_grid
from throughtime.data.order import order_rows
from throughtime.data.table import Repair, Table


@dataclass(frozen=True)
class Laid:
    """A table in the order of time, with its grid.

    Attributes:
        table: The table.
        rows: Its rows in the order of time (M,).
        times: Their times (M,), datetime64[us].
        clock: Times of all its rows.
        grid: The slot of each of the M rows.
        time: Where the times were read.
        repairs: What reading, sorting and laying out changed.
    """

    table: Table
    rows: np.ndarray
    times: np.ndarray
    clock: Clock
    grid: Grid
    time: TimeColumns
    repairs: list[Repair]

    def offsets(self, zone: str | None) -> np.ndarray:
        """Seconds from the grid's times to local time (N,): of the zone, else as written at the rows."""
        if zone is not None:
            return local_offset(self.grid.times, zone)
        own = self.clock.offset[self.rows]
        if not own.any():
            return np.zeros(self.grid.size, dtype=np.int64)
        held = self.grid.slots >= 0
        last = np.searchsorted(self.grid.slots[held], np.arange(self.grid.size), side="right") - 1
        return np.asarray(own[held][np.maximum(last, 0)])


def lay(
    table: Table,
    time: TimeColumns,
    zone: str | None,
    every: timedelta | None,
    asked: str,
    repairs: list[Repair],
) -> Laid:
    """Read the times, sort, drop repeated times, and lay the rows on a grid.

    Args:
        table: As read.
        time: Its time column.
        zone: IANA name, or None.
        every: Step of the grid, or None for the data's own.
        asked: Where `every` comes from, for messages.
        repairs: What was decided before.

    Raises:
        DataError: see `read_clock`, `order_rows` and `lay_grid`.
    """
    clock, time = read_clock(table, time, zone)
    rows, ordered = order_rows(table, clock, time.name)
    times = clock.times[rows]
    grid = lay_grid(times, clock.offset[rows], every, table.name, asked)
    words = [*table.repairs, *repairs, *clock.repairs, *ordered, *grid.repairs]
    return Laid(table, rows, times, clock, grid, time, words)

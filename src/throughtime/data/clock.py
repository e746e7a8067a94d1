"""When each row was: as written, or in UTC once the zone is known."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from throughtime.data.find_time import TimeColumns, time_cells
from throughtime.data.table import Repair, Table, counted
from throughtime.data.times import FORMS, Times, UndecidedDatesError, read_times
from throughtime.errors import DataError


@dataclass(frozen=True)
class Clock:
    """When each row of a table was.

    Attributes:
        times: datetime64[us] (N,): UTC where `zoned`, else as written.
        offset: Seconds from `times` to local time (N,), int64.
        zoned: The zone is known.
        keep: Rows with a time that exists (N,), bool.
        repairs: What was decided.
    """

    times: np.ndarray
    offset: np.ndarray
    zoned: bool
    keep: np.ndarray
    repairs: list[Repair] = field(default_factory=list)


def read_clock(table: Table, time: TimeColumns, zone: str | None) -> tuple[Clock, TimeColumns]:
    """Read when each row was, and bring it to UTC where the zone is known.

    Args:
        table: The table.
        time: Its time column.
        zone: IANA name such as "Europe/Berlin" of the place; times without an offset are taken as its
            local time, and local hours are counted in it.

    Returns:
        The clock, and `time` with the order of day and month settled.

    Raises:
        DataError: a cell is no time, or some times have an offset and some have none.
    """
    cells = time_cells(table, time.columns)
    try:
        times = read_times(cells, time.style)
    except UndecidedDatesError as error:
        raise DataError(
            f"{table.place(error.row)}: column {time.name!r}: {error}; write the times as 2013-01-31 06:00."
        ) from error
    bad = np.flatnonzero(np.isnat(times.wall))
    if len(bad):
        row = int(bad[0])
        others = f"; {counted(len(bad) - 1, 'more such line')}" if len(bad) > 1 else ""
        held = "is empty" if cells[row] is None else f"holds {cells[row]!r}"
        raise DataError(
            f"{table.place(row)}: column {time.name!r} {held} where a time is expected{others}; "
            f"times look like {FORMS}."
        )
    typed_zone = getattr(cells.dtype, "time_zone", None)
    clock = _with_zone(table, time, cells, times, zone or typed_zone)
    return clock, TimeColumns(time.columns, times.style)


def _with_zone(table: Table, time: TimeColumns, cells: pl.Series, times: Times, zone: str | None) -> Clock:
    named = ~np.isnan(times.offset)
    keep = np.ones(len(named), dtype=bool)
    if named.any() and not named.all():
        with_offset, without = int(np.argmax(named)), int(np.argmin(named))
        raise DataError(
            f"{table.name}: column {time.name!r} mixes times with and without a zone: "
            f"{table.line(with_offset)} holds {cells[with_offset]!r}, {table.line(without)} holds "
            f"{cells[without]!r}; write all of them with an offset, or none."
        )
    if not named.any():
        if zone is None:
            return Clock(times.wall, np.zeros(len(named), np.int64), zoned=False, keep=keep)
        return _localise(times.wall, zone, time.name)
    seconds = times.offset.astype(np.int64)
    utc = times.wall - seconds.astype("timedelta64[s]")
    repairs = []
    different = np.unique(seconds)
    if len(different) > 1:
        words = ", ".join(_offset_word(int(one)) for one in different[:4])
        text = f"The times carry different offsets from UTC ({words}); all are put on UTC."
        repairs.append(Repair(kind="time zones", column=time.name, count=len(different), text=text))
    if zone is not None:
        seconds = local_offset(utc, zone)
    return Clock(utc, seconds, zoned=True, keep=keep, repairs=repairs)


def _offset_word(seconds: int) -> str:
    sign = "-" if seconds < 0 else "+"
    return f"{sign}{abs(seconds) // 3600:02d}:{abs(seconds) % 3600 // 60:02d}"


def local_offset(utc: np.ndarray, zone: str) -> np.ndarray:
    """Seconds from UTC to the local time of `zone`, int64 (N,)."""
    local = _in_zone(pl.Series("t", utc).dt.replace_time_zone("UTC"), zone).dt.replace_time_zone(None)
    return np.asarray((local.to_numpy() - utc) // np.timedelta64(1, "s"))


def _in_zone(times: pl.Series, zone: str) -> pl.Series:
    try:
        return times.dt.convert_time_zone(zone)
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"the time zone {zone!r} is unknown; use a name such as 'Europe/Berlin', "
            "'America/New_York' or 'UTC'."
        ) from error


def _localise(wall: np.ndarray, zone: str, column: str) -> Clock:
    """Local times to UTC; in the hour that autumn repeats, rows before the setback are the earlier ones."""
    _in_zone(pl.Series("t", wall[:0]).dt.replace_time_zone("UTC"), zone)
    backwards = len(wall) > 1 and np.median(np.diff(wall).astype(np.int64)) < 0
    ordered = wall[::-1] if backwards else wall
    series = pl.Series("t", ordered)
    certain = series.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    early = series.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    late = series.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    exists = early.is_not_null().to_numpy()
    double = exists & certain.is_null().to_numpy()
    second = _after_setback(ordered, double)
    utc_early, utc_late = (
        one.dt.convert_time_zone("UTC").dt.replace_time_zone(None) for one in (early, late)
    )
    utc = np.where(second, utc_late.to_numpy(), utc_early.to_numpy()).astype("datetime64[us]")
    if backwards:
        utc, exists, double = utc[::-1], exists[::-1], double[::-1]
    offset = np.zeros(len(wall), dtype=np.int64)
    offset[exists] = (wall[exists] - utc[exists]) // np.timedelta64(1, "s")
    return Clock(utc, offset, zoned=True, keep=exists, repairs=_zone_repairs(column, zone, exists, double))


def _after_setback(wall: np.ndarray, double: np.ndarray) -> np.ndarray:
    """Among the rows of a doubled hour: those after the time has gone back or stood still."""
    second = np.zeros(len(wall), dtype=bool)
    rows = np.flatnonzero(double)
    if not len(rows):
        return second
    times, days = wall[rows], wall[rows].astype("datetime64[D]")
    new_day = np.concatenate([[True], days[1:] != days[:-1]])
    back = np.concatenate([[False], times[1:] <= times[:-1]]) & ~new_day
    total = np.cumsum(back)
    at_start = np.maximum.accumulate(np.where(new_day, total, 0))
    second[rows] = total > at_start
    return second


def _zone_repairs(column: str, zone: str, exists: np.ndarray, double: np.ndarray) -> list[Repair]:
    repairs = []
    if double.any():
        count = int(double.sum())
        text = (
            f"{counted(count, 'time')} in the hour that {zone} has twice in autumn: the first is taken as "
            "the earlier one, the second as the later."
        )
        repairs.append(Repair(kind="double hour", column=column, count=count, text=text))
    if not exists.all():
        count = int((~exists).sum())
        text = (
            f"{counted(count, 'row')} left out whose local time {zone} skips in spring; if the station keeps "
            "standard time all year, name a zone without summer time, such as 'Etc/GMT-1' for UTC+1."
        )
        repairs.append(Repair(kind="times that do not exist", column=column, count=count, text=text))
    return repairs

"""Which column holds the time, and what it means: as written, or UTC once the zone is known."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from throughtime.data.cells import tidy
from throughtime.data.table import Repair, Table, counted, listed
from throughtime.data.times import (
    FORMS,
    TIME_OF_DAY,
    Times,
    TimeStyle,
    UndecidedDatesError,
    guess_kind,
    read_times,
)
from throughtime.errors import DataError

TIME_NAMES = re.compile(r"time|date|datum|zeit|stamp|epoch|utc|^ts$|^t$", re.IGNORECASE)
_PARTS = ("year", "month", "day", "hour", "minute")
_SAMPLE = 1000


@dataclass(frozen=True)
class TimeColumns:
    """The one column that holds the time, or those that hold it together, and how it is written."""

    columns: tuple[str, ...]
    style: TimeStyle

    @property
    def name(self) -> str:
        """The columns' names in one."""
        return " + ".join(self.columns)


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


def find_time(table: Table, named: str | None) -> tuple[TimeColumns, list[Repair]]:
    """Find the time column, or take the named one.

    Without a name: the column of which more than 95 % parses as times; among several the one with the
    most distinct times, then one whose name speaks of time, then the first. A column of dates is joined
    with a column of times of day; columns year, month, day, hour together will also do.

    Raises:
        DataError: there is none, or the named one is not there or holds no times.
    """
    if named is not None:
        table.require([named], "named as the time column")
        kind, _ = guess_kind(_cells(table, (named,)).head(_SAMPLE))
        if kind is None:
            cell = next((one for one in table.frame[named] if one is not None), None)
            raise DataError(
                f"{table.name}: column {named!r}, named as the time column, holds {cell!r}, which is no time; "
                f"times look like {FORMS}."
            )
        return TimeColumns((named,), TimeStyle(kind=kind)), []
    found = _candidates(table)
    if not found:
        return _from_parts(table), []
    best = found[0]
    if len(found) == 1 and best.columns == (found[0].columns[0],):
        return best, []
    if len(best.columns) > 1:
        text = f"The time is read from the columns {listed(best.columns)} together."
    else:
        others = [one.name for one in found[1:] if one.columns[0] not in best.columns]
        text = f"The time is read from {best.name!r}; {listed(others)} could be read as times too."
    return best, [Repair(kind="time column", column=best.name, count=len(found), text=text)]


def _candidates(table: Table) -> list[TimeColumns]:
    ranked = []
    step = max(1, table.frame.height // _SAMPLE)
    sample = table.frame.gather_every(step) if step > 1 else table.frame
    for position, column in enumerate(sample.columns):
        cells = sample[column]
        if cells.dtype.is_nested() or (cells.dtype.is_numeric() and not TIME_NAMES.search(column)):
            continue
        cells = tidy(cells) if cells.dtype == pl.String else cells
        if cells.dtype not in (pl.String, pl.Datetime, pl.Date) and not cells.dtype.is_numeric():
            continue
        kind, share = guess_kind(cells)
        if kind is not None and share > 0.95:
            speaks = bool(TIME_NAMES.search(column))
            found = TimeColumns((column,), TimeStyle(kind=kind))
            ranked.append(((-cells.n_unique(), not speaks, position), found))
    found = [one for _, one in sorted(ranked, key=lambda pair: pair[0])]
    if found and (partner := _time_of_day(sample, found[0].columns[0])) is not None:
        found[0] = TimeColumns((found[0].columns[0], partner), found[0].style)
    return found


def _time_of_day(sample: pl.DataFrame, date_column: str) -> str | None:
    """A column of times of day beside a column of dates, each of which stands in several rows."""
    dates = sample[date_column]
    if dates.dtype != pl.String or dates.str.contains(":").any():
        return None
    for column in sample.columns:
        if sample[column].dtype == pl.String and column != date_column:
            share = tidy(sample[column]).drop_nulls().str.contains(TIME_OF_DAY).mean()
            if isinstance(share, float) and share > 0.95:
                return column
    return None


def _from_parts(table: Table) -> TimeColumns:
    lower = {name.lower(): name for name in table.frame.columns if table.frame[name].dtype.is_integer()}
    if all(part in lower for part in _PARTS[:3]):
        columns = tuple(lower[part] for part in _PARTS if part in lower)
        return TimeColumns(columns, TimeStyle(kind="year first"))
    raise DataError(
        f"{table.name}: no column holds times; name it with --time COLUMN (the columns are "
        f"{listed(table.frame.columns)}). Times look like {FORMS}."
    )


def _cells(table: Table, columns: tuple[str, ...]) -> pl.Series:
    """The time cells, of one column or put together from several, as one series."""
    frame = table.frame
    if len(columns) == 1:
        cells = frame[columns[0]]
        return tidy(cells) if cells.dtype == pl.String else cells
    if len(columns) == 2 and frame[columns[1]].dtype == pl.String:
        parts = [tidy(frame[column].cast(pl.String)) for column in columns]
        return (parts[0] + " " + parts[1]).alias(" + ".join(columns))
    given = {part: column for part, column in zip(_PARTS, columns, strict=False)}
    clock = [pl.col(given[part]) if part in given else pl.lit(0) for part in ("hour", "minute")]
    text = pl.format(
        "{}-{}-{} {}:{}",
        *(pl.col(given[part]) for part in _PARTS[:3]),
        clock[0],
        clock[1].cast(pl.String).str.zfill(2),
    )
    return frame.select(text.alias(" + ".join(columns))).to_series()


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
    cells = _cells(table, time.columns)
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
            f"the time zone {zone!r} is unknown; use a name such as 'Europe/Berlin', 'America/New_York' or 'UTC'."
        ) from error


def _localise(wall: np.ndarray, zone: str, column: str) -> Clock:
    """Local times to UTC. In the hour that autumn repeats, the rows before the clock goes back are the
    earlier ones."""
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
    offset = np.where(exists, (wall - utc) // np.timedelta64(1, "s"), 0).astype(np.int64)
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
            f"{counted(count, 'time')} in the hour that {zone} has twice in autumn: the first is taken as the "
            "earlier one, the second as the later."
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

"""Which column holds the time, or which columns hold it together."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from throughtime.data.cells import tidy
from throughtime.data.table import Repair, Table, listed
from throughtime.data.times import FORMS, TIME_OF_DAY, TimeStyle, guess_kind
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
        kind, _ = guess_kind(time_cells(table, (named,)).gather_every(max(1, table.frame.height // _SAMPLE)))
        if kind is None:
            cell = next((one for one in table.frame[named] if one is not None), None)
            raise DataError(
                f"{table.name}: column {named!r}, named as the time column, holds {cell!r}, which is "
                f"no time; times look like {FORMS}."
            )
        return _together(table, TimeColumns((named,), TimeStyle(kind=kind)), [])
    found = _candidates(table)
    if not found:
        return _from_parts(table), []
    best, words = found[0], []
    if len(found) > 1:
        others = [one.name for one in found[1:]]
        text = f"The time is read from {best.name!r}; {listed(others)} could be read as times too."
        words.append(Repair(kind="time column", column=best.name, count=len(found), text=text))
    return _together(table, best, words)


def _together(table: Table, dates: TimeColumns, words: list[Repair]) -> tuple[TimeColumns, list[Repair]]:
    """Join dates that stand in several rows each with a column of times of day, if there is one."""
    partner = _time_of_day(table.frame, dates.columns[0])
    if partner is None:
        return dates, words
    both = TimeColumns((dates.columns[0], partner), dates.style)
    text = f"The time is read from the columns {listed(both.columns)} together."
    return both, [Repair(kind="time column", column=both.name, count=2, text=text)]


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
            ranked.append(((_is_time_of_day(cells), -cells.n_unique(), not speaks, position), found))
    return [one for _, one in sorted(ranked, key=lambda pair: pair[0])]


def _time_of_day(frame: pl.DataFrame, date_column: str) -> str | None:
    """A column of times of day beside a column of dates, each of which stands in several rows."""
    dates = frame[date_column]
    if dates.dtype != pl.String or dates.n_unique() > frame.height // 2:
        return None
    if dates.head(_SAMPLE).str.contains(":", literal=True).any():
        return None
    for column in frame.columns:
        if frame[column].dtype != pl.String or column == date_column:
            continue
        if _is_time_of_day(tidy(frame[column].head(_SAMPLE))):
            return column
    return None


def _is_time_of_day(cells: pl.Series) -> bool:
    """More than 95 % are times of day, such as 18:30 or 18.30.00 (which could be a date, too)."""
    held = cells.drop_nulls()
    if held.dtype != pl.String or not len(held):
        return False
    return int(held.str.contains(TIME_OF_DAY).sum()) > 0.95 * len(held)


def _from_parts(table: Table) -> TimeColumns:
    lower = {name.lower(): name for name in table.frame.columns if table.frame[name].dtype.is_integer()}
    if all(part in lower for part in _PARTS[:3]):
        columns = tuple(lower[part] for part in _PARTS if part in lower)
        return TimeColumns(columns, TimeStyle(kind="year first"))
    raise DataError(
        f"{table.name}: no column holds times; name it with --time COLUMN (the columns are "
        f"{listed(table.frame.columns)}). Times look like {FORMS}."
    )


def time_cells(table: Table, columns: tuple[str, ...]) -> pl.Series:
    """The time cells, of one column or put together from several, as one series."""
    frame = table.frame
    if len(columns) == 1:
        cells = frame[columns[0]]
        return tidy(cells) if cells.dtype == pl.String else cells
    if len(columns) == 2 and frame[columns[1]].dtype == pl.String:
        parts = [tidy(frame[column].cast(pl.String)) for column in columns]
        return (parts[0] + " " + parts[1]).alias(" + ".join(columns))
    given = dict(zip(_PARTS, columns, strict=False))
    clock = [pl.col(given[part]) if part in given else pl.lit(0) for part in ("hour", "minute")]
    text = pl.format(
        "{}-{}-{} {}:{}",
        *(pl.col(given[part]) for part in _PARTS[:3]),
        clock[0],
        clock[1].cast(pl.String).str.zfill(2),
    )
    return frame.select(text.alias(" + ".join(columns))).to_series()

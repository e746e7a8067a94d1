"""Which columns can be inputs, and why the others cannot."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import polars as pl

from throughtime.data.recipe import PrepareSettings
from throughtime.data.table import Repair, Table, counted, listed
from throughtime.errors import DataError

_CALENDAR = {
    "year": (0, 3000),
    "month": (1, 12),
    "day": (1, 31),
    "hour": (0, 24),
    "minute": (0, 59),
    "second": (0, 60),
    "week": (0, 53),
    "weekday": (0, 7),
    "dayofweek": (0, 7),
    "dayofyear": (1, 366),
    "quarter": (1, 4),
}
_SHORT = {
    "yr": "year",
    "mon": "month",
    "mo": "month",
    "hr": "hour",
    "min": "minute",
    "doy": "dayofyear",
    "dow": "dayofweek",
}
_ANGLE = re.compile(
    r"wind.?dir|winddir|^wd\b|^wdir|^drct$|direction|bearing|azimuth|heading|windrichtung|[(\[](deg|degrees|°)[)\]]$",
    re.IGNORECASE,
)
_UNIT = re.compile(r"[(\[]([^()\[\]]+)[)\]]\s*$")


def check_columns(table: Table, settings: PrepareSettings, time_columns: tuple[str, ...]) -> None:
    """Raise `DataError` unless the target is numeric and every named column is there."""
    table.require([settings.target], "the target")
    table.require(list(settings.columns or ()), "named in columns")
    table.require(list(settings.ignore), "named in ignore")
    if settings.angles != "auto":
        table.require(list(settings.angles), "named in angles")
    if settings.target in settings.ignore:
        raise DataError(f"{table.name}: column {settings.target!r} cannot be both target and ignored.")
    if settings.target in time_columns:
        raise DataError(
            f"{table.name}: column {settings.target!r} is the time; choose another target from "
            f"{listed(table.frame.columns)}."
        )
    require_numeric(table, [settings.target], "the target")


def require_numeric(table: Table, columns: list[str], why: str) -> None:
    """Raise `DataError` for a column that holds text, naming its first cell that is no number."""
    for column in columns:
        cells = table.frame[column]
        if cells.dtype.is_numeric() or cells.dtype == pl.Null:
            continue
        row = next((i for i, cell in enumerate(cells) if cell is not None and not _number(cell)), 0)
        raise DataError(
            f"{table.place(row)}: column {column!r} ({why}) holds {cells[row]!r} where numbers are expected."
        )


def _number(cell: object) -> bool:
    try:
        float(str(cell))
    except ValueError:
        return False
    return True


def candidates(
    table: Table, settings: PrepareSettings, time_columns: tuple[str, ...]
) -> tuple[list[str], list[Repair]]:
    """The numeric columns that may be inputs, in the order of the table, and a word on the others."""
    asked = set(table.frame.columns if settings.columns is None else settings.columns) | {settings.target}
    chosen: list[str] = []
    why: dict[str, list[str]] = {}
    for column, dtype in table.frame.schema.items():
        if column in time_columns or column not in asked:
            continue
        reason = None if column == settings.target else _unfit(table.frame[column], column, dtype, settings)
        if reason is None:
            chosen.append(column)
        elif reason:
            why.setdefault(reason, []).append(column)
    if settings.columns is not None:
        for column in settings.columns:
            for reason, columns in why.items():
                if column in columns and reason != "ignored":
                    raise DataError(
                        f"{table.name}: column {column!r}, named in columns, cannot be an input: {reason}."
                    )
    return chosen, left_out(why)


def left_out(why: dict[str, list[str]]) -> list[Repair]:
    """One repair for each reason."""
    return [
        Repair(
            kind="left out",
            column=columns[0] if len(columns) == 1 else None,
            count=len(columns),
            text=f"Left out {counted(len(columns), 'column')} ({reason}): {', '.join(columns)}.",
        )
        for reason, columns in why.items()
    ]


def _unfit(cells: pl.Series, column: str, dtype: pl.DataType, settings: PrepareSettings) -> str | None:
    if column in settings.ignore:
        return "ignored"
    if cells.null_count() == len(cells):
        return "empty"
    if not dtype.is_numeric():
        return "another time" if dtype.is_temporal() else "text"
    if _calendar(cells, column):
        return "repeats the time"
    if dtype.is_integer() and len(cells) > 2 and not cells.has_nulls():
        steps = np.diff(cells.to_numpy())
        if steps[0] == 1 and (steps == 1).all():
            return "only numbers the rows"
    return None


def _calendar(cells: pl.Series, column: str) -> bool:
    word = re.sub(r"[\s_]", "", column.lower())
    limits = _CALENDAR.get(_SHORT.get(word, word))
    if limits is None:
        return False
    numbers = cells.drop_nulls().cast(pl.Float64).to_numpy()
    whole = bool((numbers == np.round(numbers)).all())
    return whole and bool(((numbers >= limits[0]) & (numbers <= limits[1])).all())


def follows_time(values: np.ndarray, times: np.ndarray) -> bool:
    """The values are the time in another form: a straight line in it, never missing."""
    if len(values) < 10 or np.isnan(values).any() or values[0] == values[-1]:
        return False
    share = (times - times[0]).astype(np.int64) / float((times[-1] - times[0]).astype(np.int64))
    line = values[0] + share * (values[-1] - values[0])
    return bool(np.abs(values - line).max() <= 1e-6 * abs(values[-1] - values[0]))


def angle_columns(cleaned: dict[str, np.ndarray], settings: PrepareSettings) -> set[str]:
    """Columns that hold directions in degrees, by name and range, or as set.

    Raises:
        DataError: a column named as an angle has values outside -360 to 360.
    """
    if settings.angles != "auto":
        for column in settings.angles:
            if column in cleaned and np.nanmax(np.abs(cleaned[column]), initial=0.0) > 360:
                raise DataError(f"column {column!r}, named in angles, has values beyond 360 degrees.")
        return set(settings.angles) - {settings.target}
    return {
        column
        for column, values in cleaned.items()
        if column != settings.target and _ANGLE.search(column.strip()) and _full_circle(values)
    }


def _full_circle(values: np.ndarray) -> bool:
    low, high = np.nanmin(values, initial=np.inf), np.nanmax(values, initial=-np.inf)
    return bool(low >= 0 and 180 < high <= 360)


def unit_of(column: str, table: Table) -> str:
    """The unit in a column's name, "T (degC)" -> "degC", or in the table's row of units, else ""."""
    found = _UNIT.search(column)
    return found[1].strip() if found else table.units.get(column, "")


def fields(columns: Iterable[str]) -> list[str]:
    """Columns without repeats, in order."""
    return list(dict.fromkeys(columns))

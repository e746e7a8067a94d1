"""Text, numbers and typed columns into points in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

Kind = Literal["year first", "day or month first", "digits", "epoch", "typed"]

_CLOCK = (
    r"(?:[T ]+(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?"
    r"(?:[:.](?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r" ?(?P<half>[AaPp][Mm])?)?"
)
_ZONE = r" ?(?P<zone>Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
PATTERNS: dict[Kind, str] = {
    "year first": rf"^(?P<year>\d{{4}})[-/.](?P<b>\d{{1,2}})[-/.](?P<c>\d{{1,2}}){_CLOCK}{_ZONE}$",
    "day or month first": (
        rf"^(?P<b>\d{{1,2}})(?P<mark>[-/.])(?P<c>\d{{1,2}})[-/.](?P<year>\d{{4}}|\d{{2}}){_CLOCK}{_ZONE}$"
    ),
    "digits": (
        r"^(?P<year>(?:18|19|20)\d{2})(?P<b>\d{2})(?P<c>\d{2})"
        r"(?:[T ]?(?P<hour>\d{2})(?::?(?P<minute>\d{2})(?::?(?P<second>\d{2}))?)?)?" + _ZONE + "$"
    ),
}
TIME_OF_DAY = r"^([01]?\d|2[0-4])[:.][0-5]\d([:.][0-5]\d)?( ?[AaPp][Mm])?$"
FORMS = "2013-01-31 06:00, 2013-01-31T06:00:00Z, 31.01.2013 06:00, 01/31/2013 06:00, 20130131 or Unix seconds"
_EPOCH_UNITS = ((1e11, 1_000_000), (1e14, 1_000), (1e17, 1), (np.inf, 0))  # (below, microseconds per unit)


class TimeStyle(BaseModel):
    """How the times of a table are written, learnt once and kept with the recipe."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    day_first: bool | None = None


@dataclass(frozen=True)
class Times:
    """Points in time as written.

    Attributes:
        wall: Reading on the clock, datetime64[us] (N,); NaT where a cell is no time.
        offset: Seconds east of UTC (N,), NaN where the cell names none.
        style: How they are written.
        dates_only: No cell holds a time of day.
    """

    wall: np.ndarray
    offset: np.ndarray
    style: TimeStyle
    dates_only: bool = False


class UndecidedDatesError(ValueError):
    """Dates such as 01/02/2013 that can be read in two ways; `row` is the first of them."""

    def __init__(self, message: str, row: int):
        super().__init__(message)
        self.row = row


def guess_kind(cells: pl.Series) -> tuple[Kind | None, float]:
    """The kind that reads most cells of a column, and its share among those that are not missing."""
    held = cells.drop_nulls()
    if not len(held):
        return None, 0.0
    if held.dtype in (pl.Datetime, pl.Date):
        return "typed", 1.0
    if held.dtype.is_numeric():
        return _guess_number(held)
    shares = {kind: _share(held, pattern) for kind, pattern in PATTERNS.items()}
    kind = max(shares, key=lambda one: shares[one])
    return (kind, shares[kind]) if shares[kind] > 0 else (None, 0.0)


def _share(cells: pl.Series, pattern: str) -> float:
    return int(cells.str.contains(pattern).sum()) / len(cells)


def _guess_number(held: pl.Series) -> tuple[Kind | None, float]:
    if held.dtype.is_integer():
        digits = _share(held.cast(pl.String), PATTERNS["digits"])
        if digits > 0.95:
            return "digits", digits
    values = held.cast(pl.Float64).to_numpy()
    low, high = float(values.min()), float(values.max())
    return ("epoch", 1.0) if low >= 1e8 and _epoch_scale(low) == _epoch_scale(high) else (None, 0.0)


def _epoch_scale(value: float) -> int:
    return next(scale for below, scale in _EPOCH_UNITS if value < below)


def read_times(cells: pl.Series, style: TimeStyle) -> Times:
    """Read a column of times in a known style; a day and month order still open is decided here.

    Raises:
        UndecidedDatesError: day and month cannot be told apart, or contradict each other.
    """
    if style.kind == "typed":
        return _typed(cells, style)
    if style.kind == "epoch":
        return _epoch(cells, style)
    parts = cells.cast(pl.String).str.extract_groups(PATTERNS[style.kind]).struct.unnest()
    number = {
        name: parts[name].cast(pl.Int64).fill_null(0).to_numpy()
        for name in ("year", "b", "c", "hour", "minute", "second")
        if name in parts.columns
    }
    matched = parts["year"].is_not_null().to_numpy()
    year, month, day = number["year"], number["b"], number["c"]
    if style.kind == "day or month first":
        style = style if style.day_first is not None else _decide(month, day, parts, matched, cells)
        if style.day_first:
            month, day = day, month
        year = np.where(year < 70, year + 2000, np.where(year < 100, year + 1900, year))
    hour = number["hour"]
    if "half" in parts.columns:
        afternoon = (parts["half"].str.to_lowercase() == "pm").fill_null(False).to_numpy()
        twelve_hours = parts["half"].is_not_null().to_numpy()
        hour = np.where(twelve_hours, hour % 12 + 12 * afternoon, hour)
    fraction = _fraction(parts) if "fraction" in parts.columns else 0
    valid = matched & _valid(year, month, day, hour, number["minute"], number["second"], fraction)
    wall = _assemble(year, month, day, hour, number["minute"], number["second"]) + fraction
    wall = np.where(valid, wall, np.datetime64("NaT", "us"))
    return Times(wall, _offsets(parts["zone"]), style, dates_only=not parts["hour"].is_not_null().any())


def _assemble(
    year: np.ndarray,
    month: np.ndarray,
    day: np.ndarray,
    hour: np.ndarray,
    minute: np.ndarray,
    second: np.ndarray,
) -> np.ndarray:
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    seconds = (day - 1) * 86_400 + hour * 3_600 + minute * 60 + second
    return np.asarray(months.astype("datetime64[us]") + seconds.astype("timedelta64[s]"))


def _valid(
    year: np.ndarray,
    month: np.ndarray,
    day: np.ndarray,
    hour: np.ndarray,
    minute: np.ndarray,
    second: np.ndarray,
    fraction: np.ndarray | int,
) -> np.ndarray:
    """A date of the calendar and a time from 00:00:00 to 24:00:00."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    last = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(int)
    date = (month >= 1) & (month <= 12) & (day >= 1) & (day <= last)
    midnight = (
        (hour == 24) & (minute == 0) & (second == 0) & (np.asarray(fraction) == np.timedelta64(0, "us"))
    )
    return np.asarray(date & ((hour < 24) | midnight) & (minute < 60) & (second < 60))


def _fraction(parts: pl.DataFrame) -> np.ndarray:
    digits = parts["fraction"].str.pad_end(9, "0").cast(pl.Int64).fill_null(0).to_numpy()
    return np.asarray((digits // 1000).astype("timedelta64[us]"))


def _offsets(zone: pl.Series) -> np.ndarray:
    """Seconds east of UTC: "Z" is 0, "+05:30" is 19,800, none is NaN."""
    out = np.full(len(zone), np.nan)
    if zone.null_count() == len(zone):
        return out
    groups = zone.str.extract_groups(r"^(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})?$").struct.unnest()
    seconds = groups["hours"].cast(pl.Int64) * 3600 + groups["minutes"].cast(pl.Int64).fill_null(0) * 60
    signed = pl.select(
        pl.when(groups["sign"] == "-").then(-seconds).otherwise(seconds).fill_null(0)
    ).to_series()
    named = zone.is_not_null().to_numpy()
    out[named] = signed.to_numpy()[named]
    return out


def _decide(
    first: np.ndarray, second: np.ndarray, parts: pl.DataFrame, matched: np.ndarray, cells: pl.Series
) -> TimeStyle:
    """Day or month first? A number above 12 tells; dots mean day first."""
    day_first, month_first = matched & (first > 12), matched & (second > 12)
    if day_first.any() and month_first.any():
        row = int(np.flatnonzero(month_first)[0])
        other = int(np.flatnonzero(day_first)[0])
        raise UndecidedDatesError(
            f"{cells[row]!r} has the month first, {cells[other]!r} has the day first", row
        )
    if not day_first.any() and not month_first.any() and parts["mark"].drop_nulls().ne(".").any():
        row = int(np.flatnonzero(matched)[0])
        raise UndecidedDatesError(
            f"{cells[row]!r} may have the day or the month first, as no number is above 12", row
        )
    return TimeStyle(kind="day or month first", day_first=not month_first.any())


def _typed(cells: pl.Series, style: TimeStyle) -> Times:
    dates_only = cells.dtype == pl.Date
    zoned = getattr(cells.dtype, "time_zone", None) is not None
    if zoned:
        cells = cells.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    wall = cells.cast(pl.Datetime("us")).to_numpy().astype("datetime64[us]")
    return Times(wall, np.full(len(wall), 0.0 if zoned else np.nan), style, dates_only)


def _epoch(cells: pl.Series, style: TimeStyle) -> Times:
    """Unix time in s, ms, µs or ns by its size; always UTC."""
    whole = cells.cast(pl.Int64, strict=False)
    values = whole.fill_null(0).to_numpy()
    scale = _epoch_scale(float(np.max(np.abs(values), initial=0)))
    if scale:
        exact = (cells.cast(pl.Float64).fill_null(0.0) * scale).round(0).to_numpy()
        micro = np.where(exact == values * float(scale), values * scale, exact.astype(np.int64))
    else:
        micro = values // 1000
    wall = np.where(cells.is_null().to_numpy(), np.datetime64("NaT", "us"), micro.astype("datetime64[us]"))
    return Times(wall, np.zeros(len(wall)), style)

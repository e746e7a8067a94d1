"""Rows in the order of time, each time once."""

from __future__ import annotations

import numpy as np
import polars as pl

from throughtime.data.clock import Clock
from throughtime.data.table import Repair, Table, counted
from throughtime.errors import DataError

_MANY = 0.2
_MAX_SERIES = 1000


def order_rows(table: Table, clock: Clock, time_name: str) -> tuple[np.ndarray, list[Repair]]:
    """Sort the rows by time and keep the first of each time.

    Returns:
        Row numbers in order (M,), and what was changed.

    Raises:
        DataError: the times repeat because the table holds several series.
    """
    repairs: list[Repair] = []
    rows = np.flatnonzero(clock.keep)
    if not len(rows):
        raise DataError(f"{table.name}: no row has a time that exists in the zone.")
    times = clock.times[rows]
    back = int((np.diff(times) < np.timedelta64(0, "us")).sum())
    order = rows[np.argsort(times, kind="stable")]
    repeated = np.concatenate([[False], np.diff(clock.times[order]) == np.timedelta64(0, "us")])
    if repeated.any():
        order = _first_of_each(table, clock, order, repeated, time_name, repairs)
    if back:
        text = f"The rows were not in the order of time ({counted(back, 'step')} back); sorted."
        repairs.insert(0, Repair(kind="sorted", column=time_name, count=back, text=text))
    return order, repairs


def _first_of_each(
    table: Table,
    clock: Clock,
    order: np.ndarray,
    repeated: np.ndarray,
    time_name: str,
    repairs: list[Repair],
) -> np.ndarray:
    count = int(repeated.sum())
    sorted_frame = table.frame[order.astype(np.int64)]
    plain = [name for name, dtype in sorted_frame.schema.items() if not dtype.is_nested()]
    copies = sorted_frame.height - sorted_frame.select(plain).n_unique()
    if count - copies > _MANY * len(order):
        _refuse_several(table, sorted_frame, clock.times[order], time_name, count)
    first = table.line(int(order[np.flatnonzero(repeated)[0]]))
    text = f"{counted(count, 'row')} with a time that was there before left out (the first is {first})."
    if not clock.zoned and _autumn_hour(clock.times[order][repeated]):
        text += (
            " They look like the hour that clocks show twice when summer time ends: name the zone with "
            "--time-zone to keep both."
        )
    repairs.append(Repair(kind="duplicate times", column=time_name, count=count, text=text))
    return np.asarray(order[~repeated])


def _refuse_several(table: Table, frame: pl.DataFrame, times: np.ndarray, time_name: str, count: int) -> None:
    """Find the column that tells the series apart, and say how to choose one."""
    keyed = frame.with_columns(pl.Series("__time", times))
    for column, dtype in frame.schema.items():
        if column == time_name or not (dtype == pl.String or dtype.is_integer()):
            continue
        values = frame[column].drop_nulls().unique().sort().cast(pl.String).to_list()
        if not 1 < len(values) <= min(_MAX_SERIES, frame.height // 2):
            continue
        if keyed.select("__time", column).n_unique() >= 0.99 * frame.height:
            shown = ", ".join(repr(one) for one in values[:6]) + (", ..." if len(values) > 6 else "")
            raise DataError(
                f"{table.name}: holds {len(values)} series (column {column!r}: {shown}) with the same times; "
                f"choose one with --where {column}={values[0]}"
            )
    raise DataError(
        f"{table.name}: {count:,} of {frame.height:,} rows repeat a time of column {time_name!r}, and no "
        "column tells them apart; name the column with the full date and time with --time."
    )


def _autumn_hour(times: np.ndarray) -> bool:
    """All within 00:00 to 03:59 on few Sundays of autumn, north or south."""
    days = times.astype("datetime64[D]")
    hours = (times - days).astype("timedelta64[h]").astype(int)
    sunday = (days.astype(int) + 4) % 7 == 0
    month = times.astype("datetime64[M]").astype(int) % 12 + 1
    per_year = len(np.unique(days)) <= len(np.unique(times.astype("datetime64[Y]")))
    return bool(per_year and (sunday & (hours < 4) & np.isin(month, [3, 4, 10, 11])).all())

"""Cells that are no measurement become missing: infinities, sentinels, impossible values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from throughtime.data.recipe import ColumnRule
from throughtime.data.strays import Strays, find_strays
from throughtime.data.table import Repair, Table, counted
from throughtime.errors import DataError

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Columns:
    """Numeric columns in the order of time, (M,) float64 each, NaN where missing."""

    values: dict[str, np.ndarray]
    rows: np.ndarray
    table: Table


def take_columns(table: Table, names: list[str], rows: np.ndarray) -> tuple[Columns, list[Repair]]:
    """Columns of a table in the order `rows`, infinities made missing."""
    values, repairs = {}, []
    for name in names:
        column = table.frame[name].cast(float).fill_null(float("nan")).to_numpy()[rows]
        infinite = np.isinf(column)
        if infinite.any():
            column = np.where(infinite, np.nan, column)
            count = int(infinite.sum())
            text = f"{name}: {counted(count, 'infinite value')} treated as missing."
            repairs.append(Repair(kind="infinite", column=name, count=count, text=text))
        values[name] = column
    return Columns(values, rows, table), repairs


def learn_strays(columns: Columns, skip: set[str]) -> dict[str, Strays]:
    """Strays of each column; a sentinel of one column is looked for in the others with a smaller gap."""
    first = {name: find_strays(values) for name, values in columns.values.items() if name not in skip}
    shared = frozenset(value for strays in first.values() for value in strays.sentinels)
    if not shared:
        return first
    return {name: find_strays(columns.values[name], shared) for name in first}


def report_strays(columns: Columns, strays: dict[str, Strays], keep: bool) -> list[Repair]:
    """A sentence for each sentinel and outlier."""
    repairs = []
    for name, found in strays.items():
        values = columns.values[name]
        gone = [*found.sentinels, *found.outliers, *found.suspicious]
        rest = values[~np.isin(values, gone) & ~np.isnan(values)]
        around = f"the rest is {rest.min():.7g} to {rest.max():.7g}" if len(rest) else "there is no rest"
        what = "kept as asked" if keep else "treated as missing (--keep-sentinels keeps it)"
        for value, count in found.sentinels.items():
            text = f"{name}: {value:.10g} appears {counted(count, 'time')} and {around}; {what}."
            repairs.append(Repair(kind="sentinel", column=name, count=count, text=text))
        for value, count in found.outliers.items():
            line = columns.table.line(int(columns.rows[np.flatnonzero(values == value)[0]]))
            text = f"{name}: {value:.10g} in {line} is impossible beside the others ({around}); {what}."
            repairs.append(Repair(kind="outlier", column=name, count=count, text=text))
        for value, count in found.suspicious.items():
            text = f"{name}: {value:g} appears {counted(count, 'time')} and {around}; left as it is."
            repairs.append(Repair(kind="suspicious", column=name, count=count, text=text))
    return repairs


def clean_column(values: np.ndarray, rule: ColumnRule) -> np.ndarray:
    """Apply a rule: sentinels and values beyond its bounds become NaN."""
    stray = np.isin(values, rule.sentinels) if rule.sentinels else np.zeros(len(values), dtype=bool)
    if rule.low is not None:
        stray |= values < rule.low
    if rule.high is not None:
        stray |= values > rule.high
    return np.where(stray, np.nan, values)


def check_size(columns: Columns) -> None:
    """Raise `DataError` for a value too large for float32."""
    for name, values in columns.values.items():
        large = np.flatnonzero(np.abs(values) > _LARGEST)
        if len(large):
            row = int(columns.rows[large[0]])
            raise DataError(
                f"{columns.table.place(row)}: column {name!r} holds {values[large[0]]:g}, beyond what a "
                f"32-bit number holds ({_LARGEST:.1g}); rescale the column or leave it out with --ignore."
            )

"""Lines that repeat the header or name units, in the middle of data."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import polars as pl

from throughtime.data.cells import tidy, to_numbers, uses_decimal_comma
from throughtime.data.table import Repair, Table, counted

_SAMPLE = 200


def drop_second_headers(table: Table) -> Table:
    """Leave out the lines of a text file that repeat the header or name units."""
    return table if table.lines is None else drop_units_row(drop_repeated_headers(table))


def drop_repeated_headers(table: Table) -> Table:
    """Leave out rows that hold the columns' names: the mark of files written one after the other."""
    repeats = np.ones(table.frame.height, dtype=bool)
    for cells in table.frame.iter_columns():
        repeats &= (cells.str.strip_chars() == cells.name).fill_null(False).to_numpy()
        if not repeats.any():
            return table
    first, count = int(np.flatnonzero(repeats)[0]), int(repeats.sum())
    text = f"{counted(count, 'line')} that repeat the header left out (the first is {table.line(first)})."
    return _without(table, repeats, Repair(kind="repeated header", count=count, text=text))


def drop_units_row(table: Table) -> Table:
    """Leave out a second header line that names units: text above every column of numbers."""
    if table.frame.height < 2 or any(re.search(r"\d{3}", cell or "") for cell in table.frame.row(0)):
        return table
    first, units = table.frame.head(1), {}
    rest = table.frame.slice(1, _SAMPLE)
    for column in table.frame.columns:
        below = tidy(rest[column])
        numbers = to_numbers(below, uses_decimal_comma(below))
        if numbers.null_count() > below.null_count() or below.null_count() == len(below):
            continue
        cell = first[column][0]
        if (
            cell is not None
            and to_numbers(tidy(first[column]), uses_decimal_comma(first[column]))[0] is not None
        ):
            return table
        if tidy(first[column])[0] is not None:
            units[column] = str(cell).strip()
    if len(units) < 2 and len(units) < table.frame.width - 1:
        return table
    gone = np.zeros(table.frame.height, dtype=bool)
    gone[0] = True
    text = f"The second header line ({table.line(0)}), which names units, left out."
    changed = _without(table, gone, Repair(kind="units row", count=1, text=text))
    return replace(changed, units=units)


def _without(table: Table, gone: np.ndarray, repair: Repair) -> Table:
    lines = None if table.lines is None else table.lines[~gone]
    frame = table.frame.filter(pl.Series(~gone))
    return replace(table, frame=frame, lines=lines, repairs=[*table.repairs, repair])

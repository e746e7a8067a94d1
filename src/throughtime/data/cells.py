"""Columns of text into columns of numbers, with the line of every cell that is none."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl

from throughtime.data.table import Repair, Table, counted
from throughtime.errors import DataError

OnBadValue = Literal["error", "missing"]
MISSING_WORDS = ("", "na", "n/a", "#n/a", "nan", "null", "none", "-", "?")
_NUMERIC_SHARE = 0.9
_DECIMAL_COMMA = r"^[+-]?\d*,\d+([eE][+-]?\d+)?$"
_THOUSANDS = r"^[+-]?[1-9]\d{0,2}(,\d{3})+$"


def tidy(cells: pl.Series) -> pl.Series:
    """Strip blanks, and make the missing-value words null."""
    stripped = cells.str.strip_chars()
    missing = stripped.str.to_lowercase().is_in(MISSING_WORDS)
    return stripped.to_frame().select(pl.when(~missing).then(pl.col(cells.name)))[cells.name]


def to_numbers(cells: pl.Series, decimal_comma: bool) -> pl.Series:
    """Read tidy text as Float64; null where a cell is not a number."""
    if decimal_comma:
        cells = cells.set(~cells.str.contains(_DECIMAL_COMMA) & cells.str.contains(",", literal=True), None)
        cells = cells.str.replace(",", ".", literal=True)
    return cells.cast(pl.Float64, strict=False).fill_nan(None)


def uses_decimal_comma(cells: pl.Series) -> bool:
    """More cells are numbers with a decimal comma than with a decimal point."""
    comma = cells.str.contains(_DECIMAL_COMMA).sum()
    return bool(comma) and comma > cells.str.contains(r"^[+-]?\d*\.\d+").sum()


def read_cells(table: Table, on_bad_value: OnBadValue, delimiter: str = "") -> Table:
    """Make numbers of the text columns that hold mostly numbers; the others stay text.

    A column is numeric when at least 90 % of its cells that are not missing are numbers.

    Args:
        table: Columns of text, or a frame of any types.
        on_bad_value: What a cell that is no number does in a numeric column: stop, or count as missing.
        delimiter: Delimiter of the file: with "," the cells "1,234" are not read by guess.

    Raises:
        DataError: a bad cell, naming its line and column.
    """
    columns, repairs, commas = [], list(table.repairs), False
    for series in table.frame.iter_columns():
        column, repair, comma = _read_column(series, table, on_bad_value, delimiter)
        columns.append(column)
        commas = commas or comma
        repairs += [repair] if repair else []
    form = table.form + (", decimal commas" if commas else "")
    return Table(
        pl.DataFrame(columns),
        table.name,
        table.path,
        table.fingerprint,
        form,
        table.lines,
        table.units,
        repairs,
    )


def _read_column(
    series: pl.Series, table: Table, on_bad_value: OnBadValue, delimiter: str
) -> tuple[pl.Series, Repair | None, bool]:
    if series.dtype in (pl.Categorical, pl.Enum):
        series = series.cast(pl.String)
    if series.dtype == pl.Boolean or series.dtype.is_decimal():
        return series.cast(pl.Float64), None, False
    if series.dtype.is_float():
        return series.cast(pl.Float64).fill_nan(None), None, False
    if series.dtype != pl.String:
        return series, None, False
    whole = series.cast(pl.Int64, strict=False)
    if whole.null_count() == series.null_count():
        return whole, None, False
    plain = series.cast(pl.Float64, strict=False)
    if plain.null_count() == series.null_count():
        return plain.fill_nan(None), None, False
    cells = tidy(series)
    comma = uses_decimal_comma(cells)
    numbers = to_numbers(cells, comma)
    held = len(cells) - cells.null_count()
    if len(numbers) - numbers.null_count() < _NUMERIC_SHARE * held:
        return _true_false(cells), None, False
    if comma and delimiter == ",":
        _refuse_thousands(cells, table)
    bad = np.flatnonzero((numbers.is_null() & cells.is_not_null()).to_numpy())
    repair = _bad_cells(cells, bad, table, on_bad_value) if len(bad) else None
    return numbers, repair, comma


def _true_false(cells: pl.Series) -> pl.Series:
    lower = cells.str.to_lowercase()
    if bool(lower.drop_nulls().is_in(["true", "false"]).all()):
        return (lower == "true").cast(pl.Float64)
    return cells


def _bad_cells(cells: pl.Series, bad: np.ndarray, table: Table, on_bad_value: OnBadValue) -> Repair:
    first, column = int(bad[0]), cells.name
    if on_bad_value == "error":
        others = f"; {counted(len(bad) - 1, 'more such line')}" if len(bad) > 1 else ""
        raise DataError(
            f"{table.place(first)}: column {column!r} holds {cells[first]!r} where a number is expected"
            f"{others} (see --on-bad-value)."
        )
    text = (
        f"{column}: {counted(len(bad), 'cell')} that hold no number treated as missing "
        f"(the first, {cells[first]!r}, in {table.line(first)})."
    )
    return Repair(kind="bad value", column=column, count=len(bad), text=text)


def _refuse_thousands(cells: pl.Series, table: Table) -> None:
    with_comma = cells.str.contains(",", literal=True).fill_null(False)
    if bool(cells.filter(with_comma).str.contains(_THOUSANDS).all()):
        first = int(np.flatnonzero(with_comma.to_numpy())[0])
        raise DataError(
            f"{table.place(first)}: column {cells.name!r} holds {cells[first]!r}; its comma may set off "
            "thousands or decimals; write the numbers with a decimal point and without thousands marks."
        )

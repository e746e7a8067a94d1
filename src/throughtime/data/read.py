"""Read a table from a file or a frame."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from throughtime.data.cells import OnBadValue, read_cells, tidy, to_numbers
from throughtime.data.decode import GZIP, PARQUET, gunzip, read_file, to_utf8
from throughtime.data.delimited import DELIMITERS, parse_delimited
from throughtime.data.second_header import drop_second_headers
from throughtime.data.table import Repair, Table, counted, listed
from throughtime.errors import DataError


def read_table(
    source: str | os.PathLike[str] | Any,
    *,
    where: Mapping[str, str] | None = None,
    on_bad_value: OnBadValue = "error",
) -> Table:
    """Read CSV or TSV text, Parquet, or a pandas, polars or pyarrow frame.

    Delimiter (comma, semicolon, tab, pipe), decimal comma, encoding (UTF-8, UTF-16) and gzip are found
    out from the content. The words NA, N/A, NaN, null, None, -, ? and an empty cell are missing values.

    Args:
        source: Path of a file, or a frame. A pandas index that is more than a row number becomes a column.
        where: Keep only the rows whose column holds this value, such as {"origin": "JFK"}.
        on_bad_value: A text cell in a column of numbers is an "error", or counts as "missing".

    Raises:
        DataError: the file is missing, unreadable, empty, damaged or no table; a cell, row or header is
            not as expected; `where` names a column or value that is not there.
        TypeError: `source` is neither a path nor a frame.
    """
    if on_bad_value not in ("error", "missing"):
        raise ValueError(f"on_bad_value={on_bad_value!r} is unknown; choose 'error' or 'missing'.")
    table, delimiter = open_table(source)
    for column, value in (where or {}).items():
        table = _only(table, column, str(value))
    table = drop_second_headers(table)
    table = read_cells(table, on_bad_value, delimiter)
    if table.frame.height == 0:
        raise DataError(f"{table.name}: holds no rows.")
    return table


def open_table(source: str | os.PathLike[str] | Any) -> tuple[Table, str]:
    """Read a table whose cells stay as written: those of a text file are text, missing ones null.

    Args:
        source: As for `read_table`.

    Returns:
        The table, and the delimiter of its file, "" where there is none.

    Raises:
        DataError: the file is missing, unreadable, empty, damaged or no table.
        TypeError: `source` is neither a path nor a frame.
    """
    return _from_file(Path(source)) if isinstance(source, str | os.PathLike) else (_from_frame(source), "")


def _from_file(path: Path) -> tuple[Table, str]:
    content = read_file(path)
    name, fingerprint, packed = path.name, hashlib.sha256(content).hexdigest(), ""
    if content.startswith(GZIP):
        content, packed = gunzip(content, name), ", gzip"
        if not content:
            raise DataError(f"{name}: the file inside the gzip is empty.")
    if content.startswith(PARQUET):
        return Table(_parquet(content, name), name, path, fingerprint, "Parquet" + packed), ""
    text, encoding = to_utf8(content, name)
    parsed = parse_delimited(text, name)
    form = f"text with {DELIMITERS[parsed.delimiter]}, {encoding}{packed}"
    table = Table(parsed.frame, name, path, fingerprint, form, lines=parsed.lines, repairs=parsed.repairs)
    return table, parsed.delimiter


def _parquet(content: bytes, name: str) -> pl.DataFrame:
    try:
        return pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise DataError(f"{name} is a damaged Parquet file ({reason}); fetch it once more.") from error


def _from_frame(source: Any) -> Table:
    if isinstance(source, pl.LazyFrame):
        source = source.collect()
    try:
        wrapped = nw.from_native(source, eager_only=True)
    except TypeError as error:
        raise TypeError(
            f"read_table: source is a {type(source).__name__}; give the path of a CSV or Parquet file, "
            "or a pandas, polars or pyarrow frame."
        ) from error
    index = nw.maybe_get_index(wrapped)
    if index is not None and type(index).__name__ != "RangeIndex":
        wrapped = nw.from_native(source.reset_index(), eager_only=True)
    _check_names(list(wrapped.columns))
    frame = wrapped.to_polars()
    fingerprint = hashlib.sha256(repr(frame.schema).encode())
    fingerprint.update(_plain(frame).write_csv().encode())
    return Table(frame, "the table", None, fingerprint.hexdigest())


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Without nested columns, which have no text form."""
    return frame.select([name for name, dtype in frame.schema.items() if not dtype.is_nested()])


def _check_names(names: list[Any]) -> None:
    odd = [name for name in names if not isinstance(name, str)]
    if odd:
        raise DataError(f"the table: the column name {odd[0]!r} is not text; rename the columns.")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(f"the table: the column {listed(repeated)} appears more than once; rename it.")


def _only(table: Table, column: str, value: str) -> Table:
    """Keep the rows in which `column` holds `value`, as text or as the same number."""
    table.require([column], "named in where")
    cells = table.frame[column]
    text = tidy(cells.cast(pl.String))
    keep = text == value.strip()
    wanted = to_numbers(pl.Series("value", [value.strip()]), decimal_comma=False)[0]
    if wanted is not None:
        keep = keep | (to_numbers(text, decimal_comma=False) == wanted)
    keep = keep.fill_null(False)
    if not keep.any():
        held = text.drop_nulls().unique().sort().to_list()
        raise DataError(
            f"{table.name}: column {column!r} never holds {value!r}; it holds {listed(held, 12)}."
        )
    mask = keep.to_numpy()
    lines = None if table.lines is None else table.lines[mask]
    repairs = [*table.repairs, _kept(column, value, int(mask.sum()), table.frame.height)]
    frame = table.frame.filter(pl.Series(np.asarray(mask)))
    return Table(frame, table.name, table.path, table.fingerprint, table.form, lines, table.units, repairs)


def _kept(column: str, value: str, count: int, total: int) -> Repair:
    text = f"Only the {counted(count, 'row')} of {total:,} in which {column} is {value} are used."
    return Repair(kind="where", column=column, count=count, text=text)

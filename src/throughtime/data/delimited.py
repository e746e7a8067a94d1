"""Delimited text to a frame of strings in which every row knows its line."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass

import numpy as np
import polars as pl

from throughtime.data.table import Repair, counted, listed
from throughtime.errors import DataError

DELIMITERS = {"\t": "tabs", ";": "semicolons", "|": "pipes", ",": "commas"}
_SAMPLE = 200


@dataclass(frozen=True)
class Delimited:
    """A table of strings (missing cells null), the line of each row (N,), and what was left out."""

    frame: pl.DataFrame
    lines: np.ndarray
    delimiter: str
    repairs: list[Repair]


@dataclass(frozen=True)
class _Records:
    """Where the records of a text are: byte range, line and number of delimiters of each, (R,) each."""

    starts: np.ndarray
    ends: np.ndarray
    lines: np.ndarray
    delimiters: np.ndarray


def parse_delimited(text: bytes, name: str) -> Delimited:
    r"""Read comma-, semicolon-, tab- or pipe-separated text, quotes allowed.

    Args:
        text: UTF-8, lines ended by "\\n".
        name: What to call the file in messages.

    Raises:
        DataError: no delimiter, no data rows, rows of different lengths, repeated or no column names,
            a quote that is never closed.
    """
    delimiter = find_delimiter(text, name)
    records = _find_records(text, delimiter, name)
    filled = _not_blank(text, records, delimiter)
    if not filled.any():
        raise DataError(f"{name}: the file holds no rows, only blank lines.")
    head = int(np.flatnonzero(filled)[0])
    names, spare = _header(text, records, head, delimiter, name)
    body = np.flatnonzero(filled)[1:]
    if not len(body):
        raise DataError(f"{name}: holds a header and no rows; the columns are {listed(names)}.")
    _check_lengths(records, head, body, name)
    frame = _parse(text, records, body, names, delimiter, name)
    repairs = _spare_columns(frame, spare, name)
    blank = int((~filled[head:]).sum())
    trailing = records.starts[-1] == records.ends[-1]
    if blank - int(trailing) > 0:
        gone = blank - int(trailing)
        repairs.append(Repair(kind="blank rows", count=gone, text=f"{counted(gone, 'blank row')} left out."))
    kept = [column for column in frame.columns if column not in spare]
    return Delimited(frame.select(kept), records.lines[body], delimiter, repairs)


def find_delimiter(text: bytes, name: str) -> str:
    """The delimiter that cuts the first lines most evenly into more than one cell."""
    lines = text[: 1 << 18].decode("utf-8", "ignore").split("\n")
    sample = "\n".join([line for line in lines[:_SAMPLE] if line.strip()])
    if not sample:
        raise DataError(f"{name}: the file holds no rows, only blank lines.")
    best, best_score = "", 0.0
    for delimiter in DELIMITERS:
        lengths = [len(row) for row in csv.reader(io.StringIO(sample), delimiter=delimiter)]
        length, count = Counter(lengths).most_common(1)[0]
        score = count / len(lengths) if length > 1 and lengths[0] == length else 0.0
        if lengths[0] > 1 and score == 0.0:
            score = 0.01 * sum(one > 1 for one in lengths) / len(lengths)
        if score > best_score:
            best, best_score = delimiter, score
    if not best:
        first = sample.split("\n", 1)[0]
        raise DataError(
            f"{name} line 1: no comma, semicolon, tab or pipe cuts it into columns: {first[:60]!r}; "
            "a table needs a header line with the columns' names and one row per line."
        )
    return best


def _find_records(text: bytes, delimiter: str, name: str) -> _Records:
    """Split at line ends and delimiters outside quotes. Parity of quotes tells inside from outside."""
    data = np.frombuffer(text, np.uint8)
    breaks = np.flatnonzero(data == ord("\n"))
    cuts = np.flatnonzero(data == ord(delimiter))
    ends, lines_before = breaks, np.arange(len(breaks))
    quotes = np.flatnonzero(data == ord('"'))
    if len(quotes):
        if len(quotes) % 2:
            raise DataError(_open_quote(data, quotes, breaks, name))
        outside = np.searchsorted(quotes, breaks) % 2 == 0
        ends, lines_before = breaks[outside], lines_before[outside]
        cuts = cuts[np.searchsorted(quotes, cuts) % 2 == 0]
    starts = np.concatenate([[0], ends + 1])
    lines = np.concatenate([[1], lines_before + 2])
    ends = np.concatenate([ends, [len(data)]])
    delimiters = np.searchsorted(cuts, ends) - np.searchsorted(cuts, starts)
    return _Records(starts, ends, lines, delimiters)


def _open_quote(data: np.ndarray, quotes: np.ndarray, breaks: np.ndarray, name: str) -> str:
    """Blame the last quote that opens a cell and has no partner on its line, else the last quote."""
    line_of = np.searchsorted(breaks, quotes)
    lines, counts = np.unique(line_of, return_counts=True)
    odd = lines[counts % 2 == 1]
    line = int(odd[0] if len(odd) else line_of[-1]) + 1
    return f'{name} line {line}: a quote (") is opened and never closed; close it or take it out.'


def _not_blank(text: bytes, records: _Records, delimiter: str) -> np.ndarray:
    """Which records hold anything besides blanks and delimiters."""
    data = np.frombuffer(text + b"\n", np.uint8)
    filled = ~np.isin(data[records.starts], np.frombuffer(b" \t\n" + delimiter.encode(), np.uint8))
    for record in np.flatnonzero(~filled):
        line = text[records.starts[record] : records.ends[record]]
        filled[record] = bool(line.replace(delimiter.encode(), b"").strip())
    return np.asarray(filled)


def _header(
    text: bytes, records: _Records, head: int, delimiter: str, name: str
) -> tuple[list[str], list[str]]:
    raw = text[records.starts[head] : records.ends[head]].decode("utf-8")
    cells = [cell.strip() for cell in next(csv.reader(io.StringIO(raw), delimiter=delimiter))]
    line = int(records.lines[head])
    if all(_is_number(cell) for cell in cells if cell):
        raise DataError(
            f"{name} line {line}: holds numbers where the columns' names are expected: {raw[:60]!r}; "
            "put a header line above the data."
        )
    repeated = [cell for cell, count in Counter(cells).items() if cell and count > 1]
    if repeated:
        raise DataError(
            f"{name} line {line}: the column {listed(repeated)} appears more than once; "
            "give every column its own name."
        )
    spare = [f"unnamed {i + 1}" for i, cell in enumerate(cells) if not cell]
    return [cell or f"unnamed {i + 1}" for i, cell in enumerate(cells)], spare


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _check_lengths(records: _Records, head: int, body: np.ndarray, name: str) -> None:
    expected = int(records.delimiters[head])
    wrong = body[records.delimiters[body] != expected]
    if len(wrong):
        first = int(wrong[0])
        held = int(records.delimiters[first]) + 1
        others = f"; {counted(len(wrong) - 1, 'more such line')}" if len(wrong) > 1 else ""
        raise DataError(
            f"{name} line {int(records.lines[first])}: has {counted(held, 'cell')} where the header has "
            f"{expected + 1}{others}; was the file cut off, or a delimiter left in a cell?"
        )


def _parse(
    text: bytes, records: _Records, body: np.ndarray, names: list[str], delimiter: str, name: str
) -> pl.DataFrame:
    first, last = int(body[0]), int(body[-1])
    if len(body) == last - first + 1:
        rows = text[records.starts[first] : records.ends[last]]
    else:
        rows = b"\n".join(text[records.starts[i] : records.ends[i]] for i in body) + b"\n"
    try:
        frame = pl.read_csv(
            rows,
            has_header=False,
            separator=delimiter,
            quote_char='"' if b'"' in rows else None,
            schema=dict.fromkeys(names, pl.String),
        )
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{name}: cannot be cut into cells: {error}.") from error
    if frame.height != len(body):
        raise DataError(
            f"{name}: has {len(body):,} rows by its line ends and {frame.height:,} by its quotes; "
            'look for a quote (") in the middle of a cell.'
        )
    return frame


def _spare_columns(frame: pl.DataFrame, spare: list[str], name: str) -> list[Repair]:
    """Columns without a name may go if they are empty or only count the rows."""
    for column in spare:
        cells = frame[column]
        numbers = cells.cast(pl.Int64, strict=False).to_numpy()
        counts_rows = frame.height > 1 and not cells.has_nulls() and bool((np.diff(numbers) == 1).all())
        if cells.null_count() < frame.height and not counts_rows:
            place = column.removeprefix("unnamed ")
            raise DataError(f"{name} line 1: column {place} has no name; give it one in the header.")
    if not spare:
        return []
    text = f"{counted(len(spare), 'column')} without a name left out (empty, or only a row number)."
    return [Repair(kind="left out", count=len(spare), text=text)]

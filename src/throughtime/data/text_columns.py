"""Which columns of a table hold the texts and the labels."""

from __future__ import annotations

from collections import Counter
from typing import Any

from throughtime.data.delimited import parse_delimited
from throughtime.data.table import counted, listed
from throughtime.errors import DataError

TEXT_NAMES = ("text", "sentence", "review", "content", "comment", "message", "tweet", "document", "title")
LABEL_NAMES = ("label", "labels", "class", "category", "target", "sentiment", "tag", "y")
MOST_LABELS = 100  # different first words, for a file with the label first on each line
SAMPLE = 1_000  # rows read to find out which column holds the texts


def has_label_first(lines: list[str]) -> bool:
    """Whether each line is a label, a space and a text: few different first words, each on several lines."""
    words = Counter(line.strip().partition(" ")[0] for line in lines)
    spaced = sum(" " in line.strip() for line in lines)
    return (
        spaced >= 0.9 * len(lines)
        and 1 < len(words) <= min(MOST_LABELS, len(lines) / 3)
        and not any(set(word) & set("\t,;|") for word in words)
    )


def read_columns(data: bytes, name: str) -> tuple[list[dict[str, Any]], list[int], list[str]]:
    """Rows of a table by column name, the line of each, and the columns in order. Raises `DataError`."""
    if b"\t" in data.split(b"\n", 1)[0]:
        return _tab_separated(data.decode().split("\n"), name)
    parsed = parse_delimited(data, name)
    return parsed.frame.to_dicts(), parsed.lines.tolist(), list(parsed.frame.columns)


def choose_columns(
    rows: list[dict[str, Any]],
    columns: list[str],
    name: str,
    text: str | None,
    label: str | None,
    labelled: bool,
) -> tuple[str, str | None]:
    """The column of the texts and, if `labelled`, that of the labels.

    Raises:
        DataError: a named column is not there, or it cannot be told which one it is.
    """
    for option, column in (("text", text), ("label", label if labelled else None)):
        if column is not None and column not in columns:
            raise DataError(f"{name}: no column {column!r} (--{option}); the columns are {listed(columns)}.")
    free = [column for column in columns if column != label]
    text = text or named_like(free, TEXT_NAMES) or _longest(rows, free)
    if not labelled:
        return _known(text, columns, name, "text"), None
    free = [column for column in columns if column != text]
    label = label or named_like(free, LABEL_NAMES) or (free[0] if len(free) == 1 else None)
    return _known(text, columns, name, "text"), _known(label, columns, name, "label")


def named_like(columns: list[str], names: tuple[str, ...]) -> str | None:
    """The column with the first of `names` that there is, whatever its case."""
    by_name = {column.strip().lower(): column for column in columns}
    return next((by_name[name] for name in names if name in by_name), None)


def _longest(rows: list[dict[str, Any]], columns: list[str]) -> str | None:
    """The column with the longest texts, if they are texts: some hold a space."""
    sizes = {}
    for column in columns:
        cells = [row[column] for row in rows[:SAMPLE] if isinstance(row.get(column), str)]
        if any(" " in cell for cell in cells):
            sizes[column] = sum(map(len, cells)) / len(cells)
    return max(sizes, key=lambda column: sizes[column], default=None)


def _known(column: str | None, columns: list[str], name: str, option: str) -> str:
    if column is None:
        raise DataError(
            f"{name}: it cannot be told which column holds the {option}s; name it with --{option}. "
            f"The columns are {listed(columns)}."
        )
    return column


def _tab_separated(lines: list[str], name: str) -> tuple[list[dict[str, Any]], list[int], list[str]]:
    """Tab-separated lines: quotes are part of the text, unless they enclose the whole cell."""
    columns = [_unquoted(cell) for cell in lines[0].split("\t")]
    rows, numbers = [], []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        cells = [_unquoted(cell) for cell in line.split("\t")]
        if len(cells) != len(columns):
            held = counted(len(cells), "cell")
            raise DataError(
                f"{name} line {number}: has {held} where the header has {len(columns)}; was the file cut off?"
            )
        rows.append(dict(zip(columns, cells, strict=True)))
        numbers.append(number)
    return rows, numbers, columns


def _unquoted(cell: str) -> str:
    cell = cell.strip()
    if len(cell) > 1 and cell[0] == cell[-1] == '"' and cell[1:-1].count('"') % 2 == 0:
        return cell[1:-1].replace('""', '"')
    return cell

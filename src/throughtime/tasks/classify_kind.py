"""Whether a classifier is given texts or sequences of numbers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from throughtime.data.decode import GZIP, PARQUET, gunzip, read_file, to_utf8
from throughtime.data.read import open_table
from throughtime.data.sequence_lines import holds_numbers
from throughtime.data.sequence_table import SEQUENCE_NAMES
from throughtime.data.table import Table
from throughtime.data.text_columns import TEXT_NAMES, named_like
from throughtime.tasks.classify_encoders import Kind
from throughtime.tasks.classify_settings import ClassifySettings


def is_readable(data: Any) -> bool:
    """Whether `data` is a path or a frame, and not a list, an array or a tensor."""
    return isinstance(data, str | os.PathLike) or hasattr(type(data), "columns")


def find_kind(data: Any, settings: ClassifySettings) -> Kind:
    """As the settings say; else by what the data holds.

    A table holds sequences if it has a column named like one that tells sequences apart, in which a value
    stands in several rows, and none named like a text. JSON lines do if the first object holds a list of
    numbers. Lists and arrays say it themselves.

    Raises:
        DataError: the file is missing, unreadable or empty.
    """
    if settings.kind != "auto":
        return settings.kind
    if settings.text is not None or settings.layout != "auto":
        return "text"
    if settings.sequence is not None:
        return "numbers"
    if not is_readable(data):
        first = next(iter(data), "")
        return "text" if isinstance(first, str) or np.asarray(first).dtype.kind in "USO" else "numbers"
    if not isinstance(data, str | os.PathLike):
        return _of_table(open_table(data)[0])
    return _of_file(Path(data))


def _of_file(path: Path) -> Kind:
    content = read_file(path)
    if content.startswith(GZIP):
        content = gunzip(content, path.name)
    if content.startswith(PARQUET):
        return _of_table(open_table(path)[0])
    text, _ = to_utf8(content, path.name)
    lines = [line for line in text.split(b"\n", 2) if line.strip()]
    if not lines or lines[0].lstrip()[:1] == b"{":
        return "numbers" if lines and holds_numbers(lines[0]) else "text"
    names = [name.strip().strip('"').strip() for name in _cells(lines[0].decode())]
    sequences = named_like(names, SEQUENCE_NAMES) and not named_like(names, TEXT_NAMES)
    return _of_table(open_table(path)[0]) if sequences else "text"


def _of_table(table: Table) -> Kind:
    names = table.frame.columns
    column = named_like(names, SEQUENCE_NAMES)
    if column is None or named_like(names, TEXT_NAMES):
        return "text"
    return "numbers" if table.frame[column].n_unique() < table.frame.height else "text"


def _cells(header: str) -> list[str]:
    delimiter = max("\t;|,", key=header.count)
    return header.split(delimiter)

"""Sequences of numbers from a file or a frame."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from throughtime.data.decode import GZIP, PARQUET, gunzip, read_file, to_utf8
from throughtime.data.sequence_lines import parse_sequence_lines
from throughtime.data.sequence_table import TableColumns, read_sequence_table
from throughtime.data.sequences import Sequences


def read_sequences(
    source: Any,
    *,
    sequence: str | None = None,
    step: str | None = None,
    features: Sequence[str] | None = None,
    label: str | None = None,
    labelled: bool = True,
) -> Sequences:
    """Read sequences of numbers, with a label each if `labelled`.

    A table has one row for each step: a column that tells the sequences apart, columns of numbers, a
    label that stays the same all along a sequence, and perhaps a column of steps or times to sort by. Without
    labels it may be one sequence, and lack that column. In JSON lines each object is a sequence; see
    `throughtime.data.sequence_lines`.

    Args:
        source: Path of a CSV, TSV, Parquet or JSON-lines file, or a pandas, polars or pyarrow frame.
        sequence: Column that tells the sequences apart; found out if None.
        step: Column to sort the steps by; found out if None; without one, the order of the rows.
        features: Columns or channels that are read; None: all that hold numbers.
        label: Column or key of the labels; found out if None.
        labelled: Whether each sequence must have a label.

    Raises:
        DataError: it cannot be used as it is; says file, line and column.
        TypeError: `source` is neither a path nor a frame.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        content = read_file(path)
        data = gunzip(content, path.name) if content.startswith(GZIP) else content
        if not data.startswith(PARQUET):
            text, _ = to_utf8(data, path.name)
            if text.lstrip()[:1] in (b"{", b"["):
                digest = hashlib.sha256(content).hexdigest()
                return parse_sequence_lines(text, path, digest, label, features, labelled)
    return read_sequence_table(source, TableColumns(sequence, step, label, features, labelled))

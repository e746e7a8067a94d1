"""Pairs of sentences that mean the same in two languages, from two files or from a table."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from throughtime.data.decode import read_utf8
from throughtime.data.table import counted, listed
from throughtime.data.text_columns import read_columns
from throughtime.data.texts import json_lines, plain_lines
from throughtime.errors import DataError

WORDS_OF_A_HEADER = 3  # a name of a column has at most so many


@dataclass(frozen=True)
class Pairs:
    """Pairs in the order they were read.

    Attributes:
        sources: N sentences, without blanks at their ends; may be empty.
        targets: The translation of each.
        lines: Line of each in its file (of both files alike), from 1; None where there is no file.
        name: What messages call them.
        path: File of the sources, or of both; None where there is none.
        partner: File of the targets, where it is another.
        fingerprint: SHA-256 of the files' bytes, or of the sentences.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    lines: tuple[int, ...] | None
    name: str
    path: Path | None
    partner: Path | None
    fingerprint: str

    def __len__(self) -> int:
        """How many pairs there are."""
        return len(self.sources)

    def place(self, row: int) -> str:
        """Name a pair in messages: "train.de line 12", or "the sentences, number 5" (from 1)."""
        return (
            f"{self.name}, number {row + 1}" if self.lines is None else f"{self.name} line {self.lines[row]}"
        )


def read_pairs(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str] | None = None,
    *,
    source_column: str | None = None,
    target_column: str | None = None,
) -> Pairs:
    """Read pairs from two files, line by line, or from one table.

    With `target`, line k of that file is the translation of line k of `source`. Without, `source` is a
    table with a header (CSV, TSV) or has one JSON object a line. Gzip and encoding are found out.

    Args:
        source: File of the sources, or the table.
        target: File of the targets.
        source_column: Column or key of the sources; None: the first of two columns.
        target_column: Column or key of the targets; None: the other of two columns.

    Raises:
        DataError: a file is missing, unreadable, empty or not UTF-8, the files have different numbers of
            lines, or a column is not there; says where.
    """
    path = Path(source)
    if target is None:
        return _from_table(path, source_column, target_column)
    partner = Path(target)
    if path.resolve() == partner.resolve():
        raise DataError(f"{path}: given twice; the second file must hold the translations of the first.")
    found = [read_utf8(one, "text") for one in (path, partner)]
    sources, targets = (plain_lines(data) for data, _ in found)
    _check_same_length(path, sources, partner, targets)
    digest = hashlib.sha256("".join(digest for _, digest in found).encode()).hexdigest()
    numbers = tuple(range(1, len(sources) + 1))
    return Pairs(_stripped(sources), _stripped(targets), numbers, path.name, path, partner, digest)


def pairs_from_lists(sources: Sequence[Any], targets: Sequence[Any]) -> Pairs:
    """Sentences in memory.

    Raises:
        ValueError: there are not as many targets as sources.
        TypeError: a sentence is no text.
    """
    for name, sentences in (("source", sources), ("target", targets)):
        for number, one in enumerate(sentences, 1):
            if not isinstance(one, str):
                raise TypeError(f"{name} sentences must be text; number {number} is a {type(one).__name__}")
    if len(sources) != len(targets):
        raise ValueError(
            f"{len(sources):,} source sentences and {len(targets):,} target sentences; give one for each"
        )
    if not sources:
        raise ValueError("no sentences; give at least one pair")
    digest = hashlib.sha256(json.dumps([list(sources), list(targets)]).encode()).hexdigest()
    return Pairs(_stripped(sources), _stripped(targets), None, "the sentences", None, None, digest)


def _from_table(path: Path, source: str | None, target: str | None) -> Pairs:
    data, digest = read_utf8(path)
    rows: list[dict[str, Any]]
    if data.lstrip().startswith(b"{"):
        rows, lines = json_lines(data, path.name)
        columns = list(dict.fromkeys(key for row in rows for key in row))
    else:
        rows, lines, columns = read_columns(data, path.name)
        _check_header(path.name, columns)
    source, target = _choose(path.name, columns, source, target)
    sources, targets = (
        _stripped(["" if row.get(column) is None else str(row[column]) for row in rows])
        for column in (source, target)
    )
    return Pairs(sources, targets, tuple(lines), path.name, path, None, digest)


def _choose(name: str, columns: list[str], source: str | None, target: str | None) -> tuple[str, str]:
    for option, column in (("source", source), ("target", target)):
        if column is not None and column not in columns:
            raise DataError(f"{name}: no column {column!r} (--{option}); the columns are {listed(columns)}.")
    free = [column for column in columns if column not in (source, target)]
    if (source is None or target is None) and len(columns) != 2:
        raise DataError(
            f"{name}: it cannot be told which columns hold the sentences; name them with --source and "
            f"--target. The columns are {listed(columns)}."
        )
    source = source or free.pop(0)
    target = target or free.pop(0)
    if source == target:
        raise DataError(f"{name}: column {source!r} is named as source and as target; name two columns.")
    return source, target


def _check_header(name: str, columns: list[str]) -> None:
    """A table without a header would lose its first pair, and be read by columns called after it."""
    sentence = next((column for column in columns if len(column.split()) > WORDS_OF_A_HEADER), None)
    if sentence is not None:
        raise DataError(
            f"{name} line 1: expected the names of the columns, found {sentence!r}, which looks like a "
            "sentence; put a line such as 'source' and 'target' above the first pair."
        )


def _check_same_length(path: Path, sources: list[str], partner: Path, targets: list[str]) -> None:
    if len(sources) == len(targets):
        return
    longer, lines = (path, sources) if len(sources) > len(targets) else (partner, targets)
    rest = lines[min(len(sources), len(targets)) :]
    blank = "; those it has more are blank, so take them out" if not any(map(str.strip, rest)) else ""
    raise DataError(
        f"{path.name} has {counted(len(sources), 'line')} and {partner.name} "
        f"{counted(len(targets), 'line')}; line k of one must be the translation of line k of the other. "
        f"{longer.name} is longer{blank}."
    )


def _stripped(sentences: Sequence[str]) -> tuple[str, ...]:
    return tuple(one.strip() for one in sentences)

"""Texts with a label each, read from a file, a frame or lists."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from throughtime.data.decode import read_utf8
from throughtime.data.text_columns import choose_columns, has_label_first, read_columns
from throughtime.errors import DataError

Layout = Literal["auto", "table", "jsonl", "label-first", "lines"]


@dataclass(frozen=True)
class Texts:
    """Texts in the order they were read.

    Attributes:
        texts: N of them, without blanks at their ends; may be empty.
        labels: One for each, or None where none were asked for.
        lines: Line of each in its file, from 1; None where there is no file.
        name: What messages call the source.
        path: Where it was read from, or None.
        fingerprint: SHA-256 of the file's bytes, or of texts and labels.
        form: What kind of file it was, in words.
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...] | None
    lines: tuple[int, ...] | None
    name: str
    path: Path | None
    fingerprint: str
    form: str

    noun: ClassVar[str] = "text"

    def __len__(self) -> int:
        """How many texts there are."""
        return len(self.texts)

    @property
    def items(self) -> tuple[str, ...]:
        """The texts."""
        return self.texts

    def key(self, row: int) -> str:
        """Equal for equal texts; empty for an empty one."""
        return self.texts[row]

    def place(self, row: int) -> str:
        """Name a text in messages: "reviews.csv line 12", or "the texts, number 5" (from 1)."""
        if self.lines is None:
            return f"{self.name}, number {row + 1}"
        return f"{self.name} line {self.lines[row]}"


def read_texts(
    source: Any,
    *,
    layout: Layout = "auto",
    text: str | None = None,
    label: str | None = None,
    labelled: bool = True,
) -> Texts:
    """Read texts, with a label each if `labelled`.

    A file is one of: a table with a header (CSV, TSV; "table"), one JSON object a line ("jsonl"), a label
    and after a space the text on each line ("label-first"), or a text on each line ("lines", never
    labelled). "auto" tells the first three apart by the content. Gzip and encoding are found out.

    Args:
        source: Path of a file, or a pandas, polars or pyarrow frame.
        layout: What kind of file it is.
        text: Column or key of the texts; found out if None.
        label: Column or key of the labels; found out if None.
        labelled: Whether each text must have a label.

    Raises:
        DataError: the file is missing, unreadable, empty or of another kind, a column is not there, or a
            line has no label; says where.
        TypeError: `source` is neither a path nor a frame.
    """
    if not isinstance(source, str | os.PathLike):
        return _from_frame(source, text, label, labelled)
    path = Path(source)
    data, fingerprint = read_utf8(path)
    kind = _find_layout(data, path.name) if layout == "auto" else layout
    if kind == "table":
        rows, lines, columns = read_columns(data, path.name)
        texts, labels = _chosen(rows, columns, path.name, text, label, labelled)
    elif kind == "jsonl":
        objects, lines = json_lines(data, path.name)
        columns = list(dict.fromkeys(key for one in objects for key in one))
        texts, labels = _chosen(objects, columns, path.name, text, label, labelled)
    elif kind == "label-first" and labelled:
        texts, labels, lines = _label_first(data)
    else:
        texts, labels, lines = plain_lines(data), None, None
        lines = list(range(1, len(texts) + 1))
    return _checked(texts, labels, lines, path.name, path, fingerprint, kind)


def from_lists(texts: Sequence[Any], labels: Sequence[Any] | None) -> Texts:
    """Texts and labels in memory.

    Raises:
        ValueError: there are not as many labels as texts.
        TypeError: a text is no text.
    """
    texts = list(texts)
    for number, one in enumerate(texts):
        if not isinstance(one, str):
            raise TypeError(f"texts must be text; number {number + 1} is a {type(one).__name__}")
    given = None if labels is None else [label_text(one) for one in labels]
    if given is not None and len(given) != len(texts):
        raise ValueError(f"{len(texts)} texts and {len(given)} labels; give one label for each text")
    digest = hashlib.sha256(json.dumps([texts, given]).encode()).hexdigest()
    return _checked(texts, given, None, "the texts", None, digest, "lists")


def _from_frame(source: Any, text: str | None, label: str | None, labelled: bool) -> Texts:
    import narwhals as nw

    try:
        frame = nw.from_native(source, eager_only=True).to_polars()
    except TypeError as error:
        raise TypeError(
            f"read_texts: source is a {type(source).__name__}; give the path of a file, "
            "or a pandas, polars or pyarrow frame"
        ) from error
    rows = frame.to_dicts()
    texts, labels = _chosen(rows, list(frame.columns), "the table", text, label, labelled)
    digest = hashlib.sha256(json.dumps([texts, labels]).encode()).hexdigest()
    return _checked(texts, labels, None, "the table", None, digest, "frame")


def _find_layout(data: bytes, name: str) -> Layout:
    lines = [line for line in data.decode().split("\n") if line.strip()]
    if not lines:
        raise DataError(f"{name}: the file holds only blank lines.")
    if lines[0].lstrip().startswith("{"):
        return "jsonl"
    return "label-first" if has_label_first(lines) else "table"


def _chosen(
    rows: list[dict[str, Any]],
    columns: list[str],
    name: str,
    text: str | None,
    label: str | None,
    labelled: bool,
) -> tuple[list[str], list[str] | None]:
    text, label = choose_columns(rows, columns, name, text, label, labelled)
    texts = ["" if row.get(text) is None else str(row[text]) for row in rows]
    return texts, [label_text(row.get(label)) for row in rows] if label is not None else None


def label_text(value: Any) -> str:
    """A label as text: 3.0 and 3 are the same; missing is ""."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def json_lines(
    data: bytes, name: str, like: str = '{"text": …, "label": …}'
) -> tuple[list[dict[str, Any]], list[int]]:
    """One JSON object on each line, and the line of each.

    Args:
        data: UTF-8.
        name: What to call the file in messages.
        like: What an object looks like, for the message where there is none.

    Raises:
        DataError: a line is not JSON or no object; says which.
    """
    objects, numbers = [], []
    for number, line in enumerate(data.decode().split("\n"), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as error:
            raise DataError(
                f"{name} line {number}: is not JSON ({error}); each line holds one object."
            ) from error
        if not isinstance(found, dict):
            raise DataError(f"{name} line {number}: holds JSON, but no object such as {like}.")
        objects.append(found)
        numbers.append(number)
    return objects, numbers


def _label_first(data: bytes) -> tuple[list[str], list[str], list[int]]:
    texts, labels, numbers = [], [], []
    for number, line in enumerate(data.decode().split("\n"), 1):
        if line.strip():
            label, _, text = line.strip().partition(" ")
            texts.append(text)
            labels.append(label)
            numbers.append(number)
    return texts, labels, numbers


def plain_lines(data: bytes) -> list[str]:
    r"""Every line, the empty ones too; only "\\n" ends a line."""
    return data.decode().removesuffix("\n").split("\n")


def _checked(
    texts: Sequence[str],
    labels: Sequence[str] | None,
    lines: Sequence[int] | None,
    name: str,
    path: Path | None,
    fingerprint: str,
    form: str,
) -> Texts:
    if not texts:
        raise DataError(f"{name}: holds no texts.")
    made = Texts(
        tuple(one.strip() for one in texts),
        None if labels is None else tuple(labels),
        None if lines is None else tuple(lines),
        name,
        path,
        fingerprint,
        form,
    )
    without = [row for row, label in enumerate(labels or ()) if not label]
    if without:
        more = f"; {len(without) - 1} more such lines" if len(without) > 1 else ""
        raise DataError(f"{made.place(without[0])}: has no label{more}; add it, or take the line out.")
    return made

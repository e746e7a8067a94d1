"""Sequences of numbers as JSON lines: each object is one sequence.

    {"label": "walk", "values": [[0.1, 9.8], [0.2, 9.7]]}
    {"label": "walk", "values": {"x": [0.1, 0.2], "z": [9.8, 9.7]}}
    {"label": "walk", "x": [0.1, 0.2], "z": [9.8, 9.7]}

In the first form a step is a number or a list of I numbers; in the others each channel has its name. A
null is a missing value. Without labels a line may also be the list of values alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from throughtime.data.sequences import Floats, Sequences, check_labels
from throughtime.data.table import listed
from throughtime.data.text_columns import LABEL_NAMES, named_like
from throughtime.data.texts import json_lines, label_text
from throughtime.errors import DataError

VALUES = ("values", "sequence", "series", "data")
ID_KEYS = ("id", "sequence_id", "name")
LIKE = '{"label": …, "values": [[…], …]}'


def parse_sequence_lines(
    text: bytes,
    path: Path,
    fingerprint: str,
    label: str | None,
    features: Sequence[str] | None,
    labelled: bool,
) -> Sequences:
    """Read a file of JSON lines; see the top of this file.

    Raises:
        DataError: a line is not such an object, has no label, holds something that is no number, or other
            channels than the first; says line, step and channel.
    """
    name = path.name
    if not labelled:
        text = b"\n".join(_as_object(line) for line in text.split(b"\n"))
    objects, lines = json_lines(text, name, LIKE)
    label = _label_key(objects, lines, name, label) if labelled else None
    values, channels = [], tuple(features or ())
    for one, line in zip(objects, lines, strict=True):
        found, names = numbers_of(one, label, f"{name} line {line}", channels)
        channels = channels or names
        values.append(found)
    key = next((key for key in ID_KEYS if all(key in one for one in objects)), None)
    made = Sequences(
        tuple(values),
        None if label is None else tuple(label_text(one.get(label)) for one in objects),
        None if key is None else tuple(str(one[key]) for one in objects),
        tuple(lines),
        channels,
        name,
        path,
        fingerprint,
        "JSON lines",
    )
    check_labels(made)
    return made


def parse_line(text: str, place: str, channels: Sequence[str]) -> Floats:
    """One sequence (T, I) without a label from one line: an object or a list. Raises `DataError`."""
    try:
        one = json.loads(_as_object(text.encode()))
    except ValueError as error:
        raise DataError(
            f"{place}: is not JSON ({error}); each line holds a sequence such as {LIKE}."
        ) from error
    if not isinstance(one, dict):
        raise DataError(f"{place}: holds no sequence such as {LIKE}.")
    return numbers_of(one, None, place, channels)[0]


def numbers_of(
    one: dict[str, Any], label: str | None, place: str, channels: Sequence[str] | None
) -> tuple[Floats, tuple[str, ...]]:
    """The values (T, I) of an object, and the names of its channels.

    Args:
        one: As parsed.
        label: Key that is no channel.
        place: Names the line in messages.
        channels: Those wanted, in this order; None takes what there is.

    Raises:
        DataError: there are no values, or they do not fit together or `channels`.
    """
    key = next((key for key in VALUES if isinstance(one.get(key), list | dict)), None)
    held = one if key is None else one[key]
    if isinstance(held, list):
        return _from_steps(held, place, channels)
    lists = {name: cells for name, cells in held.items() if isinstance(cells, list) and name != label}
    if not lists:
        raise DataError(f"{place}: holds no list of numbers; a sequence looks like {LIKE}.")
    if channels and (absent := [name for name in channels if name not in lists]):
        raise DataError(f"{place}: has no channel {absent[0]!r}; it has {listed(list(lists))}.")
    names = tuple(channels or lists)
    sizes = {name: len(lists[name]) for name in names}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name!r} {size}" for name, size in sizes.items())
        raise DataError(f"{place}: the channels have different numbers of steps: {told}.")
    columns = [[_number(cell, place, step, name) for step, cell in enumerate(lists[name])] for name in names]
    return np.array(columns, dtype=np.float64).T.reshape(-1, len(names)), names


def _from_steps(
    held: list[Any], place: str, channels: Sequence[str] | None
) -> tuple[Floats, tuple[str, ...]]:
    rows = [row if isinstance(row, list) else [row] for row in held]
    width = len(channels) if channels else len(rows[0]) if rows else 1
    names = tuple(channels or (f"value {number + 1}" for number in range(width)))
    for step, row in enumerate(rows):
        if len(row) != width or not row:
            raise DataError(
                f"{place}, step {step + 1}: holds {len(row)} values where {width} are expected at each step."
            )
    cells = [
        [_number(cell, place, step, name) for cell, name in zip(row, names, strict=True)]
        for step, row in enumerate(rows)
    ]
    return np.array(cells, dtype=np.float64).reshape(-1, width), names


def _number(cell: Any, place: str, step: int, channel: str) -> float:
    if cell is None:
        return np.nan
    if isinstance(cell, int | float):
        return float(cell)
    raise DataError(f"{place}, step {step + 1}: {channel!r} holds {cell!r} where a number is expected.")


def _as_object(line: bytes) -> bytes:
    """A list of values alone, as the object it is short for."""
    return b'{"values": ' + line.strip() + b"}" if line.lstrip().startswith(b"[") else line


def _label_key(objects: list[dict[str, Any]], lines: list[int], name: str, label: str | None) -> str:
    label = label or named_like(list(objects[0]), LABEL_NAMES)
    if label is None:
        raise DataError(
            f"{name} line {lines[0]}: it cannot be told which key holds the label; name it with --label. "
            f"The keys are {listed(list(objects[0]))}."
        )
    return label


def holds_numbers(line: bytes) -> bool:
    """Whether a line is an object with a list of numbers, or of lists of them, in it."""
    try:
        one = json.loads(line)
    except ValueError:
        return False
    held = [one.get(key) for key in VALUES if isinstance(one.get(key), dict)] + [one]
    lists = [cells for group in held for cells in group.values() if isinstance(cells, list)]
    return any(isinstance(cell, int | float | list) or cell is None for cells in lists for cell in cells[:9])

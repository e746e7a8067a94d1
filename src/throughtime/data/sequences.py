"""Sequences of numbers with a label each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor

from throughtime.data.table import Repair
from throughtime.data.texts import label_text
from throughtime.errors import DataError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences of numbers in the order they were read.

    Attributes:
        values: N of them, each (T, I) float64, NaN where a value is missing; T may be 0.
        labels: One for each, or None where none were asked for.
        ids: What the table calls each; None where there is no such column.
        lines: Line where each begins, from 1; None where there is no file of lines.
        channels: Names of the I values of a step.
        name: What messages call the source.
        path: Where it was read from, or None.
        fingerprint: SHA-256 of the file's bytes, or of the arrays and labels.
        form: What kind of source it was, in words.
        repairs: What reading changed.
    """

    values: tuple[Floats, ...]
    labels: tuple[str, ...] | None
    ids: tuple[str, ...] | None
    lines: tuple[int, ...] | None
    channels: tuple[str, ...]
    name: str
    path: Path | None
    fingerprint: str
    form: str
    repairs: list[Repair] = field(default_factory=list)

    noun: ClassVar[str] = "sequence"

    def __len__(self) -> int:
        """How many sequences there are."""
        return len(self.values)

    @property
    def items(self) -> tuple[Floats, ...]:
        """The sequences."""
        return self.values

    def key(self, row: int) -> bytes:
        """Equal for equal sequences; empty for an empty one."""
        return self.values[row].tobytes()

    def place(self, row: int) -> str:
        """Name a sequence in messages: by its line and what the table calls it, or its number from 1."""
        called = "" if self.ids is None else f", sequence {self.ids[row]!r}"
        if self.lines is None:
            return f"{self.name}{called}" if called else f"{self.name}, number {row + 1}"
        return f"{self.name} line {self.lines[row]}{called}"


def from_arrays(
    arrays: Any, labels: Sequence[Any] | None, channels: Sequence[str] | None = None
) -> Sequences:
    """Sequences and labels in memory.

    Args:
        arrays: A list of arrays or tensors, each (T,) or (T, I), or one array (N, T) or (N, T, I).
        labels: One for each, or None.
        channels: Names of the I values; None numbers them.

    Raises:
        ValueError: there are not as many labels as sequences, or a shape does not fit; says which.
        TypeError: something is no array of numbers.
    """
    values = [_array(one, number) for number, one in enumerate(arrays)]
    if not values:
        raise DataError("the sequences: there is none.")
    width = len(channels) if channels is not None else values[0].shape[1]
    for number, one in enumerate(values):
        if one.shape[1] != width:
            raise ValueError(
                f"sequences must have the same number of values at each step; number {number + 1} has "
                f"{one.shape[1]}, expected {width}"
            )
    given = (
        None
        if labels is None
        else [label_text(getattr(one, "item", lambda one=one: one)()) for one in labels]
    )
    if given is not None and len(given) != len(values):
        raise ValueError(f"{len(values)} sequences and {len(given)} labels; give one label for each sequence")
    digest = hashlib.sha256()
    for one in values:
        digest.update(repr(one.shape).encode() + one.tobytes())
    digest.update(repr(given).encode())
    names = tuple(channels) if channels is not None else tuple(f"value {n + 1}" for n in range(width))
    found = Sequences(
        tuple(values),
        None if given is None else tuple(given),
        None,
        None,
        names,
        "the sequences",
        None,
        digest.hexdigest(),
        "arrays",
    )
    check_labels(found)
    return found


def check_labels(found: Sequences) -> None:
    """Refuse sequences without a label where labels were asked for. Raises `DataError`."""
    without = [row for row, label in enumerate(found.labels or ()) if not label]
    if without:
        more = f"; {len(without) - 1} more such sequences" if len(without) > 1 else ""
        raise DataError(f"{found.place(without[0])}: has no label{more}; add it, or take the sequence out.")


def _array(one: Any, number: int) -> Floats:
    if isinstance(one, Tensor):
        one = one.detach().cpu().numpy()
    try:
        found = np.array(one, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"sequences must be arrays of numbers; number {number + 1} is a {type(one).__name__} that is "
            f"none ({error})"
        ) from error
    if found.ndim == 1:
        found = found[:, None]
    if found.ndim != 2:
        raise ValueError(
            f"sequences must have shape (T,) or (T, I); number {number + 1} has {tuple(found.shape)}"
        )
    return found

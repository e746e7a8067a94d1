"""What a table is once it has been read, and how a change to it is reported."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from throughtime.errors import DataError


class Repair(BaseModel):
    """One thing that was changed or left out, for a person to read.

    Attributes:
        kind: Which rule, in one or two words: "sentinel", "duplicate times", "left out".
        column: The column it concerns, or None for whole rows.
        count: How many cells, rows or columns.
        text: One sentence.
    """

    model_config = ConfigDict(frozen=True)

    kind: str
    column: str | None = None
    count: int
    text: str


@dataclass(frozen=True)
class Table:
    """A table as read: numbers are numbers, missing cells are null, nothing is sorted or filled yet.

    Attributes:
        frame: The columns. Times that were text are still text.
        name: What messages call it: the file's name, or "the table".
        path: Where it was read from, or None.
        fingerprint: SHA-256 of the file's bytes, or of the frame's content.
        form: What kind of file it was, in words: "CSV, semicolons, decimal comma, gzip".
        lines: Line of each row in its file (N,), counted from 1; None where rows have no lines.
        units: Units by column, where the file had a row of units under its header.
        repairs: What reading changed.
    """

    frame: pl.DataFrame
    name: str
    path: Path | None
    fingerprint: str
    form: str = "frame"
    lines: np.ndarray | None = None
    units: dict[str, str] = field(default_factory=dict)
    repairs: list[Repair] = field(default_factory=list)

    @property
    def first_line(self) -> int | None:
        """Line number of the first data row, or None."""
        return None if self.lines is None or not len(self.lines) else int(self.lines[0])

    def place(self, row: int) -> str:
        """Name a row in messages: "weather.csv line 1312", or "the table row 5" (counted from 1)."""
        if self.lines is None:
            return f"{self.name} row {row + 1}"
        return f"{self.name} line {int(self.lines[row])}"

    def line(self, row: int) -> str:
        """Name a row without the file: "line 1312" or "row 5"."""
        return f"row {row + 1}" if self.lines is None else f"line {int(self.lines[row])}"

    def require(self, columns: list[str], why: str) -> None:
        """Raise `DataError` unless every column of `columns` is there, naming what there is."""
        for column in columns:
            if column not in self.frame.columns:
                raise DataError(
                    f"{self.name}: no column {column!r} ({why}); the columns are "
                    f"{listed(self.frame.columns)}."
                )


def listed(names: list[str] | tuple[str, ...], limit: int = 20) -> str:
    """Names in quotes with commas, at most `limit` of them."""
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def counted(count: int, one: str, many: str | None = None) -> str:
    """Number and noun: "1 row", "2,000 rows"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"

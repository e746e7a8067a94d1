"""Sequences of numbers from a long table: one row for each step of each sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from throughtime.data.cells import read_cells, tidy
from throughtime.data.choose import left_out
from throughtime.data.clock import read_clock
from throughtime.data.find_time import TimeColumns
from throughtime.data.read import open_table
from throughtime.data.second_header import drop_second_headers
from throughtime.data.sequences import Sequences
from throughtime.data.table import Repair, Table, counted, listed
from throughtime.data.text_columns import LABEL_NAMES, named_like
from throughtime.data.texts import label_text
from throughtime.data.times import TimeStyle, guess_kind
from throughtime.errors import DataError

SEQUENCE_NAMES = (
    *("sequence", "sequence_id", "seq", "seq_id", "series", "series_id", "sample", "sample_id", "recording"),
    *("recording_id", "session", "session_id", "trial", "trial_id", "episode", "id"),
)
STEP_NAMES = (
    "step",
    "time_step",
    "t",
    "time",
    "timestamp",
    "datetime",
    "date",
    "time_hour",
    "frame",
    "index",
)


@dataclass(frozen=True)
class TableColumns:
    """Columns as asked for: None is found out. `features` None: all that hold numbers.

    Without labels a table may lack the column `sequence`: then it is one sequence.
    """

    sequence: str | None
    step: str | None
    label: str | None
    features: Sequence[str] | None
    labelled: bool


def read_sequence_table(source: Any, wanted: TableColumns) -> Sequences:
    """Read a long table; see `throughtime.data.sequences.read_sequences`.

    Raises:
        DataError: a column is not there or cannot be told, a cell is not as expected, or a sequence has
            several labels; says line and column.
        TypeError: `source` is neither a path nor a frame.
    """
    raw, delimiter = open_table(source)
    raw = drop_second_headers(raw)
    if not raw.frame.height:
        raise DataError(f"{raw.name}: holds no rows.")
    found = _choose(raw, wanted)
    if found.sequence is None:
        ids = [""] * raw.frame.height
    else:
        ids = _texts(raw, found.sequence, "tells the sequences apart")
    groups = _groups(ids)
    labels = _labels(raw, found.label, groups, ids) if found.label is not None else None
    table, features, repairs = _features(raw, found, delimiter)
    groups, sorted_ = _in_order(raw, found.step, groups, ids)
    numbers = np.stack([table.frame[name].cast(pl.Float64).to_numpy() for name in features], axis=1)
    return Sequences(
        tuple(numbers[rows] for rows in groups),
        labels,
        None if found.sequence is None else tuple(ids[rows[0]] for rows in groups),
        None if raw.lines is None else tuple(int(raw.lines[rows.min()]) for rows in groups),
        tuple(features),
        raw.name,
        raw.path,
        raw.fingerprint,
        f"a table with a row for each step, {raw.form}",
        [*table.repairs, *repairs, *sorted_],
    )


def _choose(table: Table, wanted: TableColumns) -> TableColumns:
    """The columns by name. Raises `DataError` for one that is not there or cannot be told."""
    given = wanted.label if wanted.labelled else None
    for option, column in (("sequence", wanted.sequence), ("step", wanted.step), ("label", given)):
        if column is not None:
            table.require([column], f"--{option}")
    table.require(list(wanted.features or ()), "--features")
    free = [name for name in table.frame.columns if name not in (wanted.features or ())]
    label = given or (named_like(free, LABEL_NAMES) if wanted.labelled else None)
    free = [name for name in free if name != label]
    sequence = wanted.sequence or named_like([name for name in free if name != wanted.step], SEQUENCE_NAMES)
    step = wanted.step or named_like([name for name in free if name != sequence], STEP_NAMES)
    for option, column, does in (
        ("sequence", sequence, "tells the sequences apart"),
        ("label", label, "holds the labels"),
    ):
        if column is None and wanted.labelled:
            raise DataError(
                f"{table.name}: it cannot be told which column {does}; name it with --{option}. "
                f"The columns are {listed(table.frame.columns)}."
            )
    return replace(wanted, sequence=sequence, step=step, label=label)


def _texts(table: Table, column: str, does: str) -> list[str]:
    """Cells of a column as text. Raises `DataError` for an empty one."""
    cells = [label_text(cell) for cell in table.frame[column]]
    empty = next((row for row, cell in enumerate(cells) if not cell), None)
    if empty is not None:
        raise DataError(f"{table.place(empty)}: column {column!r}, which {does}, is empty.")
    return cells


def _groups(ids: list[str]) -> list[np.ndarray]:
    """Rows of each sequence, in the order in which the sequences begin."""
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(one, len(numbers)) for one in ids])
    return np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])


def _labels(table: Table, column: str, groups: list[np.ndarray], ids: list[str]) -> tuple[str, ...]:
    """The one label of each sequence. Raises `DataError` where there are several."""
    cells = _texts(table, column, "holds the labels")
    for rows in groups:
        first = cells[rows[0]]
        other = next((row for row in rows if cells[row] != first), None)
        if other is not None:
            raise DataError(
                f"{table.place(int(other))}: sequence {ids[other]!r} has the label {cells[other]!r} here and "
                f"{first!r} in {table.line(int(rows[0]))}; a sequence has one label."
            )
    return tuple(cells[rows[0]] for rows in groups)


def _features(table: Table, found: TableColumns, delimiter: str) -> tuple[Table, list[str], list[Repair]]:
    """The columns of numbers, read. Raises `DataError` where there is none, or a named one holds text."""
    taken = {found.sequence, found.step, found.label}
    names = list(found.features or (name for name in table.frame.columns if name not in taken))
    if not names:
        raise DataError(f"{table.name}: no column is left to hold the numbers of the sequences.")
    read = read_cells(replace(table, frame=table.frame.select(names)), "error", delimiter)
    numeric = [name for name in names if read.frame[name].dtype.is_numeric()]
    for name in found.features or ():
        if name not in numeric:
            raise DataError(_not_numeric(table, name))
    if not numeric:
        raise DataError(f"{table.name}: no column holds numbers; {_not_numeric(table, names[0])}")
    others = [name for name in names if name not in numeric]
    return read, numeric, left_out({"not numbers": others}) if others else []


def _not_numeric(table: Table, name: str) -> str:
    cells = table.frame[name]
    if cells.dtype != pl.String:
        return f"{table.name}: column {name!r} holds {cells.dtype}, not numbers."
    held = tidy(cells)
    bad = np.flatnonzero(held.cast(pl.Float64, strict=False).is_null() & held.is_not_null())
    if not len(bad):
        return f"{table.name}: column {name!r} is empty."
    row = int(bad[0])
    return f"{table.place(row)}: column {name!r} holds {cells[row]!r} where a number is expected."


def _in_order(
    table: Table, column: str | None, groups: list[np.ndarray], ids: list[str]
) -> tuple[list[np.ndarray], list[Repair]]:
    """The rows of each sequence in the order of its steps."""
    if column is None:
        return groups, []
    steps = _steps(table, column)
    ordered = [rows[np.argsort(steps[rows], kind="stable")] for rows in groups]
    for rows in ordered:
        twice = np.flatnonzero(steps[rows][1:] == steps[rows][:-1])
        if len(twice):
            one, other = sorted((int(rows[twice[0]]), int(rows[twice[0] + 1])))
            raise DataError(
                f"{table.place(other)}: sequence {ids[other]!r} has the step {table.frame[column][other]} of "
                f"column {column!r} once more, after {table.line(one)}; a step stands once in a sequence."
            )
    moved = sum(not np.array_equal(one, other) for one, other in zip(groups, ordered, strict=True))
    if not moved:
        return groups, []
    text = f"The rows of {counted(moved, 'sequence')} were not in the order of {column}; sorted."
    return ordered, [Repair(kind="sorted", column=column, count=moved, text=text)]


def _steps(table: Table, column: str) -> np.ndarray:
    """Steps as numbers or times, to sort by. Raises `DataError` for a cell that is neither."""
    single = replace(table, frame=table.frame.select(column), repairs=[])
    cells = read_cells(single, "error").frame[column]
    if cells.dtype.is_numeric():
        empty = np.flatnonzero(cells.is_null())
        if len(empty):
            raise DataError(f"{table.place(int(empty[0]))}: column {column!r}, the step, is empty.")
        return cells.to_numpy()
    kind, _ = guess_kind(tidy(cells) if cells.dtype == pl.String else cells)
    if kind is None:
        raise DataError(
            f"{table.place(0)}: column {column!r}, the step, holds {cells[0]!r}, neither a number nor a "
            "time; name another with --step."
        )
    clock, _ = read_clock(single, TimeColumns((column,), TimeStyle(kind=kind)), None)
    return np.asarray(clock.times)

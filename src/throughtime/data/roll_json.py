"""Piano rolls as lists, in JSON or in memory: a piece is a list of steps, a step a list of MIDI numbers."""

from __future__ import annotations

import json
from numbers import Integral
from typing import Any

from throughtime.data.rolls import HIGHEST, LOWEST, Roll, Step, as_step
from throughtime.data.table import Repair, counted
from throughtime.errors import DataError

PARTS = {"train": "train", "valid": "valid", "validation": "valid", "test": "test"}
SILENT = -1  # how files with one number for each voice write a rest
LAYOUT = 'expected {"train": [pieces], "valid": [pieces], "test": [pieces]}, a list of pieces, or one piece'


def parse_json(text: bytes, name: str) -> Any:
    """JSON as Python lists; `name` is what messages call the file. Raises `DataError`."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise DataError(f"{name}: is neither MIDI nor JSON ({error}); {LAYOUT}.") from error
    except RecursionError as error:
        raise DataError(f"{name}: its lists are nested too deeply; {LAYOUT}.") from error


def rolls_from_lists(found: Any, name: str) -> tuple[dict[str, tuple[Roll, ...]], list[Repair]]:
    """Pieces by part, and what a reader must know.

    Args:
        found: Lists as this module's head says, by part, several pieces, or one.
        name: What messages call them.

    Raises:
        DataError: they are not of this layout, a piece is empty, or a note is none; says which piece and
            step.
    """
    parts = {
        part: tuple(_roll(piece, f"{name} {said}") for piece, said in pieces)
        for part, pieces in _parts(found, name).items()
    }
    rests = _count_rests(found)
    if not rests:
        return parts, []
    said = f"{counted(rests, 'entry', 'entries')} of -1 read as silence."
    return parts, [Repair(kind="rests", count=rests, text=said)]


def _parts(found: Any, name: str) -> dict[str, list[tuple[Any, str]]]:
    """The pieces of each part, each with its place in words."""
    if isinstance(found, dict):
        if unknown := [key for key in found if key not in PARTS]:
            raise DataError(f"{name}: holds the key {unknown[0]!r}; {LAYOUT}.")
        parts = {PARTS[key]: (key, pieces) for key, pieces in found.items()}
        return {part: _numbered(pieces, f"{key}, ", name) for part, (key, pieces) in parts.items()}
    if isinstance(found, list | tuple) and any(_is_piece(entry) for entry in found):
        return {"all": _numbered(found, "", name)}
    return {"all": [(found, "piece 1")]}


def _numbered(pieces: Any, part: str, name: str) -> list[tuple[Any, str]]:
    if not isinstance(pieces, list | tuple):
        raise DataError(f"{name}: {part}expected a list of pieces, got {_shown(pieces)}.")
    return [(piece, f"{part}piece {number}") for number, piece in enumerate(pieces, 1)]


def _is_piece(entry: Any) -> bool:
    return isinstance(entry, list | tuple) and any(isinstance(step, list | tuple) for step in entry)


def _roll(piece: Any, place: str) -> Roll:
    if not isinstance(piece, list | tuple):
        raise DataError(f"{place}: expected a list of steps, got {_shown(piece)}; {LAYOUT}.")
    if not piece:
        raise DataError(f"{place}: is empty; take it out, or give it at least one step.")
    return Roll(tuple(_step(step, f"{place}, step {t}") for t, step in enumerate(piece, 1)), place)


def _step(step: Any, place: str) -> Step:
    if not isinstance(step, list | tuple):
        raise DataError(f"{place}: expected a list of MIDI numbers, got {_shown(step)}; [] is silence.")
    for note in step:
        if not _is_whole(note):
            raise DataError(f"{place}: expected whole MIDI numbers, got {_shown(note)}.")
        if note != SILENT and not LOWEST <= note <= HIGHEST:
            raise DataError(f"{place}: note {_shown(note)} is outside {LOWEST}..{HIGHEST}.")
    return as_step(int(note) for note in step if note != SILENT)


def _is_whole(note: Any) -> bool:
    if isinstance(note, float):
        return note.is_integer()
    return isinstance(note, Integral) and not isinstance(note, bool)


def _count_rests(found: Any) -> int:
    if isinstance(found, dict):
        return sum(map(_count_rests, found.values()))
    if isinstance(found, list | tuple):
        return sum(map(_count_rests, found))
    return int(found == SILENT)


def _shown(value: Any) -> str:
    text = json.dumps(value, default=repr)
    return text if len(text) <= 40 else text[:37] + "..."

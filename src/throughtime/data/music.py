"""Pieces of music, read from piano rolls in JSON or in memory, MIDI files, or folders of MIDI files."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from throughtime.data.decode import GZIP, gunzip, read_file, to_utf8
from throughtime.data.midi_read import HEADER, OFF_GRID, Counts, read_midi
from throughtime.data.roll_json import PARTS, parse_json, rolls_from_lists
from throughtime.data.rolls import STEPS_A_QUARTER, Grid, Music, Roll
from throughtime.data.table import Repair, counted
from throughtime.errors import DataError

MIDI_ENDINGS = (".mid", ".midi")


def read_music(source: Any, *, grid: Grid = "quarter") -> Music:
    """Read pieces as piano rolls.

    A file is JSON (`{"train": [pieces], "valid": ..., "test": ...}`, a list of pieces, or one piece; a piece
    is a list of steps, a step a list of MIDI numbers; gzip is found out) or a MIDI file, one piece. A folder
    is searched for MIDI files, in its folders too; folders train, valid and test name the parts.

    Args:
        source: Path of a file or folder, or such lists in memory. `Music` is given back as it is.
        grid: Length of a step of MIDI files. The steps of JSON are taken as they are.

    Raises:
        DataError: nothing is there, it is no music, damaged or empty; says which file, piece and step.
        MachineError: the package mido is missing.
        TypeError: `source` is neither a path nor a list.
    """
    if grid not in STEPS_A_QUARTER:
        raise ValueError(f"read_music: grid={grid!r} is unknown; choose {', '.join(STEPS_A_QUARTER)}.")
    if isinstance(source, Music):
        return source
    if isinstance(source, dict | list | tuple):
        return _from_lists(source)
    if not isinstance(source, str | os.PathLike):
        raise TypeError(
            f"read_music: source is a {type(source).__name__}; give the path of a file or folder, or "
            "pieces as lists of steps, each a list of MIDI numbers"
        )
    path = Path(source)
    if path.is_dir():
        return _read_folder(path, grid)
    content = read_file(path)
    digest = hashlib.sha256(content).hexdigest()
    if content.startswith(GZIP):
        content = gunzip(content, path.name)
    if content.startswith(HEADER):
        counts = Counts()
        roll = read_midi(content, path.name, grid, counts)
        return Music({"all": (roll,)}, path.name, path, _with_grid(digest, grid), "MIDI", _told(counts))
    parts, repairs = rolls_from_lists(parse_json(_text(content, path.name), path.name), path.name)
    return Music(parts, path.name, path, digest, "JSON", repairs)


def _from_lists(pieces: Any) -> Music:
    parts, repairs = rolls_from_lists(pieces, "the pieces,")
    said = json.dumps({part: [roll.steps for roll in rolls] for part, rolls in parts.items()})
    return Music(parts, "the pieces", None, hashlib.sha256(said.encode()).hexdigest(), "lists", repairs)


def _text(content: bytes, name: str) -> bytes:
    try:
        return to_utf8(content, name)[0]
    except DataError as error:
        raise DataError(
            f"{name}: is no music that can be read here: neither a MIDI file (it does not begin with MThd) "
            "nor JSON."
        ) from error


def _read_folder(folder: Path, grid: Grid) -> Music:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and _is_midi(path))
    if not paths:
        raise DataError(f"{folder}: holds no MIDI file ({' or '.join(MIDI_ENDINGS)}).")
    digest, counts = hashlib.sha256(), Counts()
    pieces: dict[str, list[Roll]] = {}
    for path in paths:
        name = path.relative_to(folder).as_posix()
        content = read_file(path)
        digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
        pieces.setdefault(_part(name), []).append(read_midi(content, name, grid, counts))
    if "all" in pieces and len(pieces) > 1:
        stray, named = pieces["all"][0].name, ", ".join(sorted(set(pieces) - {"all"}))
        raise DataError(
            f"{folder}: {stray} lies outside the folders {named} that name parts; "
            "put every file into train, valid or test, or none."
        )
    parts = {part: tuple(rolls) for part, rolls in pieces.items()}
    fingerprint = _with_grid(digest.hexdigest(), grid)
    return Music(parts, folder.name, folder, fingerprint, f"{len(paths):,} MIDI files", _told(counts))


def _part(name: str) -> str:
    """The part that the first folder on the way to a file names."""
    first, slash, _ = name.partition("/")
    return PARTS.get(first.lower(), "all") if slash else "all"


def _is_midi(path: Path) -> bool:
    return path.suffix.lower() in MIDI_ENDINGS


def _with_grid(digest: str, grid: Grid) -> str:
    """MIDI on another grid is other data."""
    return hashlib.sha256(f"{digest} {grid}".encode()).hexdigest()


def _told(counts: Counts) -> list[Repair]:
    said = {
        "drums": (counts.drums, f"{counted(counts.drums, 'note')} of drums left out."),
        "off the grid": (
            counts.moved,
            f"{counts.moved:,} of {counted(counts.notes, 'note')} moved by more than {OFF_GRID:g} of a step "
            "to lie on the grid; a finer --grid may suit this music.",
        ),
        "no end": (
            counts.unended,
            f"{counted(counts.unended, 'note')} without an end held to the last event.",
        ),
        "tempo": (
            counts.tempo_changes,
            f"the first tempo kept of {counted(counts.tempo_changes, 'file')} that changes it.",
        ),
    }
    return [Repair(kind=kind, count=count, text=text) for kind, (count, text) in said.items() if count]

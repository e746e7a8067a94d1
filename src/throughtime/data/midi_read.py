"""MIDI files to piano rolls.

Times are counted in quarter notes, so changes of tempo do not move a note on the grid. Sustain pedals,
velocities and instruments are not looked at; the drum channel is left out.

    T: steps of the roll    ticks: MIDI's own unit of time, `ticks_per_beat` to a quarter note
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from throughtime.data.rolls import STEPS_A_QUARTER, Roll
from throughtime.errors import DataError, MachineError

HEADER = b"MThd"
DRUMS = 9  # channel 10 as musicians count
OFF_GRID = 0.2  # of a step: what is moved further is counted
LONGEST = 1_000_000  # steps; more come from a damaged file


@dataclass
class Counts:
    """What reading left out or changed, in numbers of notes or files.

    Attributes:
        drums: Notes of the drum channel, left out.
        moved: Notes that began or ended more than `OFF_GRID` of a step off the grid.
        notes: Notes that were read.
        unended: Notes without an end, held to the end of their track.
        tempo_changes: Files whose tempo changes.
    """

    drums: int = 0
    moved: int = 0
    notes: int = 0
    unended: int = 0
    tempo_changes: int = 0


@dataclass
class _Notes:
    """Notes of a file: (note, first tick, tick of its end)."""

    found: list[tuple[int, int, int]] = field(default_factory=list)
    tempos: list[tuple[int, float]] = field(default_factory=list)  # (tick, quarter notes a minute)
    end: int = 0  # tick of the last event


def load_mido() -> Any:
    """The package that reads and writes MIDI. Raises `MachineError` if it is not installed."""
    try:
        import mido
    except ImportError as error:
        raise MachineError(
            "MIDI files need the package mido, which is not installed: pip install 'throughtime[music]'"
        ) from error
    return mido


def read_midi(content: bytes, name: str, grid: str, counts: Counts) -> Roll:
    """One MIDI file on a grid.

    A note begins and ends at the nearest step and sounds for at least one.

    Args:
        content: The file's bytes.
        name: What messages call it.
        grid: Length of a step: "quarter", "8th" or "16th".
        counts: What was left out and changed is added here.

    Raises:
        DataError: the file is damaged, counts time in seconds instead of beats, or holds no notes.
        MachineError: the package mido is missing.
    """
    file = _parse(content, name)
    ticks = file.ticks_per_beat / STEPS_A_QUARTER[grid]
    notes = _Notes()
    for track in file.tracks:
        _read_track(track, notes, counts)
    if not notes.found:
        drums = "; it holds only drums" if counts.drums else ""
        raise DataError(f"{name}: holds no notes{drums}. Take the file out.")
    spans = [(note, *_on_grid(first, last, ticks)) for note, first, last in notes.found]
    counts.notes += len(spans)
    counts.moved += sum(_is_moved(first, last, ticks) for _, first, last in notes.found)
    length = max(_nearest(notes.end / ticks), *(stop for _, _, stop in spans))
    if length > LONGEST:
        raise DataError(f"{name}: would be {length:,} steps long; the file is damaged.")
    steps: list[set[int]] = [set() for _ in range(length)]
    for note, start, stop in spans:
        for t in range(start, stop):
            steps[t].add(note)
    return Roll(tuple(tuple(sorted(step)) for step in steps), name, _tempo(notes, counts))


def _parse(content: bytes, name: str) -> Any:
    mido = load_mido()
    if not content.startswith(HEADER):
        raise DataError(f"{name}: is not a MIDI file (it does not begin with MThd).")
    damaged = (OSError, EOFError, ValueError, LookupError, mido.KeySignatureError)
    try:
        file = mido.MidiFile(file=io.BytesIO(content))
    except damaged as error:
        reason = str(error) or "it ends too early"
        raise DataError(
            f"{name}: is a damaged MIDI file ({reason}); fetch or export it once more."
        ) from error
    if file.type == 2:
        raise DataError(
            f"{name}: holds tunes that do not run together (MIDI type 2); export them one by one."
        )
    if file.type not in (0, 1):
        raise DataError(f"{name}: is a damaged MIDI file (type {file.type}); export it once more.")
    if file.ticks_per_beat <= 0:
        raise DataError(
            f"{name}: counts time in seconds (SMPTE) instead of beats, so there is no grid to put it on; "
            "export it with beats."
        )
    return file


def _read_track(track: Any, notes: _Notes, counts: Counts) -> None:
    open_notes: dict[tuple[int, int], int] = {}  # (channel, note): first tick
    for tick, message in _timed(track):
        notes.end = max(notes.end, tick)
        if message.type == "set_tempo":
            notes.tempos.append((tick, round(60e6 / max(message.tempo, 1), 3)))
        if message.type not in ("note_on", "note_off"):
            continue
        starts = message.type == "note_on" and message.velocity > 0
        if message.channel == DRUMS:
            counts.drums += starts
            continue
        key = (message.channel, message.note)
        if key in open_notes:
            notes.found.append((message.note, open_notes.pop(key), tick))
        if starts:
            open_notes[key] = tick
    counts.unended += len(open_notes)
    notes.found += [(note, first, notes.end) for (_, note), first in open_notes.items()]


def _timed(track: Any) -> Iterator[tuple[int, Any]]:
    tick = 0
    for message in track:
        tick += message.time
        yield tick, message


def _on_grid(first: int, last: int, ticks: float) -> tuple[int, int]:
    """First step, and step after the last."""
    start = _nearest(first / ticks)
    return start, max(start + 1, _nearest(last / ticks))


def _is_moved(first: int, last: int, ticks: float) -> bool:
    start, stop = _on_grid(first, last, ticks)
    return max(abs(start - first / ticks), abs(stop - last / ticks)) > OFF_GRID


def _nearest(place: float) -> int:
    return math.floor(place + 0.5)


def _tempo(notes: _Notes, counts: Counts) -> float | None:
    """The first tempo of the file; None if it has none."""
    if not notes.tempos:
        return None
    counts.tempo_changes += len({tempo for _, tempo in notes.tempos}) > 1
    return min(notes.tempos)[1]

"""Piano rolls to MIDI files that any player reads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from throughtime import files
from throughtime.data.midi_read import DRUMS, load_mido
from throughtime.data.rolls import HIGHEST, LOWEST, STEPS_A_QUARTER, Grid, Step, as_step, runs

TICKS = 480  # to a quarter note; a multiple of every grid's steps
TEMPO = 80.0  # quarter notes a minute, where nobody says
SLOWEST, FASTEST = 4.0, 60e6  # what the three bytes of a MIDI tempo can hold
CHANNELS = [channel for channel in range(16) if channel != DRUMS]


def write_midi(
    path: str | os.PathLike[str],
    steps: Sequence[Sequence[int]],
    *,
    grid: Grid = "quarter",
    tempo: float = TEMPO,
    velocity: int = 80,
    instrument: int = 0,
    voices: bool = True,
) -> None:
    """Write a roll as a MIDI file. `read_music` with the same grid gives the same steps back.

    A note that sounds in neighbouring steps is held.

    Args:
        path: Destination; its folder is made if need be.
        steps: The MIDI numbers of each of T steps; T at least 1.
        grid: Length of a step.
        tempo: Quarter notes a minute.
        velocity: Loudness of every note, 1 to 127.
        instrument: General MIDI program, 0 (piano) to 127; 19 is a church organ, 52 a choir.
        voices: A track for each voice, from high to low, instead of one for all.

    Raises:
        ValueError: there is no step, or a note or number lies outside its range.
        OutputError: the file cannot be written.
        MachineError: the package mido is missing.
    """
    mido = load_mido()
    rows = [_checked(step, t) for t, step in enumerate(steps, 1)]
    if not rows:
        raise ValueError("write_midi: there is no step to write; give at least one.")
    for name, value, low, high in (
        ("tempo", tempo, SLOWEST, FASTEST),
        ("velocity", velocity, 1, 127),
        ("instrument", instrument, 0, 127),
    ):
        if not low <= value <= high:
            raise ValueError(f"write_midi: {name}={value!r} must be from {low:g} to {high:g}.")
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS)
    ticks = TICKS // STEPS_A_QUARTER[grid]
    head = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=round(60e6 / tempo))])
    head.append(mido.MetaMessage("end_of_track", time=len(rows) * ticks))  # a silent end counts too
    file.tracks.append(head)
    for number, held in enumerate(split_voices(rows) if voices else [runs(rows)]):
        name = f"voice {number + 1}" if voices else "all voices"
        channel = CHANNELS[number % len(CHANNELS)]
        file.tracks.append(_track(mido, name, held, channel, ticks, velocity, instrument))
    with files.replacing(path) as temporary:
        file.save(filename=temporary)


def split_voices(steps: Sequence[Step]) -> list[list[tuple[int, int, int]]]:
    """Give each held note of a roll, as `runs` gives them, to one of as few voices as the roll needs.

    Notes that begin together go to the free voices from high to low; a held note stays in its voice.
    """
    voices: list[list[tuple[int, int, int]]] = [[] for _ in range(max(map(len, steps), default=0))]
    for run in runs(steps):
        free = (voice for voice in voices if not voice or voice[-1][2] <= run[1])
        next(free).append(run)
    return [voice for voice in voices if voice]


def _checked(step: Sequence[int], t: int) -> Step:
    for note in step:
        if not LOWEST <= note <= HIGHEST:
            raise ValueError(f"write_midi: step {t}: note {note!r} is outside {LOWEST}..{HIGHEST}.")
    return as_step(step)


def _track(
    mido: Any,
    name: str,
    held: Sequence[tuple[int, int, int]],
    channel: int,
    ticks: int,
    velocity: int,
    instrument: int,
) -> Any:
    """One track: ends come before beginnings at the same time."""
    events = [(start * ticks, True, note) for note, start, _ in held]
    events += [(stop * ticks, False, note) for note, _, stop in held]
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
    track.append(mido.Message("program_change", channel=channel, program=instrument))
    before = 0
    for tick, starts, note in sorted(events):
        kind = "note_on" if starts else "note_off"
        loud = velocity if starts else 0
        track.append(mido.Message(kind, channel=channel, note=note, velocity=loud, time=tick - before))
        before = tick
    return track

"""Piano rolls: which notes sound at each time step of a piece."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from throughtime.data.table import Repair

Grid = Literal["quarter", "8th", "16th"]
Step = tuple[int, ...]

STEPS_A_QUARTER: dict[str, int] = {"quarter": 1, "8th": 2, "16th": 4}
LOWEST, HIGHEST = 0, 127  # of MIDI
PIANO = (21, 108)  # A0 to C8, the 88 keys
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


@dataclass(frozen=True)
class Roll:
    """A piece on a grid of time.

    Attributes:
        steps: The MIDI numbers that sound at each of T steps, T at least 1, rising, none twice.
        name: What messages call the piece.
        tempo: Quarter notes a minute, or None if the source does not say.
    """

    steps: tuple[Step, ...]
    name: str = "the roll"
    tempo: float | None = None

    def __len__(self) -> int:
        """T, how many steps there are."""
        return len(self.steps)

    @property
    def sounding(self) -> set[int]:
        """Every note that occurs."""
        return {note for step in self.steps for note in step}


@dataclass(frozen=True)
class Music:
    """Pieces as they were read.

    Attributes:
        parts: Pieces by part: "train", "valid", "test"; or all under "all" where the source names no parts.
        name: What messages call the source.
        path: Where it was read from, or None.
        fingerprint: SHA-256 of what was read.
        form: What kind of source it was, in words.
        repairs: What was changed or left out, and what a reader must know.
    """

    parts: dict[str, tuple[Roll, ...]]
    name: str
    path: Path | None
    fingerprint: str
    form: str
    repairs: list[Repair] = field(default_factory=list)

    @property
    def pieces(self) -> tuple[Roll, ...]:
        """Those of all parts."""
        return tuple(roll for rolls in self.parts.values() for roll in rolls)


def as_step(notes: Iterable[int]) -> Step:
    """Notes of one step in order, each once."""
    return tuple(sorted(set(notes)))


def to_bits(steps: Sequence[Step], lowest: int, highest: int) -> Tensor:
    """A roll as numbers: 1 where a note sounds, (T, highest - lowest + 1) float.

    Raises:
        ValueError: a note lies outside.
    """
    bits = torch.zeros(len(steps), highest - lowest + 1)
    for t, step in enumerate(steps):
        for note in step:
            if not lowest <= note <= highest:
                raise ValueError(f"step {t + 1}: note {note} is outside {lowest}..{highest}.")
            bits[t, note - lowest] = 1
    return bits


def to_steps(bits: Tensor, lowest: int) -> tuple[Step, ...]:
    """The way back from `to_bits`."""
    return tuple(tuple(lowest + int(column) for column in row.nonzero()) for row in bits)


def note_name(note: int) -> str:
    """MIDI number in words: 60 is C4, the middle C."""
    return f"{NAMES[note % 12]}{note // 12 - 1}"


def runs(steps: Sequence[Step]) -> list[tuple[int, int, int]]:
    """Held notes: (note, first step, step after the last), by first step, then from high to low.

    A roll does not tell a held note from a repeated one; neighbouring steps are joined.
    """
    found = []
    sounding: dict[int, int] = {}
    for t, step in enumerate([*steps, ()]):
        found += [(note, sounding.pop(note), t) for note in set(sounding) - set(step)]
        for note in step:
            sounding.setdefault(note, t)
    return sorted(found, key=lambda run: (run[1], -run[0]))

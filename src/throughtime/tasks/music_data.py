"""From pieces of music to the parts that a composer is trained and measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch
from torch import Tensor

from throughtime.data import Repair
from throughtime.data.roll_batches import RollBatches
from throughtime.data.rolls import HIGHEST, LOWEST, PIANO, Music, Roll, note_name, to_bits
from throughtime.data.table import counted
from throughtime.errors import DataError
from throughtime.tasks.music_settings import MusicSettings

BATCH_OF_VALIDATION = 128
PARTS = ("train", "valid", "test")
IN_WORDS = {"train": "training", "valid": "validation", "test": "test"}


@dataclass(frozen=True)
class MusicPart:
    """Pieces of one part.

    Attributes:
        rolls: Each of one piece.
        bits: Each (T, N) float, 1 where a note sounds.
    """

    rolls: tuple[Roll, ...]
    bits: list[Tensor]

    def __len__(self) -> int:
        """How many pieces there are."""
        return len(self.rolls)

    @property
    def steps(self) -> int:
        """Time steps of all pieces together."""
        return sum(map(len, self.rolls))


@dataclass(frozen=True)
class MusicData:
    """Pieces laid out for one composer.

    Attributes:
        lowest: MIDI number of the first of N notes.
        highest: Of the last.
        train: To learn from.
        validation: To choose the best epoch by.
        test: To measure on.
        repairs: What was left out, and what a reader must know.
    """

    lowest: int
    highest: int
    train: MusicPart
    validation: MusicPart
    test: MusicPart
    repairs: list[Repair]

    @property
    def rates(self) -> Tensor:
        """How often each note sounds in training, (N,), in (0, 1).

        Every note is counted once more, and its absence too, so that none is impossible.
        """
        bits = torch.cat(self.train.bits)
        return (bits.sum(dim=0) + 1) / (len(bits) + 2)

    @property
    def tempo(self) -> float | None:
        """Middle tempo of the training pieces."""
        known = [roll.tempo for roll in self.train.rolls if roll.tempo is not None]
        return median(known) if known else None

    @property
    def compass(self) -> tuple[int, int]:
        """First and last column that sounds in training."""
        used = torch.cat(self.train.bits).any(dim=0).nonzero().flatten()
        return (int(used[0]), int(used[-1])) if len(used) else (0, self.highest - self.lowest)


def prepare_music(music: Music, settings: MusicSettings) -> MusicData:
    """Split, where the data names no parts, and choose the range of notes.

    Raises:
        DataError: a part is missing, holds no piece, or has no step that follows another.
    """
    parts = _split(music, settings)
    repairs = [*music.repairs, *_keep_apart(parts)]
    for part, rolls in parts.items():
        if not any(len(roll) > 1 for roll in rolls):
            raise DataError(
                f"{music.name}: the {IN_WORDS[part]} part has {counted(len(rolls), 'piece')} and none of two "
                "steps or more; bring more pieces, or choose another --split."
            )
    notes = {note for roll in music.pieces for note in roll.sounding}
    if not notes:
        raise DataError(f"{music.name}: every step of every piece is silent.")
    fits = PIANO[0] <= min(notes) and max(notes) <= PIANO[1]
    lowest, highest = PIANO if fits else (LOWEST, HIGHEST)
    made = {part: part_of(rolls, lowest, highest) for part, rolls in parts.items()}
    return MusicData(lowest, highest, made["train"], made["valid"], made["test"], repairs)


def part_of(rolls: Sequence[Roll], lowest: int, highest: int) -> MusicPart:
    """Pieces as numbers.

    Raises:
        DataError: a note lies outside the range; says which piece and step.
    """
    for roll in rolls:
        for t, step in enumerate(roll.steps, 1):
            for note in step:
                if not lowest <= note <= highest:
                    raise DataError(
                        f"{roll.name}, step {t}: note {note} ({note_name(note)}) is outside the range that "
                        f"the network knows, {lowest} to {highest}; transpose the piece."
                    )
    return MusicPart(tuple(rolls), [to_bits(roll.steps, lowest, highest) for roll in rolls])


def batches_of(data: MusicData, settings: MusicSettings) -> tuple[RollBatches, RollBatches]:
    """Training and validation batches; training alone is transposed."""
    train = RollBatches(
        data.train.bits,
        settings.batch_size,
        seed=settings.seed,
        transpose=settings.transpose,
        compass=data.compass,
    )
    return train, RollBatches(data.validation.bits, BATCH_OF_VALIDATION, shuffle=False)


def _split(music: Music, settings: MusicSettings) -> dict[str, tuple[Roll, ...]]:
    """The parts that the data names, or pieces drawn for each."""
    if "all" not in music.parts:
        if missing := [part for part in PARTS if part not in music.parts]:
            raise DataError(
                f"{music.name}: names parts, but none for {' or '.join(missing)}; give train, valid and "
                "test, or no parts at all."
            )
        return {part: music.parts[part] for part in PARTS}
    rolls = music.parts["all"]
    order = np.random.default_rng(settings.seed).permutation(len(rolls))
    borders = np.round(np.cumsum(settings.split[:2]) * len(rolls)).astype(int)
    return {
        part: tuple(rolls[row] for row in rows)
        for part, rows in zip(PARTS, np.split(order, borders), strict=True)
    }


def _keep_apart(parts: dict[str, tuple[Roll, ...]]) -> list[Repair]:
    """Leave out of training what stands in the validation or test part too, or the figures would flatter."""
    held = {roll.steps for part in ("valid", "test") for roll in parts[part]}
    kept = tuple(roll for roll in parts["train"] if roll.steps not in held)
    gone = len(parts["train"]) - len(kept)
    if not gone:
        return []
    parts["train"] = kept
    said = f"{counted(gone, 'training piece')} left out, as the validation or test part holds the same."
    return [Repair(kind="in two parts", count=gone, text=said)]

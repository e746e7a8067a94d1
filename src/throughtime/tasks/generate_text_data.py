"""From a text to the parts that a generator is trained and measured on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from throughtime.data import PlainText, Repair, TextStreams, read_plain_text
from throughtime.data.symbols import named
from throughtime.data.table import counted
from throughtime.errors import DataError
from throughtime.tasks.generate_text_card import TextRun
from throughtime.tasks.generate_text_settings import TextSettings
from throughtime.tasks.generate_text_units import TextUnits, first_of, learn_units, noun_of
from throughtime.tasks.sources import Sources, open_again, sources_as_fields

VALIDATION_STREAMS = 64
VALIDATION_STEPS = 256
SHORTEST_STREAM = 200  # symbols; a stream begins without context, which costs its first few
NAMED = 5  # unknown characters that a message names


@dataclass(frozen=True)
class TextPart:
    """A part of a text.

    Attributes:
        text: N characters.
        symbols: Numbers of its units, (M,).
    """

    text: str
    symbols: Tensor

    def __len__(self) -> int:
        """How many characters there are."""
        return len(self.text)


@dataclass(frozen=True)
class TextData:
    """A text laid out for one generator.

    Attributes:
        symbols: The alphabet or vocabulary, of the training part alone.
        train: To learn from.
        validation: To choose the best epoch by.
        test: To measure on; None: there is none.
        repairs: What a reader must know.
    """

    symbols: TextUnits
    train: TextPart
    validation: TextPart
    test: TextPart | None
    repairs: list[Repair]

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of each character or piece in the training part."""
        counts = np.bincount(self.train.symbols.numpy(), minlength=len(self.symbols))
        return tuple((counts / counts.sum()).tolist())


def open_sources(data: Any, settings: TextSettings) -> Sources[PlainText]:
    """The text, and the validation and test files that the settings name. Raises `DataError`."""
    files = settings.validation, settings.test
    others = [None if one is None else read_plain_text(Path(one)) for one in files]
    return Sources(read_plain_text(data), *others)


def run_of(sources: Sources[PlainText], settings: TextSettings) -> TextRun:
    """What to remember of a fit."""
    return TextRun(settings=settings, **sources_as_fields(sources))


def sources_again(run: TextRun, data: Any = None) -> Sources[PlainText]:
    """The text of a fit once more, from `data` or where it was. Raises `DataError`."""
    return open_again(run, data, read_plain_text, lambda place: read_plain_text(Path(place)))


def prepare_text(
    sources: Sources[PlainText], settings: TextSettings, symbols: TextUnits | None = None
) -> TextData:
    """Cut the text into its parts and number the characters or pieces.

    Args:
        sources: The text, and parts that have a file of their own.
        settings: Split, streams.
        symbols: The alphabet or vocabulary of before; None learns it from the training part.

    Raises:
        DataError: a part is too short, or cannot give the vocabulary asked for.
        MachineError: byte pairs are asked for, and the package `tokenizers` is missing.
    """
    texts = _split(sources, settings)
    symbols = symbols or learn_units(texts["training"], settings, sources.train.name)
    parts = {name: part_of(text, symbols) for name, text in texts.items()}
    _check_length(sources.train.name, parts, settings, symbols)
    repairs = [
        repair
        for name in ("validation", "test")
        if name in parts and (repair := unknown_characters(name, parts[name], symbols)) is not None
    ]
    return TextData(symbols, parts["training"], parts["validation"], parts.get("test"), repairs)


def part_of(text: str, symbols: TextUnits) -> TextPart:
    """A text and its numbers."""
    return TextPart(text, symbols.number(text))


def unknown_characters(name: str, part: TextPart, symbols: TextUnits) -> Repair | None:
    """The characters of a part that training never saw, counted and named; None if there are none."""
    missing = symbols.missing(part.text)
    if not missing:
        return None
    listed = ", ".join(f"{named(one)} {count:,} times" for one, count in missing.most_common(NAMED))
    more = f", and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    total = missing.total()
    said = (
        f"{counted(total, 'character')} of the {name} part never occurred in training and "
        f"{'does' if total == 1 else 'do'} not count in its figures: {listed}{more}."
    )
    return Repair(kind="unknown characters", count=total, text=said)


def other_part(text: PlainText, symbols: TextUnits) -> TextPart:
    """All of another text. Raises `DataError` if nothing in it comes after something else."""
    part = part_of(text.text, symbols)
    if first_of(part.symbols, symbols)[0] == len(text):
        raise DataError(
            f"{text.name}: one {noun_of(symbols)}; expected at least 2, to tell the second from the first."
        )
    return part


def judged_streams(part: TextPart, symbols: TextUnits) -> TextStreams:
    """Streams in which every character or piece but the first is a target once."""
    lanes = min(VALIDATION_STREAMS, max(1, (len(part.symbols) - 1) // SHORTEST_STREAM))
    return TextStreams(part.symbols, lanes, VALIDATION_STEPS, unknown=symbols.unknown, moving=False)


def batches_of(data: TextData, settings: TextSettings) -> tuple[TextStreams, TextStreams]:
    """Training and validation batches."""
    unknown, lanes, steps = data.symbols.unknown, settings.batch_size, settings.steps
    train = TextStreams(data.train.symbols, lanes, steps, unknown=unknown, seed=settings.seed)
    return train, judged_streams(data.validation, data.symbols)


def _split(sources: Sources[PlainText], settings: TextSettings) -> dict[str, str]:
    """The text of each part: cut off in the order of the text where there is no file for it."""
    given = {"validation": sources.validation, "test": sources.test}
    shares = dict(zip(("training", "validation", "test"), settings.split, strict=True))
    wanted = [name for name in shares if given.get(name) is None and shares[name] > 0]
    total = sum(shares[name] for name in wanted)
    text, start, before = sources.train.text, 0, 0.0
    parts = {name: one.text for name, one in given.items() if one is not None}
    for name in wanted:
        before += shares[name]
        stop = int(before / total * len(text) + 1e-6)
        parts[name], start = text[start:stop], stop
    return parts


def _check_length(name: str, parts: dict[str, TextPart], settings: TextSettings, symbols: TextUnits) -> None:
    lanes, steps, found = settings.batch_size, settings.steps, len(parts["training"].symbols)
    noun = noun_of(symbols)
    if found <= lanes * steps:
        raise DataError(
            f"{name}: {found:,} {noun}s to train on are too few: {lanes} streams of {steps} {noun}s "
            f"need {lanes * steps + 1:,}. Bring more text, or take a smaller --batch-size or --steps."
        )
    for part in ("validation", "test"):
        if part in parts and not _can_be_judged(parts[part], symbols):
            raise DataError(
                f"{name}: the {part} part has {counted(len(parts[part]), 'character')}, none of which can be "
                "judged. Bring more text, or choose another --split."
            )


def _can_be_judged(part: TextPart, symbols: TextUnits) -> bool:
    known = bool((part.symbols[1:] != symbols.unknown).any())
    return known and first_of(part.symbols, symbols)[0] < len(part)

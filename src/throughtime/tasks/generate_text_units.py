"""What a generator of text reads and foresees in one step: characters, words, or pieces of words.

Whatever the unit, the figure is per character of the text: the nats of a piece are shared out evenly among
the characters that begin in it, so that their sum stays and networks of different units compare.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor

from throughtime.data import Symbols
from throughtime.data.byte_pieces import BytePairs, BytePieces, WholeWords
from throughtime.errors import DataError
from throughtime.tasks.counting_models import Floats, Ints
from throughtime.tasks.generate_text_settings import TextSettings, Unit

TextUnits = Symbols | BytePieces
KINDS: dict[Unit, type[Symbols | WholeWords | BytePairs]] = {
    "character": Symbols,
    "word": WholeWords,
    "bpe": BytePairs,
}
MOST: dict[Unit, int] = {"word": 10_000, "bpe": 1_000}  # pieces, where no vocabulary is asked for


def learn_units(text: str, settings: TextSettings, name: str) -> TextUnits:
    """The alphabet or vocabulary of a training part.

    Raises:
        DataError: the text has not as many pieces as were asked for; `name` is what it is called.
        MachineError: the package `tokenizers` is missing.
    """
    kind = KINDS[settings.unit]
    if issubclass(kind, Symbols):
        return kind.learn(text)
    wanted = settings.vocabulary
    units = kind.learn(text, wanted or MOST[settings.unit])
    if wanted is not None and len(units) < wanted:
        raise DataError(
            f"{name}: a vocabulary of {wanted:,} is more than the training part gives: {len(units):,}. "
            f"Take a smaller --vocabulary, or bring more text."
        )
    return units


def read_units(text: str, unit: Unit) -> TextUnits:
    """Read what `to_json` gave. Raises `ValueError`."""
    return KINDS[unit].read(text)


def noun_of(units: TextUnits) -> str:
    """What one of them is called."""
    return "character" if isinstance(units, Symbols) else "piece"


def per_character(nats: Floats, numbers: Tensor, units: TextUnits) -> Floats:
    """Share out the nats of pieces among the characters that begin in them: (M,) to (N,); the sum stays.

    What a piece costs in which no character begins is added to the piece before.

    Args:
        nats: Of each character or piece, (M,).
        numbers: Which they are, (M,), from the beginning of a text.
        units: The alphabet or vocabulary.
    """
    begun = _begun(numbers, units)
    firsts = np.flatnonzero(begun)
    if len(firsts) == len(nats) == begun.sum():
        return nats
    shared: Floats = np.repeat(np.add.reduceat(nats, firsts) / begun[firsts], begun[firsts])
    return shared


def first_of(numbers: Tensor, units: TextUnits) -> tuple[int, int]:
    """How many characters begin in the first character or piece of a text, and how many pieces these take."""
    begun = _begun(numbers, units)
    return int(begun[0]), int(np.flatnonzero([*begun[1:], 1])[0]) + 1


def _begun(numbers: Tensor, units: TextUnits) -> Ints:
    begun: Ints = np.append(units.characters, 1)[numbers.numpy()]  # an unknown character is one
    return begun

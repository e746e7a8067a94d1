"""The symbols that speech is written with: characters, or whole words."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Unit = Literal["character", "word"]

BLANK = 0
BLANK_NAME = "∅"


@dataclass(frozen=True)
class Spelling:
    """What a text is made of, and the number of each symbol.

    Attributes:
        unit: Characters (the space between words is one of them) or words.
        keep_case: Tell "A" from "a".
        names: Every symbol by its number; 0 is the blank of CTC, which is no symbol.
    """

    unit: Unit
    keep_case: bool
    names: tuple[str, ...]

    def __len__(self) -> int:
        """K: symbols with the blank."""
        return len(self.names)

    @classmethod
    def learn(cls, texts: Iterable[str], unit: Unit, *, keep_case: bool = False) -> Spelling:
        """Know every symbol of `texts`, in the order of their letters."""
        empty = cls(unit, keep_case, (BLANK_NAME,))
        found = {one for text in texts for one in empty.cut(text)}
        return cls(unit, keep_case, (BLANK_NAME, *sorted(found)))

    @classmethod
    def read(cls, text: str) -> Spelling:
        """Read what `to_json` gave. Raises `ValueError` if it is something else."""
        held = json.loads(text)
        if not isinstance(held, dict) or held.get("unit") not in ("character", "word"):
            raise ValueError('expected an object with "unit", "keep_case" and "symbols"')
        return cls(held["unit"], bool(held["keep_case"]), (BLANK_NAME, *map(str, held["symbols"])))

    def to_json(self) -> str:
        """As kept in a model folder."""
        held = {"unit": self.unit, "keep_case": self.keep_case, "symbols": self.names[1:]}
        return json.dumps(held, indent=2, ensure_ascii=False) + "\n"

    def normal(self, text: str) -> str:
        """A text as it is learnt and compared: NFC, one blank between words, lower case unless kept."""
        text = " ".join(unicodedata.normalize("NFC", text).split())
        return text if self.keep_case else text.lower()

    def cut(self, text: str) -> list[str]:
        """The symbols of a text, known or not."""
        normal = self.normal(text)
        return list(normal) if self.unit == "character" else normal.split()

    def unknown(self, text: str) -> list[str]:
        """Spelling of a text that are not known."""
        known = set(self.names[1:])
        return [one for one in self.cut(text) if one not in known]

    def number(self, text: str) -> list[int]:
        """The numbers of a text's symbols; those that are not known are left out."""
        places = {name: number for number, name in enumerate(self.names) if number != BLANK}
        return [places[one] for one in self.cut(text) if one in places]

    def text(self, numbers: Sequence[int]) -> str:
        """The text of numbers; blanks at its ends are left out, and doubled ones."""
        between = "" if self.unit == "character" else " "
        return " ".join(between.join(self.names[number] for number in numbers).split())


def steps_needed(numbers: Sequence[int]) -> int:
    """Steps that CTC needs to write these symbols: one for each, and a blank between two equal ones."""
    return len(numbers) + sum(one == other for one, other in pairwise(numbers))

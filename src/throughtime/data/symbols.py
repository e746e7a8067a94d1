"""Characters in, numbers out: the alphabet of a training text, kept as one JSON file."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor


class Symbols:
    """An alphabet: the different characters of a text, in the order of their code points.

    Args:
        names: The characters, each once.

    Attributes:
        names: Every character by its number.
        unknown: The number of any other character: one past the last.
        characters: How many characters each stands for, (V,): one.

    Raises:
        ValueError: there is none, one is not a single character, or they are not in order.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        if not self.names or any(not isinstance(name, str) or len(name) != 1 for name in self.names):
            raise ValueError("Symbols: expected single characters, at least one")
        self._codes = _codes("".join(self.names))
        if (np.diff(self._codes.astype(np.int64)) <= 0).any():
            raise ValueError("Symbols: expected each character once, in the order of the code points")
        self.unknown = len(self.names)
        self.characters = np.ones(len(self.names), dtype=np.int64)

    def __len__(self) -> int:
        """Characters known."""
        return len(self.names)

    @classmethod
    def learn(cls, text: str) -> Symbols:
        """Know the characters of `text`."""
        return cls(sorted(set(text)))

    @classmethod
    def read(cls, text: str) -> Symbols:
        """Read what `to_json` gave. Raises `ValueError`."""
        found = json.loads(text)
        names = found.get("characters") if isinstance(found, dict) else None
        return cls(names or ())

    def to_json(self) -> str:
        """The alphabet as JSON."""
        return json.dumps({"characters": self.names}, ensure_ascii=False) + "\n"

    def number(self, text: str) -> Tensor:
        """A text as numbers (N,), long."""
        codes = _codes(text)
        places = np.minimum(np.searchsorted(self._codes, codes), len(self) - 1)
        known = self._codes[places] == codes
        return torch.from_numpy(np.where(known, places, self.unknown).astype(np.int64))

    def text(self, numbers: Iterable[int]) -> str:
        """Numbers as a text, U+FFFD for the unknown character."""
        return "".join(self.names[number] if number < self.unknown else "\ufffd" for number in numbers)

    def decoder(self) -> Callable[[int], str]:
        """What turns numbers into text as they come."""
        return self.names.__getitem__

    def missing(self, text: str) -> Counter[str]:
        """Characters of `text` that are not known, and how often each occurs."""
        counts = Counter(text)
        return Counter({one: count for one, count in counts.items() if one not in self.names})


def named(character: str) -> str:
    """A character as messages name it: "'é' (U+00E9)", or by its name where it cannot be seen."""
    code = f"U+{ord(character):04X}"
    if character == "\n":
        return f"the line end ({code})"
    if character.isprintable() and not character.isspace():
        return f"'{character}' ({code})"
    return f"{unicodedata.name(character, 'the control character').lower()} ({code})"


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)

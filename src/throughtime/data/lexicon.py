"""Names by number: the words, characters or tags of a task, learnt from the training part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Self

from throughtime.data.words import PADDING, UNKNOWN

SPECIAL = 2  # numbers in front of the names: PADDING and UNKNOWN


class Lexicon:
    """Names and their numbers; 0 is padding, 1 any name that is not known.

    Args:
        names: The known ones, in the order of their numbers from 2.
    """

    def __init__(self, names: Sequence[str]) -> None:
        assert (PADDING, UNKNOWN) == (0, 1)
        self.names = tuple(names)
        self._numbers = {name: number for number, name in enumerate(self.names, SPECIAL)}

    def __len__(self) -> int:
        """Names known, with padding and the unknown one."""
        return len(self.names) + SPECIAL

    @classmethod
    def learn(cls, found: Iterable[str], *, min_count: int = 1, most: int | None = None) -> Self:
        """Know the names that occur at least `min_count` times, `most` at most, the most frequent first."""
        counts = Counter(found).most_common(most)
        return cls([name for name, count in counts if count >= min_count])

    def number(self, name: str) -> int:
        """Its number, or 1."""
        return self._numbers.get(name, UNKNOWN)

    def numbers(self, names: Iterable[str]) -> list[int]:
        """The number of each."""
        return [self._numbers.get(name, UNKNOWN) for name in names]

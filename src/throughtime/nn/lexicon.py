"""The words that may be written, as a tree of their symbols.

A text is words with a separator between two of them; the empty text is one too. A decoder that asks the
tree what may follow never begins a word that cannot end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

START = 0
_BETWEEN = 1  # after a separator: as at the start, but a text may not end here


class Lexicon:
    """Which symbols may follow a beginning of a text.

    Args:
        words: Each as the numbers of its symbols.
        separator: Number of the symbol between two words; None: no text has more than one word.

    Raises:
        ValueError: there is no word, one is empty, or one holds the separator.
    """

    def __init__(self, words: Iterable[Sequence[int]], separator: int | None) -> None:
        self.separator = separator
        self._after: list[dict[int, int]] = [{}, {}]
        self._ends: set[int] = {START}
        for word in words:
            self._add(tuple(map(int, word)))
        if not self._after[START]:
            raise ValueError("Lexicon: there is no word")
        self._after[_BETWEEN] = self._after[START]
        if separator is not None:
            for node in self._ends - {START}:
                self._after[node][separator] = _BETWEEN

    def _add(self, word: tuple[int, ...]) -> None:
        if not word or self.separator in word:
            raise ValueError(f"Lexicon: a word is empty or holds the separator {self.separator}: {word}")
        node = START
        for symbol in word:
            if symbol not in self._after[node]:
                self._after[node][symbol] = len(self._after)
                self._after.append({})
            node = self._after[node][symbol]
        self._ends.add(node)

    def after(self, node: int) -> Mapping[int, int]:
        """The symbols that may follow at a node, each with the node that it leads to."""
        return self._after[node]

    def may_end(self, node: int) -> bool:
        """Whether a text may end at a node."""
        return node in self._ends

    def whole_words(self, text: Sequence[int]) -> tuple[int, ...]:
        """The longest beginning of a text at which it may end."""
        node, whole = START, 0
        for count, symbol in enumerate(text, 1):
            following = self._after[node].get(symbol)
            if following is None:
                break
            node = following
            if self.may_end(node):
                whole = count
        return tuple(text[:whole])

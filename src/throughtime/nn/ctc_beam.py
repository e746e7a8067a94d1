"""The likeliest texts by connectionist temporal classification (CTC): prefix beam search.

Notation as in `throughtime.nn.ctc_decoding`: T time steps, K symbols with the blank; natural logarithms.

Source: Hannun et al., First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional
Recurrent DNNs (2014).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

import numpy as np

from throughtime.nn.ctc_decoding import BLANK, NEVER, Floats, checked_logs, log_probability
from throughtime.nn.lexicon import START, Lexicon

Text = tuple[int, ...]
"""A text or the beginning of one, as the numbers of its symbols."""

Ends = tuple[float, float]
"""Logarithms of the probability of a beginning's paths that end in a blank, and of those that do not."""

Tried = Callable[[Text], list[tuple[int, float]]]
"""The symbols that are tried after a beginning, with their logarithms at this step."""


class Beam(NamedTuple):
    """A text that may have been said, as numbers, and the logarithm of its probability."""

    symbols: Text
    log_probability: float


def prefix_beam(
    logs: Any, width: int = 16, *, cut: float = NEVER, lexicon: Lexicon | None = None
) -> list[Beam]:
    """The likeliest texts, found from left to right with at most `width` beginnings kept at each step.

    Each beginning carries two probabilities, of its paths that end in a blank and of those that do not:
    a symbol equal to the last one continues it in the second, and begins anew only after a blank.
    With `width` so large that nothing is dropped, the probabilities are exact; else they are lower bounds.

    Args:
        logs: Logarithms of probabilities, (T, K), tensor or array.
        width: Beginnings kept.
        cut: Symbols whose logarithm lies below this at a step are not tried there. Not heeded with a lexicon,
            where the symbol that a word needs may be an unlikely one.
        lexicon: Find texts of its words alone. Their probabilities are those they have without it. Where no
            beginning that was kept is a text of whole words, what is left without the last, broken word.

    Returns:
        At most `width` texts, the likeliest first; equally likely ones in the order of their symbols.

    Raises:
        ValueError: `logs` is not (T, K), width is below 1, or no text of the lexicon is possible.
    """
    values = checked_logs(logs, "prefix_beam")
    if width < 1:
        raise ValueError(f"prefix_beam: width={width} must be 1 or more")
    ways: _Ways = _AnySymbol(cut) if lexicon is None else _KnownWords(lexicon)
    kept: dict[Text, Ends] = {(): (0.0, NEVER)}
    for row in values:
        kept = _widest(_step(kept, row, ways.at(row, kept)), width)
    found = ways.texts(values, [Beam(text, _either(*ends)) for text, ends in kept.items()])
    if not found:
        raise ValueError("prefix_beam: every text that may be written has probability 0")
    return sorted(found, key=_order)


class _Ways(Protocol):
    """Which symbols are tried, and which texts may be found."""

    def at(self, row: Floats, kept: Iterable[Text]) -> Tried: ...

    def texts(self, values: Floats, kept: list[Beam]) -> list[Beam]: ...


class _AnySymbol:
    """Every symbol that is likely enough, after every beginning."""

    def __init__(self, cut: float) -> None:
        self.cut = cut

    def at(self, row: Floats, kept: Iterable[Text]) -> Tried:
        tried = [(k, float(row[k])) for k in range(1, len(row)) if row[k] > NEVER and row[k] >= self.cut]
        return lambda text: tried

    def texts(self, values: Floats, kept: list[Beam]) -> list[Beam]:
        return [one for one in kept if one.log_probability > NEVER]


class _KnownWords:
    """The symbols with which a beginning may become words of a lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.nodes: dict[Text, int] = {(): START}

    def at(self, row: Floats, kept: Iterable[Text]) -> Tried:
        logs = row.tolist()
        nodes = {text: self.nodes[text] for text in kept}
        self.nodes = dict(nodes)

        def tried(text: Text) -> list[tuple[int, float]]:
            after = self.lexicon.after(nodes[text])
            for symbol, node in after.items():
                self.nodes[(*text, symbol)] = node
            return [(symbol, logs[symbol]) for symbol in after if logs[symbol] > NEVER]

        return tried

    def texts(self, values: Floats, kept: list[Beam]) -> list[Beam]:
        ended = [one for one in kept if self.lexicon.may_end(self.nodes[one.symbols])]
        if not ended:
            cut = {self.lexicon.whole_words(one.symbols) for one in kept}
            ended = [Beam(text, log_probability(values, text)) for text in cut]
        return [one for one in ended if one.log_probability > NEVER]


def _step(kept: dict[Text, Ends], row: Floats, tried: Tried) -> dict[Text, Ends]:
    """Every beginning one step later: (ends in a blank, does not)."""
    after: dict[Text, Ends] = {}
    blank = float(row[BLANK])
    for text, (in_blank, in_symbol) in kept.items():
        either = _either(in_blank, in_symbol)
        stays = in_symbol + float(row[text[-1]]) if text else NEVER
        _add(after, text, either + blank, stays)
        for symbol, log in tried(text):
            comes_from = in_blank if text and symbol == text[-1] else either
            if comes_from > NEVER:
                _add(after, (*text, symbol), NEVER, comes_from + log)
    return after


def _add(
    after: dict[Text, Ends],
    text: Text,
    in_blank: float,
    in_symbol: float,
) -> None:
    held = after.get(text, (NEVER, NEVER))
    after[text] = (_either(held[0], in_blank), _either(held[1], in_symbol))


def _widest(after: dict[Text, Ends], width: int) -> dict[Text, Ends]:
    if len(after) <= width:
        return after
    ordered = sorted(after.items(), key=lambda item: (-_either(*item[1]), item[0]))
    return dict(ordered[:width])


def _either(one: float, other: float) -> float:
    """log(exp(one) + exp(other)), -inf included."""
    if one < other:
        one, other = other, one
    return one if other == NEVER else one + float(np.log1p(np.exp(other - one)))


def _order(beam: Beam) -> tuple[float, Text]:
    return -beam.log_probability, beam.symbols

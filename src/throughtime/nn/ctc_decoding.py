"""From probabilities over time to symbols: connectionist temporal classification (CTC) read backwards.

A path gives each time step one symbol or the blank (number 0); its text is what is left when equal
neighbours are merged and blanks taken out. The probability of a text is the sum over all its paths.

Notation: T time steps, K symbols with the blank, S symbols of a text. All probabilities are natural
logarithms of float64.

Source: Graves et al., Connectionist Temporal Classification (2006); prefix beam search after Hannun et
al., First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs (2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BLANK = 0
NEVER = -np.inf


class Beam(NamedTuple):
    """A text that may have been said, as numbers, and the logarithm of its probability."""

    symbols: tuple[int, ...]
    log_probability: float


class Alignment(NamedTuple):
    """The likeliest path of a text.

    Attributes:
        path: Symbol of each step, (T,), blank included.
        spans: First and last (exclusive) step of each symbol of the text, (S, 2).
        log_probability: Of this path alone.
    """

    path: Ints
    spans: Ints
    log_probability: float


def collapse(path: Sequence[int] | Ints) -> tuple[int, ...]:
    """The text of a path: equal neighbours merged, blanks taken out."""
    before, kept = BLANK, []
    for symbol in map(int, path):
        if symbol not in (before, BLANK):
            kept.append(symbol)
        before = symbol
    return tuple(kept)


def greedy(logs: Any) -> tuple[int, ...]:
    """The text of the likeliest path, which need not be the likeliest text.

    Args:
        logs: Logarithms of probabilities, (T, K), tensor or array.
    """
    return collapse(_checked(logs, "greedy").argmax(axis=1))


def prefix_beam(logs: Any, width: int = 16, *, cut: float = NEVER) -> list[Beam]:
    """The likeliest texts, found from left to right with at most `width` beginnings kept at each step.

    Each beginning carries two probabilities, of its paths that end in a blank and of those that do not:
    a symbol equal to the last one continues it in the second, and begins anew only after a blank.
    With `width` so large that nothing is dropped, the probabilities are exact; else they are lower bounds.

    Args:
        logs: Logarithms of probabilities, (T, K), tensor or array.
        width: Beginnings kept.
        cut: Symbols whose logarithm lies below this at a step are not tried there.

    Returns:
        At most `width` texts, the likeliest first; equally likely ones in the order of their symbols.

    Raises:
        ValueError: `logs` is not (T, K), or width is below 1.
    """
    values = _checked(logs, "prefix_beam")
    if width < 1:
        raise ValueError(f"prefix_beam: width={width} must be 1 or more")
    kept: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, NEVER)}
    for row in values:
        tried = [(k, float(row[k])) for k in range(1, len(row)) if row[k] > NEVER and row[k] >= cut]
        kept = _widest(_step(kept, float(row[BLANK]), tried, row), width)
    found = [Beam(text, _either(*ends)) for text, ends in kept.items()]
    return sorted((one for one in found if one.log_probability > NEVER), key=_order)


def _step(
    kept: dict[tuple[int, ...], tuple[float, float]],
    blank: float,
    tried: list[tuple[int, float]],
    row: Floats,
) -> dict[tuple[int, ...], tuple[float, float]]:
    """Every beginning one step later: (ends in a blank, does not)."""
    after: dict[tuple[int, ...], tuple[float, float]] = {}
    for text, (in_blank, in_symbol) in kept.items():
        either = _either(in_blank, in_symbol)
        stays = in_symbol + float(row[text[-1]]) if text else NEVER
        _add(after, text, either + blank, stays)
        for symbol, log in tried:
            comes_from = in_blank if text and symbol == text[-1] else either
            if comes_from > NEVER:
                _add(after, (*text, symbol), NEVER, comes_from + log)
    return after


def _add(
    after: dict[tuple[int, ...], tuple[float, float]],
    text: tuple[int, ...],
    in_blank: float,
    in_symbol: float,
) -> None:
    held = after.get(text, (NEVER, NEVER))
    after[text] = (_either(held[0], in_blank), _either(held[1], in_symbol))


def _widest(
    after: dict[tuple[int, ...], tuple[float, float]], width: int
) -> dict[tuple[int, ...], tuple[float, float]]:
    if len(after) <= width:
        return after
    ordered = sorted(after.items(), key=lambda item: (-_either(*item[1]), item[0]))
    return dict(ordered[:width])


def _either(one: float, other: float) -> float:
    """log(exp(one) + exp(other)), -inf included."""
    if one < other:
        one, other = other, one
    return one if other == NEVER else one + float(np.log1p(np.exp(other - one)))


def _order(beam: Beam) -> tuple[float, tuple[int, ...]]:
    return -beam.log_probability, beam.symbols


def log_probability(logs: Any, symbols: Sequence[int]) -> float:
    """Logarithm of the probability of a text: the sum over all its paths, by the forward recursion.

    Args:
        logs: Logarithms of probabilities, (T, K), tensor or array.
        symbols: The text, S numbers from 1 to K - 1.

    Returns:
        -inf where T steps are too few for it.
    """
    values, states, skips = _lattice(logs, symbols, "log_probability")
    alpha = _start(values, states)
    for row in values[1:]:
        before = np.concatenate([[NEVER], alpha[:-1]])
        skipped = np.where(skips, np.concatenate([[NEVER, NEVER], alpha[:-2]])[: len(alpha)], NEVER)
        alpha = np.logaddexp(np.logaddexp(alpha, before), skipped) + row[states]
    return float(np.logaddexp(alpha[-1], alpha[-2])) if len(alpha) > 1 else float(alpha[-1])


def align(logs: Any, symbols: Sequence[int]) -> Alignment:
    """The likeliest path of a text (Viterbi), and where each of its symbols lies.

    Args:
        logs: Logarithms of probabilities, (T, K), tensor or array.
        symbols: The text, S numbers from 1 to K - 1.

    Raises:
        ValueError: no path of T steps gives this text, or only impossible ones do.
    """
    values, states, skips = _lattice(logs, symbols, "align")
    alpha = _start(values, states)
    came = np.zeros((len(values), len(states)), dtype=np.int64)  # states back
    for t, row in enumerate(values[1:], 1):
        before = np.concatenate([[NEVER], alpha[:-1]])
        skipped = np.where(skips, np.concatenate([[NEVER, NEVER], alpha[:-2]])[: len(alpha)], NEVER)
        choices = np.stack([alpha, before, skipped])
        came[t] = choices.argmax(axis=0)
        alpha = choices.max(axis=0) + row[states]
    place = len(states) - 1
    if len(states) > 1 and alpha[-2] > alpha[-1]:
        place -= 1
    best = float(alpha[place])
    if best == NEVER:
        raise ValueError(
            f"align: {len(symbols)} symbols do not fit into {len(values)} steps, or are impossible there"
        )
    at = np.zeros(len(values), dtype=np.int64)
    for t in range(len(values) - 1, -1, -1):
        at[t] = place
        place -= came[t, place]
    steps = [np.flatnonzero(at == 2 * number + 1) for number in range(len(symbols))]
    spans = np.array([(one[0], one[-1] + 1) for one in steps], dtype=np.int64).reshape(-1, 2)
    return Alignment(states[at], spans, best)


def _lattice(logs: Any, symbols: Sequence[int], who: str) -> tuple[Floats, Ints, npt.NDArray[np.bool_]]:
    """Values; the text with a blank around each symbol, (2S + 1,); which of these may be jumped to."""
    values = _checked(logs, who)
    text = np.asarray(symbols, dtype=np.int64).reshape(-1)
    if len(text) and not (text.min() >= 1 and text.max() < values.shape[1]):
        raise ValueError(f"{who}: symbols must be 1 to {values.shape[1] - 1}, got {list(symbols)}")
    states = np.full(2 * len(text) + 1, BLANK, dtype=np.int64)
    states[1::2] = text
    skips = np.zeros(len(states), dtype=np.bool_)
    skips[3::2] = text[1:] != text[:-1]
    return values, states, skips


def _start(values: Floats, states: Ints) -> Floats:
    alpha = np.full(len(states), NEVER)
    alpha[:2] = values[0, states[:2]]
    return alpha


def _checked(logs: Any, who: str) -> Floats:
    values = np.asarray(logs, dtype=np.float64)
    if values.ndim != 2 or not values.shape[0] or values.shape[1] < 2:
        raise ValueError(f"{who}: logs must be (T, K) with T ≥ 1 and K ≥ 2, got shape {values.shape}")
    if np.isnan(values).any():
        raise ValueError(f"{who}: logs hold values that are not a number")
    return values

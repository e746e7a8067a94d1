"""From probabilities over time to symbols: connectionist temporal classification (CTC) read backwards.

A path gives each time step one symbol or the blank (number 0); its text is what is left when equal
neighbours are merged and blanks taken out. The probability of a text is the sum over all its paths.

Notation: T time steps, K symbols with the blank, S symbols of a text. All probabilities are natural
logarithms of float64.

Source: Graves et al., Connectionist Temporal Classification (2006). The search for the likeliest text is in
`throughtime.nn.ctc_beam`.
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
    return collapse(checked_logs(logs, "greedy").argmax(axis=1))


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
    values = checked_logs(logs, who)
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


def checked_logs(logs: Any, who: str) -> Floats:
    """The logarithms as float64, (T, K). Raises `ValueError` in the name of `who` for anything else."""
    values = np.asarray(logs, dtype=np.float64)
    if values.ndim != 2 or not values.shape[0] or values.shape[1] < 2:
        raise ValueError(f"{who}: logs must be (T, K) with T ≥ 1 and K ≥ 2, got shape {values.shape}")
    if np.isnan(values).any():
        raise ValueError(f"{who}: logs hold values that are not a number")
    return values

"""What a generator of text must beat: counts of what followed the last few characters in training.

A model of order k looks at k characters before. The contexts are numbered one order after the other, so that
counting stays within arrays as long as the text, whatever the alphabet.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ORDERS = range(6)
ADDED = 0.1  # to each count, so that nothing is impossible


@dataclass(frozen=True)
class CountingModel:
    """What one counting model says of the texts it is judged on.

    Attributes:
        name: Key in metrics.json.
        label: What people read.
        note: How it smooths.
        surprise: Of each part by name, -log of the probability of each character but the first, nats,
            (N - 1,); NaN where the character is unknown.
    """

    name: str
    label: str
    note: str
    surprise: dict[str, Floats]


def counting_models(train: Ints, parts: dict[str, Ints], *, symbols: int) -> list[CountingModel]:
    """Count in `train`, and judge `parts`, each read by itself.

    Of each order a model that adds `ADDED` to every count; and one that mixes all orders, each in the measure
    in which its context has been seen (Witten and Bell, The Zero-Frequency Problem, 1991).

    Args:
        train: (N,).
        parts: Texts to judge, by name, each (N,).
        symbols: V; `symbols` itself is an unknown character, which counts nowhere.
    """
    together = np.concatenate([train, *parts.values()])
    firsts = np.cumsum([0, len(train), *(len(part) for part in parts.values())])
    started = np.zeros(len(together), dtype=np.int64)  # characters since the beginning of the part
    for first, stop in pairwise(firsts):
        started[first:stop] = np.arange(stop - first)
    learnt = np.zeros(len(together), dtype=bool)
    learnt[1 : len(train)] = together[1 : len(train)] < symbols
    context = np.zeros(len(together), dtype=np.int64)
    mixed = np.full(len(together), 1 / symbols)
    found: dict[str, Floats] = {}
    for order in ORDERS:
        if order:
            context = _longer(context, together, started, order, symbols)
        pair, seen, kinds = _counts(context, together, learnt, symbols)
        found[f"order_{order}"] = (pair + ADDED) / (seen + ADDED * symbols)
        mixed = np.where(seen + kinds > 0, (pair + kinds * mixed) / np.maximum(seen + kinds, 1), mixed)
    found["mixed"] = mixed
    known = together < symbols
    nats = {name: np.where(known, -np.log(shares), np.nan) for name, shares in found.items()}
    places = {name: slice(firsts[n + 1] + 1, firsts[n + 2]) for n, name in enumerate(parts)}
    return [
        CountingModel(name, *_words(name), {part: one[place] for part, place in places.items()})
        for name, one in nats.items()
    ]


def _longer(context: Ints, together: Ints, started: Ints, order: int, symbols: int) -> Ints:
    """Contexts of `order` characters, numbered from 0, from those of one fewer.

    The context of a place is the context of the place before it and the character there. Where it would reach
    over the beginning of a part, the shorter context stays, apart from all others.
    """
    before = np.concatenate([[0], context[:-1] * (symbols + 1) + together[:-1]])
    before = np.where(started >= order, before, -1 - context)
    numbered: Ints = np.unique(before, return_inverse=True)[1].astype(np.int64)
    return numbered


def _counts(context: Ints, together: Ints, learnt: npt.NDArray[np.bool_], symbols: int) -> tuple[Floats, ...]:
    """Of each place: how often training saw its character in its context; the context; what kinds there."""
    pairs = np.unique(context * (symbols + 1) + together, return_inverse=True)[1]
    of_pair = np.bincount(pairs[learnt], minlength=pairs.max() + 1)
    of_context = np.bincount(context[learnt], minlength=context.max() + 1)
    context_of_pair = np.zeros(len(of_pair), dtype=np.int64)
    context_of_pair[pairs] = context
    kinds = np.bincount(context_of_pair, weights=of_pair > 0, minlength=len(of_context))
    return tuple(
        counts.astype(np.float64) for counts in (of_pair[pairs], of_context[context], kinds[context])
    )


def _words(name: str) -> tuple[str, str]:
    if name == "mixed":
        return "counts, orders mixed", f"0 to {ORDERS[-1]} before, Witten-Bell"
    order = name.removeprefix("order_")
    return f"counts, order {order}", f"{order} before, {ADDED} added"

"""Counting models against counts made character by character."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from throughtime.tasks.counting_models import ADDED, ORDERS, counting_models


def text(seed: int, count: int, symbols: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    steps = rng.choice([0, 1, 1, 1, 2], size=count)
    return (np.cumsum(steps) % symbols).astype(np.int64)


def by_hand(train: list[int], judged: list[int], symbols: int) -> dict[str, list[float]]:
    seen: Counter[tuple[tuple[int, ...], int]] = Counter()
    for place in range(1, len(train)):
        for order in ORDERS:
            context = tuple(train[max(0, place - order) : place])
            if order <= place and train[place] < symbols:
                seen[context, train[place]] += 1
    found: dict[str, list[float]] = {f"order_{order}": [] for order in ORDERS} | {"mixed": []}
    for place in range(1, len(judged)):
        share = 1 / symbols
        for order in ORDERS:
            context = tuple(judged[max(0, place - order) : place])
            row = [seen[context, one] for one in range(symbols)]
            if order > place:
                continue
            total, kinds, one = sum(row), sum(count > 0 for count in row), judged[place]
            known = one < symbols
            found[f"order_{order}"].append(
                -math.log((row[one] + ADDED) / (total + ADDED * symbols)) if known else math.nan
            )
            if known and total + kinds:
                share = (row[one] + kinds * share) / (total + kinds)
        found["mixed"].append(-math.log(share) if judged[place] < symbols else math.nan)
    return found


@pytest.mark.parametrize(("symbols", "unknown"), [(4, False), (7, True)])
def test_as_counted_by_hand(symbols: int, unknown: bool) -> None:
    train, validation, test = text(1, 300, symbols), text(2, 80, symbols), text(3, 41, symbols)
    if unknown:
        validation[[10, 40]] = symbols
    models = counting_models(train, {"validation": validation, "test": test}, symbols=symbols)
    assert [model.name for model in models] == [*(f"order_{order}" for order in ORDERS), "mixed"]
    for part, judged in (("validation", validation), ("test", test)):
        expected = by_hand(train.tolist(), judged.tolist(), symbols)
        for model in models:
            got, wanted = model.surprise[part], np.array(expected[model.name])
            assert got.shape == (len(judged) - 1,)
            full = slice(max(ORDERS) + 1, None)  # where the context does not reach over the beginning
            np.testing.assert_allclose(got[full], wanted[-len(got[full]) :], rtol=1e-12)
            assert int(np.isnan(got).sum()) == int((judged[1:] == symbols).sum())


def test_shares_add_up() -> None:
    """At one place, over all characters that could come, each model's shares make 1."""
    train, symbols = text(5, 200, 5), 5
    past = text(6, 12, 5)
    total: dict[str, float] = dict.fromkeys([*(f"order_{order}" for order in ORDERS), "mixed"], 0.0)
    for one in range(symbols):
        judged = np.append(past, one)
        for model in counting_models(train, {"test": judged}, symbols=symbols):
            total[model.name] += math.exp(-model.surprise["test"][-1])
    assert all(share == pytest.approx(1) for share in total.values()), total

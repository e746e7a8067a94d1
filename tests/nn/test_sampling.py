from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from throughtime.nn.sampling import draw, shares

LOGITS = torch.tensor([1.0, 3.0, 2.0, -1.0, 3.0 - 1e-3])


def test_plain_shares_are_the_softmax() -> None:
    torch.testing.assert_close(shares(LOGITS), torch.softmax(LOGITS.double(), 0))


def test_temperature() -> None:
    torch.testing.assert_close(shares(LOGITS, temperature=0.5), torch.softmax(2 * LOGITS.double(), 0))
    assert shares(LOGITS, temperature=0).tolist() == [0, 1, 0, 0, 0]
    assert shares(LOGITS, temperature=1e-3)[1] > 0.7


@pytest.mark.parametrize(("k", "kept"), [(1, {1}), (2, {1, 4}), (3, {1, 2, 4}), (9, {0, 1, 2, 3, 4})])
def test_top_k(k: int, kept: set[int]) -> None:
    found = shares(LOGITS, top_k=k)
    plain = shares(LOGITS)
    assert {int(place) for place in found.nonzero()} == kept
    torch.testing.assert_close(found.sum().item(), 1.0)
    chosen = sorted(kept)
    torch.testing.assert_close(found[chosen], plain[chosen] / plain[chosen].sum())


def test_top_p_keeps_the_fewest_that_make_up_the_share() -> None:
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    cases = {0.01: 1, 0.5 - 1e-6: 1, 0.5 + 1e-6: 2, 0.8 + 1e-6: 3, 0.96: 4, 1.0: 4}
    for p, count in cases.items():
        assert int((shares(logits, top_p=p) > 0).sum()) == count, p
    assert int((shares(logits, temperature=0.25, top_p=0.8) > 0).sum()) == 1, (
        "the share counts after temperature"
    )
    assert int((shares(logits, top_k=2, top_p=0.96) > 0).sum()) == 2


def test_draws_follow_the_shares_and_their_own_generator() -> None:
    found = shares(LOGITS)
    state = torch.random.get_rng_state()
    generator = torch.Generator().manual_seed(5)
    drawn = torch.bincount(torch.tensor([draw(found, generator) for _ in range(4_000)]), minlength=5) / 4_000
    assert torch.equal(torch.random.get_rng_state(), state)
    sigma = (found * (1 - found) / 4_000).sqrt()
    assert bool(((drawn - found).abs() < 4.5 * sigma).all())


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -0.1},
        {"temperature": math.inf},
        {"temperature": math.nan},
        {"top_k": 0},
        {"top_p": 0},
        {"top_p": 1.1},
    ],
)
def test_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        shares(LOGITS, **wrong)

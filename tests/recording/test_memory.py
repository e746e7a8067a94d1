"""Memory length, reach, and the words they are told in, where the answer is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

import throughtime as tt
from throughtime.recording.error_map import ErrorMap
from throughtime.recording.reach import Reach, reach_of


def linear(weight: float, T: int, **inputs: object) -> ErrorMap:
    """h(t) = w h(t-1) + x(t): a share w of the error is left with each step."""
    model = tt.RNN(1, 1, nonlinearity="identity", dtype=torch.float64)
    nn.init.constant_(model.layer0.weight_hh, weight)
    return tt.error_map(model, torch.zeros(T, 2, 1, dtype=torch.float64), torch.ones(1), **inputs)


@pytest.mark.parametrize(("weight", "share"), [(0.5, 0.01), (0.9, 0.01), (0.9, 0.2)])
def test_a_known_length(weight: float, share: float) -> None:
    found = tt.memory_length(linear(weight, 60), share)
    assert found.reached
    assert int(found) == math.floor(math.log(share) / math.log(weight)) + 1
    assert f"after {found.steps} steps less than {share} of the error is left" in str(found)


def test_longer_than_the_sequence() -> None:
    found = tt.memory_length(linear(0.99, 60))
    assert (found.steps, found.reached) == (59, False)
    assert "after all 59 steps more than 0.01" in str(found)


def test_an_error_that_comes_back_counts() -> None:
    assert Reach("h", torch.tensor([1.0, 0.001, 0.5, 0.001])).steps_to(0.01) == 3


def test_padded_steps_and_steps_without_an_error_say_nothing() -> None:
    lengths = torch.tensor([3, 60])
    assert tt.memory_length(linear(0.9, 60, lengths=lengths)).steps == 44
    model = tt.RNN(1, 1, nonlinearity="identity", bidirectional=True, dtype=torch.float64)
    nn.init.constant_(model.layer0.reverse.weight_hh, 0.5)
    x = torch.zeros(9, 2, 1, dtype=torch.float64)
    found = tt.error_map(model, x, torch.ones(2), layer="layer0.reverse", lengths=torch.tensor([9, 4]))
    assert torch.allclose(found.reach().shares, 0.5 ** torch.arange(9, dtype=torch.float64))
    start = torch.zeros(60, 2, 1, dtype=torch.float64)
    start[30, 0] = 7.0
    last = tt.RNN(1, 1, nonlinearity="identity", dtype=torch.float64)
    nn.init.constant_(last.layer0.weight_hh, 0.5)
    one = tt.error_map(last, torch.zeros(60, 2, 1, dtype=torch.float64), start)
    assert tt.memory_length(one).steps == 7
    assert one.reach().farthest == 30


@pytest.mark.parametrize(
    ("shares", "verdict", "told"),
    [
        ([1.0, 0.1, 0.001], "vanish", "after 2 steps less than 1% of the median error is left"),
        ([1.0, 2.0, 30.0], "explode", "2 steps back the median error is 30 times as large"),
        ([1.0, 30.0, 0.001], "explode", "1 steps back"),
        (
            [1.0, 1.2, 0.9],
            "keep",
            "neither vanish nor explode: after 2 steps 0.9 of the median",
        ),
        ([1.0, math.inf, math.inf], "explode", "inf times"),
        ([1.0], "unknown", "nothing can be said"),
        ([1.0, 0.0, 0.0], "vanish", "after 1 steps"),
    ],
)
def test_verdicts(shares: list[float], verdict: str, told: str) -> None:
    reach = Reach("layer0.h", torch.tensor(shares, dtype=torch.float64))
    assert reach.verdict() == verdict
    assert told in reach.summary()


def test_the_median_over_losses_and_sequences() -> None:
    norms = torch.zeros(1, 3, 3, dtype=torch.float64)
    rows = [[5.0, 0, 0], [1.0, 10.0, 0], [4.0, 6.0, 2.0]]
    norms[0] = torch.tensor(rows)
    shares: Tensor = reach_of(norms, torch.arange(3), False, None, "h").shares
    assert shares.tolist() == pytest.approx([1.0, 0.1, 2.0])  # the lower median of 0.1 and 3


def test_refusals() -> None:
    with pytest.raises(ValueError, match="share=1, expected more than 0 and less than 1"):
        tt.memory_length(linear(0.5, 5), 1)
    with pytest.raises(KeyError, match="no value 'c'"):
        tt.memory_length(linear(0.5, 5), of="c")

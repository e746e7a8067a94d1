"""Lyapunov exponents where they are known, and against the product of Jacobians itself."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import throughtime as tt
from throughtime.recording.jacobians import step_jacobian

from .mapped import network, random
from .test_jacobians import factors_of


def test_a_linear_network() -> None:
    model = tt.RNN(1, 3, nonlinearity="identity", dtype=torch.float64)
    with torch.no_grad():
        model.layer0.weight_hh.copy_(torch.diag(torch.tensor([0.5, 3.0, 1.0])))
    found = tt.lyapunov_exponents(model, torch.zeros(20, 2, 1, dtype=torch.float64))
    expected = torch.tensor([3.0, 1.0, 0.5], dtype=torch.float64).log().expand(2, 3)
    assert torch.allclose(found.values, expected, atol=1e-12)
    assert "multiplied by 3 in each step and grows" in str(found)


@pytest.mark.parametrize("kind", ["vanilla", "NIG", "NFG", "NIAF", "NOAF", "CIFG", "NP", "rnn-tanh"])
def test_volume(kind: str) -> None:
    """All exponents together say how the volume changes: the mean of ln|det J|."""
    model, x = network(kind, 3, 3), random(8, 2, 3)
    found = tt.lyapunov_exponents(model, x)
    f = factors_of(model, x)
    logs = [torch.linalg.slogdet(step_jacobian(f, t)).logabsdet for t in range(8)]
    assert torch.allclose(found.values.sum(1), torch.stack(logs).mean(0), rtol=1e-9)
    first = tt.lyapunov_exponents(model, x, count=1)
    assert first.values.shape == (2, 1)


def test_lengths_and_directions() -> None:
    model, x = network("vanilla", 3, 4, bidirectional=True), random(9, 3, 3)
    lengths = torch.tensor([9, 5, 0])
    for path in ("layer0", "layer0.reverse"):
        found = tt.lyapunov_exponents(model, x, lengths=lengths, layer=path)
        alone = tt.lyapunov_exponents(model, x[:5, 1:2], layer=path)
        assert torch.allclose(found.values[1], alone.values[0], rtol=1e-9)
        assert found.values[2].isnan().all()


def test_words_and_refusals() -> None:
    model = tt.RNN(1, 2, nonlinearity="relu")
    nn.init.constant_(model.layer0.bias, -9.0)
    x = torch.zeros(5, 1, 1)
    assert "gone after one step" in str(tt.lyapunov_exponents(model, x))
    assert "fades" in str(tt.lyapunov_exponents(network("vanilla", 3, 4), random(30, 1, 3)))
    assert "no exponent" in str(tt.lyapunov_exponents(model, x, lengths=torch.tensor([0])))
    with pytest.raises(ValueError, match="count=3, expected 1 to 2"):
        tt.lyapunov_exponents(model, x, count=3)

"""Attention held to a loop over batch, decoder step and encoder step, in float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from throughtime.nn.attention import AdditiveAttention, Attention, DotAttention

S, T, B, M, Q = 5, 3, 4, 6, 7
LENGTHS = torch.tensor([5, 1, 3, 2])
EXACT = {"rtol": 1e-12, "atol": 1e-13}
KINDS = [DotAttention, AdditiveAttention]


def made(kind: type[Attention]) -> Attention:
    torch.manual_seed(1)
    return kind(Q, M).double()


def one_score(attention: Attention, query: Tensor, value: Tensor) -> Tensor:
    if isinstance(attention, DotAttention):
        return query @ (attention.key.weight @ value)
    assert isinstance(attention, AdditiveAttention)
    inside = attention.query.weight @ query + attention.key.weight @ value
    return torch.stack([v * torch.tanh(x) for v, x in zip(attention.energy, inside, strict=True)]).sum()


def inputs() -> tuple[Tensor, Tensor]:
    torch.manual_seed(2)
    return torch.randn(S, B, M, dtype=torch.float64), torch.randn(T, B, Q, dtype=torch.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_naive_loop(kind: type[Attention]) -> None:
    attention = made(kind)
    outputs, queries = inputs()
    found, weights = attention(queries, attention.remember(outputs, LENGTHS))
    assert found.shape == (T, B, M)
    assert weights.shape == (T, B, S)
    for b, length in enumerate(LENGTHS.tolist()):
        for t in range(T):
            powers = [one_score(attention, queries[t, b], outputs[s, b]).exp().item() for s in range(length)]
            shares = [power / sum(powers) for power in powers]
            expected = sum(share * outputs[s, b] for s, share in enumerate(shares))
            torch.testing.assert_close(
                weights[t, b, :length], torch.tensor(shares, dtype=torch.float64), **EXACT
            )
            assert not weights[t, b, length:].any()
            torch.testing.assert_close(found[t, b], expected, **EXACT)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_nothing(kind: type[Attention]) -> None:
    """Values and gradients of a sequence alone and in a padded batch, whatever stands at padded places."""
    attention = made(kind)
    outputs, queries = inputs()
    outputs.requires_grad_()
    noise = torch.randn(S, B, M, dtype=torch.float64) * 100
    for b, length in enumerate(LENGTHS.tolist()):
        padded = (torch.arange(S)[:, None] >= LENGTHS)[..., None]
        found, _ = attention(queries, attention.remember(torch.where(padded, noise, outputs), LENGTHS))
        alone, _ = attention(queries[:, b : b + 1], attention.remember(outputs[:length, b : b + 1]))
        torch.testing.assert_close(alone[:, 0], found[:, b], **EXACT)
        parameters = [outputs, *attention.parameters()]
        both = [torch.autograd.grad(one.pow(2).sum(), parameters) for one in (found[:, b], alone)]
        for mine, theirs in zip(*both, strict=True):
            torch.testing.assert_close(mine, theirs, **EXACT)


@pytest.mark.parametrize("kind", KINDS)
def test_chosen_rows_of_a_memory(kind: type[Attention]) -> None:
    attention = made(kind)
    outputs, queries = inputs()
    rows = torch.tensor([2, 0, 2])
    found, weights = attention(queries, attention.remember(outputs, LENGTHS))
    some = attention(queries[:, rows], attention.remember(outputs, LENGTHS).rows(rows))
    torch.testing.assert_close(some, (found[:, rows], weights[:, rows]), **EXACT)


def test_the_layer_inside_may_have_another_size() -> None:
    assert AdditiveAttention(Q, M, size=3).energy.shape == (3,)
    assert AdditiveAttention(Q, M).energy.shape == (Q,)

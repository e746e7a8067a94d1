from __future__ import annotations

from typing import Any

import pytest
import torch

from throughtime.nn import LSTM, RNN
from throughtime.nn.generate_network import GenerateNetwork

V, E, H = 5, 3, 6


def network(kind: Any = LSTM, *, layers: int = 1, **changes: Any) -> GenerateNetwork:
    torch.manual_seed(0)
    return GenerateNetwork(kind(E, H, num_layers=layers), symbols=V, **changes)


def normalised(*sizes: int, **changes: Any) -> LSTM:
    return LSTM(*sizes, layer_norm=True, zoneout=0.1, recurrent_dropout=0.1, **changes)


@pytest.mark.parametrize("kind", [LSTM, RNN, normalised])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("tied", [False, True])
def test_step_by_step_is_the_whole(kind: Any, layers: int, tied: bool) -> None:
    made = network(kind, layers=layers, tied=tied).eval()
    symbols = torch.tensor([0, 3, V, 1, 4, 2, 2])
    whole, state = made(symbols[:, None])
    assert whole.shape == (7, 1, V)
    step = made.stepper()
    torch.testing.assert_close(torch.stack([step(int(one)) for one in symbols]), whole[:, 0].detach())
    first, between = made(symbols[:3, None])
    second, after = made(symbols[3:, None], between)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(after, state)


def test_the_unknown_symbol_says_nothing_and_learns_nothing() -> None:
    made = network()
    symbols = torch.full((4, 2), V)
    x: list[torch.Tensor] = []
    made.recurrent.register_forward_pre_hook(lambda _, args: x.append(args[0]))
    logits, _ = made(symbols)
    assert not x[0].any()
    logits.sum().backward()
    assert made.embedding.weight.grad is not None
    assert not made.embedding.weight.grad.any()


def test_tied_weights_are_one() -> None:
    made = network(tied=True)
    names = {name for name, _ in made.named_parameters()}
    assert "head.weight" not in names
    logits, _ = made(torch.tensor([[1]]))
    logits[0, 0, 4].backward()
    gradient = made.embedding.weight.grad
    assert gradient is not None
    assert gradient[4].any(), "as output"
    assert gradient[1].any(), "as input"
    assert not gradient[0].any()


def test_dropout_in_training_alone() -> None:
    made = network(dropout=0.5, input_dropout=0.5)
    symbols = torch.arange(20)[:, None] % V
    one, other = made(symbols)[0], made(symbols)[0]
    assert not torch.equal(one, other)
    made.eval()
    assert torch.equal(made(symbols)[0], made(symbols)[0])
    plain = network().eval()
    torch.testing.assert_close(made(symbols)[0], plain(symbols)[0])

"""LSTM and RNN against torch.nn's own, with its weights: outputs, states and every gradient."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import throughtime.nn as tt

from ..tolerances import check_relative

ROW = "module against torch.nn, float64"
T, B, I, H = 7, 5, 3, 4  # noqa: E741
LENGTHS = [3, 7, 1, 6, 3]
KINDS = {
    "lstm": (nn.LSTM, {}),
    "rnn-tanh": (nn.RNN, {"nonlinearity": "tanh"}),
    "rnn-relu": (nn.RNN, {"nonlinearity": "relu"}),
}


def tensor(*size: int) -> Tensor:
    return torch.randn(*size, dtype=torch.float64, requires_grad=True)


def theirs(kind: str, **arguments: Any) -> nn.Module:
    torch.manual_seed(0)
    made, own = KINDS[kind]
    return made(I, H, dtype=torch.float64, **own, **arguments)


def initial(kind: str, rows: int, batch: int = B) -> Any:
    return (tensor(rows, batch, H), tensor(rows, batch, H)) if kind == "lstm" else tensor(rows, batch, H)


def parts(state: Any) -> list[Tensor]:
    return list(state) if isinstance(state, tuple) else [state]


def gradients(output: Tensor, state: Any, x: Tensor, start: Any, module: nn.Module) -> dict[str, Tensor]:
    """Of a loss that weighs every output and state differently, by x, the state and the parameters."""
    weigh = lambda v: (v * torch.linspace(-1, 2, v.numel(), dtype=v.dtype).view_as(v)).sum()  # noqa: E731
    loss = weigh(output) + sum(weigh(part) for part in parts(state))
    leaves = {"x": x, **{f"state {k}": part for k, part in enumerate(parts(start))}}
    leaves |= dict(module.named_parameters())
    found = torch.autograd.grad(loss, list(leaves.values()), retain_graph=True)
    return dict(zip(leaves, found, strict=True))


def compare(kind: str, module: nn.Module, lengths: list[int] | None) -> None:
    ours = tt.from_torch(module)
    rows = module.num_layers * (1 + module.bidirectional)
    x, start = tensor(T, B, I), initial(kind, rows)
    if lengths is None:
        output, state = module(x, start)
        found, final = ours(x, start)
    else:
        packed, state = module(pack_padded_sequence(x, lengths, enforce_sorted=False), start)
        output, _ = pad_packed_sequence(packed, total_length=T)
        found, final = ours(x, start, lengths=lengths)
    check_relative(ROW, "output", found, output)
    for k, (one, other) in enumerate(zip(parts(final), parts(state), strict=True)):
        check_relative(ROW, f"state {k}", one, other)
    expected = gradients(output, state, x, start, module)
    for name, gradient in gradients(found, final, x, start, ours).items():
        check_relative(ROW, f"d {name}", gradient, expected[_torch_name(name)])


def _torch_name(name: str) -> str:
    if not name.startswith("layer"):
        return name
    layer, *middle, parameter = name.split(".")
    parameter = "bias_ih" if parameter == "bias" else parameter
    return f"{parameter}_l{layer.removeprefix('layer')}{'_reverse' if middle else ''}"


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "lengths"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one-way", "both-ways"])
@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_same_numbers(kind: str, num_layers: int, bidirectional: bool, lengths: list[int] | None) -> None:
    compare(kind, theirs(kind, num_layers=num_layers, bidirectional=bidirectional), lengths)


@pytest.mark.parametrize("kind", KINDS)
def test_same_numbers_without_bias(kind: str) -> None:
    compare(kind, theirs(kind, bias=False), None)


@pytest.mark.parametrize("enforce_sorted", [True, False])
@pytest.mark.parametrize("kind", ["lstm", "rnn-tanh"])
def test_packed_sequence_in_and_out(kind: str, enforce_sorted: bool) -> None:
    module = theirs(kind, num_layers=2, bidirectional=True)
    ours = tt.from_torch(module)
    x, start = tensor(T, B, I), initial(kind, 4)
    lengths = sorted(LENGTHS, reverse=True) if enforce_sorted else LENGTHS
    packed = pack_padded_sequence(x, lengths, enforce_sorted=enforce_sorted)
    output, state = module(packed, start)
    found, final = ours(packed, start)
    assert torch.equal(found.batch_sizes, output.batch_sizes)
    for name in ("sorted_indices", "unsorted_indices"):
        one, other = getattr(found, name), getattr(output, name)
        assert (one is None and other is None) or torch.equal(one, other)
    check_relative(ROW, "output", found.data, output.data)
    for k, (one, other) in enumerate(zip(parts(final), parts(state), strict=True)):
        check_relative(ROW, f"state {k}", one, other)
    expected = gradients(output.data, state, x, start, module)
    for name, gradient in gradients(found.data, final, x, start, ours).items():
        check_relative(ROW, f"d {name}", gradient, expected[_torch_name(name)])


@pytest.mark.parametrize("kind", ["lstm", "rnn-tanh"])
def test_batch_first_and_one_sequence_without_a_batch(kind: str) -> None:
    module = theirs(kind, batch_first=True, bidirectional=True)
    ours = tt.from_torch(module)
    for x, batch in ((tensor(B, T, I), B), (tensor(T, I), None)):
        start = initial(kind, 2) if batch else tuple(tensor(2, H) for _ in range(2))
        if batch is None and kind != "lstm":
            start = start[0]
        output, state = module(x, start)
        found, final = ours(x, start)
        check_relative(ROW, "output", found, output)
        for k, (one, other) in enumerate(zip(parts(final), parts(state), strict=True)):
            check_relative(ROW, f"state {k}", one, other)


@pytest.mark.parametrize("kind", ["lstm", "rnn-tanh"])
def test_no_initial_state_is_zero(kind: str) -> None:
    module = theirs(kind, num_layers=2)
    x = tensor(T, B, I)
    check_relative(ROW, "output", tt.from_torch(module)(x)[0], module(x)[0])

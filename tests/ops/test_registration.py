"""torch.library's own checks, second derivatives, and what is refused."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from throughtime import ops
from throughtime.testing import Shape

from ..sequences import CELLS, op_arguments, typed_case

TINY = Shape(3, 2, 2, 2)
TINY_LENGTHS = [3, 0]
NAMES = ["lstm-vanilla", "lstm-NP", "lstm-CIFG+FGR", "rnn-tanh", "rnn-logistic"]


def tiny(
    name: str, lengths: list[int] | None, reverse: bool, backend: str = "reference"
) -> tuple[object, ...]:
    cell = CELLS[name]
    case = typed_case(cell, TINY, torch.float64)
    arguments = op_arguments(cell, case, None if lengths is None else torch.tensor(lengths), reverse, backend)
    leaf = lambda v: v.detach().requires_grad_() if isinstance(v, Tensor) and v.is_floating_point() else v  # noqa: E731
    return tuple(leaf(value) for value in arguments)


def op_for(name: str) -> object:
    return ops.lstm if name.startswith("lstm") else ops.simple_rnn


@pytest.mark.parametrize("name", NAMES)
def test_opcheck_forward(name: str, backend: str) -> None:
    torch.library.opcheck(op_for(name), tiny(name, TINY_LENGTHS, True, backend))


@pytest.mark.parametrize("name", ["lstm-vanilla", "lstm-FGR", "rnn-tanh"])
@pytest.mark.parametrize("input_error", [True, False])
def test_opcheck_backward(name: str, input_error: bool, backend: str) -> None:
    arguments = [v.detach() if isinstance(v, Tensor) else v for v in tiny(name, TINY_LENGTHS, False, backend)]
    results = op_for(name)(*arguments)
    if name.startswith("lstm"):
        y, y_n, c_n, gates_n, gates, cells = results
        errors = (y + 1, y_n + 1, c_n + 1, gates_n + 1 if gates_n.numel() else None)
        op, saved, split = torch.ops.throughtime.lstm_backward.default, (y, gates, cells), 10
    else:
        errors = (results[0] + 1, results[1] + 1)
        op, saved, split = torch.ops.throughtime.simple_rnn_backward.default, results[:1], 6
    torch.library.opcheck(op, (*errors, *arguments[:split], *saved, *arguments[split:], input_error))


@pytest.mark.parametrize("lengths", [None, TINY_LENGTHS], ids=["full", "padded"])
@pytest.mark.parametrize("name", ["lstm-vanilla", "lstm-CIFG+FGR", "rnn-tanh"])
def test_second_derivatives(name: str, lengths: list[int] | None) -> None:
    arguments = tiny(name, lengths, lengths is not None)
    wanted = [k for k, value in enumerate(arguments) if isinstance(value, Tensor) and value.requires_grad]

    def run(*values: Tensor) -> tuple[Tensor, ...]:
        changed = list(arguments)
        for k, value in zip(wanted, values, strict=True):
            changed[k] = value
        return tuple(result for result in op_for(name)(*changed) if result.requires_grad)

    leaves = [arguments[k] for k in wanted]
    assert torch.autograd.gradcheck(run, leaves, fast_mode=True)
    assert torch.autograd.gradgradcheck(run, leaves, fast_mode=True)


def test_second_derivatives_entry_by_entry() -> None:
    arguments = tiny("lstm-FGR", [2, 3], False)

    def run(x: Tensor, c0: Tensor, peephole: Tensor) -> Tensor:
        return ops.lstm(x, arguments[1], c0, *arguments[3:7], peephole, *arguments[8:])[0]

    assert torch.autograd.gradgradcheck(run, (arguments[0], arguments[2], arguments[7]))


def test_create_graph_gives_the_same_first_derivative() -> None:
    arguments = tiny("lstm-vanilla", TINY_LENGTHS, False)
    loss = ops.lstm(*arguments)[0].square().sum()
    leaves = [value for value in arguments if isinstance(value, Tensor) and value.requires_grad]
    plain = torch.autograd.grad(loss, leaves, retain_graph=True)
    followed = torch.autograd.grad(loss, leaves, create_graph=True)
    for first, second in zip(plain, followed, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-12, atol=1e-15)
        assert second.requires_grad
        assert not first.requires_grad


def test_forward_without_gradients() -> None:
    arguments = tiny("lstm-vanilla", None, False)
    with torch.no_grad():
        assert not ops.lstm(*arguments)[0].requires_grad
    with torch.inference_mode():
        assert torch.isfinite(ops.lstm(*arguments)[0]).all()


def test_only_the_gradients_that_are_wanted() -> None:
    arguments = list(tiny("lstm-vanilla", None, False))
    x = arguments[0].detach()
    ops.lstm(x, *arguments[1:])[2].sum().backward()
    assert x.grad is None
    assert arguments[2].grad is not None


@pytest.mark.parametrize("op", ["lstm-vanilla", "rnn-tanh"])
@pytest.mark.parametrize(
    ("lengths", "error", "message"),
    [
        ([4, 0], ValueError, r"lengths\[0\] is 4, expected 0 to T=3\."),
        ([1, -1], ValueError, r"lengths\[1\] is -1, expected 0 to T=3\."),
        ([9, -1], ValueError, r"lengths\[0\] is 9, expected 0 to T=3; 1 more are out of range\."),
        ([1, 2, 3], ValueError, r"lengths has shape \(3,\), expected \(2,\)"),
        ([1.0, 2.0], TypeError, r"lengths must be integers, one for each sequence; got torch.float32\."),
    ],
)
def test_lengths_are_checked(op: str, lengths: list[float], error: type[Exception], message: str) -> None:
    arguments = list(tiny(op, None, False))
    arguments[9 if op.startswith("lstm") else 5] = torch.tensor(lengths)
    with pytest.raises(error, match=message):
        op_for(op)(*arguments)

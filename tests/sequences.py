"""One sequence through an op and, step by step, through its cell: what tests/ops compare."""

from __future__ import annotations

import torch
from torch import Tensor

from throughtime import ops
from throughtime.cells import Cell, LSTMCell, SimpleRNNCell, Values, Variant
from throughtime.ops import unrolled
from throughtime.testing import Case, Shape, make_case

VARIANTS = ["vanilla", "NIG", "NFG", "NOG", "NIAF", "NOAF", "CIFG", "NP", "FGR"]
COMBINATIONS = [
    "CIFG+FGR",
    "NIG+FGR",
    "NFG+FGR",
    "NOG+NP+FGR",
    "NIG+NFG+FGR",
    "NIG+NFG+NOG",
    "NOG+CIFG",
    "NFG+NIAF+NOAF",
    "CIFG+NP",
]
NONLINEARITIES = ["tanh", "relu", "logistic", "identity"]
CELLS: dict[str, Cell] = {
    **{f"lstm-{name}": LSTMCell(Variant.parse(name)) for name in VARIANTS + COMBINATIONS},
    "lstm-vanilla-no-bias": LSTMCell(Variant.parse("vanilla"), bias=False),
    **{f"rnn-{name}": SimpleRNNCell(name) for name in NONLINEARITIES},
    "rnn-tanh-no-bias": SimpleRNNCell("tanh", bias=False),
}
LENGTHS = {"T7-B3-H5": [4, 0, 7], "T12-B17-H9": [(5 * k) % 12 for k in range(17)], "T2-B1-H3": [1]}


def lengths_for(shape: Shape) -> Tensor | None:
    return torch.tensor(LENGTHS[str(shape)]) if str(shape) in LENGTHS else None


def typed_case(cell: Cell, shape: Shape, dtype: torch.dtype) -> Case:
    """`make_case`, rounded to a dtype."""
    case = make_case(cell, shape)

    def rounded(values: Values) -> Values:
        return {name: leaf(value) for name, value in values.items()}

    def leaf(value: Tensor) -> Tensor:
        return value.detach().to(dtype).requires_grad_(value.requires_grad)

    return Case(
        leaf(case.x),
        rounded(case.initial),
        rounded(case.parameters),
        leaf(case.d_output),
        rounded(case.d_final),
    )


def op_arguments(
    cell: Cell, case: Case, lengths: Tensor | None, reverse: bool, backend: str = "reference"
) -> tuple[object, ...]:
    p = case.parameters
    if isinstance(cell, SimpleRNNCell):
        parameters = (p["weight_ih"], p["weight_hh"], p.get("bias"))
        return (case.x, case.initial["h"], *parameters, lengths, cell.nonlinearity, reverse, backend)
    gates = joined(cell, case.initial)
    names = ("weight_ih", "weight_hh", "bias", "peephole", "weight_gates")
    return (
        case.x,
        case.initial["y"],
        case.initial["c"],
        gates,
        *(p.get(name) for name in names),
        lengths,
        cell.variant.name,
        reverse,
        backend,
    )


def joined(cell: Cell, state: Values) -> Tensor | None:
    gates = [state[name] for name in cell.state if name in ("i", "f", "o")]
    return torch.cat(gates, dim=-1) if gates else None


def through_op(
    cell: Cell, case: Case, lengths: Tensor | None, reverse: bool, backend: str = "reference"
) -> Values:
    """Output, final state and every gradient by the op."""
    arguments = op_arguments(cell, case, lengths, reverse, backend)
    if isinstance(cell, SimpleRNNCell):
        h, h_n = ops.simple_rnn(*arguments)
        output, final = h, {"h": h_n}
    else:
        output, y_n, c_n, gates_n, _, _ = ops.lstm(*arguments)
        final = {"y": y_n, "c": c_n}
        if len(cell.state) > 2:
            parts = gates_n.chunk(len(cell.state) - 2, dim=-1)
            final |= dict(zip(cell.state[2:], parts, strict=True))
    return _with_gradients(case, output, final)


def through_cell(cell: Cell, case: Case, lengths: Tensor | None, reverse: bool) -> Values:
    """The same by steps of the cell, with autograd through them."""
    run = unrolled.forward(cell, case.x, case.initial, case.parameters, lengths, reverse)
    return _with_gradients(case, run.output, run.final)


def _with_gradients(case: Case, output: Tensor, final: Values) -> Values:
    loss = (output * case.d_output).sum() + sum((final[k] * d).sum() for k, d in case.d_final.items())
    leaves = case.leaves()
    gradients = torch.autograd.grad(loss, list(leaves.values()))
    named = {f"d_{name}": gradient for name, gradient in zip(leaves, gradients, strict=True)}
    result = {"output": output, **{f"final {k}": v for k, v in final.items()}, **named}
    return {name: value.detach() for name, value in result.items()}

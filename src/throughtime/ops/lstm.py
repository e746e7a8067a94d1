"""`throughtime::lstm`: one sequence through an LSTM, with a hand-written backward.

The op's arguments and results are those of `lstm_loop`; `variant` is a `Variant.name` and `backend` the
name of a backend. The first derivative is the op `throughtime::lstm_backward`. Where derivatives of
derivatives are wanted (`create_graph=True`) the same recursion runs through the cell's own
`step_backward`, which autograd can follow.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from throughtime.cells import LSTMCell, Values, Variant
from throughtime.ops import unrolled
from throughtime.ops.autocast import without_autocast
from throughtime.ops.backends import backend as find_backend
from throughtime.ops.lstm_loop import LSTMForward, LSTMParameters, LSTMState
from throughtime.ops.padding import check_lengths

_INPUTS = 9  # x, y0, c0, gates0 and the five parameters come first


@torch.library.custom_op("throughtime::lstm", mutates_args=())
def lstm(
    x: Tensor,
    y0: Tensor,
    c0: Tensor,
    gates0: Tensor | None,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None,
    peephole: Tensor | None,
    weight_gates: Tensor | None,
    lengths: Tensor | None,
    variant: str,
    reverse: bool,
    backend: str,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """One sequence through an LSTM.

    Args:
        x: Input, (T, B, I).
        y0: Block output before the first step, (B, H).
        c0: Cell before the first step, (B, H).
        gates0: Own gates before the first step, (B, mH), for FGR; otherwise None.
        weight_ih: (nH, I).
        weight_hh: (nH, H).
        bias: (nH,) or None.
        peephole: (m, H), or None without peepholes.
        weight_gates: (mH, mH) for FGR; otherwise None.
        lengths: (B,) integers from 0 to T in any order, or None if every sequence has T steps.
        variant: Name of the variant.
        reverse: Run from each sequence's end to its beginning.
        backend: Name of the backend.

    Returns:
        y (T, B, H), y_n, c_n (B, H), gates_n (B, mH) or (0,), and what the backward reads: gates
        (T, B, nH) and cells (T, B, H).

    Raises:
        ValueError: lengths or the names do not fit.
    """
    if lengths is not None:
        check_lengths(lengths, x.shape[0], x.shape[1], "LSTM")
    p = LSTMParameters(weight_ih, weight_hh, bias, peephole, weight_gates)
    with without_autocast(x):
        return find_backend(backend).lstm_forward(
            x, LSTMState(y0, c0, gates0), p, lengths, Variant.parse(variant), reverse
        )


@lstm.register_fake
def _(
    x: Tensor,
    y0: Tensor,
    c0: Tensor,
    gates0: Tensor | None,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None,
    peephole: Tensor | None,
    weight_gates: Tensor | None,
    lengths: Tensor | None,
    variant: str,
    reverse: bool,
    backend: str,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    T, B = x.shape[0], x.shape[1]
    rows, H = weight_hh.shape
    gates_n = x.new_empty(0) if weight_gates is None else x.new_empty(B, weight_gates.shape[0])
    return (
        x.new_empty(T, B, H),
        x.new_empty(B, H),
        x.new_empty(B, H),
        gates_n,
        x.new_empty(T, B, rows),
        x.new_empty(T, B, H),
    )


@torch.library.custom_op("throughtime::lstm_backward", mutates_args=())
def lstm_backward(
    d_y: Tensor,
    d_y_n: Tensor,
    d_c_n: Tensor,
    d_gates_n: Tensor | None,
    x: Tensor,
    y0: Tensor,
    c0: Tensor,
    gates0: Tensor | None,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None,
    peephole: Tensor | None,
    weight_gates: Tensor | None,
    lengths: Tensor | None,
    y: Tensor,
    gates: Tensor,
    cells: Tensor,
    variant: str,
    reverse: bool,
    backend: str,
    input_error: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The backward of `lstm`: errors of x, y0, c0, gates0 and the gradients of the parameters.

    `d_*` are the errors that reach the results of `lstm`; the rest is what went into it and came out
    of it. A result is (0,) where the argument was None, and for x if `input_error` is False.
    """
    p = LSTMParameters(weight_ih, weight_hh, bias, peephole, weight_gates)
    saved = LSTMForward(y, y0, c0, y0, gates, cells)  # the final state is not read
    with without_autocast(x):
        return find_backend(backend).lstm_backward(
            d_y,
            LSTMState(d_y_n, d_c_n, d_gates_n),
            x,
            LSTMState(y0, c0, gates0),
            p,
            lengths,
            saved,
            Variant.parse(variant),
            reverse,
            input_error,
        )


@lstm_backward.register_fake
def _(
    d_y: Tensor,
    d_y_n: Tensor,
    d_c_n: Tensor,
    d_gates_n: Tensor | None,
    x: Tensor,
    y0: Tensor,
    c0: Tensor,
    gates0: Tensor | None,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None,
    peephole: Tensor | None,
    weight_gates: Tensor | None,
    lengths: Tensor | None,
    y: Tensor,
    gates: Tensor,
    cells: Tensor,
    variant: str,
    reverse: bool,
    backend: str,
    input_error: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    def like(value: Tensor | None) -> Tensor:
        return x.new_empty(0) if value is None else x.new_empty(value.shape)

    return (
        like(x if input_error else None),
        like(y0),
        like(c0),
        like(gates0),
        like(weight_ih),
        like(weight_hh),
        like(bias),
        like(peephole),
        like(weight_gates),
    )


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    *tensors, ctx.variant, ctx.reverse, ctx.backend = inputs
    y, _, _, gates_n, gates, cells = output
    ctx.save_for_backward(*tensors, y, gates, cells)
    ctx.mark_non_differentiable(*([gates_n] if inputs[3] is None else []), gates, cells)
    ctx.set_materialize_grads(False)


def backward(ctx: Any, *d_outputs: Tensor | None) -> tuple[Tensor | None, ...]:
    """Autograd's backward: what `ctx` saved, and the errors of the results or None."""
    *inputs, lengths, y, gates, cells = ctx.saved_tensors
    d_y, d_y_n, d_c_n, d_gates_n = d_outputs[:4]
    y0, c0, gates0 = inputs[1:4]
    d_y = torch.zeros_like(y) if d_y is None else d_y
    d_y_n = torch.zeros_like(y0) if d_y_n is None else d_y_n
    d_c_n = torch.zeros_like(c0) if d_c_n is None else d_c_n
    if gates0 is not None and d_gates_n is None:
        d_gates_n = torch.zeros_like(gates0)
    if gates0 is None:
        d_gates_n = None
    found: tuple[Tensor, ...]
    if torch.is_grad_enabled():
        found = _differentiable(ctx, (d_y, d_y_n, d_c_n, d_gates_n), inputs, lengths)
    else:
        found = torch.ops.throughtime.lstm_backward(
            d_y,
            d_y_n,
            d_c_n,
            d_gates_n,
            *inputs,
            lengths,
            y,
            gates,
            cells,
            ctx.variant,
            ctx.reverse,
            ctx.backend,
            ctx.needs_input_grad[0],
        )
    wanted = zip(ctx.needs_input_grad[:_INPUTS], found, strict=True)
    return (*(error if needed else None for needed, error in wanted), None, None, None, None)


def _differentiable(
    ctx: Any, d_outputs: tuple[Tensor | None, ...], inputs: list[Any], lengths: Tensor | None
) -> tuple[Tensor, ...]:
    """The recursion through the cell, from the inputs on, as autograd can follow it."""
    x, y0, c0, gates0, weight_ih, weight_hh, bias, peephole, weight_gates = inputs
    cell = LSTMCell(Variant.parse(ctx.variant), bias=bias is not None)
    named = {"weight_ih": weight_ih, "weight_hh": weight_hh, "bias": bias, "peephole": peephole}
    p = {key: value for key, value in {**named, "weight_gates": weight_gates}.items() if value is not None}
    d_y, d_y_n, d_c_n, d_gates_n = d_outputs
    if d_y is None:
        raise AssertionError("the caller fills every error in")
    with without_autocast(x):
        run = unrolled.forward(cell, x, _state(cell, y0, c0, gates0), p, lengths, ctx.reverse)
        d_final = _state(cell, d_y_n, d_c_n, d_gates_n)
        found = unrolled.backward(cell, x, run, p, d_y, d_final, lengths, ctx.reverse)
    gates = [found.initial[gate] for gate in cell.state[2:]]
    return (
        found.x,
        found.initial["y"],
        found.initial["c"],
        torch.cat(gates, dim=-1) if gates else x.new_empty(0),
        *(found.parameters.get(key, x.new_empty(0)) for key in (*named, "weight_gates")),
    )


def _state(cell: LSTMCell, y: Tensor | None, c: Tensor | None, gates: Tensor | None) -> Values:
    state: dict[str, Any] = {"y": y, "c": c}
    if gates is not None:
        names = cell.state[2:]
        state |= dict(zip(names, gates.chunk(len(names), dim=-1), strict=True))
    return state


lstm.register_autograd(backward, setup_context=_setup_context)

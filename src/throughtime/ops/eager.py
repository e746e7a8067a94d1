"""The short way to the native kernels.

`torch.library` serves everything that transforms a program: compile, vmap, fake tensors, dispatch modes.
Where nothing of that is going on, dispatching through it takes longer than a small sequence takes to
compute; then an `autograd.Function` runs the same functions directly.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from throughtime.cells import Variant
from throughtime.ops import native
from throughtime.ops.backends import NATIVE
from throughtime.ops.lstm import backward as lstm_backward
from throughtime.ops.lstm import lstm
from throughtime.ops.lstm_loop import LSTMForward, LSTMParameters, LSTMState
from throughtime.ops.padding import check_lengths
from throughtime.ops.simple_rnn import backward as rnn_backward
from throughtime.ops.simple_rnn import simple_rnn
from throughtime.ops.simple_rnn_loop import RNNForward, RNNParameters
from throughtime.ops.transforms import only_autograd_looks_on


def run_lstm(
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
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """y, y_n, c_n and under FGR gates_n, as `lstm` gives them, by the shortest way."""
    tensors = (x, y0, c0, weight_ih, weight_hh, bias, peephole)
    if (
        backend != NATIVE.name
        or gates0 is not None
        or weight_gates is not None
        or not only_autograd_looks_on(tensors)
    ):
        all_tensors = (x, y0, c0, gates0, weight_ih, weight_hh, bias, peephole, weight_gates)
        y, y_n, c_n, gates_n, _, _ = lstm(*all_tensors, lengths, variant, reverse, backend)
        return y, y_n, c_n, gates_n
    if lengths is not None:
        check_lengths(lengths, x.shape[0], x.shape[1], "LSTM")
    if not torch.is_grad_enabled():
        p = LSTMParameters(weight_ih, weight_hh, bias, peephole, None)
        v = Variant.parse(variant)
        return native.lstm_outputs(x, LSTMState(y0, c0, None), p, lengths, v, reverse)
    found: tuple[Tensor, Tensor, Tensor] = _LSTM.apply(  # type: ignore[no-untyped-call]
        *tensors, (lengths, variant, reverse)
    )
    return *found, None


class _LSTM(torch.autograd.Function):
    """All variants but FGR: with its tensors left away every call is shorter."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, Tensor, Tensor]:
        x, y0, c0, weight_ih, weight_hh, bias, peephole, ctx.how = inputs
        lengths, variant, reverse = ctx.how
        p = LSTMParameters(weight_ih, weight_hh, bias, peephole, None)
        state = LSTMState(y0, c0, None)
        run = native.lstm_forward(x, state, p, lengths, Variant.parse(variant), reverse)
        ctx.save_for_backward(*inputs[:7], run.y, run.gates, run.cells)
        ctx.set_materialize_grads(False)
        return run[:3]

    @staticmethod
    def backward(ctx: Any, *d_outputs: Tensor | None) -> tuple[Tensor | None, ...]:
        x, y0, c0, weight_ih, weight_hh, bias, peephole, y, gates, cells = ctx.saved_tensors
        needed = ctx.needs_input_grad
        lengths, variant, reverse = ctx.how
        if torch.is_grad_enabled():
            inputs = (x, y0, c0, None, weight_ih, weight_hh, bias, peephole, None, lengths, y, gates, cells)
            needs = (*needed[:3], False, *needed[3:7], False)
            found = lstm_backward(_As(inputs, needs, variant, reverse, NATIVE.name), *d_outputs, None)
            return *found[:3], *found[4:8], None
        if x.shape[1] == 0:
            nothing = (x, y0, c0, weight_ih, weight_hh, bias, peephole)
            return *_wanted(needed, tuple(map(_zeros_like, nothing))), None
        d_y, d_y_n, d_c_n = d_outputs
        found = native.lstm_gradients(
            torch.zeros_like(y) if d_y is None else d_y,
            LSTMState(d_y_n, d_c_n, None),  # type: ignore[arg-type]
            x,
            LSTMState(y0, c0, None),
            LSTMParameters(weight_ih, weight_hh, bias, peephole, None),
            lengths,
            LSTMForward(y, y0, c0, y0, gates, cells),
            Variant.parse(variant),
            reverse,
            needed[0],
            state_error=needed[1] or needed[2],
        )
        return *_wanted(needed, (*found[:3], *found[4:8])), None


class _As(NamedTuple):
    """What the op's backward reads of an autograd context."""

    saved_tensors: tuple[Tensor | None, ...]
    needs_input_grad: tuple[bool, ...]
    variant: str
    reverse: bool
    backend: str


def run_simple_rnn(
    x: Tensor,
    h0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None,
    lengths: Tensor | None,
    nonlinearity: str,
    reverse: bool,
    backend: str,
) -> tuple[Tensor, Tensor]:
    """As `simple_rnn`, by the shortest way."""
    tensors = (x, h0, weight_ih, weight_hh, bias)
    if backend != NATIVE.name or not only_autograd_looks_on(tensors):
        h, h_n = simple_rnn(*tensors, lengths, nonlinearity, reverse, backend)
        return h, h_n
    if lengths is not None:
        check_lengths(lengths, x.shape[0], x.shape[1], "RNN")
    if not torch.is_grad_enabled():
        p = RNNParameters(weight_ih, weight_hh, bias)
        return native.rnn_forward(x, h0, p, lengths, nonlinearity, reverse)
    found: tuple[Tensor, Tensor] = _RNN.apply(  # type: ignore[no-untyped-call]
        *tensors, lengths, nonlinearity, reverse, backend
    )
    return found


class _RNN(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, Tensor]:
        x, h0, weight_ih, weight_hh, bias, lengths, ctx.nonlinearity, ctx.reverse, ctx.backend = inputs
        p = RNNParameters(weight_ih, weight_hh, bias)
        run = native.rnn_forward(x, h0, p, lengths, ctx.nonlinearity, ctx.reverse)
        ctx.save_for_backward(*inputs[:6], run.h)
        ctx.set_materialize_grads(False)
        return run.h, run.h_n

    @staticmethod
    def backward(ctx: Any, d_h: Tensor | None, d_h_n: Tensor | None) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            return rnn_backward(ctx, d_h, d_h_n)
        x, h0, weight_ih, weight_hh, bias, lengths, h = ctx.saved_tensors
        found = native.rnn_backward(
            torch.zeros_like(h) if d_h is None else d_h,
            d_h_n,
            x,
            h0,
            RNNParameters(weight_ih, weight_hh, bias),
            lengths,
            RNNForward(h, h0),
            ctx.nonlinearity,
            ctx.reverse,
            ctx.needs_input_grad[0],
        )
        return (*_wanted(ctx.needs_input_grad, found), None, None, None, None)


def _wanted(needed: tuple[bool, ...], found: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
    pairs = zip(needed, found, strict=False)
    return tuple(error if wanted else None for wanted, error in pairs)


def _zeros_like(value: Tensor | None) -> Tensor | None:
    return None if value is None else torch.zeros_like(value)

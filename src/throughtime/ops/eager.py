"""The short way to the native kernels.

`torch.library` serves everything that transforms a program: compile, vmap, fake tensors, dispatch modes.
Where nothing of that is going on, dispatching through it takes longer than a small sequence takes to
compute; then an `autograd.Function` runs the same functions directly.
"""

from __future__ import annotations

from typing import Any

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

_KINDS = (Tensor, torch.nn.Parameter)


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
    tensors = (x, y0, c0, gates0, weight_ih, weight_hh, bias, peephole, weight_gates)
    if backend != NATIVE.name or not _plain(tensors):
        y, y_n, c_n, gates_n, _, _ = lstm(*tensors, lengths, variant, reverse, backend)
        return y, y_n, c_n, gates_n
    if lengths is not None:
        check_lengths(lengths, x.shape[0], x.shape[1], "LSTM")
    if not torch.is_grad_enabled():
        p = LSTMParameters(weight_ih, weight_hh, bias, peephole, weight_gates)
        v = Variant.parse(variant)
        return native.lstm_outputs(x, LSTMState(y0, c0, gates0), p, lengths, v, reverse)
    found: tuple[Tensor, Tensor, Tensor, Tensor] = _LSTM.apply(  # type: ignore[no-untyped-call]
        *tensors, lengths, variant, reverse, backend
    )
    return found


class _LSTM(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x, y0, c0, gates0, weight_ih, weight_hh, bias, peephole, weight_gates, lengths, *rest = inputs
        ctx.variant, ctx.reverse, ctx.backend = rest
        p = LSTMParameters(weight_ih, weight_hh, bias, peephole, weight_gates)
        v = Variant.parse(ctx.variant)
        run = native.lstm_forward(x, LSTMState(y0, c0, gates0), p, lengths, v, ctx.reverse)
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(*inputs[:10], run.y, run.gates, run.cells)
            ctx.set_materialize_grads(False)
            if gates0 is None:
                ctx.mark_non_differentiable(run.gates_n)
        return run[:4]

    @staticmethod
    def backward(ctx: Any, *d_outputs: Tensor | None) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            return lstm_backward(ctx, *d_outputs)
        *inputs, lengths, y, gates, cells = ctx.saved_tensors
        x, y0, c0, gates0, weight_ih, weight_hh, bias, peephole, weight_gates = inputs
        d_y, d_y_n, d_c_n, d_gates_n = d_outputs
        if x.shape[1] == 0:
            return (*_wanted(ctx, tuple(map(_zeros_like, inputs))), None, None, None, None)
        found = native.lstm_gradients(
            torch.zeros_like(y) if d_y is None else d_y,
            LSTMState(d_y_n, d_c_n, None if gates0 is None else d_gates_n),  # type: ignore[arg-type]
            x,
            LSTMState(y0, c0, gates0),
            LSTMParameters(weight_ih, weight_hh, bias, peephole, weight_gates),
            lengths,
            LSTMForward(y, y0, c0, y0, gates, cells),
            Variant.parse(ctx.variant),
            ctx.reverse,
            ctx.needs_input_grad[0],
            state_error=any(ctx.needs_input_grad[1:4]),
        )
        return (*_wanted(ctx, found), None, None, None, None)


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
    if backend != NATIVE.name or not _plain(tensors):
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
        if any(ctx.needs_input_grad):
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
        return (*_wanted(ctx, found), None, None, None, None)


def _wanted(ctx: Any, found: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
    pairs = zip(ctx.needs_input_grad, found, strict=False)
    return tuple(error if needed else None for needed, error in pairs)


def _plain(tensors: tuple[Tensor | None, ...]) -> bool:
    """Whether nothing but autograd looks on."""
    return (
        all(tensor is None or type(tensor) in _KINDS for tensor in tensors)
        and not torch.compiler.is_compiling()
        and torch._C._len_torch_dispatch_stack() == 0
        and torch._C._len_torch_function_stack() == 0
        and torch._C._functorch.peek_interpreter_stack() is None
        and torch._C._get_tracing_state() is None
    )


def _zeros_like(value: Tensor | None) -> Tensor | None:
    return None if value is None else torch.zeros_like(value)

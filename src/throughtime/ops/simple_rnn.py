"""`throughtime::simple_rnn`: one sequence through a simple RNN, with a hand-written backward.

Built like `throughtime::lstm`; the buffers are described in `simple_rnn_loop`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from throughtime.cells import SimpleRNNCell
from throughtime.ops import unrolled
from throughtime.ops.autocast import without_autocast
from throughtime.ops.backends import backend as find_backend
from throughtime.ops.padding import check_lengths
from throughtime.ops.simple_rnn_loop import RNNForward, RNNParameters

_INPUTS = 5  # x, h0 and the three parameters come first


@torch.library.custom_op("throughtime::simple_rnn", mutates_args=())
def simple_rnn(
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
    """One sequence through a simple RNN.

    Args:
        x: Input, (T, B, I).
        h0: Hidden value before the first step, (B, H).
        weight_ih: (H, I).
        weight_hh: (H, H).
        bias: (H,) or None.
        lengths: (B,) integers from 0 to T in any order, or None if every sequence has T steps.
        nonlinearity: tanh, relu, logistic or identity.
        reverse: Run from each sequence's end to its beginning.
        backend: Name of the backend.

    Returns:
        h (T, B, H), which the backward reads too, and h_n (B, H).

    Raises:
        ValueError: lengths or the names do not fit.
    """
    if lengths is not None:
        check_lengths(lengths, x.shape[0], x.shape[1], "RNN")
    p = RNNParameters(weight_ih, weight_hh, bias)
    with without_autocast(x):
        return find_backend(backend).rnn_forward(x, h0, p, lengths, nonlinearity, reverse)


@simple_rnn.register_fake
def _(
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
    T, B, H = x.shape[0], x.shape[1], weight_hh.shape[0]
    return x.new_empty(T, B, H), x.new_empty(B, H)


@torch.library.custom_op("throughtime::simple_rnn_backward", mutates_args=())
def simple_rnn_backward(
    d_h: Tensor,
    d_h_n: Tensor,
    x: Tensor,
    h0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None,
    lengths: Tensor | None,
    h: Tensor,
    nonlinearity: str,
    reverse: bool,
    backend: str,
    input_error: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The backward of `simple_rnn`: errors of x and h0 and the gradients of the parameters.

    A result is (0,) where the argument was None, and for x if `input_error` is False.
    """
    p = RNNParameters(weight_ih, weight_hh, bias)
    saved = RNNForward(h, h0)  # the final state is not read
    with without_autocast(x):
        return find_backend(backend).rnn_backward(
            d_h, d_h_n, x, h0, p, lengths, saved, nonlinearity, reverse, input_error
        )


@simple_rnn_backward.register_fake
def _(
    d_h: Tensor,
    d_h_n: Tensor,
    x: Tensor,
    h0: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None,
    lengths: Tensor | None,
    h: Tensor,
    nonlinearity: str,
    reverse: bool,
    backend: str,
    input_error: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    none = x.new_empty(0)
    return (
        x.new_empty(x.shape) if input_error else none,
        x.new_empty(h0.shape),
        x.new_empty(weight_ih.shape),
        x.new_empty(weight_hh.shape),
        none.clone() if bias is None else x.new_empty(bias.shape),
    )


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    *tensors, ctx.nonlinearity, ctx.reverse, ctx.backend = inputs
    ctx.save_for_backward(*tensors, output[0])
    ctx.set_materialize_grads(False)


def backward(ctx: Any, d_h: Tensor | None, d_h_n: Tensor | None) -> tuple[Tensor | None, ...]:
    """Autograd's backward: what `ctx` saved, and the errors of the results or None."""
    *inputs, lengths, h = ctx.saved_tensors
    d_h = torch.zeros_like(h) if d_h is None else d_h
    d_h_n = torch.zeros_like(inputs[1]) if d_h_n is None else d_h_n
    found: tuple[Tensor, ...]
    if torch.is_grad_enabled():
        found = _differentiable(ctx, d_h, d_h_n, inputs, lengths)
    else:
        found = torch.ops.throughtime.simple_rnn_backward(
            d_h,
            d_h_n,
            *inputs,
            lengths,
            h,
            ctx.nonlinearity,
            ctx.reverse,
            ctx.backend,
            ctx.needs_input_grad[0],
        )
    wanted = zip(ctx.needs_input_grad[:_INPUTS], found, strict=True)
    return (*(error if needed else None for needed, error in wanted), None, None, None, None)


def _differentiable(
    ctx: Any, d_h: Tensor, d_h_n: Tensor, inputs: list[Any], lengths: Tensor | None
) -> tuple[Tensor, ...]:
    """The recursion through the cell, from the inputs on, as autograd can follow it."""
    x, h0, weight_ih, weight_hh, bias = inputs
    cell = SimpleRNNCell(ctx.nonlinearity, bias=bias is not None)
    p = {"weight_ih": weight_ih, "weight_hh": weight_hh} | ({} if bias is None else {"bias": bias})
    with without_autocast(x):
        run = unrolled.forward(cell, x, {"h": h0}, p, lengths, ctx.reverse)
        found = unrolled.backward(cell, x, run, p, d_h, {"h": d_h_n}, lengths, ctx.reverse)
    gradients = (found.parameters.get(key, x.new_empty(0)) for key in ("weight_ih", "weight_hh", "bias"))
    return (found.x, found.initial["h"], *gradients)


simple_rnn.register_autograd(backward, setup_context=_setup_context)

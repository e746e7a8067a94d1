"""The simple RNN's time loop in plain PyTorch: the backend "reference".

Notation: T steps, B sequences, I inputs, H hidden units.

Every backend of the op fills the same buffers, owned by the caller once returned, none aliasing another
or an input:

    h    (T, B, H)  hidden values, zero at padded steps; all the backward needs to know of the forward
    h_n  (B, H)     state after the last step
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import torch
from torch import Tensor

from throughtime.cells.activations import activation
from throughtime.ops.padding import before_each_step, cleared, direction, padding

_IN_PLACE: Final[dict[str, Callable[[Tensor], Tensor]]] = {
    "tanh": Tensor.tanh_,
    "relu": Tensor.relu_,
    "logistic": Tensor.sigmoid_,
    "identity": lambda a: a,
}


class RNNParameters(NamedTuple):
    """weight_ih (H, I), weight_hh (H, H), bias (H,)."""

    weight_ih: Tensor
    weight_hh: Tensor
    bias: Tensor | None


class RNNForward(NamedTuple):
    """The buffers described at the top of this file."""

    h: Tensor
    h_n: Tensor


class RNNBackward(NamedTuple):
    """Gradients of everything that went in; (0,) where nothing went in or x wants none."""

    x: Tensor
    h0: Tensor
    weight_ih: Tensor
    weight_hh: Tensor
    bias: Tensor


class RNNErrors(NamedTuple):
    """Errors by step, for a recording; zero at padded steps.

    Attributes:
        a: Before the activation, (T, B, H).
        h: δh(t) with all its terms, (T, B, H).
    """

    a: Tensor
    h: Tensor


def forward(
    x: Tensor,
    h0: Tensor,
    p: RNNParameters,
    lengths: Tensor | None,
    nonlinearity: str,
    reverse: bool,
    *,
    bars: Tensor | None = None,
) -> RNNForward:
    """Forward over a sequence.

    x is (T, B, I), h0 (B, H); lengths, (B,), have been checked. Fills `bars` (T, B, H) with a(t) if
    given, zero at padded steps.
    """
    T, B, H = x.shape[0], x.shape[1], p.weight_hh.shape[0]
    pad, R_T, squash = padding(lengths, x), p.weight_hh.T, _IN_PLACE[nonlinearity]
    flat = x.flatten(0, 1)
    product = flat @ p.weight_ih.T if p.bias is None else torch.addmm(p.bias, flat, p.weight_ih.T)
    h = product.view(T, B, H)
    hs, before = h.unbind(0), h0
    for t in direction(T, reverse):
        row = hs[t]
        row.addmm_(before, R_T)
        if bars is not None:
            bars[t].copy_(row)
        squash(row)
        if pad is not None and pad.partial[t]:
            torch.where(pad.real[t], row, before, out=row)
        before = row
    h_n = before.clone()
    if pad is not None:
        h.masked_fill_(~pad.real, 0)
        if bars is not None:
            bars.masked_fill_(~pad.real, 0)
    return RNNForward(h, h_n)


def backward(
    d_h: Tensor,
    d_final: Tensor,
    x: Tensor,
    h0: Tensor,
    p: RNNParameters,
    lengths: Tensor | None,
    saved: RNNForward,
    nonlinearity: str,
    reverse: bool,
    input_error: bool,
    *,
    errors: RNNErrors | None = None,
) -> RNNBackward:
    """Backward over a sequence.

    Args:
        d_h: Errors that reach h from above, (T, B, H).
        d_final: Error that reaches the final state, (B, H).
        x: As in `forward`, like h0, p, lengths, nonlinearity and reverse.
        h0: Initial state.
        p: Parameters.
        lengths: Lengths or None.
        saved: What `forward` returned.
        nonlinearity: Name of g.
        reverse: Direction.
        input_error: Whether the errors of x are wanted.
        errors: Filled with the errors of every step if given.
    """
    T, pad = x.shape[0], padding(lengths, x)
    d_a = cleared(activation(nonlinearity).slope(saved.h), pad)  # g' now, δa after the loop
    above, rows = cleared(d_h, pad).unbind(0), d_a.unbind(0)
    padded = (~pad.real).to(d_a.dtype).unbind(0) if pad is not None else ()
    error, spare = d_final.clone(), torch.empty_like(d_final)
    for t in reversed(direction(T, reverse)):
        row = rows[t].mul_(error.add_(above[t]))
        if errors is not None:
            errors.h[t].copy_(error)
        if pad is not None and pad.partial[t]:
            torch.mul(error, padded[t], out=spare)
            torch.addmm(spare, row, p.weight_hh, out=error)
        else:
            torch.mm(row, p.weight_hh, out=error)
    if errors is not None:
        errors.a.copy_(d_a)
        errors.h.copy_(cleared(errors.h, pad))
    rows_of_errors = d_a.flatten(0, 1)
    h_before = before_each_step(saved.h, h0, pad, reverse)
    return RNNBackward(
        x=(rows_of_errors @ p.weight_ih).view(x.shape) if input_error else x.new_empty(0),
        h0=error,
        weight_ih=rows_of_errors.T @ cleared(x, pad).flatten(0, 1),
        weight_hh=rows_of_errors.T @ h_before.flatten(0, 1),
        bias=rows_of_errors.sum(0) if p.bias is not None else x.new_empty(0),
    )

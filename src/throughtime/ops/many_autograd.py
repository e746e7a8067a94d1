"""`run_lstm` and `run_rnn` of many networks at once, with autograd.

The first derivative is the hand-written backward of all networks at once. For derivatives of derivatives, and
where something other than autograd transforms the program, the ops run network by network.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from throughtime.ops import many
from throughtime.ops.autocast import without_autocast
from throughtime.ops.lstm import lstm
from throughtime.ops.lstm_loop import LSTMForward, LSTMParameters, LSTMState
from throughtime.ops.padding import check_lengths
from throughtime.ops.simple_rnn import simple_rnn
from throughtime.ops.simple_rnn_loop import RNNForward, RNNParameters
from throughtime.ops.transforms import only_autograd_looks_on


def run_lstm(
    x: Tensor,
    state: LSTMState,
    p: LSTMParameters,
    lengths: Tensor | None,
    variant: str,
    reverse: bool,
    backend: str,
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """y, y_n, c_n and under FGR gates_n of M networks; M stands in front of every tensor.

    Args:
        x: (M, T, B, I).
        state: Initial state.
        p: Parameters.
        lengths: (B,), (M, B) or None.
        variant: Name of the variant.
        reverse: Direction.
        backend: Name of the backend.
    """
    _check_lengths(lengths, x, "LSTM")
    how = (variant, reverse, backend)
    if not only_autograd_looks_on((x, *state, *p)):
        found = _lstm_one_by_one(x, state, p, lengths, how)
    else:
        found = _LSTM.apply(*how, x, *state, *p, lengths)  # type: ignore[no-untyped-call]
    y, y_n, c_n, gates_n = found
    return y, y_n, c_n, None if state.gates is None else gates_n


def run_rnn(
    x: Tensor,
    h0: Tensor,
    p: RNNParameters,
    lengths: Tensor | None,
    nonlinearity: str,
    reverse: bool,
    backend: str,
) -> tuple[Tensor, Tensor]:
    """H and h_n of M networks; see `run_lstm`."""
    _check_lengths(lengths, x, "RNN")
    how = (nonlinearity, reverse, backend)
    found: tuple[Tensor, Tensor]
    if not only_autograd_looks_on((x, h0, *p)):
        found = _rnn_one_by_one(x, h0, p, lengths, how)
    else:
        found = _RNN.apply(*how, x, h0, *p, lengths)  # type: ignore[no-untyped-call]
    return found


_FIRST = 3  # arguments of the functions below before x


class _LSTM(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> tuple[Tensor, ...]:
        ctx.how, tensors = arguments[:_FIRST], arguments[_FIRST:]
        x, y0, c0, gates0, *parameters, lengths = tensors
        with without_autocast(x):
            run = many.lstm_forward(
                x, LSTMState(y0, c0, gates0), LSTMParameters(*parameters), lengths, *ctx.how
            )
        ctx.save_for_backward(*tensors, run.y, run.gates, run.cells)
        ctx.set_materialize_grads(False)
        if gates0 is None:
            ctx.mark_non_differentiable(run.gates_n)
        return run[:4]

    @staticmethod
    def backward(ctx: Any, *d_results: Tensor | None) -> tuple[Tensor | None, ...]:
        *tensors, y, gates, cells = ctx.saved_tensors
        x, y0, c0, gates0, *parameters, lengths = tensors
        state, p, (variant, reverse, backend) = (
            LSTMState(y0, c0, gates0),
            LSTMParameters(*parameters),
            ctx.how,
        )
        if torch.is_grad_enabled():
            results = _lstm_one_by_one(x, state, p, lengths, ctx.how)
            return _differentiable(ctx, results, d_results, tensors)
        d_y, d_y_n, d_c_n, d_gates_n = d_results
        final = LSTMState(
            _or_zeros(d_y_n, y0),
            _or_zeros(d_c_n, c0),
            None if gates0 is None else _or_zeros(d_gates_n, gates0),
        )
        with without_autocast(x):
            found = many.lstm_backward(
                _or_zeros(d_y, y),
                final,
                x,
                state,
                p,
                lengths,
                LSTMForward(y, y0, c0, y0, gates, cells),
                variant,
                reverse,
                backend,
                ctx.needs_input_grad[_FIRST],
            )
        return _wanted(ctx, found)


class _RNN(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> tuple[Tensor, ...]:
        ctx.how, tensors = arguments[:_FIRST], arguments[_FIRST:]
        x, h0, *parameters, lengths = tensors
        with without_autocast(x):
            run = many.rnn_forward(x, h0, RNNParameters(*parameters), lengths, *ctx.how)
        ctx.save_for_backward(*tensors, run.h)
        ctx.set_materialize_grads(False)
        return tuple(run)

    @staticmethod
    def backward(ctx: Any, *d_results: Tensor | None) -> tuple[Tensor | None, ...]:
        *tensors, h = ctx.saved_tensors
        x, h0, *parameters, lengths = tensors
        p = RNNParameters(*parameters)
        if torch.is_grad_enabled():
            return _differentiable(ctx, _rnn_one_by_one(x, h0, p, lengths, ctx.how), d_results, tensors)
        saved, (g, reverse, backend) = RNNForward(h, h0), ctx.how
        d_h, d_h_n = (_or_zeros(error, like) for error, like in zip(d_results, (h, h0), strict=True))
        with without_autocast(x):
            found = many.rnn_backward(
                d_h, d_h_n, x, h0, p, lengths, saved, g, reverse, backend, ctx.needs_input_grad[_FIRST]
            )
        return _wanted(ctx, found)


def _lstm_one_by_one(
    x: Tensor, state: LSTMState, p: LSTMParameters, lengths: Tensor | None, how: tuple[Any, ...]
) -> tuple[Tensor, ...]:
    runs = [
        lstm(*(None if one is None else one[m] for one in (x, *state, *p)), _of(lengths, m), *how)[:4]
        for m in range(x.shape[0])
    ]
    return tuple(map(torch.stack, zip(*runs, strict=True)))


def _rnn_one_by_one(
    x: Tensor, h0: Tensor, p: RNNParameters, lengths: Tensor | None, how: tuple[Any, ...]
) -> tuple[Tensor, Tensor]:
    runs = [
        simple_rnn(*(None if one is None else one[m] for one in (x, h0, *p)), _of(lengths, m), *how)
        for m in range(x.shape[0])
    ]
    h, h_n = map(torch.stack, zip(*runs, strict=True))
    return h, h_n


def _of(lengths: Tensor | None, m: int) -> Tensor | None:
    return lengths[m] if lengths is not None and lengths.dim() == 2 else lengths


def _differentiable(
    ctx: Any, results: tuple[Tensor, ...], d_results: tuple[Tensor | None, ...], tensors: list[Tensor | None]
) -> tuple[Tensor | None, ...]:
    """The backward of `results`, computed anew from the inputs, as autograd can follow it."""
    pairs = [(r, d) for r, d in zip(results, d_results, strict=True) if d is not None]
    needed = ctx.needs_input_grad[_FIRST:]
    inputs = [one for one, wanted in zip(tensors, needed, strict=True) if wanted and one is not None]
    found = iter(
        torch.autograd.grad(
            [r for r, _ in pairs], inputs, [d for _, d in pairs], create_graph=True, allow_unused=True
        )
    )
    return (*(None,) * _FIRST, *(next(found) if wanted else None for wanted in needed))


def _wanted(ctx: Any, found: tuple[Tensor, ...]) -> tuple[Tensor | None, ...]:
    pairs = zip(ctx.needs_input_grad[_FIRST:-1], found, strict=True)
    return (*(None,) * _FIRST, *(error if needed else None for needed, error in pairs), None)


def _or_zeros(error: Tensor | None, like: Tensor) -> Tensor:
    return torch.zeros_like(like) if error is None else error


def _check_lengths(lengths: Tensor | None, x: Tensor, who: str) -> None:
    M, T, B, _ = x.shape
    if lengths is None:
        return
    if lengths.dim() == 1:
        check_lengths(lengths, T, B, who)
        return
    if lengths.shape != (M, B):
        raise ValueError(
            f"{who}: lengths has shape {tuple(lengths.shape)}, expected ({B},), the same for all networks, "
            f"or ({M}, {B}), a row for each."
        )
    check_lengths(lengths.flatten(), T, M * B, who)

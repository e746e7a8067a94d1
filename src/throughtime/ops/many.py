"""Many networks at once: one sequence op over a leading dimension M of networks, each with its own weights.

Every tensor of the contracts in `lstm_loop.py` and `simple_rnn_loop.py` gets M in front; lengths are (B,) for
all networks or (M, B). The backend "triton" computes all networks in one launch, "native" shares them out
over its threads, and any other computes one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from throughtime.cells import Variant
from throughtime.ops import native, triton
from throughtime.ops.backends import NATIVE, TRITON
from throughtime.ops.backends import backend as find_backend
from throughtime.ops.lstm_loop import LSTMBackward, LSTMForward, LSTMParameters, LSTMState
from throughtime.ops.simple_rnn_loop import RNNBackward, RNNForward, RNNParameters


def lstm_forward(
    x: Tensor,
    state: LSTMState,
    p: LSTMParameters,
    lengths: Tensor | None,
    variant: str,
    reverse: bool,
    backend: str,
) -> LSTMForward:
    """M networks: x (M, T, B, I), every tensor with M in front."""
    v = Variant.parse(variant)
    if backend == TRITON.name and x.shape[2]:
        return triton.lstm_forward_many(x, state, p, lengths, v, reverse)
    parts = _Networks(x, state, p, lengths)
    if backend != NATIVE.name or not x.shape[2]:
        run = find_backend(backend).lstm_forward
        runs = [run(n.x, LSTMState(*n.state), LSTMParameters(*n.p), n.lengths, v, reverse) for n in parts]
        return LSTMForward(*map(torch.stack, zip(*runs, strict=True)))
    M, T, B, _ = x.shape
    rows, H = p.weight_hh.shape[1:]
    own = 0 if p.weight_gates is None else p.weight_gates.shape[1]
    shapes = ((T, B, H), (B, H), (B, H), (B, own), (T, B, rows), (T, B, H))
    into = LSTMForward(*(native.empty(x, (M, *shape)) for shape in shapes))
    with native.side_by_side():
        for n, results in zip(parts, _each(into), strict=True):
            state_n, p_n = LSTMState(*n.state), LSTMParameters(*n.p)
            native.lstm_forward(n.x, state_n, p_n, n.lengths, v, reverse, into=LSTMForward(*results))
    return into


def lstm_backward(
    d_y: Tensor,
    d_final: LSTMState,
    x: Tensor,
    state: LSTMState,
    p: LSTMParameters,
    lengths: Tensor | None,
    saved: LSTMForward,
    variant: str,
    reverse: bool,
    backend: str,
    input_error: bool,
) -> LSTMBackward:
    """Gradients of all M networks."""
    v = Variant.parse(variant)
    if backend == TRITON.name and x.shape[2]:
        return triton.lstm_backward_many(d_y, d_final, x, state, p, lengths, saved, v, reverse, input_error)
    parts = _Networks(x, state, p, lengths)
    errors = _each((d_y.contiguous(), *_dense(d_final)))
    if backend != NATIVE.name or not x.shape[2]:
        run = find_backend(backend).lstm_backward
        found = [
            run(
                d[0],
                LSTMState(*d[1:]),
                n.x,
                LSTMState(*n.state),
                LSTMParameters(*n.p),
                n.lengths,
                LSTMForward(*kept),
                v,
                reverse,
                input_error,
            )
            for n, d, kept in zip(parts, errors, _each(saved), strict=True)
        ]
        return LSTMBackward(*map(torch.stack, zip(*found, strict=True)))
    x_like = x if input_error else None
    into = tuple(None if one is None else native.empty(x, one.shape) for one in (x_like, *state, *p))
    saved = LSTMForward(*_dense(saved))
    with native.side_by_side():
        for n, d, kept, results in zip(parts, errors, _each(saved), _each(into), strict=True):
            native.lstm_gradients(
                d[0],
                LSTMState(*d[1:]),
                n.x,
                LSTMState(*n.state),
                LSTMParameters(*n.p),
                n.lengths,
                LSTMForward(*kept),
                v,
                reverse,
                input_error,
                into=results,
            )
    return LSTMBackward(*(x.new_empty(0) if one is None else one for one in into))


def rnn_forward(
    x: Tensor,
    h0: Tensor,
    p: RNNParameters,
    lengths: Tensor | None,
    nonlinearity: str,
    reverse: bool,
    backend: str,
) -> RNNForward:
    """M networks: x (M, T, B, I), every tensor with M in front."""
    if backend == TRITON.name and x.shape[2]:
        return triton.rnn_forward_many(x, h0, p, lengths, nonlinearity, reverse)
    parts = _Networks(x, (h0,), p, lengths)
    if backend != NATIVE.name or not x.shape[2]:
        run = find_backend(backend).rnn_forward
        runs = [run(n.x, n.state[0], RNNParameters(*n.p), n.lengths, nonlinearity, reverse) for n in parts]
        return RNNForward(*map(torch.stack, zip(*runs, strict=True)))
    M, T, B, H = *x.shape[:3], p.weight_hh.shape[1]
    into = RNNForward(native.empty(x, (M, T, B, H)), native.empty(x, (M, B, H)))
    with native.side_by_side():
        for n, results in zip(parts, _each(into), strict=True):
            p_n, into_n = RNNParameters(*n.p), RNNForward(*results)
            native.rnn_forward(n.x, n.state[0], p_n, n.lengths, nonlinearity, reverse, into=into_n)
    return into


def rnn_backward(
    d_h: Tensor,
    d_final: Tensor,
    x: Tensor,
    h0: Tensor,
    p: RNNParameters,
    lengths: Tensor | None,
    saved: RNNForward,
    nonlinearity: str,
    reverse: bool,
    backend: str,
    input_error: bool,
) -> RNNBackward:
    """Gradients of all M networks."""
    g = nonlinearity
    if backend == TRITON.name and x.shape[2]:
        return triton.rnn_backward_many(d_h, d_final, x, h0, p, lengths, saved, g, reverse, input_error)
    parts = _Networks(x, (h0,), p, lengths)
    errors = _each(_dense((d_h, d_final)))
    if backend != NATIVE.name or not x.shape[2]:
        run = find_backend(backend).rnn_backward
        found = [
            run(
                *d,
                n.x,
                n.state[0],
                RNNParameters(*n.p),
                n.lengths,
                RNNForward(*kept),
                g,
                reverse,
                input_error,
            )
            for n, d, kept in zip(parts, errors, _each(saved), strict=True)
        ]
        return RNNBackward(*map(torch.stack, zip(*found, strict=True)))
    x_like = x if input_error else None
    into = tuple(None if one is None else native.empty(x, one.shape) for one in (x_like, h0, *p))
    saved = RNNForward(*_dense(saved))
    with native.side_by_side():
        for n, d, kept, results in zip(parts, errors, _each(saved), _each(into), strict=True):
            p_n, kept_n, (d_y, d_n) = RNNParameters(*n.p), RNNForward(*kept), d
            native.rnn_backward(
                d_y, d_n, n.x, n.state[0], p_n, n.lengths, kept_n, g, reverse, input_error, into=results
            )
    return RNNBackward(*(x.new_empty(0) if one is None else one for one in into))


class _Network(NamedTuple):
    """What one of the networks reads."""

    x: Tensor
    state: tuple[Any, ...]
    p: tuple[Any, ...]
    lengths: Tensor | None


class _Networks:
    """The arguments of M networks, dense, and so views of tensors that this object holds."""

    def __init__(
        self,
        x: Tensor,
        state: tuple[Tensor | None, ...],
        p: tuple[Tensor | None, ...],
        lengths: Tensor | None,
    ) -> None:
        shared = x.stride(0) == 0 or x.shape[0] == 1
        self.x = x[:1].contiguous().expand_as(x) if shared else x.contiguous()
        self.state, self.p = _dense(state), _dense(p)
        self.lengths = None
        if lengths is not None:
            self.lengths = lengths.to(torch.int64).contiguous().expand(x.shape[0], -1)

    def __iter__(self) -> Iterator[_Network]:
        M = len(self.x)
        states, lengths = _each(self.state, M), _each((self.lengths,), M)
        for x, state, p, (own,) in zip(self.x.unbind(0), states, _each(self.p, M), lengths, strict=True):
            yield _Network(x, state, p, own)


def _each(tensors: tuple[Any, ...], M: int | None = None) -> list[tuple[Any, ...]]:
    """For each network its part of every tensor; None, and what stands for nothing, for all alike."""
    M = M or len(next(one for one in tensors if one is not None and one.dim() > 1))
    return list(zip(*(_parts(one, M) for one in tensors), strict=True))


def _parts(tensor: Tensor | None, M: int) -> tuple[Tensor | None, ...]:
    if tensor is None or tensor.dim() < 2:
        return (tensor,) * M
    return tensor.unbind(0)


def _dense(tensors: tuple[Tensor | None, ...]) -> tuple[Any, ...]:
    return tuple(None if one is None else one.contiguous() for one in tensors)

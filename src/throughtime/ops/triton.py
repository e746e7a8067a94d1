"""The backend "triton": the contracts of the two loops, for one network or many at once, on a GPU.

The input's share W x + b is one product over all steps before the recurrence, and the gradients of W, R and
b are products over all steps after it (`triton_products`). Between them runs the recurrence, with R on chip
where it fits, step by step otherwise.

With many networks every tensor has a leading dimension M; lengths are (B,) for all or (M, B).
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from throughtime.cells import Variant
from throughtime.kernels import triton as kernels
from throughtime.ops import lstm_loop, simple_rnn_loop
from throughtime.ops.lstm_loop import LSTMBackward, LSTMErrors, LSTMForward, LSTMParameters, LSTMState
from throughtime.ops.simple_rnn_loop import RNNBackward, RNNErrors, RNNForward, RNNParameters
from throughtime.ops.triton_products import (
    input_gradients,
    meets_before,
    padded,
    peephole_gradient,
    project,
)


def can_compute(like: Tensor) -> bool:
    """Whether the kernels know a tensor's device and dtype."""
    return like.is_cuda and like.dtype in kernels.DTYPES


def lstm_forward(
    x: Tensor,
    state: LSTMState,
    p: LSTMParameters,
    lengths: Tensor | None,
    v: Variant,
    reverse: bool,
    *,
    bars: Tensor | None = None,
) -> LSTMForward:
    """As `lstm_loop.forward`."""
    if x.shape[1] == 0:
        return lstm_loop.forward(x, state, p, lengths, v, reverse)
    found = lstm_forward_many(
        x.unsqueeze(0), LSTMState(*_one(state)), LSTMParameters(*_one(p)), lengths, v, reverse, bars=_up(bars)
    )
    return LSTMForward(*_first(found))


def lstm_backward(
    d_y: Tensor,
    d_final: LSTMState,
    x: Tensor,
    state: LSTMState,
    p: LSTMParameters,
    lengths: Tensor | None,
    saved: LSTMForward,
    v: Variant,
    reverse: bool,
    input_error: bool,
    *,
    errors: LSTMErrors | None = None,
) -> LSTMBackward:
    """As `lstm_loop.backward`."""
    if x.shape[1] == 0:
        return lstm_loop.backward(d_y, d_final, x, state, p, lengths, saved, v, reverse, input_error)
    found = lstm_backward_many(
        d_y.unsqueeze(0),
        LSTMState(*_one(d_final)),
        x.unsqueeze(0),
        LSTMState(*_one(state)),
        LSTMParameters(*_one(p)),
        lengths,
        LSTMForward(*_one(saved)),
        v,
        reverse,
        input_error,
        errors=None if errors is None else LSTMErrors(*_one(errors)),
    )
    return LSTMBackward(*_first(found))


def rnn_forward(
    x: Tensor,
    h0: Tensor,
    p: RNNParameters,
    lengths: Tensor | None,
    nonlinearity: str,
    reverse: bool,
    *,
    bars: Tensor | None = None,
) -> RNNForward:
    """As `simple_rnn_loop.forward`."""
    if x.shape[1] == 0:
        return simple_rnn_loop.forward(x, h0, p, lengths, nonlinearity, reverse)
    many = RNNParameters(*_one(p))
    found = rnn_forward_many(
        x.unsqueeze(0), h0.unsqueeze(0), many, lengths, nonlinearity, reverse, bars=_up(bars)
    )
    return RNNForward(*_first(found))


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
    input_error: bool,
    *,
    errors: RNNErrors | None = None,
) -> RNNBackward:
    """As `simple_rnn_loop.backward`."""
    if x.shape[1] == 0:
        return simple_rnn_loop.backward(
            d_h, d_final, x, h0, p, lengths, saved, nonlinearity, reverse, input_error
        )
    found = rnn_backward_many(
        d_h.unsqueeze(0),
        d_final.unsqueeze(0),
        x.unsqueeze(0),
        h0.unsqueeze(0),
        RNNParameters(*_one(p)),
        lengths,
        RNNForward(*_one(saved)),
        nonlinearity,
        reverse,
        input_error,
        errors=None if errors is None else RNNErrors(*_one(errors)),
    )
    return RNNBackward(*_first(found))


def lstm_forward_many(
    x: Tensor,
    state: LSTMState,
    p: LSTMParameters,
    lengths: Tensor | None,
    v: Variant,
    reverse: bool,
    *,
    bars: Tensor | None = None,
) -> LSTMForward:
    """`lstm_forward` of M networks."""
    _check(x, "LSTM")
    from throughtime.kernels.triton import choose, resident

    projected, lengths = project(x, p.weight_ih, p.bias), _int64(lengths, x)
    y0, c0, recurrent, peephole = _dense(state.y), _dense(state.c), _dense(p.weight_hh), p.peephole
    peephole = None if peephole is None else _dense(peephole)
    if p.weight_gates is None and choose.fits_on_chip(recurrent, choose.LSTM_UNITS):
        found = resident.lstm_forward(
            projected, recurrent, peephole, y0, c0, lengths, v, reverse, bars
        )  # y, y_n, c_n, gates, cells
        return LSTMForward(*found[:3], x.new_empty(0), *found[3:])
    columns = _gate_columns(v, p)
    tensors = (projected, recurrent, _wide(p, columns), peephole, y0, c0, _row(state.gates, p, columns))
    y, y_n, c_n, gates, cells = _stepwise("lstm_forward", (*tensors, lengths), (v, reverse), bars)
    if lengths is not None:
        y.masked_fill_(padded(y, lengths), 0)
    gates_n = x.new_empty(0)
    if p.weight_gates is not None:
        gates_n = gates[:, 0 if reverse else -1].index_select(-1, columns)
    return LSTMForward(y, y_n, c_n, gates_n, gates, cells)


def lstm_backward_many(
    d_y: Tensor,
    d_final: LSTMState,
    x: Tensor,
    state: LSTMState,
    p: LSTMParameters,
    lengths: Tensor | None,
    saved: LSTMForward,
    v: Variant,
    reverse: bool,
    input_error: bool,
    *,
    errors: LSTMErrors | None = None,
) -> LSTMBackward:
    """`lstm_backward` of M networks."""
    _check(x, "LSTM")
    from throughtime.kernels.triton import choose, resident

    lengths, recurrent, c0 = _int64(lengths, x), _dense(p.weight_hh), _dense(state.c)
    gates, cells = _dense(saved.gates), _dense(saved.cells)
    peephole = None if p.peephole is None else _dense(p.peephole)
    d_bars = torch.empty_like(gates) if errors is None else errors.bars
    steps = None if errors is None else (errors.c, errors.y)
    errors_in = (_dense(d_y), _dense(d_final.y), _dense(d_final.c))
    d_gates0, d_weight_gates = x.new_empty(0), x.new_empty(0)
    if p.weight_gates is None and choose.fits_on_chip(recurrent, choose.LSTM_UNITS):
        d_y0, d_c0, d_peephole = resident.lstm_backward(
            *errors_in, recurrent, peephole, c0, lengths, gates, cells, d_bars, v, reverse, steps
        )
    else:
        columns = _gate_columns(v, p)
        tensors = (*errors_in, _row(d_final.gates, p, columns), recurrent, _wide(p, columns), peephole, c0)
        d_y0, d_c0, d_rows, d_bars = _stepwise(
            "lstm_backward", (*tensors, lengths, gates, cells, d_bars), (v, reverse), steps
        )
        d_peephole = peephole_gradient(d_bars, c0, cells, v, reverse) if peephole is not None else None
        if p.weight_gates is not None and state.gates is not None:
            own, before = d_bars.index_select(-1, columns), gates.index_select(-1, columns)
            d_gates0 = d_rows.index_select(-1, columns)
            d_weight_gates = meets_before(own, before, state.gates, reverse)
    shared = input_gradients(d_bars, x, p.weight_ih, p.bias, lengths, input_error)
    d_weight_hh = meets_before(d_bars, saved.y, state.y, reverse, lengths)
    d_peephole = x.new_empty(0) if d_peephole is None else d_peephole
    return LSTMBackward(
        shared.x, d_y0, d_c0, d_gates0, shared.weight_ih, d_weight_hh, shared.bias, d_peephole, d_weight_gates
    )


def rnn_forward_many(
    x: Tensor,
    h0: Tensor,
    p: RNNParameters,
    lengths: Tensor | None,
    nonlinearity: str,
    reverse: bool,
    *,
    bars: Tensor | None = None,
) -> RNNForward:
    """`rnn_forward` of M networks."""
    _check(x, "RNN")
    from throughtime.kernels.triton import choose, resident

    projected, lengths = project(x, p.weight_ih, p.bias), _int64(lengths, x)
    recurrent, h0 = _dense(p.weight_hh), _dense(h0)
    if choose.fits_on_chip(recurrent, choose.RNN_UNITS):
        return RNNForward(
            *resident.rnn_forward(projected, recurrent, h0, lengths, nonlinearity, reverse, bars)
        )
    h, h_n = _stepwise("rnn_forward", (projected, recurrent, h0, lengths), (nonlinearity, reverse), bars)
    if lengths is not None:
        h.masked_fill_(padded(h, lengths), 0)
    return RNNForward(h, h_n)


def rnn_backward_many(
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
    """`rnn_backward` of M networks."""
    _check(x, "RNN")
    from throughtime.kernels.triton import choose, resident

    lengths, recurrent, h = _int64(lengths, x), _dense(p.weight_hh), _dense(saved.h)
    d_bars = torch.empty_like(h) if errors is None else errors.a
    steps = None if errors is None else errors.h
    tensors = (_dense(d_h), _dense(d_final), recurrent, lengths, h, d_bars)
    if choose.fits_on_chip(recurrent, choose.RNN_UNITS):
        d_h0 = resident.rnn_backward(*tensors, nonlinearity, reverse, steps)
    else:
        d_h0, d_bars = _stepwise("rnn_backward", tensors, (nonlinearity, reverse), steps)
    shared = input_gradients(d_bars, x, p.weight_ih, p.bias, lengths, input_error)
    d_weight_hh = meets_before(d_bars, saved.h, h0, reverse, lengths)
    return RNNBackward(shared.x, d_h0, shared.weight_ih, d_weight_hh, shared.bias)


def _stepwise(name: str, tensors: tuple[Any, ...], how: tuple[Any, ...], recorded: Any) -> tuple[Tensor, ...]:
    """A function of `stepwise`, by a CUDA graph unless something is recorded.

    What a backward fills, the last of the tensors, follows its results.
    """
    from throughtime.kernels.triton import graphs, stepwise

    run = getattr(stepwise, name)

    def whole(*given: Any) -> tuple[Tensor, ...]:
        found = _tuple(run(*given, *how, recorded))
        return (*found, given[-1]) if name.endswith("backward") else found

    return whole(*tensors) if recorded is not None else graphs.run_captured((name, how), whole, tensors)


def _tuple(found: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (found,) if isinstance(found, Tensor) else found


def _check(x: Tensor, who: str) -> None:
    if x.dtype not in kernels.DTYPES or not (x.is_cuda or kernels.interpreting()):
        raise ValueError(
            f"{who}, backend 'triton': x is {x.dtype} on {x.device}, expected float32, bfloat16 or float64 "
            "on a CUDA device; move the network and its input there, or use backend='auto'."
        )


def _int64(lengths: Tensor | None, like: Tensor) -> Tensor | None:
    return None if lengths is None else lengths.to(like.device, torch.int64).contiguous()


@functools.lru_cache(maxsize=64)
def _columns(v: Variant, H: int, device: torch.device) -> Tensor:
    return lstm_loop.Layout.of(v, H).gate_columns(device)


def _gate_columns(v: Variant, p: LSTMParameters) -> Tensor:
    return _columns(v, p.weight_hh.shape[-1], p.weight_hh.device)


def _wide(p: LSTMParameters, columns: Tensor) -> Tensor | None:
    """weight_gates among zeros for z, (M, nH, nH)."""
    if p.weight_gates is None:
        return None
    M, rows = p.weight_hh.shape[:2]
    wide = p.weight_gates.new_zeros(M, rows, rows)
    wide[:, columns.unsqueeze(1), columns] = p.weight_gates
    return wide


def _row(gates: Tensor | None, p: LSTMParameters, columns: Tensor) -> Tensor | None:
    """Own gates (M, B, mH) in rows of nH values, zero for z."""
    if gates is None:
        return None
    row = gates.new_zeros(*gates.shape[:2], p.weight_hh.shape[1])
    row[..., columns] = gates
    return row


def _dense(value: Tensor) -> Tensor:
    return value.contiguous()


def _up(value: Tensor | None) -> Tensor | None:
    return None if value is None else value.unsqueeze(0)


def _one(values: tuple[Tensor | None, ...]) -> tuple[Any, ...]:
    return tuple(map(_up, values))


def _first(values: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Without the leading dimension; a tensor (0,) stands for one that does not exist."""
    return tuple(value if value.dim() == 1 and not value.numel() else value.squeeze(0) for value in values)

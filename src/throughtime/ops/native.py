"""The backend "native": the contracts of the two loops, filled by the C++ kernels.

Here tensors are made dense, results are allocated and arguments are put in the order of
`kernels/native/csrc/module.cpp`, which checks every tensor before it touches its memory.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Iterator, Sequence
from typing import Final

import torch
from torch import Tensor

from throughtime.cells import Variant
from throughtime.kernels import native
from throughtime.ops import lstm_loop, simple_rnn_loop
from throughtime.ops.lstm_loop import LSTMBackward, LSTMErrors, LSTMForward, LSTMParameters, LSTMState
from throughtime.ops.padding import lengths_for_kernels
from throughtime.ops.simple_rnn_loop import RNNBackward, RNNErrors, RNNForward, RNNParameters

NONLINEARITIES: Final = {"tanh": 0, "relu": 1, "logistic": 2, "identity": 3}
_FORGET: Final = {"own": 0, "coupled": 1, "none": 2}
_LARGE: Final = 1 << 20  # bytes from which a result gets memory that is used again


def can_compute(like: Tensor) -> bool:
    """Whether the kernels know a tensor's device and dtype."""
    return like.device.type == "cpu" and like.dtype in native.DTYPES


def lstm_forward(
    x: Tensor,
    state: LSTMState,
    p: LSTMParameters,
    lengths: Tensor | None,
    v: Variant,
    reverse: bool,
    *,
    bars: Tensor | None = None,
    into: LSTMForward | None = None,
) -> LSTMForward:
    """As `lstm_loop.forward`; fills `bars` (T, B, nH) with the values before the activation if given.

    Results are written into `into` if given.
    """
    T, B, H = x.shape[0], x.shape[1], p.weight_hh.shape[1]
    if B == 0:
        return lstm_loop.forward(x, state, p, lengths, v, reverse)
    if into is not None:
        _lstm_forward(x, state, p, lengths, v, reverse, into.gates, into.cells, bars, into)
        return into
    gates, cells = empty(x, (T, B, p.weight_hh.shape[0])), empty(x, (T, B, H))
    y, y_n, c_n, gates_n = _lstm_forward(x, state, p, lengths, v, reverse, gates, cells, bars)
    return LSTMForward(y, y_n, c_n, x.new_empty(0) if gates_n is None else gates_n, gates, cells)


def lstm_outputs(
    x: Tensor, state: LSTMState, p: LSTMParameters, lengths: Tensor | None, v: Variant, reverse: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """y, y_n, c_n and under FGR gates_n of `lstm_forward`, where no backward will follow."""
    if x.shape[1] == 0:
        return lstm_loop.forward(x, state, p, lengths, v, reverse)[:4]
    return _lstm_forward(x, state, p, lengths, v, reverse, None, None, None)


def _lstm_forward(
    x: Tensor,
    state: LSTMState,
    p: LSTMParameters,
    lengths: Tensor | None,
    v: Variant,
    reverse: bool,
    gates: Tensor | None,
    cells: Tensor | None,
    bars: Tensor | None,
    into: LSTMForward | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    T, B, H = x.shape[0], x.shape[1], p.weight_hh.shape[1]
    if into is None:
        y, y_n, c_n = empty(x, (T, B, H)), x.new_empty(B, H), x.new_empty(B, H)
        gates_n = x.new_empty(B, p.weight_gates.shape[0]) if p.weight_gates is not None else None
    else:
        y, y_n, c_n = into.y, into.y_n, into.c_n
        gates_n = into.gates_n if p.weight_gates is not None else None
    native.module().lstm_forward(
        native.instruction_set_index(),
        torch.get_num_threads(),
        variant_code(v),
        reverse,
        (
            _rows(x),
            state.y.contiguous(),
            state.c.contiguous(),
            _dense(state.gates),
            p.weight_ih.contiguous(),
            p.weight_hh.contiguous(),
            _dense(p.bias),
            _dense(p.peephole),
            _dense(p.weight_gates),
            lengths_for_kernels(lengths),
        ),
        (y, y_n, c_n, gates_n, gates, cells, bars),
    )
    return y, y_n, c_n, gates_n


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
    """As `lstm_loop.backward`; an error in `d_final` may be None for zero. Fills `errors` if given."""
    if x.shape[1] == 0:
        d_final = LSTMState(torch.zeros_like(state.y), torch.zeros_like(state.c), state.gates)
        return lstm_loop.backward(d_y, d_final, x, state, p, lengths, saved, v, reverse, input_error)
    found = lstm_gradients(d_y, d_final, x, state, p, lengths, saved, v, reverse, input_error, errors=errors)
    return LSTMBackward(*(x.new_empty(0) if value is None else value for value in found))


def lstm_gradients(
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
    state_error: bool = True,
    errors: LSTMErrors | None = None,
    into: tuple[Tensor | None, ...] | None = None,
) -> tuple[Tensor | None, ...]:
    """`lstm_backward` of a batch that is not empty, with None for what does not exist or nobody wants.

    Results are written into `into`, in the order in which they are returned, if given.
    """
    gradients = into
    if gradients is None:
        gradients = (
            empty(x, x.shape) if input_error else None,
            *(_empty_like(part) if state_error else None for part in state),
            empty(x, p.weight_ih.shape),
            empty(x, p.weight_hh.shape),
            *map(_empty_like, p[2:]),
        )
    native.module().lstm_backward(
        native.instruction_set_index(),
        torch.get_num_threads(),
        variant_code(v),
        reverse,
        (
            _errors(d_y),
            _dense(d_final.y),
            _dense(d_final.c),
            _dense(d_final.gates),
            _rows(x),
            state.y.contiguous(),
            state.c.contiguous(),
            _dense(state.gates),
            p.weight_ih.contiguous(),
            p.weight_hh.contiguous(),
            _dense(p.peephole),
            _dense(p.weight_gates),
            lengths_for_kernels(lengths),
            saved.y.contiguous(),
            saved.gates.contiguous(),
            saved.cells.contiguous(),
        ),
        (*gradients, *(errors or (None, None, None))),
    )
    return gradients


def rnn_forward(
    x: Tensor,
    h0: Tensor,
    p: RNNParameters,
    lengths: Tensor | None,
    nonlinearity: str,
    reverse: bool,
    *,
    bars: Tensor | None = None,
    into: RNNForward | None = None,
) -> RNNForward:
    """As `simple_rnn_loop.forward`; fills `bars` (T, B, H) with a(t) if given, results into `into`."""
    T, B, H = x.shape[0], x.shape[1], p.weight_hh.shape[0]
    if B == 0:
        return simple_rnn_loop.forward(x, h0, p, lengths, nonlinearity, reverse)
    h, h_n = into or (empty(x, (T, B, H)), x.new_empty(B, H))
    native.module().rnn_forward(
        native.instruction_set_index(),
        torch.get_num_threads(),
        NONLINEARITIES[nonlinearity],
        reverse,
        (
            _rows(x),
            h0.contiguous(),
            p.weight_ih.contiguous(),
            p.weight_hh.contiguous(),
            _dense(p.bias),
            lengths_for_kernels(lengths),
        ),
        (h, h_n, bars),
    )
    return RNNForward(h, h_n)


def rnn_backward(
    d_h: Tensor,
    d_final: Tensor | None,
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
    into: tuple[Tensor | None, ...] | None = None,
) -> RNNBackward:
    """As `simple_rnn_loop.backward`; `d_final` may be None for zero. Fills `errors`, `into` if given."""
    if x.shape[1] == 0:
        d_final = torch.zeros_like(h0) if d_final is None else d_final
        return simple_rnn_loop.backward(
            d_h, d_final, x, h0, p, lengths, saved, nonlinearity, reverse, input_error
        )
    gradients = into
    if gradients is None:
        gradients = (
            empty(x, x.shape) if input_error else None,
            torch.empty_like(h0),
            empty(x, p.weight_ih.shape),
            empty(x, p.weight_hh.shape),
            _empty_like(p.bias),
        )
    native.module().rnn_backward(
        native.instruction_set_index(),
        torch.get_num_threads(),
        NONLINEARITIES[nonlinearity],
        reverse,
        (
            _errors(d_h),
            _dense(d_final),
            _rows(x),
            h0.contiguous(),
            p.weight_ih.contiguous(),
            p.weight_hh.contiguous(),
            lengths_for_kernels(lengths),
            saved.h.contiguous(),
        ),
        (*gradients, *(errors or (None, None))),
    )
    return RNNBackward(*(_or_nothing(value, x) for value in gradients))


@contextlib.contextmanager
def side_by_side() -> Iterator[None]:
    """Calls of this thread in the block run at its end, each on one thread, several beside each other.

    Every tensor that goes into one of them must live until then: results go into `into`, and all are dense.
    """
    native.module().gather()
    try:
        yield
        native.module().run_gathered(torch.get_num_threads())
    finally:
        native.module().drop_gathered()


@functools.lru_cache(maxsize=256)
def variant_code(v: Variant) -> list[int]:
    """A variant as `module.cpp` reads it."""
    return [
        int(v.input_gate),
        _FORGET[v.forget_gate],
        int(v.output_gate),
        int(v.input_activation == "tanh"),
        int(v.output_activation == "tanh"),
        int(v.full_gate_recurrence),
    ]


def empty(like: Tensor, shape: Sequence[int]) -> Tensor:
    """An uninitialised tensor; a large one in memory that the kernels keep and use again."""
    size = math.prod(shape) * like.element_size()
    if size < _LARGE:
        return like.new_empty(shape)
    return torch.frombuffer(native.module().Block(size), dtype=like.dtype).view(shape)


def _empty_like(value: Tensor | None) -> Tensor | None:
    return None if value is None else value.new_empty(value.shape)


def _dense(value: Tensor | None) -> Tensor | None:
    return None if value is None else value.contiguous()


def _rows(value: Tensor) -> Tensor:
    """`value` (T, B, ·) so that each row is dense; the rows may lie in any order."""
    if value.is_contiguous() or value.stride(2) == 1 or value.shape[2] == 1:
        return value
    return value.contiguous()


def _errors(value: Tensor) -> Tensor:
    """As `_rows`; the kernels take one number seen from everywhere, as the error of a sum is, as it is."""
    return value if value.stride() == (0, 0, 0) else _rows(value)


def _or_nothing(value: Tensor | None, like: Tensor) -> Tensor:
    return like.new_empty(0) if value is None else value

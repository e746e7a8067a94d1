"""One sequence through a layer with everything that happened kept: the ops behind `throughtime.record`.

The same kernels as without recording, told to fill the buffers that a recording wants. What the backward
needs anyway (y, the gates, c) is handed out as it is, not copied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor

from throughtime.cells import Variant
from throughtime.ops import native
from throughtime.ops.autocast import without_autocast
from throughtime.ops.backends import NATIVE
from throughtime.ops.backends import backend as find_backend
from throughtime.ops.lstm_loop import LSTMErrors, LSTMForward, LSTMParameters, LSTMState
from throughtime.ops.padding import check_lengths
from throughtime.ops.simple_rnn_loop import RNNErrors, RNNForward, RNNParameters

_NOTHING: Final[Mapping[str, Tensor]] = MappingProxyType({})


class LSTMRun(NamedTuple):
    """A forward pass: the results of the layer, and what stays behind without a history.

    Attributes:
        y: Block output (T, B, H).
        final: State after the last step.
        gates: Blocks after their activation, (T, B, nH); see `lstm_loop` for padded steps.
        cells: c(t), (T, B, H); the same.
        bars: Blocks before their activation, (T, B, nH), zero at padded steps; None if not wanted.
        beside: What a regularised layer has beside its plain cell, by name; see `regularised_sight`.
    """

    y: Tensor
    final: LSTMState
    gates: Tensor
    cells: Tensor
    bars: Tensor | None
    beside: Mapping[str, Tensor] = _NOTHING


class LSTMErrorsFound(NamedTuple):
    """A backward pass.

    Attributes:
        above: Error that came to y from outside, (T, B, H), as autograd gave it; None for none.
        steps: Errors by step.
        x: Error of the input, (T, B, I).
        final: Errors that came to the returned state; None for none.
        initial: Errors of the initial state.
        beside: Errors of what a regularised layer has beside its plain cell, by name.
    """

    above: Tensor | None
    steps: LSTMErrors
    x: Tensor
    final: tuple[Tensor | None, ...]
    initial: tuple[Tensor | None, ...]
    beside: Mapping[str, Tensor] = _NOTHING


class RNNRun(NamedTuple):
    """A forward pass: h (T, B, H), h after the last step, a (T, B, H) or None; `beside` as in `LSTMRun`."""

    h: Tensor
    h_n: Tensor
    a: Tensor | None
    beside: Mapping[str, Tensor] = _NOTHING


class RNNErrorsFound(NamedTuple):
    """A backward pass, as `LSTMErrorsFound`."""

    above: Tensor | None
    steps: RNNErrors
    x: Tensor
    final: tuple[Tensor | None, ...]
    initial: tuple[Tensor | None, ...]
    beside: Mapping[str, Tensor] = _NOTHING


OnLSTMErrors = Callable[[LSTMErrorsFound], None]
OnRNNErrors = Callable[[RNNErrorsFound], None]


def run_lstm(
    x: Tensor,
    state: LSTMState,
    p: LSTMParameters,
    lengths: Tensor | None,
    variant: str,
    reverse: bool,
    backend: str,
    *,
    bars: bool,
    found: OnLSTMErrors | None,
) -> LSTMRun:
    """As `ops.run_lstm`, and keep what happens.

    Args:
        x: Input (T, B, I).
        state: Initial state.
        p: Parameters.
        lengths: (B,) or None.
        variant: Name of the variant.
        reverse: Direction.
        backend: Name of the backend.
        bars: Whether the values before the activation are wanted.
        found: Called at the end of each backward pass with its errors; None if they are not wanted.

    Raises:
        NotImplementedError: something other than autograd transforms the computation.
    """
    refuse_transforms("LSTM")
    if lengths is not None:
        check_lengths(lengths, x.shape[0], x.shape[1], "LSTM")
    results = _LSTM.apply(  # type: ignore[no-untyped-call]
        bars, found, variant, reverse, backend, x, *state, *p, lengths
    )
    y, y_n, c_n, gates_n, gates, cells, before = results
    final = LSTMState(y_n, c_n, None if state.gates is None else gates_n)
    return LSTMRun(y, final, gates, cells, before)


def run_rnn(
    x: Tensor,
    h0: Tensor,
    p: RNNParameters,
    lengths: Tensor | None,
    nonlinearity: str,
    reverse: bool,
    backend: str,
    *,
    bars: bool,
    found: OnRNNErrors | None,
) -> RNNRun:
    """As `ops.run_simple_rnn`, and keep what happens; see `run_lstm`."""
    refuse_transforms("RNN")
    if lengths is not None:
        check_lengths(lengths, x.shape[0], x.shape[1], "RNN")
    results = _RNN.apply(  # type: ignore[no-untyped-call]
        bars, found, nonlinearity, reverse, backend, x, h0, *p, lengths
    )
    return RNNRun(*results)


_FIRST = 5  # arguments of the functions below before x


class _LSTM(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> tuple[Tensor | None, ...]:
        with_bars, ctx.found, variant, ctx.reverse, ctx.backend, *tensors = arguments
        x, y0, c0, gates0, *parameters, lengths = tensors
        p, ctx.variant = LSTMParameters(*parameters), Variant.parse(variant)
        shape = (x.shape[0], x.shape[1], p.weight_hh.shape[0])
        bars = _empty(ctx.backend, x, shape) if with_bars else None
        with without_autocast(x):
            run = find_backend(ctx.backend).lstm_forward(
                x, LSTMState(y0, c0, gates0), p, lengths, ctx.variant, ctx.reverse, bars=bars
            )
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(*tensors, run.y, run.gates, run.cells)
        ctx.set_materialize_grads(False)
        kept = [run.gates, run.cells, *([] if bars is None else [bars])]
        ctx.mark_non_differentiable(*kept, *([run.gates_n] if gates0 is None else []))
        return (*run, bars)

    @staticmethod
    def backward(ctx: Any, *d_results: Tensor | None) -> tuple[Tensor | None, ...]:
        refuse_second_derivatives("LSTM")
        *tensors, y, gates, cells = ctx.saved_tensors
        x, y0, c0, gates0, *parameters, lengths = tensors
        above, d_y_n, d_c_n, d_gates_n = d_results[:4]
        final = (d_y_n, d_c_n, None if gates0 is None else d_gates_n)
        errors = None
        if ctx.found is not None:
            errors = LSTMErrors(*(_empty(ctx.backend, x, value.shape) for value in (gates, cells, y)))
        with without_autocast(x):
            found = find_backend(ctx.backend).lstm_backward(
                _or_zeros(above, y),
                LSTMState(
                    _or_zeros(d_y_n, y0),
                    _or_zeros(d_c_n, c0),
                    None if gates0 is None else _or_zeros(d_gates_n, gates0),
                ),
                x,
                LSTMState(y0, c0, gates0),
                LSTMParameters(*parameters),
                lengths,
                LSTMForward(y, y0, c0, y0, gates, cells),
                ctx.variant,
                ctx.reverse,
                ctx.found is not None or ctx.needs_input_grad[_FIRST],
                errors=errors,
            )
        if ctx.found is not None and errors is not None:
            initial = (found.y0, found.c0, None if gates0 is None else found.gates0)
            ctx.found(LSTMErrorsFound(above, errors, found.x, final, initial))
        return (*(None,) * _FIRST, *_wanted(ctx, found), None)


class _RNN(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> tuple[Tensor | None, ...]:
        with_bars, ctx.found, ctx.nonlinearity, ctx.reverse, ctx.backend, *tensors = arguments
        x, h0, *parameters, lengths = tensors
        p = RNNParameters(*parameters)
        bars = _empty(ctx.backend, x, (x.shape[0], x.shape[1], p.weight_hh.shape[0])) if with_bars else None
        with without_autocast(x):
            run = find_backend(ctx.backend).rnn_forward(
                x, h0, p, lengths, ctx.nonlinearity, ctx.reverse, bars=bars
            )
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(*tensors, run.h)
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*([] if bars is None else [bars]))
        return (*run, bars)

    @staticmethod
    def backward(ctx: Any, *d_results: Tensor | None) -> tuple[Tensor | None, ...]:
        refuse_second_derivatives("RNN")
        *tensors, h = ctx.saved_tensors
        x, h0, *parameters, lengths = tensors
        above, d_h_n = d_results[:2]
        errors = None
        if ctx.found is not None:
            errors = RNNErrors(_empty(ctx.backend, x, h.shape), _empty(ctx.backend, x, h.shape))
        with without_autocast(x):
            found = find_backend(ctx.backend).rnn_backward(
                _or_zeros(above, h),
                _or_zeros(d_h_n, h0),
                x,
                h0,
                RNNParameters(*parameters),
                lengths,
                RNNForward(h, h0),
                ctx.nonlinearity,
                ctx.reverse,
                ctx.found is not None or ctx.needs_input_grad[_FIRST],
                errors=errors,
            )
        if ctx.found is not None and errors is not None:
            ctx.found(RNNErrorsFound(above, errors, found.x, (d_h_n,), (found.h0,)))
        return (*(None,) * _FIRST, *_wanted(ctx, found), None)


def refuse_transforms(who: str) -> None:
    """Refuse whatever would make a recording hold something else than what was computed.

    Raises:
        NotImplementedError: torch.func, fake tensors, tracing or activation checkpointing is at work.
    """
    if (
        torch._C._functorch.peek_interpreter_stack() is not None
        or torch._C._get_tracing_state() is not None
        or torch._C._len_torch_dispatch_stack() > 0
    ):
        raise NotImplementedError(
            f"record: {who} cannot be recorded under torch.func transforms (vmap, grad), tracing, fake "
            "tensors or another dispatch mode; call the network without them in the block."
        )
    if torch._C._current_graph_task_id() != -1:
        raise NotImplementedError(
            f"record: {who} is run again within backward(), as activation checkpointing does; record it "
            "without checkpointing."
        )


def refuse_second_derivatives(who: str) -> None:
    """Refuse create_graph=True.

    Raises:
        NotImplementedError: autograd wants to differentiate the backward.
    """
    if torch.is_grad_enabled():
        raise NotImplementedError(
            f"record: {who} was recorded, and create_graph=True asks for derivatives of its errors, which a "
            "recording does not hold; leave create_graph out, or run the network outside the block."
        )


def _empty(backend: str, like: Tensor, shape: tuple[int, ...]) -> Tensor:
    return native.empty(like, shape) if backend == NATIVE.name else like.new_empty(shape)


def _or_zeros(error: Tensor | None, like: Tensor) -> Tensor:
    return torch.zeros_like(like) if error is None else error


def _wanted(ctx: Any, found: tuple[Tensor, ...]) -> tuple[Tensor | None, ...]:
    pairs = zip(ctx.needs_input_grad[_FIRST:-1], found, strict=True)
    return tuple(error if needed else None for needed, error in pairs)

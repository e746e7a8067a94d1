"""A regularised layer with everything that happened kept: `recorded` for layer norm, zoneout and dropout."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from throughtime.cells import LSTMCell, SimpleRNNCell, Values
from throughtime.ops.autocast import without_autocast
from throughtime.ops.lstm_loop import LSTMErrors, LSTMState
from throughtime.ops.noise import Noise
from throughtime.ops.padding import check_lengths
from throughtime.ops.recorded import (
    LSTMErrorsFound,
    LSTMRun,
    OnLSTMErrors,
    OnRNNErrors,
    RNNErrorsFound,
    RNNRun,
    refuse_second_derivatives,
    refuse_transforms,
)
from throughtime.ops.regularised import BACKENDS
from throughtime.ops.regularised_loop import Arriving, Errors, Inputs, Kept, Way
from throughtime.ops.regularised_sight import Sight
from throughtime.ops.simple_rnn_loop import RNNErrors

_FIRST = 6  # arguments of the function below before x
_TENSORS = len(Inputs._fields) + 3  # from x on: the inputs, mask, seed, lengths


def run_lstm(
    inputs: Inputs, way: Way, backend: str, names: frozenset[str], *, bars: bool, found: OnLSTMErrors | None
) -> LSTMRun:
    """As `recorded.run_lstm`; `names` are the values and errors that are wanted."""
    y, y_n, c_n, gates_n, gates, cells, before = _run(inputs, way, backend, names, found)
    final = LSTMState(y_n, c_n, None if inputs.gates0 is None else gates_n)
    beside = _beside(inputs, way, y, gates, cells, names)
    return LSTMRun(y, final, gates, cells, before if bars else None, beside)


def run_rnn(
    inputs: Inputs, way: Way, backend: str, names: frozenset[str], *, bars: bool, found: OnRNNErrors | None
) -> RNNRun:
    """As `recorded.run_rnn`; `names` are the values and errors that are wanted."""
    h, h_n, _, _, gates, cells, before = _run(inputs, way, backend, names, found)
    beside = _beside(inputs, way, h, gates, cells, names)
    return RNNRun(h, h_n, before if bars else None, beside)


@torch.no_grad()
def _beside(
    inputs: Inputs, way: Way, y: Tensor, gates: Tensor, cells: Tensor, names: frozenset[str]
) -> Values:
    with without_autocast(y):
        return Sight(inputs, way, y.detach(), gates, cells).values(names)


def _run(
    inputs: Inputs,
    way: Way,
    backend: str,
    names: frozenset[str],
    found: OnLSTMErrors | OnRNNErrors | None,
) -> tuple[Tensor, ...]:
    who = way.cell.name.partition(" ")[0]
    refuse_transforms(who)
    if way.lengths is not None:
        check_lengths(way.lengths, inputs.x.shape[0], inputs.x.shape[1], who)
    made: tuple[Tensor, ...] = _Recorded.apply(  # type: ignore[no-untyped-call]
        found,
        names,
        way.cell,
        way.reverse,
        backend,
        way.noise.zoneout,
        *inputs,
        way.noise.mask,
        way.noise.seed,
        way.lengths,
    )
    return made


class _Recorded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> tuple[Tensor, ...]:
        ctx.found, ctx.names, ctx.cell, ctx.reverse, ctx.backend, ctx.zoneout, *tensors = arguments
        inputs, way = _unpack(ctx, tensors)
        bars = inputs.x.new_empty(*inputs.x.shape[:2], inputs.weight_hh.shape[0])
        with without_autocast(inputs.x):
            *results, kept = BACKENDS[ctx.backend].forward(inputs, way, True, bars=bars)
        ctx.save_for_backward(*tensors, results[0], *kept)
        ctx.set_materialize_grads(False)
        unused = [value for value, given in zip(results[2:], inputs[2:4], strict=True) if given is None]
        ctx.mark_non_differentiable(kept.gates, kept.cells, bars, *unused)
        return (*results, kept.gates, kept.cells, bars)

    @staticmethod
    def backward(ctx: Any, *d_results: Tensor | None) -> tuple[Tensor | None, ...]:
        refuse_second_derivatives(ctx.cell.name.partition(" ")[0])
        saved = ctx.saved_tensors
        (inputs, way), (y, *kept) = _unpack(ctx, saved[:_TENSORS]), saved[_TENSORS:]
        d_y, d_y_n, d_c_n, d_gates_n = d_results[:4]
        arriving = Arriving(
            d_y,
            d_y_n,
            None if inputs.c0 is None else d_c_n,
            None if inputs.gates0 is None else d_gates_n,
        )
        rows = y.new_empty(*y.shape[:2], inputs.weight_hh.shape[0])
        gated, zoneout = inputs.c0 is not None, any(ctx.zoneout)
        errors = Errors(
            rows,
            torch.empty_like(y) if gated else None,
            torch.empty_like(y),
            torch.empty_like(y) if gated and zoneout else None,
        )
        with without_autocast(y):
            wanted = ctx.found is not None or ctx.needs_input_grad[_FIRST]
            run = BACKENDS[ctx.backend].backward
            found = run(arriving, inputs, way, y, Kept(*kept), wanted, errors=errors)
            if ctx.found is not None:
                sight = Sight(inputs, way, y, *kept[:2])
                ctx.found(_found(ctx.cell, arriving, errors, found, sight.errors(errors, ctx.names)))
        needed = ctx.needs_input_grad[_FIRST : _FIRST + len(found)]
        given = (error if want else None for want, error in zip(needed, found, strict=True))
        return (*(None,) * _FIRST, *given, None, None, None)


def _unpack(ctx: Any, tensors: list[Any]) -> tuple[Inputs, Way]:
    *own, mask, seed, lengths = tensors
    return Inputs(*own), Way(ctx.cell, Noise(mask, ctx.zoneout, seed), lengths, ctx.reverse)


def _found(
    cell: LSTMCell | SimpleRNNCell,
    arriving: Arriving,
    errors: Errors,
    found: tuple[Tensor, ...],
    beside: Values,
) -> LSTMErrorsFound | RNNErrorsFound:
    if errors.c is None:
        steps = RNNErrors(errors.bars, errors.y)
        return RNNErrorsFound(arriving.y, steps, found[0], (arriving.y_n,), (found[1],), beside)
    initial = (found[1], found[2], found[3] if len(cell.state) > 2 else None)
    final = (arriving.y_n, arriving.c_n, arriving.gates_n)
    c = errors.c if errors.c_after is None else errors.c_after
    return LSTMErrorsFound(arriving.y, LSTMErrors(errors.bars, c, errors.y), found[0], final, initial, beside)

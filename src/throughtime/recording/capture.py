"""From what an op found to the record of a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from throughtime.cells import LSTMCell, SimpleRNNCell
from throughtime.nn.lstm import LSTMLayer
from throughtime.nn.recurrent import Layer, State
from throughtime.nn.regularisation import draw_noise, inputs_of
from throughtime.nn.rnn import RNNLayer
from throughtime.ops import recorded, recorded_regularised
from throughtime.ops.backends import resolve
from throughtime.ops.lstm_loop import LSTMParameters, LSTMState
from throughtime.ops.padding import Padding, padding
from throughtime.ops.recorded import LSTMErrorsFound, LSTMRun, OnLSTMErrors, OnRNNErrors, RNNErrorsFound
from throughtime.ops.regularised import backend_for
from throughtime.ops.regularised_loop import PARAMETERS, Inputs, Way
from throughtime.ops.simple_rnn_loop import RNNParameters
from throughtime.ops.transforms import refuse_forward_mode
from throughtime.recording.arrays import Array, Arrays
from throughtime.recording.layer_record import LayerRecord
from throughtime.recording.selection import value_names

FoundT = TypeVar("FoundT", LSTMErrorsFound, RNNErrorsFound)


class _Job(NamedTuple):
    """One run of a layer: its arguments, what to keep of it, and where."""

    x: Tensor
    state: State
    lengths: Tensor | None
    names: frozenset[str]
    record: LayerRecord
    pad: Padding | None

    @property
    def with_errors(self) -> bool:
        return any(name.startswith("d_") for name in self.names)


def run_and_keep(
    layer: Layer, path: str, x: Tensor, state: State, lengths: Tensor | None, names: frozenset[str]
) -> tuple[Tensor, State, LayerRecord]:
    """Run one sequence through a layer in its direction.

    Args:
        layer: The layer.
        path: Its path in the model.
        x: Input (T, B, I).
        state: Initial state.
        lengths: (B,) or None.
        names: The values and errors to keep.

    Returns:
        Output, final state, and the record, whose errors follow when `backward()` arrives.

    Raises:
        NotImplementedError: something other than autograd transforms the computation.
    """
    refuse_forward_mode("record", x, *state, *layer.parameters(recurse=False))
    record = _begin(layer, path, x, state, lengths)
    job = _Job(x, state, lengths, names, record, padding(lengths, x))
    if isinstance(layer, LSTMLayer):
        output, final = _run_lstm(layer, job)
    elif isinstance(layer, RNNLayer):
        output, final = _run_rnn(layer, job)
    else:
        raise NotImplementedError(f"record: a layer of the class {type(layer).__name__} cannot be recorded.")
    record.final = _named_state(record.initial, final)
    return output, final, record


def _begin(layer: Layer, path: str, x: Tensor, state: State, lengths: Tensor | None) -> LayerRecord:
    """The record before the layer has run."""
    lstm = isinstance(layer, LSTMLayer)
    cell = layer.cell
    variant = cell.variant if isinstance(cell, LSTMCell) else None
    parameters = {name: getattr(layer, name) for name in PARAMETERS}
    beside = tuple(layer.regularisation.names(layer.training))
    like = layer.weight_hh
    return LayerRecord(
        path=path,
        kind="LSTM" if lstm else "RNN",
        variant=variant.with_peepholes().name if variant else "",
        peepholes=variant.peepholes if variant else False,
        nonlinearity=cell.nonlinearity if isinstance(cell, SimpleRNNCell) else "",
        T=x.shape[0],
        B=x.shape[1],
        input_size=x.shape[2],
        hidden_size=layer.weight_hh.shape[1],
        reverse=layer.runs_in_reverse,
        backend=backend_for(layer.backend, like) if beside else resolve(layer.backend, like),
        beside=beside,
        dtype=layer.weight_hh.dtype,
        lengths=None if lengths is None else lengths.detach().cpu().to(torch.int64).clone(),
        values={},
        errors={},
        initial=_named_state(cell.state, state),
        final={},
        initial_errors={},
        final_errors={},
        parameters={name: p.detach().clone() for name, p in parameters.items() if p is not None},
    )


def _named_state(names: Sequence[str] | Mapping[str, Tensor], state: Sequence[Tensor]) -> dict[str, Tensor]:
    """Copies of a state's tensors by name; under FGR the third holds the own gates side by side."""
    names = tuple(names)
    parts = [*state[:2], *(state[2].chunk(len(names) - 2, dim=-1) if len(state) > 2 else ())]
    return {name: part.detach().clone() for name, part in zip(names, parts, strict=True)}


def _run_lstm(layer: LSTMLayer, job: _Job) -> tuple[Tensor, State]:
    x, state, lengths, names, record, pad = job
    bars = any(f"{block}_bar" in names for block in layer.cell.variant.blocks)
    found: OnLSTMErrors | None = None
    if job.with_errors:
        found = _take_errors(job, lambda errors: _lstm_errors(layer.cell, errors, names))
    if record.beside:
        run = recorded_regularised.run_lstm(*_regularised(layer, job), names, bars=bars, found=found)
    else:
        run = recorded.run_lstm(
            x,
            LSTMState(state[0], state[1], state[2] if len(state) == 3 else None),
            LSTMParameters(layer.weight_ih, layer.weight_hh, layer.bias, layer.peephole, layer.weight_gates),
            lengths,
            layer.variant_name,
            layer.runs_in_reverse,
            record.backend,
            bars=bars,
            found=found,
        )
    record.values = Arrays(_lstm_values(layer, x, run, names), pad)
    return run.y, tuple(part for part in run.final if part is not None)


def _regularised(layer: LSTMLayer | RNNLayer, job: _Job) -> tuple[Inputs, Way, str]:
    """The layer's arguments where it is no plain cell."""
    way = Way(layer.cell, draw_noise(layer, job.state), job.lengths, layer.runs_in_reverse)
    return inputs_of(layer, job.x, job.state), way, job.record.backend


def _lstm_values(layer: LSTMLayer, x: Tensor, run: LSTMRun, names: frozenset[str]) -> dict[str, Array]:
    """The values that are wanted, by name."""
    cell, order = layer.cell, value_names(layer)
    blocks, H = cell.variant.blocks, run.cells.shape[-1]
    arrays = {"x": _of_user(x), "y": _of_user(run.y), "c": Array.of(run.cells)}
    if run.bars is not None:
        arrays |= _blocks(run.bars, [f"{block}_bar" for block in blocks], names)
    arrays |= _blocks(run.gates, blocks, names)
    one = run.cells.new_ones(()).expand(run.cells.shape)
    arrays |= {gate: Array.of(one) for gate in ("i", "f", "o") if gate not in blocks}
    if cell.variant.forget_gate == "coupled" and "f" in names:
        f = Array.of(run.gates, (0, H), complement=True)  # i is the first block
        arrays["f"] = f if set(blocks) <= names else f.alone()
    arrays |= {name: Array.of(value) for name, value in run.beside.items()}
    return {name: arrays[name] for name in order if name in names and name in arrays}


def _lstm_errors(cell: LSTMCell, found: LSTMErrorsFound, names: frozenset[str]) -> dict[str, Array]:
    arrays = _blocks(found.steps.bars, [f"d_{block}_bar" for block in cell.variant.blocks], names)
    above = _or_zeros(found.above, found.steps.y)
    rest = {"d_c": found.steps.c, "d_y": found.steps.y, "d_x": found.x, "d_above": above, **found.beside}
    return arrays | {name: Array.of(error) for name, error in rest.items() if name in names}


def _run_rnn(layer: RNNLayer, job: _Job) -> tuple[Tensor, State]:
    x, state, lengths, names, record, pad = job
    found: OnRNNErrors | None = None
    if job.with_errors:
        found = _take_errors(job, lambda errors: _rnn_errors(errors, names))
    if record.beside:
        run = recorded_regularised.run_rnn(*_regularised(layer, job), names, bars="a" in names, found=found)
    else:
        run = recorded.run_rnn(
            x,
            state[0],
            RNNParameters(layer.weight_ih, layer.weight_hh, layer.bias),
            lengths,
            layer.nonlinearity,
            layer.runs_in_reverse,
            record.backend,
            bars="a" in names,
            found=found,
        )
    arrays = {"x": _of_user(x)}
    if run.a is not None:
        arrays["a"] = Array.of(run.a)
    arrays |= {name: Array.of(value) for name, value in run.beside.items()}
    arrays["h"] = _of_user(run.h)
    order = [name for name in value_names(layer) if name in names and name in arrays]
    record.values = Arrays({name: arrays[name] for name in order}, pad)
    return run.h, (run.h_n,)


def _rnn_errors(found: RNNErrorsFound, names: frozenset[str]) -> dict[str, Array]:
    above = _or_zeros(found.above, found.steps.h)
    errors = {"d_a": found.steps.a, "d_h": found.steps.h, "d_x": found.x, "d_above": above, **found.beside}
    return {name: Array.of(error) for name, error in errors.items() if name in names}


def _take_errors(job: _Job, to_arrays: Callable[[FoundT], dict[str, Array]]) -> Callable[[FoundT], None]:
    """What the op calls at the end of each backward pass. The errors of several passes are added."""
    record, pad = job.record, job.pad
    so_far: dict[str, Array] = {}

    def take(found: FoundT) -> None:
        new = to_arrays(found)
        for name, array in new.items():
            if name in so_far:
                array = Array.of(so_far[name].read(name, pad) + array.read(name, pad))
            so_far[name] = array
        record.errors = Arrays(so_far, pad)
        record.final_errors = _add_state(record, record.final_errors, found.final)
        record.initial_errors = _add_state(record, record.initial_errors, found.initial)
        record.backward_passes += 1

    return take


def _add_state(
    record: LayerRecord, so_far: Mapping[str, Tensor], errors: Sequence[Tensor | None]
) -> dict[str, Tensor]:
    """Errors of a state by name, added to those of the backward passes before."""
    gates = [value for name, value in record.initial.items() if name in ("i", "f", "o")]
    shapes = [*list(record.initial.values())[: len(record.initial) - len(gates)]]
    shapes += [torch.cat(gates, dim=-1)] if gates else []
    full = [_or_zeros(error, like) for error, like in zip(errors, shapes, strict=False)]
    new = _named_state(record.initial, full)
    return {name: so_far[name] + error if name in so_far else error for name, error in new.items()}


def _blocks(buffer: Tensor, order: Sequence[str], names: frozenset[str]) -> dict[str, Array]:
    """Blocks of a buffer: as views if all are wanted, else each with memory of its own."""
    H = buffer.shape[-1] // len(order)
    arrays = {name: Array.of(buffer, (k * H, (k + 1) * H)) for k, name in enumerate(order) if name in names}
    if len(arrays) == len(order):
        return arrays
    return {name: array.alone() for name, array in arrays.items()}


def _of_user(tensor: Tensor) -> Array:
    """An array that the user holds too: watched, or copied where in-place changes cannot be seen."""
    return Array.of(tensor.clone() if tensor.is_inference() else tensor)


def _or_zeros(error: Tensor | None, like: Tensor) -> Tensor:
    return like.new_zeros(()).expand(like.shape) if error is None else error

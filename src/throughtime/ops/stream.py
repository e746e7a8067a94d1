"""A stack of layers, one time step per call, the state kept from call to call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from throughtime.cells import LSTMCell, SimpleRNNCell
from throughtime.cells.normalise import EPSILON
from throughtime.cells.variants import VANILLA
from throughtime.kernels import native
from throughtime.ops import regularised
from throughtime.ops.backends import NATIVE, backend
from throughtime.ops.lstm_loop import LSTMParameters, LSTMState
from throughtime.ops.native import NONLINEARITIES, variant_code
from throughtime.ops.noise import Noise
from throughtime.ops.regularised_loop import Inputs, name_of
from throughtime.ops.regularised_native import cell_code, recurrent_weight
from throughtime.ops.simple_rnn_loop import RNNParameters

_OUTPUTS = 64  # results that are allocated together

State = tuple[Tensor, ...]


class Norms(NamedTuple):
    """Parameters of layer normalisation; all None without it, those of c None for a simple RNN."""

    gain_ih: Tensor | None = None
    gain_hh: Tensor | None = None
    gain_c: Tensor | None = None
    bias_c: Tensor | None = None


class StreamLayer(NamedTuple):
    """A layer of a stack: its cell, its parameters, and what it has beside them in evaluation.

    `zoneout` is (p_c, p_y), taken by its expectation; of a simple RNN p_y alone counts.
    """

    cell: LSTMCell | SimpleRNNCell
    parameters: LSTMParameters | RNNParameters
    norms: Norms = Norms()
    zoneout: tuple[float, float] = (0.0, 0.0)

    @property
    def is_plain(self) -> bool:
        """Whether there is neither layer normalisation nor zoneout."""
        return self.norms.gain_hh is None and not any(self.zoneout)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Last dimension of each tensor of the state."""
        H = self.parameters.weight_hh.shape[1]
        if isinstance(self.cell, SimpleRNNCell):
            return (H,)
        return (H, H, len(self.cell.variant.gates) * H)[: 3 if self.cell.variant.full_gate_recurrence else 2]


class Stream(Protocol):
    """What the backends offer; states are one tuple of tensors (B, ·) for each layer."""

    def step(self, x: Tensor) -> Tensor:
        """Output (B, H) of the next time step for x (B, I)."""

    def load(self, states: Sequence[State]) -> None:
        """Go on from these states."""

    def states(self) -> list[State]:
        """Copies of the states."""


def open_stream(layers: Sequence[StreamLayer], batch_size: int, name: str) -> Stream:
    """A stream from a zero state with the weights as they are now, by the backend of this name."""
    made = _NativeStream if name == NATIVE.name else _SteppedStream
    return made(layers, batch_size, name)


def _zeros(layers: Sequence[StreamLayer], batch_size: int) -> list[State]:
    return [
        tuple(layer.parameters.weight_hh.new_zeros(batch_size, size) for size in layer.sizes)
        for layer in layers
    ]


class _NativeStream:
    def __init__(self, layers: Sequence[StreamLayer], batch_size: int, name: str) -> None:
        like = layers[-1].parameters.weight_hh

        def more_outputs() -> tuple[Tensor, tuple[Tensor, ...]]:
            with torch.inference_mode(False), torch.no_grad():
                together = torch.empty(_OUTPUTS, batch_size, like.shape[1], dtype=like.dtype)
                return together, together.unbind(0)

        described = [_describe(layer) for layer in layers]
        self._layers, self._batch_size = layers, batch_size
        self._stream = native.module().Stream(
            native.instruction_set_index(), batch_size, described, more_outputs
        )
        self.step = self._stream.step

    def load(self, states: Sequence[State]) -> None:
        self._stream.load([tuple(part.detach().contiguous() for part in state) for state in states])

    def states(self) -> list[State]:
        found = _zeros(self._layers, self._batch_size)
        self._stream.unload(found)
        return found


def _describe(layer: StreamLayer) -> tuple[Any, ...]:
    if not layer.is_plain:
        return _describe_regularised(layer)
    tensors = map(_dense, layer.parameters)
    if isinstance(layer.cell, SimpleRNNCell):
        return ("rnn", NONLINEARITIES[layer.cell.nonlinearity], *tensors)
    return ("lstm", variant_code(layer.cell.variant), *tensors)


def _describe_regularised(layer: StreamLayer) -> tuple[Any, ...]:
    p = layer.parameters
    peephole, weight_gates = (p.peephole, p.weight_gates) if isinstance(p, LSTMParameters) else (None, None)
    weight = recurrent_weight(p.weight_hh.detach(), _dense(weight_gates), layer.cell)
    tensors = map(_dense, (p.weight_ih, weight, p.bias, peephole, *layer.norms))
    return ("regularised", cell_code(layer.cell), *tensors, EPSILON, *layer.zoneout)


def _dense(value: Tensor | None) -> Tensor | None:
    return None if value is None else value.detach().contiguous()


class _SteppedStream:
    """By sequences of one step; for every backend."""

    def __init__(self, layers: Sequence[StreamLayer], batch_size: int, name: str) -> None:
        self._layers = [
            layer._replace(
                parameters=type(layer.parameters)(*map(_copy, layer.parameters)),  # type: ignore[arg-type]
                norms=Norms(*map(_copy, layer.norms)),
            )
            for layer in layers
        ]
        self._name, self._backend, self._states = name, backend(name), _zeros(layers, batch_size)
        self._expected = (batch_size, layers[0].parameters.weight_ih.shape[1])

    @torch.no_grad()
    def step(self, x: Tensor) -> Tensor:
        if tuple(x.shape) != self._expected:
            raise ValueError(f"stream: x has shape {tuple(x.shape)}, expected {self._expected}.")
        sequence = x.detach().unsqueeze(0)
        for number, (layer, state) in enumerate(zip(self._layers, self._states, strict=True)):
            sequence, self._states[number] = self._one(layer, sequence, state)
        return sequence[0]

    def _one(self, layer: StreamLayer, x: Tensor, state: State) -> tuple[Tensor, State]:
        if not layer.is_plain:
            noise = Noise(zoneout=layer.zoneout)
            found = regularised.run(
                _inputs(layer, x, state), name_of(layer.cell), noise, None, False, self._name
            )
            return found.y, (found.y_n, found.c_n, found.gates_n)[: len(state)]
        if isinstance(layer.parameters, RNNParameters):
            g = layer.cell.nonlinearity if isinstance(layer.cell, SimpleRNNCell) else ""
            h, h_n = self._backend.rnn_forward(x, state[0], layer.parameters, None, g, False)
            return h, (h_n,)
        v = layer.cell.variant if isinstance(layer.cell, LSTMCell) else VANILLA
        before = LSTMState(state[0], state[1], state[2] if len(state) == 3 else None)
        run = self._backend.lstm_forward(x, before, layer.parameters, None, v, False)
        return run.y, (run.y_n, run.c_n, run.gates_n)[: len(state)]

    def load(self, states: Sequence[State]) -> None:
        self._states = [tuple(part.detach().clone() for part in state) for state in states]

    def states(self) -> list[State]:
        return [tuple(part.clone() for part in state) for state in self._states]


def _inputs(layer: StreamLayer, x: Tensor, state: State) -> Inputs:
    p = layer.parameters
    if isinstance(p, RNNParameters):
        return Inputs(x, state[0], None, None, *p, None, None, *layer.norms)
    return Inputs(x, state[0], state[1], state[2] if len(state) == 3 else None, *p, *layer.norms)


def _copy(value: Tensor | None) -> Tensor | None:
    return None if value is None else value.detach().clone()

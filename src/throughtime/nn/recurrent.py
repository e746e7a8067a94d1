"""Layers stacked into a network: what `LSTM` and `RNN` have in common.

A `Layer` is one layer with its parameters; in a bidirectional network it has a child `reverse`, a layer
of the same class for the other direction. `Recurrent` stacks layers and turns input, state and output
the right way round. `LSTM` and `RNN` add their cell.
"""

from __future__ import annotations

import abc
import math
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from throughtime.cells import Cell
from throughtime.nn import watching
from throughtime.nn.dropout import drop_units
from throughtime.nn.regularisation import NOTHING, Regularisation, check_merge, merged
from throughtime.nn.sequences import Lengths, Sequences, take_in
from throughtime.nn.stepper import Stepper
from throughtime.nn.torch_names import rename_torch_keys
from throughtime.ops.backends import check_backend, resolve
from throughtime.ops.regularised import backend_for
from throughtime.ops.regularised_loop import PARAMETERS
from throughtime.ops.stream import StreamLayer, open_stream

State = tuple[Tensor, ...]


class Layer(nn.Module, abc.ABC):
    """One layer in one direction, with the parameters a cell's `shapes` names.

    Args:
        shapes: Each parameter's shape by name.
        reverse: Whether the layer reads each sequence from its end to its beginning.
        backend: As given to the network.
        device: Where the parameters are put.
        dtype: Their dtype.
    """

    cell: Cell
    weight_ih: Tensor
    weight_hh: Tensor
    bias: Tensor | None
    peephole: Tensor | None
    weight_gates: Tensor | None
    gain_ih: Tensor | None
    gain_hh: Tensor | None
    gain_c: Tensor | None
    bias_c: Tensor | None

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        *,
        reverse: bool,
        backend: str,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
    ) -> None:
        super().__init__()
        self.runs_in_reverse = reverse
        self.backend = backend
        self.regularisation = NOTHING
        self.merge = "concat"
        for name in PARAMETERS:
            parameter = None
            if name in shapes:
                parameter = nn.Parameter(torch.empty(shapes[name], device=device, dtype=dtype))
            self.register_parameter(name, parameter)
        self.reverse: Layer | None = None

    @abc.abstractmethod
    def run(self, x: Tensor, state: State, lengths: Tensor | None) -> tuple[Tensor, State]:
        """One sequence through this layer in its direction."""

    @abc.abstractmethod
    def for_stream(self) -> StreamLayer:
        """This layer as a stream takes it."""

    def forward(self, x: Tensor, states: list[State], lengths: Tensor | None) -> tuple[Tensor, list[State]]:
        """Both directions, outputs merged.

        Args:
            x: (T, B, I).
            states: The initial state of each direction.
            lengths: (B,) or None.

        Returns:
            Output, (T, B, D·H) if side by side, else (T, B, H), and the final state of each direction.
        """
        output, final = self._run_or_be_watched(x, states[0], lengths)
        if self.reverse is None:
            return output, [final]
        backwards, final_backwards = self.reverse._run_or_be_watched(x, states[1], lengths)
        return merged(output, backwards, self.merge), [final, final_backwards]

    def _run_or_be_watched(self, x: Tensor, state: State, lengths: Tensor | None) -> tuple[Tensor, State]:
        if watching.open_watches:
            watcher = watching.watcher_of(self)
            if watcher is not None:
                return watcher.run(self, x, state, lengths)
        return self.run(x, state, lengths)

    def extra_repr(self) -> str:
        """Shapes of the parameters."""
        return ", ".join(
            f"{name} {tuple(value.shape)}" for name, value in self.named_parameters(recurse=False)
        )


class Recurrent(nn.Module, abc.ABC):
    """Recurrent layers in a stack. Use `LSTM` or `RNN`.

    Attributes:
        cell: The equations, as data.
        state_sizes: Name and last dimension of each tensor of the state, as h: H.
    """

    def __init__(
        self,
        cell: Cell,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        *,
        bias: bool,
        batch_first: bool,
        dropout: float,
        variational_dropout: bool,
        bidirectional: bool,
        merge: str,
        regularisation: Regularisation,
        backend: str,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
    ) -> None:
        super().__init__()
        for name, size in (
            ("input_size", input_size),
            ("hidden_size", hidden_size),
            ("num_layers", num_layers),
        ):
            self._check_size(name, size)
        self._check_dropout(dropout, num_layers)
        self.cell = cell
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bool(bias)
        self.batch_first = bool(batch_first)
        self.dropout = float(dropout)
        self.variational_dropout = bool(variational_dropout)
        self.bidirectional = bool(bidirectional)
        self.merge = check_merge(type(self).__name__, merge)
        self.regularisation = regularisation
        self.backend = check_backend(backend)
        self.state_sizes: dict[str, int] = self._state_sizes()
        for number in range(num_layers):
            size = input_size if number == 0 else self.output_size
            layer = self._make_layer(size, False, device, dtype)
            layer.regularisation, layer.merge = regularisation, merge
            if bidirectional:
                layer.reverse = self._make_layer(size, True, device, dtype)
                layer.reverse.regularisation = regularisation
            self.add_module(f"layer{number}", layer)
        self.register_load_state_dict_pre_hook(rename_torch_keys)  # type: ignore[no-untyped-call]

    @abc.abstractmethod
    def _make_layer(
        self, input_size: int, reverse: bool, device: torch.device | str | None, dtype: torch.dtype | None
    ) -> Layer:
        """A layer of this network's kind, in one direction."""

    @abc.abstractmethod
    def _state_sizes(self) -> dict[str, int]:
        """Name and last dimension of each tensor of the state."""

    @abc.abstractmethod
    def _reset_bias(self, bias: Tensor) -> None:
        """Put a layer's biases where training begins."""

    @property
    def num_directions(self) -> int:
        """D: 2 if bidirectional, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def output_size(self) -> int:
        """Last dimension of the output: D·H where directions stand side by side, else H."""
        return self.hidden_size * (self.num_directions if self.merge == "concat" else 1)

    @property
    def layers(self) -> list[Layer]:
        """The layers from the input upwards."""
        children: dict[str, Any] = self._modules
        return [children[f"layer{number}"] for number in range(self.num_layers)]

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw every weight anew from U(-1/√H, 1/√H) and set the biases; see docs/cells.md."""
        bound = 1 / math.sqrt(self.hidden_size)
        for name, parameter in self.named_parameters():
            own = name.rpartition(".")[2]
            if own == "bias":
                self._reset_bias(parameter)
            elif own.startswith("gain"):
                parameter.fill_(1)
            elif own == "bias_c":
                parameter.zero_()
            else:
                parameter.uniform_(-bound, bound)

    def extra_repr(self) -> str:
        """Sizes, and every argument that differs from its default."""
        arguments = {"num_layers": (self.num_layers, 1), **self._named_arguments()}
        arguments |= {
            "bias": (self.bias, True),
            "batch_first": (self.batch_first, False),
            "dropout": (self.dropout, 0.0),
            "variational_dropout": (self.variational_dropout, False),
            "bidirectional": (self.bidirectional, False),
            "merge": (self.merge, "concat"),
            "layer_norm": (self.regularisation.layer_norm, False),
            "zoneout": (self.regularisation.zoneout, (0.0, 0.0)),
            "recurrent_dropout": (self.regularisation.recurrent_dropout, 0.0),
            "backend": (self.backend, "auto"),
        }
        changed = (f"{name}={value!r}" for name, (value, default) in arguments.items() if value != default)
        return ", ".join([str(self.input_size), str(self.hidden_size), *changed])

    def stream(self, batch_size: int = 1, state: Any = None) -> Stepper:
        """This network for live readings: `stepper(x_t)` is the output of the next time step.

        The state stays inside the stepper. Gradients and dropout play no part, and the weights are those of
        now: call `stream` again after they have changed.

        Args:
            batch_size: B, sequences that advance together.
            state: As in `forward`; zeros if None.

        Returns:
            A stepper: x_t (B, I) in, y_t (B, H) out.

        Raises:
            ValueError: the network is bidirectional, or an argument does not fit.
        """
        who = type(self).__name__
        if self.bidirectional:
            raise ValueError(
                f"{who}: a bidirectional network reads a sequence from its end too, so it cannot answer step "
                "by step; use bidirectional=False."
            )
        self._check_size("batch_size", batch_size)
        parameter = self.layers[0].weight_hh
        choose = backend_for if self.regularisation.always else resolve
        layers = [layer.for_stream() for layer in self.layers]
        opened = open_stream(layers, batch_size, choose(self.backend, parameter))
        stepper = Stepper(opened, batch_size, len(self.state_sizes) == 1)
        if state is not None:
            stepper.set_state(state)
        return stepper

    @abc.abstractmethod
    def _named_arguments(self) -> dict[str, tuple[Any, Any]]:
        """Arguments of this kind of network, each with its default, for `extra_repr`."""

    def _run(
        self, x: Tensor | PackedSequence, state: State | None, lengths: Lengths | None
    ) -> tuple[Any, State]:
        """From the arguments of `forward` to its results, the state as a tuple."""
        parameter: Tensor = self.layer0.weight_ih  # type: ignore[assignment,union-attr]
        if torch.is_autocast_enabled(parameter.device.type):
            x, state = _in_dtype(x, parameter.dtype), _state_in_dtype(state, parameter.dtype)
        batch = take_in(x, lengths, self.batch_first, self.input_size, type(self).__name__)
        self._check_kind("x", batch.x, parameter)
        output, final = self._through_layers(batch, self._initial(state, batch, parameter))
        if batch.unbatched:
            final = tuple(part.squeeze(1) for part in final)
        return batch.restore(output, self.batch_first), final

    def _through_layers(self, batch: Sequences, initial: list[State]) -> tuple[Tensor, State]:
        """Up the stack. `initial` and what comes back have layers and directions in torch's order."""
        output, final = batch.x, []
        D = self.num_directions
        for number, layer in enumerate(self.layers):
            if number > 0 and self.dropout > 0:
                if self.variational_dropout:
                    output = drop_units(output, self.dropout, self.training)
                else:
                    output = functional.dropout(output, self.dropout, self.training)
            output, last = layer(output, initial[number * D : (number + 1) * D], batch.lengths)
            final += last
        if len(final) == 1:
            return output, tuple(part.unsqueeze(0) for part in final[0])
        return output, tuple(torch.stack(parts) for parts in zip(*final, strict=True))

    def _initial(self, state: State | None, batch: Sequences, parameter: Tensor) -> list[State]:
        """The initial state of each layer and direction, each tensor (B, ·); zeros if none is given."""
        B, rows = batch.x.shape[1], self.num_layers * self.num_directions
        if state is None:
            zeros = tuple(parameter.new_zeros(B, size) for size in self.state_sizes.values())
            return [zeros] * rows
        self._check_state(state, batch, parameter)
        if batch.unbatched:
            state = tuple(part.unsqueeze(1) for part in state)
        return list(zip(*(part.unbind(0) for part in state), strict=True))

    def _check_state(self, state: State, batch: Sequences, parameter: Tensor) -> None:
        B, rows = batch.x.shape[1], self.num_layers * self.num_directions
        names = ", ".join(self.state_sizes)
        if not isinstance(state, tuple | list):
            raise TypeError(
                f"{type(self).__name__}: state must be a tuple ({names}), got {type(state).__name__}."
            )
        if len(state) != len(self.state_sizes):
            raise ValueError(
                f"{type(self).__name__}: state has {len(state)} tensors, expected {len(self.state_sizes)}: "
                f"({names})."
            )
        for part, (name, size) in zip(state, self.state_sizes.items(), strict=True):
            if not isinstance(part, Tensor):
                raise TypeError(
                    f"{type(self).__name__}: state {name} must be a tensor, got {type(part).__name__}."
                )
            expected = (rows, size) if batch.unbatched else (rows, B, size)
            if tuple(part.shape) != expected:
                read = "(num_layers·D, ·)" if batch.unbatched else "(num_layers·D, B, ·)"
                raise ValueError(
                    f"{type(self).__name__}: state {name} has shape {tuple(part.shape)}, "
                    f"expected {expected}, read as {read} with num_layers·D={rows}."
                )
            self._check_kind(f"state {name}", part, parameter)

    def _check_kind(self, name: str, value: Tensor, parameter: Tensor) -> None:
        who = type(self).__name__
        if value.dtype != parameter.dtype:
            raise ValueError(
                f"{who}: {name} has dtype {value.dtype}, expected {parameter.dtype} as the parameters have; "
                f"convert one of them with .to(dtype)."
            )
        if value.device != parameter.device:
            raise ValueError(
                f"{who}: {name} is on {value.device}, expected {parameter.device} as the parameters are; "
                f"move one of them with .to(device)."
            )

    def _check_size(self, name: str, size: int) -> None:
        who = type(self).__name__
        if not isinstance(size, int) or isinstance(size, bool):
            raise TypeError(f"{who}: {name} must be an integer, got {size!r}.")
        if size < 1:
            raise ValueError(f"{who}: {name}={size}, expected at least 1.")

    def _check_dropout(self, dropout: float, num_layers: int) -> None:
        who = type(self).__name__
        if isinstance(dropout, bool) or not isinstance(dropout, int | float):
            raise TypeError(f"{who}: dropout must be a number, got {dropout!r}.")
        if not 0 <= dropout <= 1:
            raise ValueError(f"{who}: dropout={dropout}, expected a probability from 0 to 1.")
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                f"{who}: dropout={dropout} acts between layers; with num_layers=1 it does nothing.",
                UserWarning,
                stacklevel=4,
            )


def _in_dtype(x: Tensor | PackedSequence, dtype: torch.dtype) -> Tensor | PackedSequence:
    if isinstance(x, PackedSequence):
        return x.to(dtype)
    return x.to(dtype) if isinstance(x, Tensor) and x.is_floating_point() else x


def _state_in_dtype(state: State | None, dtype: torch.dtype) -> State | None:
    return None if state is None else tuple(part.to(dtype) for part in state)

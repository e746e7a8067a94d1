"""Many recurrent networks of one kind, trained side by side: `stack` and what it makes."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from throughtime.cells import LSTMCell, SimpleRNNCell
from throughtime.nn.common_size import units_of
from throughtime.nn.recurrent import Layer, Recurrent, State
from throughtime.nn.stacking import PARAMETERS, StackedLayer, check_alike, check_kind, length_tensor
from throughtime.ops import many_autograd
from throughtime.ops.backends import check_backend, resolve
from throughtime.ops.lstm_loop import LSTMParameters, LSTMState
from throughtime.ops.simple_rnn_loop import RNNParameters
from throughtime.ops.transforms import refuse_forward_mode


def stack(networks: Iterable[Recurrent]) -> Networks:
    """Networks of one kind, side by side in one module.

    Args:
        networks: `LSTM`s or `RNN`s that differ in their weights and, if at all, in `hidden_size`. Their
            weights are copied.

    Returns:
        A module that holds the weights of all in common tensors.

    Raises:
        TypeError: one of them is neither an LSTM nor an RNN.
        ValueError: there is none, or two differ in something else than weights and hidden_size.
    """
    return Networks(list(networks))


class Networks(nn.Module):
    """M networks of one kind, each with its own weights. Made by `throughtime.nn.stack`.

    The parameters have M in front, as layer0.weight_ih (M, nH, I), with H the largest hidden size. An
    optimizer that works number by number (SGD, Adam) trains the networks as it would train each alone.

    Args:
        networks: At least one; see `stack`.

    Attributes:
        hidden_sizes: Of each network.
        hidden_size: H, the largest of them.
        cell: The equations, as data.
    """

    def __init__(self, networks: Sequence[Recurrent]) -> None:
        super().__init__()
        check_alike(networks)
        first = networks[0]
        self.cell: Any = first.cell
        self.hidden_sizes = tuple(network.hidden_size for network in networks)
        self.hidden_size = max(self.hidden_sizes)
        self.input_size, self.num_layers = first.input_size, first.num_layers
        self.batch_first, self.dropout = first.batch_first, first.dropout
        self.bidirectional, self.num_directions = first.bidirectional, first.num_directions
        self.backend = check_backend(first.backend)
        # Each size once, without numbers: what `unstack` begins with.
        by_size = {network.hidden_size: network for network in networks}
        self._blueprints = {size: copy.deepcopy(one).to("meta") for size, one in by_size.items()}
        for number in range(self.num_layers):
            layers = [network.layers[number] for network in networks]
            self.add_module(f"layer{number}", self._stacked(layers, number))
        if len(set(self.hidden_sizes)) > 1:
            device = first.layers[0].weight_hh.device
            strange = ~units_of(self.hidden_sizes).to(device)
            self.register_buffer("strange", strange, persistent=False)

    def _stacked(self, layers: list[Layer], number: int) -> StackedLayer:
        made = StackedLayer(layers, self.hidden_sizes, number == 0, self.num_directions)
        if self.bidirectional:
            backwards: list[Any] = [layer.reverse for layer in layers]
            made.reverse = StackedLayer(backwards, self.hidden_sizes, number == 0, self.num_directions)
        return made

    def __len__(self) -> int:
        """M."""
        return len(self.hidden_sizes)

    @property
    def layers(self) -> list[StackedLayer]:
        """The layers from the input upwards."""
        children: dict[str, Any] = self._modules
        return [children[f"layer{number}"] for number in range(self.num_layers)]

    def forward(
        self, x: Tensor, state: Any = None, *, lengths: Sequence[Any] | Tensor | None = None
    ) -> tuple[Tensor, Any]:
        """Run all networks.

        Args:
            x: (M, T, B, I), each network its own input, or (T, B, I), the same for all. If batch_first,
                (M, B, T, I) or (B, T, I).
            state: As the networks take it, with M in front of every tensor, (M, num_layers·D, B, ·); zeros if
                None.
            lengths: Steps of each sequence, (B,) for all networks or (M, B); None if all have T.

        Returns:
            Outputs (M, T, B, D·H) in the order of x, and the state after each sequence's last step, with M in
            front. Where a network is smaller than H, what is not its own is zero; `split` leaves it out.

        Raises:
            TypeError: x, the state or the lengths are of the wrong type.
            ValueError: a shape, dtype or device does not fit.
        """
        parameter: Tensor = self.layers[0].weight_ih
        x, lengths = self._taken_in(x, parameter), length_tensor(lengths, parameter)
        B = x.shape[2]
        initial, final, output, D = self._initial(state, B, parameter), [], x, self.num_directions
        for number, layer in enumerate(self.layers):
            if number > 0 and self.dropout > 0:
                output = functional.dropout(output, self.dropout, self.training)
            outputs = []
            for direction, one in enumerate(filter(None, (layer, layer.reverse))):
                found, last = self._run(one, direction == 1, output, initial[number * D + direction], lengths)
                outputs.append(self._own(found))
                final.append(tuple(self._own(part) for part in last))
            output = torch.cat(outputs, dim=-1) if D == 2 else outputs[0]
        states = tuple(torch.stack(parts, dim=1) for parts in zip(*final, strict=True))
        output = output.transpose(1, 2) if self.batch_first else output
        return output, states[0] if isinstance(self.cell, SimpleRNNCell) else states

    def _run(
        self, layer: StackedLayer, reverse: bool, x: Tensor, state: State, lengths: Tensor | None
    ) -> tuple[Tensor, State]:
        tensors: list[Any] = [layer.parameter(name) for name in PARAMETERS]
        refuse_forward_mode("Networks", x, *state, *tensors)
        name = resolve(self.backend, tensors[0])
        if isinstance(self.cell, SimpleRNNCell):
            p, g = RNNParameters(*tensors[:3]), self.cell.nonlinearity
            h, h_n = many_autograd.run_rnn(x, state[0], p, lengths, g, reverse, name)
            return h, (h_n,)
        before = LSTMState(state[0], state[1], state[2] if len(state) == 3 else None)
        variant: str = self.cell.variant.name
        y, y_n, c_n, gates_n = many_autograd.run_lstm(
            x, before, LSTMParameters(*tensors), lengths, variant, reverse, name
        )
        return y, (y_n, c_n) if gates_n is None else (y_n, c_n, gates_n)

    def split(self, output: Tensor) -> list[Tensor]:
        """Each network's own part of an output (M, T, B, D·H) or a state (M, num_layers·D, B, ·)."""
        H = self.hidden_size
        parts = (one.reshape(*one.shape[:-1], -1, H) for one in output.unbind(0))
        return [part[..., :h].flatten(-2) for part, h in zip(parts, self.hidden_sizes, strict=True)]

    def unstack(self) -> list[Recurrent]:
        """The networks as modules of their own, with copies of the weights as they are now."""
        like: Tensor = self.layers[0].weight_hh
        return [self._alone(network, h, like) for network, h in enumerate(self.hidden_sizes)]

    def _alone(self, network: int, h: int, like: Tensor) -> Recurrent:
        made = copy.deepcopy(self._blueprints[h]).to(like.dtype).to_empty(device=like.device)
        for mine, its in zip(self.layers, made.layers, strict=True):
            mine.copy_to(its, network, h)
            if mine.reverse is not None and its.reverse is not None:
                mine.reverse.copy_to(its.reverse, network, h)
        return made.train(self.training)

    def _own(self, value: Tensor) -> Tensor:
        """Zero, and no error, where a value (M, ..., blocks·H) is not a network's own."""
        if not hasattr(self, "strange"):
            return value
        strange: Any = self.strange
        blocks = value.shape[-1] // self.hidden_size
        mask = strange.repeat(1, blocks).view(len(self), *(1,) * (value.dim() - 2), -1)
        return value.masked_fill(mask, 0)

    def _taken_in(self, x: Tensor, parameter: Tensor) -> Tensor:
        """X as (M, T, B, I)."""
        M = len(self)
        order = "(M, B, T, I) or (B, T, I)" if self.batch_first else "(M, T, B, I) or (T, B, I)"
        if not isinstance(x, Tensor):
            raise TypeError(f"Networks: x must be a tensor {order}, got {type(x).__name__}.")
        if torch.is_autocast_enabled(parameter.device.type) and x.is_floating_point():
            x = x.to(parameter.dtype)
        shape = tuple(x.shape)
        if x.dim() not in (3, 4) or (x.dim() == 4 and shape[0] != M) or shape[-1] != self.input_size:
            raise ValueError(
                f"Networks: x.shape is {shape}, expected {order} with M={M} networks and I={self.input_size}."
            )
        x = x.expand(M, *shape) if x.dim() == 3 else x
        x = x.transpose(1, 2) if self.batch_first else x
        if x.shape[1] == 0:
            raise ValueError(
                f"Networks: x has no time step (T=0), expected at least one; x.shape is {shape}."
            )
        check_kind("x", x, parameter)
        return x

    def _initial(self, state: Any, B: int, parameter: Tensor) -> list[State]:
        """For each layer and direction the state before the first step, each tensor (M, B, ·)."""
        M, rows, H = len(self), self.num_layers * self.num_directions, self.hidden_size
        sizes: dict[str, int] = {"h": H} if isinstance(self.cell, SimpleRNNCell) else {"h": H, "c": H}
        if isinstance(self.cell, LSTMCell) and self.cell.variant.full_gate_recurrence:
            sizes["gates"] = len(self.cell.variant.gates) * H
        if state is None:
            return [tuple(parameter.new_zeros(M, B, size) for size in sizes.values())] * rows
        parts = (state,) if isinstance(state, Tensor) else tuple(state)
        if len(parts) != len(sizes):
            raise ValueError(
                f"Networks: state has {len(parts)} tensors, expected {len(sizes)}: ({', '.join(sizes)})."
            )
        for part, (name, size) in zip(parts, sizes.items(), strict=True):
            if tuple(part.shape) != (M, rows, B, size):
                raise ValueError(
                    f"Networks: state {name} has shape {tuple(part.shape)}, expected {(M, rows, B, size)}, "
                    "read as (M, num_layers·D, B, ·)."
                )
            check_kind(f"state {name}", part, parameter)
        return list(zip(*(self._own(part).unbind(1) for part in parts), strict=True))

    def extra_repr(self) -> str:
        """Number, sizes and backend."""
        sizes = ", ".join(str(size) for size in sorted(set(self.hidden_sizes)))
        return f"{len(self)} × {self.cell.name}, {self.input_size}, {sizes}, backend={self.backend!r}"

"""The simple RNN as a torch.nn.Module."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from throughtime import ops
from throughtime.cells import SimpleRNNCell
from throughtime.nn.recurrent import Layer, Recurrent, State
from throughtime.nn.regularisation import Regularisation, norms_of, run_layer
from throughtime.nn.sequences import Lengths
from throughtime.ops.backends import resolve
from throughtime.ops.simple_rnn_loop import RNNParameters
from throughtime.ops.stream import StreamLayer
from throughtime.ops.transforms import in_forward_mode, refuse_forward_mode


class RNNLayer(Layer):
    """One layer of a simple RNN. Its parameters are those that the cell's `shapes` names."""

    cell: SimpleRNNCell

    def __init__(
        self,
        cell: SimpleRNNCell,
        input_size: int,
        hidden_size: int,
        *,
        reverse: bool,
        backend: str,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
    ) -> None:
        shapes = cell.shapes(input_size, hidden_size)
        super().__init__(shapes, reverse=reverse, backend=backend, device=device, dtype=dtype)
        self.cell = cell
        self.nonlinearity = cell.nonlinearity

    def for_stream(self) -> StreamLayer:
        """This layer as a stream takes it."""
        p = RNNParameters(self.weight_ih, self.weight_hh, self.bias)
        return StreamLayer(self.cell, p, norms_of(self), self.regularisation.zoneout)

    def run(self, x: Tensor, state: State, lengths: Tensor | None) -> tuple[Tensor, State]:
        """One sequence through this layer in its direction."""
        if in_forward_mode():
            refuse_forward_mode("RNN", x, *state, *self.parameters(recurse=False))
        if self.regularisation.active(self.training):
            return run_layer(self, f"RNN {self.nonlinearity}", x, state, lengths)
        h, h_n = ops.run_simple_rnn(
            x,
            state[0],
            self.weight_ih,
            self.weight_hh,
            self.bias,
            lengths,
            self.nonlinearity,
            self.runs_in_reverse,
            resolve(self.backend, self.weight_hh),
        )
        return h, (h_n,)


class RNN(Recurrent):
    """Simple recurrent network, h(t) = g(W h(t-1) + U x(t) + b).

    Shapes and calls are those of torch.nn.RNN, whose state_dict loads unchanged. D is 2 if
    bidirectional, else 1.

    Args:
        input_size: I.
        hidden_size: H.
        num_layers: Layers in the stack.
        nonlinearity: g, one of "tanh", "relu", "logistic", "identity".
        bias: Whether there are biases.
        batch_first: Input and output are (B, T, ·) instead of (T, B, ·).
        dropout: Probability with which an output on its way to the next layer is dropped in training.
        variational_dropout: Drop the same units at every time step there (Gal and Ghahramani, 2016).
        bidirectional: A second direction in every layer.
        merge: What a layer gives on of its two directions: "concat", "sum" or "mean".
        layer_norm: Normalise rows within the cell (Ba, Kiros and Hinton, 2016); see docs/cells.md.
        zoneout: Probability with which an entry of h stays as it is for a step, in training by chance, in
            evaluation in the mean (Krueger et al., 2017).
        recurrent_dropout: Probability with which an entry of h(t-1) is hidden from the recurrent weights in
            training, the same at every step of a sequence (Gal and Ghahramani, 2016).
        backend: Who computes: "auto" or the name of a backend.
        device: Where the parameters are put.
        dtype: Their dtype. The network computes in it, also under autocast.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: a size, name or probability is out of range.
    """

    cell: SimpleRNNCell

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        variational_dropout: bool = False,
        bidirectional: bool = False,
        merge: str = "concat",
        layer_norm: bool = False,
        zoneout: float = 0.0,
        recurrent_dropout: float = 0.0,
        backend: str = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        regularisation = Regularisation.checked("RNN", layer_norm, zoneout, recurrent_dropout, has_cell=False)
        super().__init__(
            SimpleRNNCell(nonlinearity, bool(bias), layer_norm),
            input_size,
            hidden_size,
            num_layers,
            bias=bias,
            batch_first=batch_first,
            dropout=dropout,
            variational_dropout=variational_dropout,
            bidirectional=bidirectional,
            merge=merge,
            regularisation=regularisation,
            backend=backend,
            device=device,
            dtype=dtype,
        )
        self.nonlinearity = nonlinearity
        self.reset_parameters()

    def forward(
        self,
        x: Tensor | PackedSequence,
        state: Tensor | None = None,
        *,
        lengths: Lengths | None = None,
    ) -> tuple[Any, Tensor]:
        """Run the network over a batch of sequences.

        Args:
            x: (T, B, I), (B, T, I) if batch_first, (T, I) for one sequence, or a PackedSequence.
            state: h, (num_layers·D, B, H), without B for one sequence; zeros if None.
            lengths: For each sequence its number of steps, 0 to T, in any order; None if all have T.

        Returns:
            The last layer's outputs, (T, B, output_size) in the order of x (a PackedSequence for one), zero
            past a sequence's end, and the state after each sequence's true last step.

        Raises:
            TypeError: x, the state or the lengths are of the wrong type.
            ValueError: a shape, dtype or device does not fit, or there is no time step.
        """
        output, (h_n,) = self._run(x, None if state is None else (state,), lengths)
        return output, h_n

    def _make_layer(
        self, input_size: int, reverse: bool, device: torch.device | str | None, dtype: torch.dtype | None
    ) -> RNNLayer:
        return RNNLayer(
            self.cell,
            input_size,
            self.hidden_size,
            reverse=reverse,
            backend=self.backend,
            device=device,
            dtype=dtype,
        )

    def _state_sizes(self) -> dict[str, int]:
        return {"h": self.hidden_size}

    def _reset_bias(self, bias: Tensor) -> None:
        bias.zero_()

    def _named_arguments(self) -> dict[str, tuple[Any, Any]]:
        return {"nonlinearity": (self.nonlinearity, "tanh")}

"""The LSTM as a torch.nn.Module."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from throughtime import ops
from throughtime.cells import LSTMCell, Variant
from throughtime.nn.recurrent import Layer, Recurrent, State
from throughtime.nn.regularisation import Regularisation, norms_of, run_layer
from throughtime.nn.sequences import Lengths
from throughtime.ops.backends import resolve
from throughtime.ops.lstm_loop import LSTMParameters
from throughtime.ops.stream import StreamLayer
from throughtime.ops.transforms import in_forward_mode, refuse_forward_mode


class LSTMLayer(Layer):
    """One LSTM layer. Its parameters are those that the cell's `shapes` names."""

    cell: LSTMCell

    def __init__(
        self,
        cell: LSTMCell,
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
        self.variant_name = cell.variant.name

    def for_stream(self) -> StreamLayer:
        """This layer as a stream takes it."""
        p = LSTMParameters(self.weight_ih, self.weight_hh, self.bias, self.peephole, self.weight_gates)
        return StreamLayer(self.cell, p, norms_of(self), self.regularisation.zoneout)

    def run(self, x: Tensor, state: State, lengths: Tensor | None) -> tuple[Tensor, State]:
        """One sequence through this layer in its direction."""
        if in_forward_mode():
            refuse_forward_mode("LSTM", x, *state, *self.parameters(recurse=False))
        if self.regularisation.active(self.training):
            return run_layer(self, f"LSTM {self.variant_name}", x, state, lengths)
        y, y_n, c_n, gates_n = ops.run_lstm(
            x,
            state[0],
            state[1],
            state[2] if len(state) == 3 else None,
            self.weight_ih,
            self.weight_hh,
            self.bias,
            self.peephole,
            self.weight_gates,
            lengths,
            self.variant_name,
            self.runs_in_reverse,
            resolve(self.backend, self.weight_hh),
        )
        return y, (y_n, c_n) if gates_n is None or len(state) == 2 else (y_n, c_n, gates_n)


class LSTM(Recurrent):
    """Long short-term memory, with peepholes and every variant of *A Search Space Odyssey*.

    Shapes and calls are those of torch.nn.LSTM, whose state_dict loads unchanged. D is 2 if
    bidirectional, else 1.

    Args:
        input_size: I.
        hidden_size: H, cells in a layer.
        num_layers: Layers in the stack.
        peepholes: Whether the gates see the cell. Without them, vanilla is torch.nn.LSTM.
        variant: A name (vanilla, NIG, NFG, NOG, NIAF, NOAF, CIFG, NP, FGR), several joined by "+"
            such as "CIFG+FGR", or a `Variant`. Its peepholes are decided by `peepholes`.
        bias: Whether there are biases.
        batch_first: Input and output are (B, T, ·) instead of (T, B, ·).
        dropout: Probability with which an output on its way to the next layer is dropped in training.
        variational_dropout: Drop the same units at every time step there (Gal and Ghahramani, 2016).
        bidirectional: A second direction in every layer.
        merge: What a layer gives on of its two directions: "concat", "sum" or "mean".
        layer_norm: Normalise rows within the cell (Ba, Kiros and Hinton, 2016); see docs/cells.md.
        zoneout: Probability with which an entry of c and of y stays as it is for a step, in training by
            chance, in evaluation in the mean (Krueger et al., 2017): one for both, or a pair (of c, of y).
        recurrent_dropout: Probability with which an entry of y(t-1) is hidden from the recurrent weights in
            training, the same at every step of a sequence (Gal and Ghahramani, 2016).
        forget_bias: What the forget gate's bias starts from, in every layer and direction. CIFG's
            input gate starts from its negative, which gives f = 1 - i the same value.
        backend: Who computes: "auto" or the name of a backend.
        device: Where the parameters are put.
        dtype: Their dtype. The network computes in it, also under autocast.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: a size, name or probability is out of range, or arguments contradict each other.
    """

    cell: LSTMCell

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        peepholes: bool = False,
        variant: str | Variant = "vanilla",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        variational_dropout: bool = False,
        bidirectional: bool = False,
        merge: str = "concat",
        layer_norm: bool = False,
        zoneout: float | tuple[float, float] = 0.0,
        recurrent_dropout: float = 0.0,
        forget_bias: float = 1.0,
        backend: str = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        regularisation = Regularisation.checked("LSTM", layer_norm, zoneout, recurrent_dropout, has_cell=True)
        cell = LSTMCell(_chosen(variant, peepholes), bool(bias), layer_norm)
        super().__init__(
            cell,
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
        _check_forget_bias(forget_bias, cell)
        self.peepholes = bool(peepholes)
        self.variant = cell.variant
        self.forget_bias = float(forget_bias)
        self.reset_parameters()

    def forward(
        self,
        x: Tensor | PackedSequence,
        state: State | None = None,
        *,
        lengths: Lengths | None = None,
    ) -> tuple[Any, State]:
        """Run the network over a batch of sequences.

        Args:
            x: (T, B, I), (B, T, I) if batch_first, (T, I) for one sequence, or a PackedSequence.
            state: (h, c), each (num_layers·D, B, H), without B for one sequence; zeros if None. Under
                FGR (h, c, gates) with the own gates i, f, o of the last step, (num_layers·D, B, mH).
            lengths: For each sequence its number of steps, 0 to T, in any order; None if all have T.

        Returns:
            The last layer's outputs, (T, B, output_size) in the order of x (a PackedSequence for one), zero
            past a sequence's end, and the state after each sequence's true last step.

        Raises:
            TypeError: x, the state or the lengths are of the wrong type.
            ValueError: a shape, dtype or device does not fit, or there is no time step.
        """
        return self._run(x, state, lengths)

    def _make_layer(
        self, input_size: int, reverse: bool, device: torch.device | str | None, dtype: torch.dtype | None
    ) -> LSTMLayer:
        return LSTMLayer(
            self.cell,
            input_size,
            self.hidden_size,
            reverse=reverse,
            backend=self.backend,
            device=device,
            dtype=dtype,
        )

    def _state_sizes(self) -> dict[str, int]:
        variant, H = self.cell.variant, self.hidden_size
        gates = {"gates": len(variant.gates) * H} if variant.full_gate_recurrence else {}
        return {"h": H, "c": H, **gates}

    def _reset_bias(self, bias: Tensor) -> None:
        """All zero, but for the gate that decides what the cell keeps."""
        bias.zero_()
        blocks = dict(zip(self.variant.blocks, bias.chunk(len(self.variant.blocks)), strict=True))
        if self.variant.forget_gate == "own":
            blocks["f"].fill_(self.forget_bias)
        elif self.variant.forget_gate == "coupled":
            blocks["i"].fill_(-self.forget_bias)

    def _named_arguments(self) -> dict[str, tuple[Any, Any]]:
        variant = self.variant if self.peepholes else replace(self.variant, peepholes=True)
        return {
            "peepholes": (self.peepholes, False),
            "variant": (variant.name, "vanilla"),
            "forget_bias": (self.forget_bias, 1.0),
        }


def _chosen(variant: str | Variant, peepholes: bool) -> Variant:
    """The variant, with the peepholes that the argument `peepholes` asks for."""
    if isinstance(variant, str):
        variant = Variant.parse(variant)
    if not isinstance(variant, Variant):
        raise TypeError(f"LSTM: variant must be a name or a Variant, got {type(variant).__name__}.")
    if not peepholes:
        return variant.without_peepholes()
    if not variant.peepholes:
        raise ValueError(
            f"LSTM: peepholes=True and variant={variant.name!r} contradict each other, NP is 'no peepholes'; "
            "leave one of them out."
        )
    if not variant.gates:
        raise ValueError(
            f"LSTM: peepholes=True, but variant={variant.name!r} leaves no gate that could have one; "
            "leave peepholes out."
        )
    return variant


def _check_forget_bias(forget_bias: float, cell: LSTMCell) -> None:
    if isinstance(forget_bias, bool) or not isinstance(forget_bias, int | float):
        raise TypeError(f"LSTM: forget_bias must be a number, got {forget_bias!r}.")
    if forget_bias != 1.0 and not cell.bias:
        raise ValueError(f"LSTM: forget_bias={forget_bias} has nowhere to go with bias=False.")
    if forget_bias != 1.0 and cell.variant.forget_gate == "none":
        raise ValueError(
            f"LSTM: forget_bias={forget_bias} has nowhere to go with variant={cell.variant.name!r}: "
            "there is no forget gate."
        )

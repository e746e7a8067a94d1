"""What one layer did in one direction: the record that everything else reads."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NoReturn

import torch
from torch import Tensor

from throughtime.cells import LSTMCell, SimpleRNNCell, Variant
from throughtime.nn.regularisation import LAYER_NORM, RECURRENT_DROPOUT, ZONEOUT
from throughtime.recording.arrays import JoinedArrays


@dataclass
class LayerRecord:
    """One layer in one direction. J is the number on which the user called `backward()`.

    Attributes:
        path: Where the layer is in the model, as "encoder.layer1.reverse".
        kind: "LSTM" or "RNN".
        variant: Name of the LSTM's variant, "" for an RNN. Its peepholes are said by `peepholes`.
        peepholes: Whether the LSTM's gates see the cell.
        nonlinearity: g of the RNN, "" for an LSTM.
        T: Time steps.
        B: Sequences.
        input_size: I.
        hidden_size: H.
        reverse: Whether the layer reads each sequence from its end to its beginning.
        backend: Who computed.
        dtype: In which dtype.
        lengths: Steps of each sequence, (B,), or None if all have T.
        values: By name, (T, B, ·), zero at padded steps. LSTM: x, i_bar, f_bar, z_bar, o_bar (those that have
            parameters), i, f, z, o, c, y. RNN: x, a, h. With layer normalisation, zoneout or recurrent
            dropout those of `ops.regularised_sight` too.
        errors: ∂J/∂value by name, (T, B, ·), zero at padded steps, empty before `backward()`. LSTM: d_i_bar,
            d_f_bar, d_z_bar, d_o_bar, d_c, d_y, d_x; RNN: d_a, d_h, d_x. Both: d_above, the part of d_y or
            d_h that came from outside this layer.
        initial: State before the first step, (B, H): y and c, under FGR the own gates too; h.
        final: State after the last step.
        initial_errors: ∂J/∂ of the initial state; empty before `backward()`.
        final_errors: ∂J/∂ of the returned state: what reached it from outside. Empty before `backward()`.
        parameters: Copies of the parameters as they were during the pass, by name.
        continues: Whether the pass before ended in this pass's initial state.
        detached: Whether errors could not flow on into that pass.
        backward_passes: How many backward passes have reached it; their errors are added up.
        parts: The passes that this record joins along time; empty for a single pass.
        beside: What the layer had beside its plain cell, in words: layer normalisation, zoneout, recurrent
            dropout.
    """

    path: str
    kind: Literal["LSTM", "RNN"]
    variant: str
    peepholes: bool
    nonlinearity: str
    T: int
    B: int
    input_size: int
    hidden_size: int
    reverse: bool
    backend: str
    dtype: torch.dtype
    lengths: Tensor | None
    values: Mapping[str, Tensor] = field(repr=False)
    errors: Mapping[str, Tensor] = field(repr=False)
    initial: dict[str, Tensor] = field(repr=False)
    final: dict[str, Tensor] = field(repr=False)
    initial_errors: dict[str, Tensor] = field(repr=False)
    final_errors: dict[str, Tensor] = field(repr=False)
    parameters: Mapping[str, Tensor] = field(repr=False)
    continues: bool = False
    detached: bool = False
    backward_passes: int = 0
    parts: tuple[LayerRecord, ...] = field(default=(), repr=False)
    beside: tuple[str, ...] = ()

    @property
    def cell(self) -> LSTMCell | SimpleRNNCell:
        """The equations of this layer."""
        bias = "bias" in self.passes[0].parameters
        if self.kind == "RNN":
            return SimpleRNNCell(self.nonlinearity, bias, self.layer_norm)
        variant = Variant.parse(self.variant)
        return LSTMCell(variant if self.peepholes else variant.without_peepholes(), bias, self.layer_norm)

    @property
    def lstm_cell(self) -> LSTMCell:
        """The same, of an LSTM. Raises TypeError for an RNN."""
        cell = self.cell
        if not isinstance(cell, LSTMCell):
            raise TypeError(f"recording: {self.path!r} is an RNN, which has no LSTM cell.")
        return cell

    @property
    def layer_norm(self) -> bool:
        """Whether rows were normalised within the cell."""
        return LAYER_NORM in self.beside

    @property
    def zoneout(self) -> bool:
        """Whether entries of the state stayed for a step, by chance or in the mean."""
        return ZONEOUT in self.beside

    @property
    def recurrent_dropout(self) -> bool:
        """Whether a mask hid entries of y(t-1) from the recurrent weights."""
        return RECURRENT_DROPOUT in self.beside

    @property
    def output(self) -> str:
        """Name of the value that goes out: "y" or "h"."""
        return "y" if self.kind == "LSTM" else "h"

    @property
    def passes(self) -> tuple[LayerRecord, ...]:
        """The single passes, one if nothing was joined."""
        return self.parts or (self,)

    @property
    def cuts(self) -> tuple[int, ...]:
        """Time steps t where a detached state begins: no error went from t to t-1."""
        starts = [0]
        for part in self.passes:
            starts.append(starts[-1] + part.T)
        return tuple(
            start for start, part in zip(starts[1:-1], self.passes[1:], strict=True) if part.detached
        )

    def names(self) -> tuple[str, ...]:
        """Names of the values, then of the errors that are there."""
        return (*self.values, *self.errors)

    def pass_at(self, t: int) -> tuple[LayerRecord, int]:
        """The single pass that holds step t, and the step within it.

        Raises:
            ValueError: there is no such step.
        """
        step = t + self.T if t < 0 else t
        if not 0 <= step < self.T:
            raise ValueError(f"recording: t={t}, expected 0 to {self.T - 1}, the steps of {self.path!r}.")
        for part in self.passes:
            if step < part.T:
                return part, step
            step -= part.T
        raise AssertionError("the steps of the passes add up to T")


def joined(parts: list[LayerRecord]) -> LayerRecord | None:
    """Passes that follow each other as one record, or None if they do not."""
    if len(parts) == 1:
        return parts[0]
    if not all(_follows(*pair) for pair in itertools.pairwise(parts)):
        return None
    first, last = parts[0], parts[-1]
    return dataclasses.replace(
        first,
        T=sum(part.T for part in parts),
        lengths=_joined_lengths(parts),
        values=JoinedArrays(tuple(part.values for part in parts)),
        errors=JoinedArrays(tuple(part.errors for part in parts)),
        final=last.final,
        final_errors=last.final_errors,
        parameters=_common_parameters(parts),
        backward_passes=min(part.backward_passes for part in parts),
        parts=tuple(parts),
    )


def _follows(before: LayerRecord, after: LayerRecord) -> bool:
    """Whether two passes are one sequence; a sequence that has ended must not go on."""
    if not after.continues or before.B != after.B:
        return False
    if before.lengths is None:
        return True
    ended = before.lengths < before.T
    beyond = after.lengths if after.lengths is not None else torch.full_like(before.lengths, after.T)
    return not bool((beyond[ended] > 0).any())


def _joined_lengths(parts: list[LayerRecord]) -> Tensor | None:
    given = [part.lengths for part in parts if part.lengths is not None]
    if not given:
        return None
    return torch.stack(
        [part.lengths if part.lengths is not None else torch.full_like(given[0], part.T) for part in parts]
    ).sum(0)


def _common_parameters(parts: list[LayerRecord]) -> Mapping[str, Tensor]:
    first = parts[0].parameters
    same = all(torch.equal(part.parameters[name], first[name]) for part in parts[1:] for name in first)
    return first if same else _Changed(parts[0].path)


class _Changed(Mapping[str, Tensor]):
    """Stands where passes had different parameters: an optimizer stepped in between."""

    def __init__(self, path: str) -> None:
        self._path = path

    def _refuse(self) -> NoReturn:
        raise ValueError(
            f"recording: the parameters of {self._path!r} changed between its passes, so there is no one "
            f"set; ask rec.passes[k].layers[{self._path!r}].parameters for those of pass k."
        )

    def __getitem__(self, name: str) -> Tensor:
        self._refuse()

    def __iter__(self) -> Iterator[str]:
        self._refuse()

    def __len__(self) -> int:
        self._refuse()

"""Layer normalisation, zoneout and recurrent dropout of a network, and how its layers run with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from throughtime.ops import noise, regularised
from throughtime.ops.noise import Noise
from throughtime.ops.regularised_loop import Inputs, name_of
from throughtime.ops.stream import Norms

if TYPE_CHECKING:
    from throughtime.nn.recurrent import Layer, State

LAYER_NORM: Final = "layer normalisation"
ZONEOUT: Final = "zoneout"
RECURRENT_DROPOUT: Final = "recurrent dropout"
MERGES: Final = ("concat", "sum", "mean")


@dataclass(frozen=True)
class Regularisation:
    """What a network has beside its plain cell.

    Attributes:
        layer_norm: Rows are normalised within the cell.
        zoneout: Probabilities with which c and the output stay as they are.
        recurrent_dropout: Probability with which an entry of y(t-1) is hidden from the recurrent weights.
    """

    layer_norm: bool = False
    zoneout: tuple[float, float] = (0.0, 0.0)
    recurrent_dropout: float = 0.0

    @classmethod
    def checked(
        cls,
        who: str,
        layer_norm: bool,
        zoneout: float | tuple[float, float],
        recurrent_dropout: float,
        *,
        has_cell: bool,
    ) -> Regularisation:
        """From a module's arguments.

        Raises:
            TypeError: an argument is of the wrong type.
            ValueError: a probability is out of range.
        """
        if not isinstance(layer_norm, bool):
            raise TypeError(f"{who}: layer_norm must be True or False, got {layer_norm!r}.")
        pair = zoneout if isinstance(zoneout, tuple | list) else (zoneout,) * 2
        if len(pair) != 2 or (isinstance(zoneout, tuple | list) and not has_cell):
            expected = "a probability or a pair (of c, of y)" if has_cell else "a probability"
            raise ValueError(f"{who}: zoneout={zoneout!r}, expected {expected}.")
        for_c, for_y = (_probability(who, "zoneout", share) for share in pair)
        dropped = _probability(who, "recurrent_dropout", recurrent_dropout)
        if dropped == 1:
            raise ValueError(
                f"{who}: recurrent_dropout=1 would leave nothing of the state; choose less than 1."
            )
        return cls(layer_norm, (for_c if has_cell else 0.0, for_y), dropped)

    @property
    def always(self) -> bool:
        """Whether a layer is no plain cell, in evaluation too."""
        return self.layer_norm or any(self.zoneout)

    @property
    def chance(self) -> bool:
        """Whether anything is drawn in training."""
        return any(self.zoneout) or self.recurrent_dropout > 0

    def active(self, training: bool) -> bool:
        """Whether a layer is no plain cell now."""
        return bool(self.names(training))

    def names(self, training: bool = True) -> list[str]:
        """What there is, in training or in evaluation, in words."""
        there = {
            LAYER_NORM: self.layer_norm,
            ZONEOUT: any(self.zoneout),
            RECURRENT_DROPOUT: training and self.recurrent_dropout > 0,
        }
        return [name for name, is_there in there.items() if is_there]


NOTHING: Final = Regularisation()


def _probability(who: str, name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{who}: {name} must be a number, got {value!r}.")
    if not 0 <= value <= 1:
        raise ValueError(f"{who}: {name}={value}, expected a probability from 0 to 1.")
    return float(value)


def check_merge(who: str, merge: str) -> str:
    """Accept the name of a way to merge two directions. Raises ValueError."""
    if merge not in MERGES:
        raise ValueError(f"{who}: merge={merge!r} is unknown; available: {', '.join(map(repr, MERGES))}.")
    return merge


def merged(forwards: Tensor, backwards: Tensor, merge: str) -> Tensor:
    """Outputs (T, B, H) of two directions as one: (T, B, 2H) side by side, or (T, B, H)."""
    if merge == "concat":
        return torch.cat([forwards, backwards], dim=-1)
    return forwards + backwards if merge == "sum" else (forwards + backwards) / 2


def run_layer(
    layer: Layer, cell: str, x: Tensor, state: State, lengths: Tensor | None, drawn: Noise | None = None
) -> tuple[Tensor, State]:
    """One sequence through a layer that is no plain cell; `cell` as in `ops.regularised.run`.

    `drawn` is what chance does; None draws it.
    """
    drawn = draw_noise(layer, state) if drawn is None else drawn
    found = regularised.run(
        inputs_of(layer, x, state),
        cell,
        drawn,
        lengths,
        layer.runs_in_reverse,
        regularised.backend_for(layer.backend, layer.weight_hh),
    )
    return found.y, (found.y_n, found.c_n, found.gates_n)[: len(state)]


def cell_name(layer: Layer) -> str:
    """A layer's cell as `ops.regularised` names it. Raises TypeError for a cell of another class."""
    return name_of(layer.cell)


def draw_noise(layer: Layer, state: State) -> Noise:
    """What chance does to a layer in this pass."""
    how = layer.regularisation
    return noise.draw(how.zoneout, how.recurrent_dropout, layer.training, state[0])


def mean_noise(layer: Layer, state: State) -> Noise:
    """What stands for chance in evaluation, whatever mode the layer is in."""
    how = layer.regularisation
    return noise.draw(how.zoneout, how.recurrent_dropout, False, state[0])


def inputs_of(layer: Layer, x: Tensor, state: State) -> Inputs:
    """What a layer reads, as the op takes it."""
    return Inputs(
        x,
        state[0],
        state[1] if len(state) > 1 else None,
        state[2] if len(state) > 2 else None,
        layer.weight_ih,
        layer.weight_hh,
        layer.bias,
        layer.peephole,
        layer.weight_gates,
        layer.gain_ih,
        layer.gain_hh,
        layer.gain_c,
        layer.bias_c,
    )


def norms_of(layer: Layer) -> Norms:
    """What layer normalisation has of its own, None each without it."""
    return Norms(layer.gain_ih, layer.gain_hh, layer.gain_c, layer.bias_c)

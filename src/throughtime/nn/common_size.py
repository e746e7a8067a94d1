"""Parameters of networks of different sizes in tensors of one size, and back.

A network of h units is the same network as one of H, if the weights in and out of the other H - h units are
zero. Where units stand in a parameter, its axes say.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from throughtime.cells import LSTMCell, SimpleRNNCell


class Axis(NamedTuple):
    """One dimension of a parameter: how many blocks of units it holds, 0 if it does not count units."""

    blocks: int


def axes_of(cell: LSTMCell | SimpleRNNCell, directions: int, first: bool) -> dict[str, tuple[Axis, ...]]:
    """The axes of each parameter of a layer by name; `first` if the layer reads the input itself."""
    n, m = (len(cell.variant.blocks), len(cell.variant.gates)) if isinstance(cell, LSTMCell) else (1, 0)
    return {
        "weight_ih": (Axis(n), Axis(0 if first else directions)),
        "weight_hh": (Axis(n), Axis(1)),
        "bias": (Axis(n),),
        "peephole": (Axis(0), Axis(1)),
        "weight_gates": (Axis(m), Axis(m)),
    }


def resized(value: Tensor, axes: tuple[Axis, ...], old: int, new: int) -> Tensor:
    """`value` for `new` units instead of `old`: units are added, zero, or the last ones are left out."""
    if new == old:
        return value
    for place, axis in enumerate(axes):
        if not axis.blocks:
            continue
        blocks = value.reshape(*value.shape[:place], axis.blocks, old, *value.shape[place + 1 :])
        after = value.dim() - place - 1
        value = functional.pad(blocks, (0, 0) * after + (0, new - old)).flatten(place, place + 1)
    return value


def units_of(hidden_sizes: tuple[int, ...], axis_blocks: int = 1) -> Tensor:
    """Which of the units of each network are its own, (M, blocks·H) bool."""
    units = torch.arange(max(hidden_sizes)) < torch.tensor(hidden_sizes).unsqueeze(1)
    return units.repeat(1, axis_blocks)

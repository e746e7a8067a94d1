"""What happens in a regularised layer beside the lines of its plain cell, by name, for a recording.

    i_x = W_i x(t)    i_r = R_i y(t-1)        of each block; a_x and a_r of a simple RNN
    i_x_hat           i_r_hat                 the same after its row, all blocks of it, was normalised
    c_hat = LN(c)     u = g_c ⊙ ĉ + b_c       what the output activation h sees
    c_tilde  y_tilde  h_tilde                 what the cell found, before zoneout
    k_c      k_y      k_h                     what zoneout lets through: drawn, or in the mean
    m                                         what recurrent dropout leaves of y(t-1), for R to read

The kernels keep none of these but what their backward reads. The rest is formed here for all steps at once,
from the gates and states that the kernel left and by the lines of `cells`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final

import torch
from torch import Tensor

from throughtime.cells import LSTMCell, SimpleRNNCell, Values
from throughtime.cells.activations import ACTIVATIONS
from throughtime.cells.normalise import normalised, normalised_backward
from throughtime.ops.noise import kept
from throughtime.ops.padding import before_each_step, cleared, padding
from throughtime.ops.regularised_loop import Errors, Inputs, Way

ROWS: Final = {"x": "ih", "r": "hh"}
"""The two rows that are normalised before the activation, and how their parameters end."""


def names(
    cell: LSTMCell | SimpleRNNCell, zoneout: bool, recurrent_dropout: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the values and of the errors that a layer has beside those of its plain cell."""
    values: list[str] = []
    if cell.layer_norm:
        values = [f"{block}_{row}{end}" for row in ROWS for end in ("", "_hat") for block in blocks(cell)]
        values += ["c_hat", "u"] if isinstance(cell, LSTMCell) else []
    shares = [f"k_{name}" for name in cell.state[:2]] if zoneout else []
    values += [f"{name}_tilde" for name in cell.state[:2]] if zoneout else []
    errors = tuple(f"d_{name}" for name in values)
    return (*(["m"] if recurrent_dropout else []), *values, *shares), errors


def blocks(cell: LSTMCell | SimpleRNNCell) -> tuple[str, ...]:
    """The blocks of a row by letter: those of the variant, or a."""
    return cell.variant.blocks if isinstance(cell, LSTMCell) else ("a",)


class Sight:
    """A pass of a layer seen from inside.

    Args:
        inputs: What the layer read.
        way: How it ran.
        y: Its output, (T, B, H).
        gates: Blocks after the activation, (T, B, nH); of a simple RNN g(a).
        cells: c(t), (T, B, H), after zoneout; (0,) for a simple RNN.
    """

    def __init__(self, inputs: Inputs, way: Way, y: Tensor, gates: Tensor, cells: Tensor) -> None:
        self._inputs, self._way, self._pad = inputs, way, padding(way.lengths, inputs.x)
        self._y, self._gates, self._cells = y, gates, cells
        self._blocks = blocks(way.cell)

    def before_activation(self) -> Tensor:
        """Of a simple RNN a(t), (T, B, H)."""
        p = self._inputs
        total = self._from_input + self._recurrent
        if p.gain_ih is not None and p.gain_hh is not None:
            total = self._normal_input[0] * p.gain_ih + self._normal_recurrent[0] * p.gain_hh
        return total if p.bias is None else total + p.bias

    def values(self, wanted: frozenset[str]) -> Values:
        """The values that are wanted, (T, B, H); what stands at padded steps means nothing."""
        cell = self._way.cell
        found: Values = {}
        if "m" in wanted and self._way.noise.mask is not None:
            found["m"] = self._way.noise.mask.expand(self._y.shape)
        if cell.layer_norm:
            for row in ROWS:
                for end, part in (("", 0), ("_hat", 1)):
                    named = [f"{block}_{row}{end}" for block in self._blocks]
                    if wanted & set(named):
                        rows = self._row(row) if part == 0 else self.normal_row(row)[0]
                        found |= dict(zip(named, rows.chunk(len(named), dim=-1), strict=True))
        late: dict[str, Callable[[], Tensor]] = {"c_hat": lambda: self.normal_cell[0], "u": lambda: self.seen}
        late |= {"c_tilde": lambda: self._c_tilde, f"{cell.state[0]}_tilde": lambda: self._y_tilde}
        late |= {"k_c": lambda: self.shares[0], f"k_{cell.state[0]}": lambda: self.shares[1]}
        found |= {name: form() for name, form in late.items() if name in wanted}
        return {name: value for name, value in found.items() if name in wanted}

    def errors(self, found: Errors, wanted: frozenset[str]) -> Values:
        """The errors that are wanted, (T, B, H)."""
        cell, p = self._way.cell, self._inputs
        made: Values = {}
        if p.gain_ih is not None and p.gain_hh is not None:
            for row, gain in (("x", p.gain_ih), ("r", p.gain_hh)):
                named = [f"d_{block}_{row}" for block in self._blocks]
                hats = [f"{name}_hat" for name in named]
                if not wanted & {*named, *hats}:
                    continue
                d_hat = found.bars * gain
                made |= dict(zip(hats, d_hat.chunk(len(hats), dim=-1), strict=True))
                d_row = normalised_backward(d_hat, *self.normal_row(row))
                made |= dict(zip(named, d_row.chunk(len(named), dim=-1), strict=True))
        d_tilde = self.shares[1] * found.y
        made[f"d_{cell.state[0]}_tilde"] = d_tilde
        if isinstance(cell, LSTMCell) and found.c is not None:
            made["d_c_tilde"] = found.c
            if p.gain_c is not None and wanted & {"d_u", "d_c_hat"}:
                h = ACTIVATIONS[cell.variant.output_activation]
                made["d_u"] = d_tilde * self._gate("o") * h.slope(h.value(self.seen))
                made["d_c_hat"] = made["d_u"] * p.gain_c
        return {name: value for name, value in made.items() if name in wanted}

    def _row(self, row: str) -> Tensor:
        return self._from_input if row == "x" else self._recurrent

    def normal_row(self, row: str) -> tuple[Tensor, Tensor]:
        """Row "x" or "r" normalised, (T, B, nH), and the factors (T, B, 1)."""
        return self._normal_input if row == "x" else self._normal_recurrent

    @cached_property
    def _from_input(self) -> Tensor:
        """W x, (T, B, nH)."""
        return cleared(self._inputs.x, self._pad) @ self._inputs.weight_ih.T

    @cached_property
    def _recurrent(self) -> Tensor:
        """R y(t-1), and under FGR what the own gates of t-1 add, (T, B, nH)."""
        p, mask = self._inputs, self._way.noise.mask
        read = self._before(self._y, p.y0)
        rows = (read if mask is None else read * mask) @ p.weight_hh.T
        if p.weight_gates is None or p.gates0 is None:
            return rows
        own = [k for k, block in enumerate(self._blocks) if block != "z"]
        H = p.weight_hh.shape[1]
        columns = torch.cat([torch.arange(k * H, (k + 1) * H, device=rows.device) for k in own])
        rows[..., columns] += self._before(self._gates[..., columns], p.gates0) @ p.weight_gates.T
        return rows

    @cached_property
    def _normal_input(self) -> tuple[Tensor, Tensor]:
        return normalised(self._from_input)

    @cached_property
    def _normal_recurrent(self) -> tuple[Tensor, Tensor]:
        return normalised(self._recurrent)

    @cached_property
    def shares(self) -> tuple[Tensor, Tensor]:
        """k_c and k_y of every step, (T, B, H)."""
        drawn = kept(self._way.noise, 0, self._y)  # places count through all steps as through one
        for_c, for_y = (k if isinstance(k, Tensor) else self._y.new_tensor(k) for k in drawn)
        return for_c.expand(self._y.shape), for_y.expand(self._y.shape)

    @cached_property
    def _c_tilde(self) -> Tensor:
        before = self._before(self._cells, self._initial_c)
        return self._gate("z") * self._gate("i") + before * self._gate("f")

    @cached_property
    def normal_cell(self) -> tuple[Tensor, Tensor]:
        """ĉ (T, B, H), and the factors (T, B, 1) by which c̃ was multiplied."""
        return normalised(self._c_tilde)

    @cached_property
    def seen(self) -> Tensor:
        """What h sees, (T, B, H): the cell, or what the normalisation makes of it."""
        p = self._inputs
        if p.gain_c is None:
            return self._c_tilde
        return self.normal_cell[0] * p.gain_c + (0.0 if p.bias_c is None else p.bias_c)

    @cached_property
    def _y_tilde(self) -> Tensor:
        cell = self._way.cell
        if isinstance(cell, SimpleRNNCell):
            return self._gates
        return self._gate("o") * ACTIVATIONS[cell.variant.output_activation].value(self.seen)

    @property
    def _initial_c(self) -> Tensor:
        if self._inputs.c0 is None:
            raise AssertionError("only an LSTM has cells")
        return self._inputs.c0

    def _gate(self, name: str) -> Tensor:
        """A block after its activation; 1 where a gate is fixed, 1 - i where it is coupled."""
        if name in self._blocks:
            return self._gates.chunk(len(self._blocks), dim=-1)[self._blocks.index(name)]
        cell = self._way.cell
        coupled = name == "f" and isinstance(cell, LSTMCell) and cell.variant.forget_gate == "coupled"
        return 1 - self._gate("i") if coupled else torch.ones_like(self._cells)

    def _before(self, values: Tensor, initial: Tensor) -> Tensor:
        return before_each_step(values, initial, self._pad, self._way.reverse)

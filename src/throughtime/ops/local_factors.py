"""What one step of a layer does to errors, as factors that are known once the forward has run.

Notation: T steps, B sequences, H cells or hidden units, n blocks of `weight_hh`. With δȳ the errors before
the activation,

    δȳ = factor ⊙ δc   in the first `cell_blocks` blocks (i, f, z as far as they exist)
    δȳ = factor ⊙ δy   in the last block, if that reads the output: o, and all of a simple RNN
    δc(t) = δy(t) ⊙ to_c(t) + keep(t+1) ⊙ δc(t+1)

Peepholes are in `to_c` and `keep`. What layer normalisation, zoneout and recurrent dropout do to errors is in
`Beside`: with δỹ = k_y ⊙ δy, LN' the derivative of a normalised row and δc̃ for δc in the lines above,

    δc̃(t) = LN'_c(to_c ⊙ δỹ) + straight ⊙ δỹ + k_c ⊙ δc       δc(t-1) = keep ⊙ δc̃(t) + (1 - k_c) ⊙ δc(t)
    δy(t-1) = m ⊙ Rᵀ LN'_r(g_r ⊙ δȳ) + (1 - k_y) ⊙ δy(t)       δx(t) = Wᵀ LN'_x(g_x ⊙ δȳ)

Under FGR an own gate's error of t+1 adds σ' times itself to δȳ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from throughtime.cells import Variant
from throughtime.cells.activations import activation
from throughtime.cells.normalise import normalised_backward
from throughtime.ops.lstm_loop import Layout, LSTMForward, LSTMParameters, LSTMState, step_factors
from throughtime.ops.padding import before_each_step, padding
from throughtime.ops.simple_rnn_loop import RNNForward, RNNParameters


@dataclass(frozen=True)
class Norm:
    """A normalised row: â (T, B, n), the factors s (T, B, 1), and the gain (n,) applied to â."""

    hat: Tensor
    scale: Tensor
    gain: Tensor

    def double(self) -> Norm:
        """The same in float64."""
        return Norm(self.hat.double(), self.scale.double(), self.gain.double())

    def back(self, t: int, errors: Tensor) -> Tensor:
        """From errors (B, R, n) of g ⊙ â at step t to those of the row before it was normalised."""
        hat, scale = self.hat[t].unsqueeze(1), self.scale[t].unsqueeze(1)
        return normalised_backward(errors * self.gain, hat, scale)


@dataclass(frozen=True)
class Beside:
    """What a layer has beside its plain cell, as far as errors meet it.

    Attributes:
        k_c: What zoneout lets through of c, (T, B, H); None without.
        k_y: The same of y.
        mask: Recurrent dropout's m, (B, H); None without.
        recurrent: Of R y(t-1); None without layer normalisation.
        input: Of W x; the same.
        cell: Of c̃; the same, and None without a cell.
        straight: What δỹ adds to δc̃ past the normalisation, by the peephole of o, (T, B, H); None if nothing.
    """

    k_c: Tensor | None = None
    k_y: Tensor | None = None
    mask: Tensor | None = None
    recurrent: Norm | None = None
    input: Norm | None = None
    cell: Norm | None = None
    straight: Tensor | None = None

    def double(self) -> Beside:
        """The same in float64."""
        return Beside(**{k: None if v is None else v.double() for k, v in self.__dict__.items()})


PLAIN: Final = Beside()


@dataclass(frozen=True)
class LocalFactors:
    """One layer in one direction over one batch of sequences.

    Attributes:
        factors: (T, B, nH); what it holds at padded steps means nothing, nor do `to_c` and `keep`.
        cell_blocks: Number of blocks that read δc.
        to_c: (T, B, H), peepholes included; None without a cell.
        keep: (T, B, H), peepholes included; None without a cell.
        weight_hh: (nH, H).
        weight_ih: (nH, I).
        forget: f(t), (T, B, H), what the cell keeps without peepholes; None without a cell.
        own_gates: Blocks of the own gates under FGR, in the order of `weight_gates`; otherwise ().
        slopes: (T, B, nH), σ' of the own gates under FGR.
        peephole: (m, H), None without.
        weight_gates: (mH, mH) under FGR.
        lengths: (B,) or None.
        reverse: Direction.
        beside: What the layer has beside its plain cell.
    """

    factors: Tensor
    cell_blocks: int
    to_c: Tensor | None
    keep: Tensor | None
    weight_hh: Tensor
    weight_ih: Tensor
    forget: Tensor | None = None
    blocks: tuple[str, ...] = ("h",)
    peephole: Tensor | None = None
    weight_gates: Tensor | None = None
    slopes: Tensor | None = None
    lengths: Tensor | None = None
    reverse: bool = False
    beside: Beside = PLAIN

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.weight_hh.shape[1]

    def block(self, values: Tensor, name: str) -> Tensor:
        """The part of rows (..., nH) that belongs to a block."""
        place, H = self.blocks.index(name), self.hidden_size
        return values[..., place * H : (place + 1) * H]

    def to_cell(self, t: int, errors: Tensor) -> Tensor:
        """What errors (B, R, H) of the output found at t, before zoneout, add to those of the cell found."""
        if self.to_c is None:
            raise AssertionError("only for layers with a cell")
        found = errors * self.to_c[t].unsqueeze(1)
        if self.beside.cell is not None:
            found = self.beside.cell.back(t, found)
        if self.beside.straight is not None:
            found = found + errors * self.beside.straight[t].unsqueeze(1)
        return found

    def real(self) -> Tensor:
        """(T, B) bool, false at padded steps."""
        T, B = self.factors.shape[:2]
        steps = torch.arange(T, device=self.factors.device).unsqueeze(1)
        if self.lengths is None:
            return steps.expand(T, B) >= 0
        return steps < self.lengths.to(self.factors.device)

    def double(self) -> LocalFactors:
        """The same in float64."""
        cast = {
            name: value.double()
            for name, value in self.__dict__.items()
            if isinstance(value, Tensor) and value.is_floating_point()
        }
        return LocalFactors(**{**self.__dict__, **cast, "beside": self.beside.double()})


def lstm_factors(
    saved: LSTMForward,
    state: LSTMState,
    p: LSTMParameters,
    lengths: Tensor | None,
    v: Variant,
    reverse: bool,
    seen: Tensor | None = None,
    beside: Beside = PLAIN,
) -> LocalFactors:
    """The factors of an LSTM from what its forward left; `seen` is what h sees, None if that is the cell."""
    H = saved.y.shape[2]
    layout, pad = Layout.of(v, H), padding(lengths, saved.y)
    c_before = before_each_step(saved.cells, state.c, None, reverse)
    shown = saved if seen is None else saved._replace(cells=seen)
    factors, to_c, keep, slopes = step_factors(shown, c_before, v, layout, pad)
    by_block = layout.split(factors, v)
    keep = torch.ones_like(to_c) if keep is None else keep
    forget, peephole = keep, dict(zip(v.gates, p.peephole, strict=True)) if p.peephole is not None else {}
    for gate, weight in peephole.items():
        if gate == "o" and beside.cell is not None:
            beside = replace(beside, straight=weight * by_block["o"])
        elif gate == "o":
            to_c = to_c + weight * by_block["o"]
        else:
            keep = keep + weight * by_block[gate]
    return LocalFactors(
        factors=factors,
        cell_blocks=layout.lead + 1,
        to_c=to_c,
        keep=keep,
        weight_hh=p.weight_hh,
        weight_ih=p.weight_ih,
        forget=forget,
        blocks=v.blocks,
        peephole=p.peephole,
        weight_gates=p.weight_gates,
        slopes=slopes,
        lengths=lengths,
        reverse=reverse,
        beside=beside,
    )


def rnn_factors(
    saved: RNNForward, p: RNNParameters, lengths: Tensor | None, nonlinearity: str, reverse: bool
) -> LocalFactors:
    """The factors of a simple RNN: g'(a(t))."""
    return LocalFactors(
        factors=activation(nonlinearity).slope(saved.h),
        cell_blocks=0,
        to_c=None,
        keep=None,
        weight_hh=p.weight_hh,
        weight_ih=p.weight_ih,
        lengths=lengths,
        reverse=reverse,
    )

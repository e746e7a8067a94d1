"""What one step of a layer does to errors, as factors that are known once the forward has run.

Notation: T steps, B sequences, H cells or hidden units, n blocks of `weight_hh`. With δȳ the errors before
the activation,

    δȳ = factor ⊙ δc   in the first `cell_blocks` blocks (i, f, z as far as they exist)
    δȳ = factor ⊙ δy   in the last block, if that reads the output: o, and all of a simple RNN
    δc(t) = δy(t) ⊙ to_c(t) + keep(t+1) ⊙ δc(t+1)

Peepholes are in `to_c` and `keep`. Under FGR an own gate's error of t+1 adds σ' times itself to δȳ.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from throughtime.cells import Variant
from throughtime.cells.activations import activation
from throughtime.ops.lstm_loop import LSTMForward, LSTMParameters, LSTMState, _Layout, _local_factors
from throughtime.ops.padding import before_each_step, padding
from throughtime.ops.simple_rnn_loop import RNNForward, RNNParameters


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

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.weight_hh.shape[1]

    def block(self, values: Tensor, name: str) -> Tensor:
        """The part of rows (..., nH) that belongs to a block."""
        place, H = self.blocks.index(name), self.hidden_size
        return values[..., place * H : (place + 1) * H]

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
        return LocalFactors(**{**self.__dict__, **cast})


def lstm_factors(
    saved: LSTMForward,
    state: LSTMState,
    p: LSTMParameters,
    lengths: Tensor | None,
    v: Variant,
    reverse: bool,
) -> LocalFactors:
    """The factors of an LSTM from what its forward left."""
    H = saved.y.shape[2]
    layout, pad = _Layout.of(v, H), padding(lengths, saved.y)
    c_before = before_each_step(saved.cells, state.c, None, reverse)
    factors, to_c, keep, slopes = _local_factors(saved, c_before, v, layout, pad)
    by_block = layout.split(factors, v)
    keep = torch.ones_like(to_c) if keep is None else keep
    forget, peephole = keep, dict(zip(v.gates, p.peephole, strict=True)) if p.peephole is not None else {}
    for gate, weight in peephole.items():
        if gate == "o":
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

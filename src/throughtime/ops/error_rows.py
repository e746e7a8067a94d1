"""Errors of many losses in one sweep through time: the reference, in float64.

Row r is the loss of step at[r]. At each step the rows of all losses that have begun meet the step's local
factors once. Rows carry a power of two, so that they stay in range however far errors fade or grow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from throughtime.ops.local_factors import LocalFactors
from throughtime.ops.padding import direction

_RESCALE = 64  # powers of two that a row's largest value may be away from 1


class RowNorms(NamedTuple):
    """Norms of one layer's errors, float64; 0 where a step comes after the loss, and at padded steps.

    Attributes:
        y: ‖∂J(t)/∂y(k)‖, (B, R, T); of a simple RNN ‖∂J(t)/∂h(k)‖.
        c: ‖∂J(t)/∂c(k)‖, (B, R, T), None without a cell.
    """

    y: Tensor
    c: Tensor | None


def error_rows(layers: Sequence[LocalFactors], start: Tensor, at: Tensor) -> list[RowNorms]:
    """Sweep through a stack of layers, all in the same direction.

    Args:
        layers: From the input upwards.
        start: ∂J(t)/∂y(t) at the top layer's output, (T, B, H).
        at: Steps t whose J(t) are wanted, (R,), rising.

    Returns:
        For each layer its norms.
    """
    reverse, real = layers[-1].reverse, layers[-1].real()
    T, B = start.shape[:2]
    stack = [_Rows(layer.double(), B, len(at)) for layer in layers]
    first = start.double().masked_fill(~real.unsqueeze(-1), 0)
    exponents = torch.zeros(B, len(at), dtype=torch.int64, device=start.device)
    steps = at.tolist()
    for t in reversed(direction(T, reverse)):
        open_rows = _open(steps, t, reverse)
        if open_rows.stop <= open_rows.start:
            continue
        above: Tensor | None = None
        for rows in reversed(stack):
            if above is None and t in steps:
                rows.e_y[:, steps.index(t)] += first[t]
            elif above is not None:
                rows.e_y[:, open_rows] += above
            above = rows.step(t, open_rows)
        _rescale(stack, exponents, open_rows)
        for rows in stack:
            rows.write_norms(t, open_rows, exponents, real[t])
            rows.carry(t)
    return [rows.norms() for rows in stack]


def _open(steps: list[int], t: int, reverse: bool) -> slice:
    """The rows whose loss has been met when the sweep stands at step t."""
    if reverse:
        return slice(0, sum(step <= t for step in steps))
    return slice(sum(step < t for step in steps), len(steps))


def step_back(factors: LocalFactors, t: int, errors: Tensor) -> Tensor:
    """Errors of the state before step t from errors of the state after it.

    Args:
        factors: In float64.
        t: The step.
        errors: (B, R, n), beside each other those of c, y and under FGR the own gates; of h.

    Returns:
        The same one step before, (B, R, n).
    """
    B, R, _ = errors.shape
    rows, H = _Rows(factors, B, R, measured=False), factors.hidden_size
    first = H if rows.has_cell else 0
    rows.e_c, rows.e_y = errors[..., :first].clone(), errors[..., first : first + H].clone()
    rows.e_gates = errors[..., first + H :].clone()
    rows.step(t, slice(0, R))
    rows.carry(t)
    return torch.cat([rows.e_c, rows.e_y, rows.e_gates], dim=-1)


class _Rows:
    """The errors of one layer on their way back."""

    def __init__(self, factors: LocalFactors, B: int, R: int, *, measured: bool = True) -> None:
        self.f = factors
        T, H = factors.factors.shape[0], factors.hidden_size
        self.has_cell = factors.to_c is not None
        new = factors.factors.new_zeros
        self.e_y, self.e_c = new(B, R, H), new(B, R, H)
        self.e_gates = new(B, R, 0 if factors.weight_gates is None else factors.weight_gates.shape[0])
        self.d_y = self.d_c = self.next_c = self.bars = new(0)
        self.stay_y: Tensor | None = None
        self.y, self.c = (new(T if measured else 0, B, R) for _ in range(2))
        self.rows = slice(0, 0)

    def step(self, t: int, rows: slice) -> Tensor:
        """From what reaches step t to its errors; returns what goes to the layer below, (B, R, I)."""
        f, H = self.f, self.f.hidden_size
        self.rows = rows
        factor = f.factors[t].unsqueeze(1)  # (B, 1, nH)
        self.d_y = self.e_y[:, rows]
        beside = f.beside
        k_c, k_y = ((None if k is None else k[t].unsqueeze(1)) for k in (beside.k_c, beside.k_y))
        found = self.d_y if k_y is None else self.d_y * k_y
        self.stay_y = None if k_y is None else self.d_y * (1 - k_y)
        from_gates = self._through_gates(t, rows)
        last = slice(f.cell_blocks * H, None)
        read_y = factor[..., last] * found if f.cell_blocks < len(f.blocks) else found[..., :0]
        if f.to_c is None or f.keep is None:
            self.bars = read_y
            return self._to_input(t)
        read_y = read_y + from_gates[..., last]
        e_c = self.e_c[:, rows]
        self.d_c = (e_c if k_c is None else e_c * k_c) + f.to_cell(t, found)
        if f.peephole is not None and "o" in f.blocks:
            self.d_c = self.d_c + f.peephole[-1] * from_gates[..., last]
        lead = from_gates[..., : f.cell_blocks * H]
        read_c = factor[..., : f.cell_blocks * H] * self.d_c.repeat(1, 1, f.cell_blocks) + lead
        self.bars = torch.cat([read_c, read_y], dim=-1)
        self.next_c = self.d_c * f.keep[t].unsqueeze(1)
        if k_c is not None:
            self.next_c = self.next_c + e_c * (1 - k_c)
        if f.peephole is not None:
            for number in range(f.cell_blocks - 1):
                self.next_c = self.next_c + f.peephole[number] * lead[..., number * H : (number + 1) * H]
        return self._to_input(t)

    def _to_input(self, t: int) -> Tensor:
        norm = self.f.beside.input
        return (self.bars if norm is None else norm.back(t, self.bars)) @ self.f.weight_ih

    def _through_gates(self, t: int, rows: slice) -> Tensor:
        """FGR: what the own gates of t+1 add to the errors before the activation, (B, R, nH)."""
        f, H = self.f, self.f.hidden_size
        wide = self.d_y.new_zeros(*self.d_y.shape[:2], len(f.blocks) * H)
        if f.slopes is not None:
            gates = [name for name in f.blocks if name != "z"]
            for gate, part in zip(gates, self.e_gates[:, rows].chunk(len(gates), dim=-1), strict=True):
                f.block(wide, gate).copy_(part * f.block(f.slopes[t], gate).unsqueeze(1))
        return wide

    def parts(self) -> list[Tensor]:
        """Everything that the row's power of two belongs to."""
        return [self.d_y, self.d_c, self.next_c, self.bars] if self.has_cell else [self.d_y, self.bars]

    def scale(self, by: Tensor) -> None:
        """Multiply the open rows, by (B, R, 1)."""
        self.d_y, self.bars = self.d_y * by, self.bars * by
        self.stay_y = None if self.stay_y is None else self.stay_y * by
        if self.has_cell:
            self.d_c, self.next_c = self.d_c * by, self.next_c * by

    def write_norms(self, t: int, rows: slice, exponents: Tensor, real: Tensor) -> None:
        self.y[t, :, rows] = _norm(self.d_y, exponents[:, rows]).masked_fill(~real.unsqueeze(1), 0)
        if self.has_cell:
            self.c[t, :, rows] = _norm(self.d_c, exponents[:, rows]).masked_fill(~real.unsqueeze(1), 0)

    def carry(self, t: int) -> None:
        """Take the errors of step t to the step before."""
        f, norm = self.f, self.f.beside.recurrent
        sums = self.bars if norm is None else norm.back(t, self.bars)
        read = sums @ f.weight_hh
        if f.beside.mask is not None:
            read = read * f.beside.mask.unsqueeze(1)
        self.e_y[:, self.rows] = read if self.stay_y is None else read + self.stay_y
        if self.has_cell:
            self.e_c[:, self.rows] = self.next_c
        if f.weight_gates is not None:
            gates = [f.block(sums, name) for name in f.blocks if name != "z"]
            self.e_gates[:, self.rows] = torch.cat(gates, dim=-1) @ f.weight_gates

    def norms(self) -> RowNorms:
        y, c = self.y.permute(1, 2, 0), self.c.permute(1, 2, 0)
        return RowNorms(y, c if self.has_cell else None)


def _rescale(stack: list[_Rows], exponents: Tensor, rows: slice) -> None:
    """Bring the open rows back to about 1 where they have gone far from it."""
    most = torch.stack([part.abs().amax(-1) for r in stack for part in r.parts() if part.shape[-1]]).amax(0)
    power = torch.frexp(most).exponent.long()
    power = torch.where(torch.isfinite(most) & (most > 0) & (power.abs() > _RESCALE), power, 0)
    if not power.any():
        return
    for r in stack:
        r.scale(_two_to(-power).unsqueeze(-1))
    exponents[:, rows] += power


def _norm(values: Tensor, exponents: Tensor) -> Tensor:
    """Euclidean norms along the last dimension, times 2^exponents; no square leaves the range of float64."""
    most = values.abs().amax(-1)
    unit = torch.where((most > 0) & torch.isfinite(most), most, 1.0)
    found: Tensor = unit * torch.linalg.vector_norm(values / unit.unsqueeze(-1), dim=-1)
    half = exponents // 2
    return found * _two_to(half) * _two_to(exponents - half)


def _two_to(exponents: Tensor) -> Tensor:
    return torch.pow(2.0, exponents.double())

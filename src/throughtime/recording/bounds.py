"""What is set beside an error map: the bound of a simple RNN, the carousel of an LSTM."""

from __future__ import annotations

import torch
from torch import Tensor

from throughtime.ops.local_factors import LocalFactors


def rnn_bound(f: LocalFactors, start: Tensor, at: Tensor) -> Tensor:
    """‖∂J(t)/∂h(t)‖ · ‖W‖^(t-k) · Π over s = k+1 … t of max|g'(a(s))|, spectral norms, (B, R, T) float64.

    Args:
        f: Of a simple RNN.
        start: ∂J(t)/∂h(t), (T, B, H).
        at: Steps t, (R,).
    """
    size = _step_bound(f.double())
    steps, dead = size.where(size > 0, 1.0).log().cumsum(0).T, (size == 0).cumsum(0).T  # (B, T)
    ends = at.to(steps.device)
    if f.reverse:  # s = t … k-1
        steps, dead = (torch.nn.functional.pad(v, (1, 0))[:, :-1] for v in (steps, dead))
    between = (steps[:, ends, None] - steps[:, None, :]) * (-1 if f.reverse else 1)
    blocked = (dead[:, ends, None] - dead[:, None, :]) != 0
    first = start.double().norm(dim=-1).T[:, ends, None]
    bound: Tensor = (first.log() + between).exp().masked_fill(blocked | _after(f, ends), 0)
    return bound


def _step_bound(f: LocalFactors) -> Tensor:
    """What no step's Jacobian exceeds, (T, B): ‖W‖ max|g'|.

    With normalisation, dropout and zoneout max(1 - k) + ‖W‖ max|k g' g_r| s max m, as ‖LN'‖ ≤ s.
    """
    slope, beside = f.factors, f.beside
    if beside.recurrent is not None:
        slope = slope * beside.recurrent.gain * beside.recurrent.scale
    if beside.k_y is not None:
        slope = slope * beside.k_y
    size: Tensor = torch.linalg.matrix_norm(f.weight_hh, 2) * slope.abs().amax(-1)
    if beside.mask is not None:
        size = size * beside.mask.amax(-1)
    return size if beside.k_y is None else size + (1 - beside.k_y).amax(-1)


def carousel(f: LocalFactors, start: Tensor, at: Tensor) -> Tensor:
    """‖δc(t) ⊙ Π over s = k+1 … t of f(s)‖, (B, R, T) float64: c's error if forget gates were its only way.

    With zoneout the cell is what the layer found, c̃, and an error of c(s) goes on by k_c ⊙ f + (1 - k_c).

    Args:
        f: Of an LSTM.
        start: ∂J(t)/∂y(t), (T, B, H).
        at: Steps t, (R,).
    """
    f = f.double()
    if f.to_c is None or f.forget is None:
        raise ValueError("carousel: a simple RNN has no cell.")
    (T, B, H), k_c, k_y = start.shape, f.beside.k_c, f.beside.k_y
    first = start.double() if k_y is None else start.double() * k_y
    steps, norms = at.tolist(), first.new_zeros(T, B, len(at))
    rows = first.new_zeros(B, len(at), H)  # errors of c(t)
    for t in range(T) if f.reverse else range(T - 1, -1, -1):
        found = rows.clone() if k_c is None else rows * k_c[t].unsqueeze(1)
        if t in steps:
            found[:, steps.index(t)] += f.to_cell(t, first[t].unsqueeze(1)).squeeze(1)
        norms[t] = _norm(found)
        stayed = 0.0 if k_c is None else rows * (1 - k_c[t]).unsqueeze(1)
        rows = found * f.forget[t].unsqueeze(1) + stayed
    return norms.permute(1, 2, 0).masked_fill(_after(f, at.to(start.device)), 0)


def _norm(values: Tensor) -> Tensor:
    """Norms along the last dimension whose squares stay in range."""
    most = values.abs().amax(-1, keepdim=True)
    unit = torch.where((most > 0) & torch.isfinite(most), most, 1.0)
    length: Tensor = torch.linalg.vector_norm(values / unit, dim=-1)
    return unit.squeeze(-1) * length


def _after(f: LocalFactors, ends: Tensor) -> Tensor:
    """Where k comes after t in the layer's direction, or one of them is padded; (B, R, T)."""
    real = f.real().T
    k = torch.arange(real.shape[1], device=real.device)
    order = k < ends[:, None] if f.reverse else k > ends[:, None]
    return order | ~real[:, ends, None] | ~real[:, None, :]

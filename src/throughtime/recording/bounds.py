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
    f = f.double()
    slope = f.factors.abs().amax(-1)  # (T, B)
    log_step = torch.linalg.matrix_norm(f.weight_hh, 2).log() + slope.where(slope > 0, 1.0).log()
    steps, dead = log_step.cumsum(0).T, (slope == 0).cumsum(0).T  # (B, T)
    ends = at.to(steps.device)
    if f.reverse:  # s = t … k-1
        steps, dead = (torch.nn.functional.pad(v, (1, 0))[:, :-1] for v in (steps, dead))
    between = (steps[:, ends, None] - steps[:, None, :]) * (-1 if f.reverse else 1)
    blocked = (dead[:, ends, None] - dead[:, None, :]) != 0
    first = start.double().norm(dim=-1).T[:, ends, None]
    bound: Tensor = (first.log() + between).exp().masked_fill(blocked | _after(f, ends), 0)
    return bound


def carousel(f: LocalFactors, start: Tensor, at: Tensor) -> Tensor:
    """‖δc(t) ⊙ Π over s = k+1 … t of f(s)‖, (B, R, T) float64: c's error if forget gates were its only way.

    Args:
        f: Of an LSTM.
        start: ∂J(t)/∂y(t), (T, B, H).
        at: Steps t, (R,).
    """
    f = f.double()
    if f.to_c is None or f.forget is None:
        raise ValueError("carousel: a simple RNN has no cell.")
    T, B = start.shape[:2]
    ends = at.to(start.device)
    rows = (start.double() * f.to_c)[ends].transpose(0, 1).contiguous()  # (B, R, H)
    norms = rows.new_zeros(T, B, len(ends))
    order = range(T) if f.reverse else range(T - 1, -1, -1)
    for t in order:
        met = ends <= t if f.reverse else ends >= t
        norms[t, :, met] = _norm(rows[:, met])
        rows[:, met] = rows[:, met] * f.forget[t].unsqueeze(1)
    return norms.permute(1, 2, 0).masked_fill(_after(f, ends), 0)


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

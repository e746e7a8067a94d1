"""A whole sequence as one vector: mean and maximum over its true steps."""

from __future__ import annotations

import torch
from torch import Tensor


def step_mask(lengths: Tensor, steps: int) -> Tensor:
    """True at the true steps of each sequence, False at padded ones: (T, B, 1)."""
    return (torch.arange(steps, device=lengths.device)[:, None] < lengths)[..., None]


def mean_over_time(x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Mean over the true steps of each sequence.

    Args:
        x: (T, B, H).
        lengths: True steps of each sequence, (B,), at least 1; None if all have T.

    Returns:
        (B, H).
    """
    if lengths is None:
        return x.mean(dim=0)
    kept = x.masked_fill(~step_mask(lengths, x.shape[0]), 0)
    return kept.sum(dim=0) / lengths[:, None]


def max_over_time(x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Largest value over the true steps of each sequence; shapes as `mean_over_time`."""
    if lengths is not None:
        x = x.masked_fill(~step_mask(lengths, x.shape[0]), -torch.inf)
    return x.amax(dim=0)

"""Intervals: quantiles from the network, then widened or narrowed until they hold on the validation part.

The network forecasts five quantiles at once, trained by the pinball loss (Koenker and Bassett,
Regression quantiles, 1978). On the validation part each interval is shifted by the conformal
correction of Romano, Patterson and Candès (Conformalized quantile regression, 2019), one for each lead
time; what it covers on the test part is then measured, not promised.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

Floats = npt.NDArray[np.floating]

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)  # share of truths below each quantile
MEDIAN = LEVELS.index(0.5)
INTERVALS = {0.8: (1, 3), 0.95: (0, 4)}  # coverage: indices of its lower and upper quantile


def pinball_loss(quantiles: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Pinball loss of every forecast quantile.

    Args:
        quantiles: (..., K, len(LEVELS)).
        truth: (..., K).

    Returns:
        (..., K, len(LEVELS)), never negative, in the unit of `truth`.
    """
    levels = quantiles.new_tensor(LEVELS)
    error = truth.unsqueeze(-1) - quantiles
    return torch.maximum(levels * error, (levels - 1) * error)


def conformal_margins(quantiles: Floats, truth: Floats) -> dict[float, list[float]]:
    """How much each interval must grow (or, if negative, shrink) to cover what it names.

    Args:
        quantiles: Forecasts of the validation part, (M, K, len(LEVELS)).
        truth: (M, K).

    Returns:
        For each coverage in `INTERVALS`, one margin for each of the K lead times.
    """
    count = len(truth)
    margins = {}
    for coverage, (low, high) in INTERVALS.items():
        outside = np.maximum(quantiles[..., low] - truth, truth - quantiles[..., high])
        share = min(np.ceil((count + 1) * coverage) / count, 1.0)
        margins[coverage] = [float(m) for m in np.quantile(outside, share, axis=0, method="higher")]
    return margins


def apply_margins(quantiles: Floats, margins: dict[float, list[float]]) -> Floats:
    """Move the interval bounds by their margins; the median stays, and bounds never cross it.

    Args:
        quantiles: (M, K, len(LEVELS)).
        margins: From `conformal_margins`.

    Returns:
        (M, K, len(LEVELS)), rising along the last axis.
    """
    moved = quantiles.copy()
    for coverage, (low, high) in INTERVALS.items():
        margin = np.asarray(margins[coverage], dtype=quantiles.dtype)
        moved[..., low] -= margin
        moved[..., high] += margin
    below = np.minimum.accumulate(moved[..., MEDIAN::-1], axis=-1)[..., ::-1]
    above = np.maximum.accumulate(moved[..., MEDIAN:], axis=-1)
    return np.concatenate([below, above[..., 1:]], axis=-1)


def covered_share(quantiles: Floats, truth: Floats, coverage: float) -> float:
    """Share of truths inside the interval that should cover `coverage` of them."""
    low, high = INTERVALS[coverage]
    return float(np.mean((truth >= quantiles[..., low]) & (truth <= quantiles[..., high])))


def mean_width(quantiles: Floats, coverage: float) -> float:
    """Mean distance of the interval's bounds, in the unit of the quantiles."""
    low, high = INTERVALS[coverage]
    return float(np.mean(quantiles[..., high] - quantiles[..., low]))

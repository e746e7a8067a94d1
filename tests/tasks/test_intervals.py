from __future__ import annotations

import numpy as np
import pytest
import torch

from throughtime.tasks.intervals import (
    INTERVALS,
    LEVELS,
    MEDIAN,
    apply_margins,
    conformal_margins,
    covered_share,
    mean_width,
    pinball_loss,
)


def test_levels_pair_up() -> None:
    for coverage, (low, high) in INTERVALS.items():
        assert LEVELS[high] - LEVELS[low] == pytest.approx(coverage)
        assert LEVELS[low] + LEVELS[high] == pytest.approx(1)
    assert LEVELS[MEDIAN] == 0.5


def test_pinball_loss_is_least_at_the_quantile() -> None:
    """Over a sample, the best constant for each level is the sample's own quantile."""
    truth = torch.linspace(0, 1, 1001)[:, None]
    candidates = torch.linspace(0, 1, 201)
    losses = torch.stack(
        [pinball_loss(c.expand(len(truth), 1, len(LEVELS)), truth).mean(dim=(0, 1)) for c in candidates]
    )
    best = candidates[losses.argmin(dim=0)]
    torch.testing.assert_close(best, torch.tensor(LEVELS), atol=0.006, rtol=0)


def test_pinball_loss_by_hand() -> None:
    loss = pinball_loss(torch.tensor([[[1.0, 1.0, 1.0, 1.0, 1.0]]]), torch.tensor([[3.0]]))
    torch.testing.assert_close(loss, 2 * torch.tensor([[LEVELS]]))
    loss = pinball_loss(torch.tensor([[[3.0, 3.0, 3.0, 3.0, 3.0]]]), torch.tensor([[1.0]]))
    torch.testing.assert_close(loss, 2 * (1 - torch.tensor([[LEVELS]])))


def wrong_intervals(windows: int, leads: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Truth is standard normal at every lead; the forecast bounds are `spread` times the right ones."""
    rng = np.random.default_rng(4)
    truth = rng.standard_normal((windows, leads))
    right = np.array([-1.95996, -1.28155, 0.0, 1.28155, 1.95996])
    return np.broadcast_to(right * spread, (windows, leads, 5)).copy(), truth


@pytest.mark.parametrize("spread", [0.3, 1.0, 2.5])
def test_calibration_holds_what_it_names(spread: float) -> None:
    """Bounds that are far too narrow or far too wide cover what they name once calibrated."""
    quantiles, truth = wrong_intervals(4000, 3, spread)
    margins = conformal_margins(quantiles[:2000], truth[:2000])
    calibrated = apply_margins(quantiles[2000:], margins)
    for coverage in INTERVALS:
        assert covered_share(calibrated, truth[2000:], coverage) == pytest.approx(coverage, abs=0.02)


def test_margins_are_by_lead() -> None:
    quantiles, truth = wrong_intervals(2000, 2, 1.0)
    truth[:, 1] *= 3
    margins = conformal_margins(quantiles, truth)
    for coverage in INTERVALS:
        assert abs(margins[coverage][0]) < 0.15
        assert margins[coverage][1] > 1


def test_calibrated_bounds_never_cross() -> None:
    quantiles, _ = wrong_intervals(3, 1, 1.0)
    moved = apply_margins(quantiles, {0.8: [5.0], 0.95: [-5.0]})
    assert (np.diff(moved, axis=-1) >= 0).all()
    np.testing.assert_array_equal(moved[..., MEDIAN], quantiles[..., MEDIAN])


def test_few_windows_take_the_widest() -> None:
    """With 5 windows no rank reaches 95 %: the margin is the largest seen."""
    quantiles, truth = wrong_intervals(5, 1, 1.0)
    outside = np.maximum(quantiles[..., 0] - truth, truth - quantiles[..., 4])
    assert conformal_margins(quantiles, truth)[0.95] == [pytest.approx(outside.max())]


def test_width() -> None:
    quantiles, _ = wrong_intervals(2, 2, 1.0)
    assert mean_width(quantiles, 0.8) == pytest.approx(2 * 1.28155)

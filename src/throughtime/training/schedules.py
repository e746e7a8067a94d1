"""Learning-rate schedules, as pure functions: how far the fit is decides the rate, nothing is kept.

A fit that is resumed therefore cannot come back with another rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from throughtime.training.settings import FitSettings

WARM_UP = 0.3  # share of the fit in which one-cycle climbs
START_DIVISOR = 25.0  # one-cycle begins at the peak divided by this
END_DIVISOR = 25.0e4  # and ends at the peak divided by this
PLATEAU_EPOCHS = 2  # epochs without a better validation loss after which "plateau" halves the rate


def learning_rate(settings: FitSettings, done: float, validation_losses: Sequence[float]) -> float:
    """Rate of the next update.

    Args:
        settings: Gives the schedule and its peak rate.
        done: Share of the whole fit that is behind, in [0, 1].
        validation_losses: One per finished epoch; read by "plateau" alone.
    """
    peak = settings.learning_rate
    if settings.schedule == "one-cycle":
        return one_cycle(done, peak)
    if settings.schedule == "cosine":
        return _cosine(peak, 0.0, done)
    if settings.schedule == "plateau":
        return peak * 0.5 ** halvings(validation_losses)
    return peak


def one_cycle(done: float, peak: float) -> float:
    """Climb to `peak` along half a cosine, then fall to nearly nothing along another.

    Source: Smith and Topin, Super-Convergence (2018), with the two phases and ratios of
    torch.optim.lr_scheduler.OneCycleLR; the momentum stays as it is.
    """
    if done < WARM_UP:
        return _cosine(peak / START_DIVISOR, peak, done / WARM_UP)
    return _cosine(peak, peak / END_DIVISOR, (done - WARM_UP) / (1 - WARM_UP))


def halvings(validation_losses: Sequence[float]) -> int:
    """How often "plateau" has halved the rate after these epochs."""
    best, waited, halved = math.inf, 0, 0
    for loss in validation_losses:
        if loss < best:
            best, waited = loss, 0
            continue
        waited += 1
        if waited == PLATEAU_EPOCHS:
            waited, halved = 0, halved + 1
    return halved


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2

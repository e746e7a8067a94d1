"""The network of a forecast, built from its settings, and the loss it learns by."""

from __future__ import annotations

from typing import Any

from torch import nn

from throughtime.nn.forecast_network import ForecastNetwork
from throughtime.tasks.forecast_settings import ForecastSettings
from throughtime.tasks.intervals import LEVELS, pinball_loss
from throughtime.tasks.recurrent import build_recurrent
from throughtime.training import Outcome

LOSS_NAME = "mean pinball loss, scaled units"


def build_network(
    settings: ForecastSettings, *, inputs: int, leads: int, target_column: int
) -> ForecastNetwork:
    """Make the network with fresh weights.

    Args:
        settings: Cell, sizes, variant.
        inputs: I, number of input features.
        leads: K, number of lead times.
        target_column: Index of the target among the features.
    """
    recurrent = build_recurrent(settings, inputs, dropout=settings.dropout)
    return ForecastNetwork(
        recurrent,
        leads=leads,
        quantiles=len(LEVELS),
        target_column=target_column,
        dropout=settings.dropout,
    )


def objective(model: nn.Module, batch: Any, state: Any = None) -> Outcome:
    """Pinball loss of a batch of windows, or of a stretch of the continuous series.

    Args:
        model: A `ForecastNetwork`, or a wrapper around one.
        batch: Targets (B, K), or (T, B, K) where they run along time; its mask tells which are known.
        state: Of the recurrent layers.

    Returns:
        Mean loss over every known truth and quantile, their number, and the state after the last step.
    """
    quantiles, state = model(batch.inputs, state, every_step=batch.aligned)
    loss = pinball_loss(quantiles, batch.targets)
    if batch.mask is None:
        return Outcome(loss.mean(), batch.targets.numel(), state)
    count = int(batch.mask.sum())
    return Outcome((loss * batch.mask.unsqueeze(-1)).sum() / max(count * len(LEVELS), 1), count, state)

"""The network of a forecast, built from its settings, and the loss it learns by."""

from __future__ import annotations

from typing import Any

from torch import nn

from throughtime.nn import LSTM, RNN
from throughtime.nn.forecast_network import ForecastNetwork
from throughtime.tasks.forecast_settings import ForecastSettings
from throughtime.tasks.intervals import LEVELS, pinball_loss
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
    shared: dict[str, Any] = {"num_layers": settings.layers, "backend": settings.backend}
    if settings.layers > 1:
        shared["dropout"] = settings.dropout
    recurrent: nn.Module
    if settings.network == "rnn":
        recurrent = RNN(inputs, settings.hidden, nonlinearity=settings.nonlinearity, **shared)
    else:
        recurrent = LSTM(
            inputs, settings.hidden, variant=settings.variant, peepholes=settings.peepholes, **shared
        )
    return ForecastNetwork(
        recurrent,
        leads=leads,
        quantiles=len(LEVELS),
        target_column=target_column,
        dropout=settings.dropout,
    )


def describe_network(settings: ForecastSettings) -> str:
    """The network in words, e.g. "LSTM with peepholes, 32 hidden units, 1 layer"."""
    if settings.network == "rnn":
        cell = f"simple RNN ({settings.nonlinearity})"
    else:
        variant = "" if settings.variant.lower() == "vanilla" else f" {settings.variant.upper()}"
        cell = f"LSTM{variant}{' with peepholes' if settings.peepholes else ''}"
    layers = "1 layer" if settings.layers == 1 else f"{settings.layers} layers"
    return f"{cell}, {settings.hidden} hidden units, {layers}"


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

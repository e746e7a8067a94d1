"""The recurrent layers of any task, built from its settings and named in words."""

from __future__ import annotations

from typing import Any

from throughtime.nn import LSTM, RNN
from throughtime.tasks.task_settings import NetworkSettings


def build_recurrent(
    settings: NetworkSettings, inputs: int, *, dropout: float, bidirectional: bool = False
) -> LSTM | RNN:
    """Make the recurrent layers with fresh weights.

    Args:
        settings: Cell, sizes, variant.
        inputs: I, number of input features.
        dropout: Share of the outputs dropped between two layers.
        bidirectional: Read each sequence from its end too.
    """
    shared: dict[str, Any] = {
        "layer_norm": settings.layer_norm,
        "zoneout": settings.zoneout,
        "recurrent_dropout": settings.recurrent_dropout,
        "num_layers": settings.layers,
        "backend": settings.backend,
        "bidirectional": bidirectional,
    }
    if settings.layers > 1:
        shared["dropout"] = dropout
    if settings.network == "rnn":
        return RNN(inputs, settings.hidden, nonlinearity=settings.nonlinearity, **shared)
    return LSTM(inputs, settings.hidden, variant=settings.variant, peepholes=settings.peepholes, **shared)


def describe_recurrent(settings: NetworkSettings) -> str:
    """The layers in words, e.g. "LSTM with peepholes, 32 hidden units, 1 layer"."""
    if settings.network == "rnn":
        cell = f"simple RNN ({settings.nonlinearity})"
    else:
        variant = "" if settings.variant.lower() == "vanilla" else f" {settings.variant.upper()}"
        cell = f"LSTM{variant}{' with peepholes' if settings.peepholes else ''}"
    beside = {
        ", layer normalisation": settings.layer_norm,
        f", zoneout {settings.zoneout:g}": settings.zoneout,
        f", recurrent dropout {settings.recurrent_dropout:g}": settings.recurrent_dropout,
    }
    cell += "".join(words for words, is_there in beside.items() if is_there)
    layers = "1 layer" if settings.layers == 1 else f"{settings.layers} layers"
    return f"{cell}, {settings.hidden} hidden units, {layers}"

"""What a forecast's run and model card hold beyond those of every task."""

from __future__ import annotations

from typing import Literal

from throughtime.data import Recipe, Scaler
from throughtime.tasks.forecast_settings import ForecastSettings
from throughtime.tasks.model_folder import Card, Run

TASK: Literal["forecast"] = "forecast"


class ForecastRun(Run):
    """What a forecast's fit was asked to do."""

    task: Literal["forecast"] = TASK
    settings: ForecastSettings


class ForecastCard(ForecastRun, Card):
    """Everything but the weights that a saved forecaster needs."""

    recipe: Recipe
    scaler: Scaler
    margins: dict[str, list[float]]  # coverage: conformal margin for each lead time, in the target's unit

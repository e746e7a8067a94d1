"""How good a forecast is: errors, coverage, and both by lead time and by hour of the day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from throughtime.tasks.intervals import INTERVALS, covered_share, mean_width

Floats = npt.NDArray[np.floating]


class ErrorScores(BaseModel):
    """Errors over one part, all windows and lead times together, in the target's unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mae: float
    rmse: float


class NetworkScores(ErrorScores):
    """The network's errors, and the share of truths that its intervals hold."""

    coverage80: float
    coverage95: float
    width80: float
    width95: float
    windows: int


class BaselineScores(ErrorScores):
    """A baseline's errors on the test part, and on the validation part where there is one."""

    label: str
    note: str
    validation: ErrorScores | None = None


class TrainingScores(BaseModel):
    """Errors on the training part; persistence tells how hard that part is beside the others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: ErrorScores
    persistence: ErrorScores


class Metrics(BaseModel):
    """What `evaluate` prints with --json, and what metrics.json holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str
    unit: str
    horizon: str
    steps: str
    test: NetworkScores
    validation: NetworkScores | None
    training: TrainingScores | None = None
    baselines: dict[str, BaselineScores]
    left_out: dict[str, str]
    skill: float | None  # 1 - test MAE / test MAE of the best baseline
    best_baseline: str

    @property
    def best_baseline_mae(self) -> float:
        """Test MAE of the best baseline."""
        return self.baselines[self.best_baseline].mae


@dataclass(frozen=True)
class PartForecast:
    """The network's forecast of one part, in the target's unit.

    Attributes:
        quantiles: (windows, K, Q), calibrated.
        truth: (windows, K).
    """

    quantiles: Floats
    truth: Floats


def error_scores(forecast: Floats, truth: Floats) -> ErrorScores:
    """MAE and RMSE over everything."""
    error = forecast.astype(np.float64) - truth
    return ErrorScores(mae=float(np.abs(error).mean()), rmse=float(np.sqrt((error**2).mean())))


def network_scores(part: PartForecast, median: int) -> NetworkScores:
    """Errors of the median forecast, coverage and mean width of the intervals."""
    coverage = {c: covered_share(part.quantiles, part.truth, c) for c in INTERVALS}
    width = {c: mean_width(part.quantiles, c) for c in INTERVALS}
    return NetworkScores(
        **error_scores(part.quantiles[..., median], part.truth).model_dump(),
        coverage80=coverage[0.8],
        coverage95=coverage[0.95],
        width80=width[0.8],
        width95=width[0.95],
        windows=len(part.truth),
    )


def mae_by_lead(forecast: Floats, truth: Floats) -> Floats:
    """Mean absolute error at each lead time, (K,)."""
    by_lead: Floats = np.abs(forecast.astype(np.float64) - truth).mean(axis=0)
    return by_lead


def mae_by_hour(forecast: Floats, truth: Floats, hours: npt.NDArray[np.integer]) -> dict[int, float]:
    """Mean absolute error by hour of the day of the time that is forecast.

    Args:
        forecast: (windows, K).
        truth: (windows, K).
        hours: Hour of the day of each value, (windows, K), 0 to 23.
    """
    error = np.abs(forecast.astype(np.float64) - truth)
    return {int(hour): float(error[hours == hour].mean()) for hour in np.unique(hours)}

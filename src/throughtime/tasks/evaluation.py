"""Measuring a forecast network beside its baselines on the same windows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import torch

from throughtime.data import Windows
from throughtime.nn.forecast_network import ForecastNetwork
from throughtime.tasks.baselines import Baseline, persistence, run_baselines
from throughtime.tasks.intervals import MEDIAN, apply_margins
from throughtime.tasks.scores import (
    BaselineScores,
    Metrics,
    PartForecast,
    TrainingScores,
    error_scores,
    network_scores,
)

Floats = npt.NDArray[np.floating]
Margins = dict[float, list[float]]

WINDOWS_AT_ONCE = 1_024
MAX_TRAINING_WINDOWS = 5_000  # enough to know the training error


@dataclass(frozen=True)
class Evaluation:
    """Everything measured in one evaluation, in the target's unit.

    Attributes:
        metrics: The figures.
        test: The network on the test windows.
        test_windows: Those windows.
        baselines: Their forecasts.
    """

    metrics: Metrics
    test: PartForecast
    test_windows: Windows
    baselines: list[Baseline]


@dataclass(frozen=True)
class Words:
    """What the figures are about."""

    target: str
    unit: str
    horizon: str
    steps: str


def forecast_windows(network: ForecastNetwork, windows: Windows, rows: npt.NDArray[np.integer]) -> Floats:
    """Quantiles in the target's unit, not yet calibrated: (rows, K, Q)."""
    network.eval()
    parts = []
    with torch.inference_mode():
        for some in np.array_split(rows, max(1, -(-len(rows) // WINDOWS_AT_ONCE))):
            quantiles, _ = network(windows.inputs(some))
            parts.append(windows.scaler.unscale_target(quantiles.double()).numpy())
    return np.concatenate(parts)


def part_forecast(network: ForecastNetwork, windows: Windows) -> PartForecast:
    """Forecast every window of a part, not yet calibrated."""
    return PartForecast(forecast_windows(network, windows, np.arange(len(windows))), windows.truth())


def calibrated(part: PartForecast, margins: Margins) -> PartForecast:
    """The same forecasts with the interval bounds moved by their margins."""
    return PartForecast(apply_margins(part.quantiles, margins), part.truth)


def training_scores(network: ForecastNetwork, windows: Windows) -> TrainingScores:
    """Errors on the training part, on an even sample where it is large."""
    rows = np.unique(np.linspace(0, len(windows) - 1, MAX_TRAINING_WINDOWS).astype(np.intp))
    truth = windows.truth(rows)
    return TrainingScores(
        network=error_scores(forecast_windows(network, windows, rows)[..., MEDIAN], truth),
        persistence=error_scores(persistence(windows, rows), truth),
    )


def evaluate(
    network: ForecastNetwork,
    margins: Margins,
    words: Words,
    *,
    test: Windows,
    validation: Windows | None = None,
    validation_forecast: PartForecast | None = None,
    training: Windows | None = None,
    step: timedelta,
) -> Evaluation:
    """Measure the network and every baseline that can run.

    Args:
        network: Trained.
        margins: Conformal margins of its intervals.
        words: What the figures are about.
        test: Windows to measure on.
        validation: Windows on which the nearest neighbours choose k; None leaves them out.
        validation_forecast: Of the network, not calibrated, if it was made before.
        training: Windows the nearest neighbours are looked for in; None leaves them out.
        step: Time between two rows.
    """
    on_test = calibrated(part_forecast(network, test), margins)
    on_validation = None
    if validation is not None:
        on_validation = calibrated(validation_forecast or part_forecast(network, validation), margins)
    baselines, left_out = run_baselines(test, validation, training, step)
    scored = {b.name: _baseline_scores(b, on_test, on_validation) for b in baselines}
    best = min(scored, key=lambda name: scored[name].mae)
    scores = network_scores(on_test, MEDIAN)
    metrics = Metrics(
        **words.__dict__,
        test=scores,
        validation=None if on_validation is None else network_scores(on_validation, MEDIAN),
        training=None if training is None else training_scores(network, training),
        baselines=scored,
        left_out={part.label: part.reason for part in left_out},
        best_baseline=best,
        skill=1 - scores.mae / scored[best].mae if scored[best].mae > 0 else None,
    )
    return Evaluation(metrics, on_test, test, baselines)


def _baseline_scores(
    baseline: Baseline, test: PartForecast, validation: PartForecast | None
) -> BaselineScores:
    return BaselineScores(
        label=baseline.label,
        note=baseline.note,
        **error_scores(baseline.test, test.truth).model_dump(),
        validation=None
        if validation is None or baseline.validation is None
        else error_scores(baseline.validation, validation.truth),
    )

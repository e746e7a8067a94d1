"""Forecast a column of a table some time ahead: many-to-one, or many-to-many along the horizon.

    forecaster = throughtime.Forecaster("temp", history="5d", horizon="24h").fit("weather.csv")
    forecaster.predict("weather.csv")

Follows the conventions of scikit-learn; see `throughtime.tasks.estimator`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl
import torch

from throughtime.data import Recipe, Table, apply
from throughtime.nn.forecast_network import ForecastNetwork
from throughtime.tasks.estimator import Estimator
from throughtime.tasks.evaluation import Evaluation, Words, evaluate, forecast_windows, part_forecast
from throughtime.tasks.fitting import Fitting
from throughtime.tasks.forecast_card import ForecastCard, ForecastRun
from throughtime.tasks.forecast_data import (
    ForecastData,
    all_windows,
    batches_of,
    last_window,
    prepare_data,
    repeat_data,
    updates_in_epoch,
)
from throughtime.tasks.forecast_network import build_network, objective
from throughtime.tasks.forecast_results import make_card, make_texts
from throughtime.tasks.forecast_settings import ForecastSettings
from throughtime.tasks.forecast_sources import forecast_source, open_source
from throughtime.tasks.intervals import apply_margins, conformal_margins
from throughtime.tasks.scores import Metrics, PartForecast
from throughtime.training import Display


class Forecaster(Estimator[ForecastSettings]):
    """A recurrent network that forecasts one column of a table, with intervals.

    Args:
        target: Column to forecast.
        **settings: Any field of `throughtime.tasks.ForecastSettings`: `history="5d"`, `horizon="24h"`,
            `steps="all"`, `hidden=32`, `epochs=10`, ... Durations are text.

    Attributes:
        network_: The trained `throughtime.nn.ForecastNetwork`.
        recipe_: How a table becomes its inputs.
        scaler_: Mean and standard deviation of each input over the training part.
        margins_: Conformal margin of each interval and lead time, in the target's unit.
        metrics_: Errors and coverage beside the baselines, on validation and test.
        fit_result_: Loss of each epoch and how the fit ended (not after `load`).

    Raises:
        TypeError: a setting that does not exist.
    """

    settings_class = ForecastSettings
    run_class = ForecastRun
    card_class = ForecastCard
    metrics_class = Metrics
    card_: ForecastCard
    run_: ForecastRun
    network_: ForecastNetwork

    def __init__(self, target: str, **settings: Any) -> None:
        super().__init__(target=target, **settings)

    def fit(self, data: Any, *, folder: str | Path | None = None, display: Display | None = None) -> Self:
        """Read, repair, split, train, calibrate and measure.

        Args:
            data: Path of a CSV or Parquet file, a pandas, polars or pyarrow frame, or "demo:weather".
            folder: Where to keep checkpoints while training, and the model when done. None keeps nothing.
            display: Shows progress, and what was repaired; None: a bar on a terminal, else lines, on
                stderr. `throughtime.training.QuietDisplay()` shows nothing.

        Returns:
            Itself.

        Raises:
            SettingsError: settings that contradict each other or the data.
            DataError: the data cannot be used; says file, line and column.
            NonFiniteError: training produced a number that is not finite.
            OutputError: `folder` cannot be written.
        """
        settings = self.settings
        table = open_source(data, settings)
        run = ForecastRun(settings=settings, source=forecast_source(table, data))
        return self._fit(table, Fitting(run, folder, display))

    @classmethod
    def resume(cls, folder: str | Path, data: Any = None, *, display: Display | None = None) -> Forecaster:
        """Continue a fit that was killed or interrupted, bit for bit as if it had not been.

        Args:
            folder: The `folder` of that fit.
            data: Where the data is now; None reads it from where it was.
            display: As in `fit`.

        Raises:
            ModelFolderError: there is nothing to continue, or it is damaged.
            DataError: the data is no longer the same.
        """
        fitting = Fitting.again(folder, ForecastRun, display)
        forecaster = cls._with(fitting.run.settings)
        run = fitting.run
        table = open_source(run.source if data is None else data, run.settings, expected=run.source)
        return forecaster._fit(table, fitting)

    def predict(self, data: Any) -> pl.DataFrame:
        """Forecast what comes after the last row of `data`.

        Args:
            data: As in `fit`: at least `history` of rows, with the columns the network was trained on.

        Returns:
            One row for each lead time: `time`, `forecast` (the median), `lower80`, `upper80`, `lower95`,
            `upper95`, in the unit of the target.

        Raises:
            DataError: the data cannot be used, is too short, or has a long gap at its end.
        """
        self._check_fitted("predict")
        settings = self.settings
        series = apply(self.recipe_, open_source(data, settings))
        windows, last = last_window(series, settings, self.scaler_)
        quantiles = apply_margins(forecast_windows(self.network_, windows, last), self.margins_)[0]
        lower95, lower80, median, upper80, upper95 = quantiles.T
        return pl.DataFrame(
            {
                "time": _times(windows.target_times(last)[0], self.recipe_),
                "forecast": median,
                "lower80": lower80,
                "upper80": upper80,
                "lower95": lower95,
                "upper95": upper95,
            }
        )

    def evaluate(self, data: Any) -> Metrics:
        """Measure the network beside its baselines.

        Args:
            data: The data it was trained on, of which the test part is used again; or other data, all of
                which is used, and where the nearest neighbours are left out (their training windows are
                not kept).

        Raises:
            DataError: the data cannot be used.
        """
        self._check_fitted("evaluate")
        settings = self.settings
        table = open_source(data, settings)
        if table.fingerprint == self.source_.fingerprint:
            return self._evaluate(repeat_data(table, settings, self.recipe_, self.scaler_)).metrics
        series = apply(self.recipe_, table)
        windows = all_windows(series, settings, self.scaler_)
        return evaluate(self.network_, self.margins_, self._words(), test=windows, step=series.step).metrics

    def _rebuild(self, folder: Path) -> ForecastNetwork:
        card = self.card_
        self.recipe_, self.scaler_, self.source_ = card.recipe, card.scaler, card.source
        self.margins_ = {float(level): margins for level, margins in card.margins.items()}
        return self._network(leads=len(next(iter(card.margins.values()))))

    def _fit(self, table: Table, fitting: Fitting[ForecastRun]) -> Self:
        settings = fitting.run.settings
        data = prepare_data(table, settings)
        fitting.begin(data.series.repairs)
        self.recipe_, self.scaler_, self.source_ = data.recipe, data.scaler, fitting.run.source
        torch.manual_seed(settings.seed)
        self.network_ = self._network(leads=len(data.parts.train.leads))
        batches = batches_of(data, settings)
        updates = updates_in_epoch(batches[0], settings)
        self.fit_result_ = fitting.train(self.network_, batches, objective, updates=updates, watch=True)
        plain = part_forecast(self.network_, data.parts.validation)
        self.margins_ = conformal_margins(plain.quantiles, plain.truth)
        evaluation = self._evaluate(data, plain)
        self.metrics_ = evaluation.metrics
        fitted = fitting.measured(data, self.network_, self.fit_result_, evaluation)
        return self._finish(make_card(fitted, self.margins_), make_texts(fitted), fitting.folder)

    def _evaluate(self, data: ForecastData, on_validation: PartForecast | None = None) -> Evaluation:
        return evaluate(
            self.network_,
            self.margins_,
            self._words(),
            test=data.parts.test,
            validation=data.parts.validation,
            validation_forecast=on_validation,
            training=data.parts.train,
            step=data.series.step,
        )

    def _network(self, *, leads: int) -> ForecastNetwork:
        settings, names = self.settings, self.recipe_.features
        target_column = names.index(settings.target)
        return build_network(settings, inputs=len(names), leads=leads, target_column=target_column)

    def _words(self) -> Words:
        settings = self.settings
        unit = self.recipe_.unit if settings.unit is None else settings.unit
        return Words(settings.target, unit, settings.horizon, settings.steps)


def _times(times: npt.NDArray[np.datetime64], recipe: Recipe) -> pl.Series:
    column = pl.Series(times)
    return column.dt.replace_time_zone("UTC") if recipe.zoned else column

"""From a table to the windows that a forecast is trained and measured on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from throughtime.data import (
    Parts,
    Recipe,
    Scaler,
    Series,
    StreamBatches,
    Table,
    WindowBatches,
    Windows,
    apply,
    make_windows,
    parse_duration,
    prepare,
    split_windows,
    steps_of,
)
from throughtime.data.windows import require_history
from throughtime.errors import DataError, SettingsError
from throughtime.tasks.forecast_settings import ForecastSettings


@dataclass(frozen=True)
class ForecastData:
    """A table laid out for one forecast.

    Attributes:
        recipe: How the table became the series; applies to new tables too.
        scaler: Learnt from the training part alone.
        series: Regular, repaired, unscaled.
        parts: Training, validation and test windows.
    """

    recipe: Recipe
    scaler: Scaler
    series: Series
    parts: Parts


def leads_of(settings: ForecastSettings, series: Series) -> tuple[int, ...]:
    """Lead times in steps: each one up to the horizon, or the horizon alone."""
    horizon = _steps(settings.horizon, series, "horizon")
    return tuple(range(1, horizon + 1)) if settings.steps == "all" else (horizon,)


def history_of(settings: ForecastSettings, series: Series) -> int:
    """Steps of history in one window."""
    return _steps(settings.history, series, "history")


def _steps(duration: str, series: Series, name: str) -> int:
    try:
        return steps_of(parse_duration(duration), series.step, name)
    except ValueError as error:
        raise SettingsError(str(error)) from error


def prepare_data(table: Table, settings: ForecastSettings) -> ForecastData:
    """Learn the recipe and the scaler from the training share, and cut the windows.

    Raises:
        DataError: the table cannot be used, or is too short for the history, horizon and split.
    """
    recipe, series = prepare(table, settings.prepare_settings(), training_share=settings.split[0])
    return _cut(settings, recipe, series, None)


def repeat_data(table: Table, settings: ForecastSettings, recipe: Recipe, scaler: Scaler) -> ForecastData:
    """The same windows again from the same table, with what was learnt before. Raises `DataError`."""
    return _cut(settings, recipe, apply(recipe, table), scaler)


def all_windows(series: Series, settings: ForecastSettings, scaler: Scaler) -> Windows:
    """Every window of a series whose truth is known.

    Raises:
        DataError: there is none.
    """
    history, leads = history_of(settings, series), leads_of(settings, series)
    windows = make_windows(series, scaler, history, leads)
    if len(windows) == 0:
        require_history(series, history, leads)
        raise DataError(
            f"the data have no stretch of {history + max(leads):,} rows (history {history:,} + horizon "
            f"{max(leads):,}) whose target was observed; bring more data"
        )
    return windows


def last_window(
    series: Series, settings: ForecastSettings, scaler: Scaler
) -> tuple[Windows, npt.NDArray[np.intp]]:
    """Windows without truth, and which of them ends at the last row: where the future begins.

    Raises:
        DataError: the series is too short, or has a long gap near its end.
    """
    history = history_of(settings, series)
    windows = make_windows(series, scaler, history, leads_of(settings, series), need_truth=False)
    if len(windows) and windows.last_rows()[-1] == len(series) - 1:
        return windows, np.array([len(windows) - 1])
    span = f"the last {settings.history} ({history:,} rows)"
    if len(series) < history:
        raise DataError(f"a forecast needs {span}, the data have {len(series):,} rows; bring more data")
    row = int(np.flatnonzero(series.broken)[-1])
    raise DataError(
        f"a forecast needs {span} without a long gap, but there is one at {series.times[row]}; bring the "
        "rows that fill it"
    )


def batches_of(
    data: ForecastData, settings: ForecastSettings
) -> tuple[WindowBatches | StreamBatches, WindowBatches]:
    """Training and validation batches: windows, or the continuous series for truncated BPTT."""
    validation = WindowBatches(data.parts.validation, 1024, shuffle=False)
    if settings.truncate is None:
        return WindowBatches(data.parts.train, settings.batch_size, seed=settings.seed), validation
    rows = data.parts.borders[:2]
    return StreamBatches(data.parts.train, settings.lanes, rows=rows), validation


def updates_in_epoch(train: WindowBatches | StreamBatches, settings: ForecastSettings) -> int:
    """How often the weights change in one epoch."""
    if settings.truncate is None or isinstance(train, WindowBatches):
        return len(train)
    return -(-train.length // settings.truncate[0])


def _cut(settings: ForecastSettings, recipe: Recipe, series: Series, scaler: Scaler | None) -> ForecastData:
    parts = split_windows(
        series,
        scaler,
        history=history_of(settings, series),
        leads=leads_of(settings, series),
        fractions=settings.split,
    )
    return ForecastData(recipe, parts.scaler, series, parts)

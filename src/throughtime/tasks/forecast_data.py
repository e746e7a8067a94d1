"""From a table to the windows that a forecast is trained and measured on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
    format_duration,
    parse_duration,
    prepare,
    split_windows,
    steps_of,
)
from throughtime.errors import DataError
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
    horizon = steps_of(parse_duration(settings.horizon), series.step, "horizon")
    return tuple(range(1, horizon + 1)) if settings.steps == "all" else (horizon,)


def history_of(settings: ForecastSettings, series: Series) -> int:
    """Steps of history in one window."""
    return steps_of(parse_duration(settings.history), series.step, "history")


def prepare_data(table: Table, settings: ForecastSettings) -> ForecastData:
    """Learn the recipe and the scaler from the training share, and cut the windows.

    Raises:
        DataError: the table cannot be used, or is too short for the history, horizon and split.
    """
    recipe, series = prepare(table, settings.prepare_settings(), training_share=settings.split[0])
    return _cut(table, settings, recipe, series, None)


def repeat_data(table: Table, settings: ForecastSettings, recipe: Recipe, scaler: Scaler) -> ForecastData:
    """The same windows again from the same table, with what was learnt before. Raises `DataError`."""
    return _cut(table, settings, recipe, apply(recipe, table), scaler)


def all_windows(series: Series, settings: ForecastSettings, scaler: Scaler) -> Windows:
    """Every window of a series whose truth is known.

    Raises:
        DataError: there is none.
    """
    windows = Windows.over(
        series, scaler, history=history_of(settings, series), leads=leads_of(settings, series)
    )
    if len(windows) == 0:
        raise DataError(
            f"{len(series.times):,} rows hold no unbroken stretch of {settings.history} of history and "
            f"{settings.horizon} to forecast; give more rows"
        )
    return windows


def last_window(series: Series, settings: ForecastSettings, scaler: Scaler) -> Windows:
    """The one window that ends at the last row: what a forecast into the future starts from.

    Raises:
        DataError: the series is too short, or has a long gap near its end.
    """
    history = history_of(settings, series)
    start = len(series.times) - history
    span = format_duration(history * series.step)
    if start < 0:
        raise DataError(
            f"a forecast needs the last {span} ({history:,} rows), the data has {len(series.times):,} rows; "
            "give more rows"
        )
    if series.broken[start:].any():
        row = start + int(np.flatnonzero(series.broken[start:])[-1])
        raise DataError(
            f"a forecast needs the last {span} without a long gap, but there is one at {series.times[row]}; "
            "give rows that fill it, or allow it with a larger max_gap when fitting"
        )
    return Windows.at(series, scaler, np.array([start]), history=history, leads=leads_of(settings, series))


def batches_of(
    data: ForecastData, settings: ForecastSettings
) -> tuple[WindowBatches | StreamBatches, WindowBatches]:
    """Training and validation batches: windows, or the continuous series for truncated BPTT."""
    validation = WindowBatches(data.parts.validation, 1024, shuffle=False)
    if settings.truncate is None:
        return WindowBatches(data.parts.train, settings.batch_size, seed=settings.seed), validation
    return StreamBatches(data.parts.train, lanes=settings.batch_size), validation


def _cut(
    table: Table, settings: ForecastSettings, recipe: Recipe, series: Series, scaler: Scaler | None
) -> ForecastData:
    parts = split_windows(
        series,
        scaler,
        history=history_of(settings, series),
        leads=leads_of(settings, series),
        fractions=settings.split,
        name=table.name,
    )
    return ForecastData(recipe, parts.scaler, series, parts)

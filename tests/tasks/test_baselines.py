from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from sklearn.neighbors import KNeighborsRegressor

from throughtime.data import Windows, read_table
from throughtime.tasks import baselines
from throughtime.tasks.baselines import NearestNeighboursForecast, persistence, run_baselines
from throughtime.tasks.forecast_data import ForecastData, prepare_data
from throughtime.tasks.forecast_settings import ForecastSettings

HOUR = timedelta(hours=1)


def cut(table: pl.DataFrame, **settings: object) -> ForecastData:
    wanted = {"target": "load", "history": "1d", "horizon": "30h"} | settings
    return prepare_data(read_table(table), ForecastSettings(**wanted))


@pytest.fixture(scope="module")
def data(table: pl.DataFrame) -> ForecastData:
    return cut(table)


def naive(windows: Windows, back: object) -> np.ndarray:
    values = windows.series.values[:, windows.series.target_column]
    ends = windows.starts + windows.history - 1
    return np.array([[values[end - back(lead)] for lead in windows.leads] for end in ends])  # type: ignore[operator]


def test_persistence_is_the_last_value(data: ForecastData) -> None:
    np.testing.assert_array_equal(persistence(data.parts.test), naive(data.parts.test, lambda lead: 0))


def test_the_day_before_is_the_last_day_known(data: ForecastData) -> None:
    """Leads 1 to 24 look back one day, 25 to 30 two: what they would need is not known yet."""
    test = data.parts.test
    done, _ = run_baselines(test, None, None, HOUR)
    expected = naive(test, lambda lead: (24 if lead <= 24 else 48) - lead)
    np.testing.assert_array_equal(done[1].test, expected)


def test_at_a_whole_day_it_is_persistence(table: pl.DataFrame) -> None:
    test = cut(table, horizon="24h", steps="last").parts.test
    done, _ = run_baselines(test, None, None, HOUR)
    assert done[1].note == "the same as persistence at this horizon"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"history": "12h"}, "shorter than a day"), ({"history": "35h", "every": "5h"}, "whole part of a day")],
)
def test_no_day_before(table: pl.DataFrame, settings: dict[str, object], reason: str) -> None:
    data = cut(table, **settings)
    done, left_out = run_baselines(data.parts.test, None, None, data.series.step)
    assert [baseline.name for baseline in done] == ["persistence"]
    assert reason in left_out[0].reason


def flat(windows: Windows) -> np.ndarray:
    return windows.inputs().permute(1, 0, 2).flatten(1).numpy()


def test_nearest_neighbours_agree_with_scikit_learn(data: ForecastData) -> None:
    """k, and level or change, are those with the least validation error of all that were tried."""
    train, validation, test = data.parts.train, data.parts.validation, data.parts.test
    ours = NearestNeighboursForecast(train)
    on_validation = ours.choose(validation)
    errors = {}
    for by_change in (True, False):
        base = train.known((0,)) if by_change else 0
        for k in ours.candidates:
            model = KNeighborsRegressor(k, algorithm="brute").fit(flat(train), train.truth() - base)
            forecast = model.predict(flat(validation)) + (validation.known((0,)) if by_change else 0)
            errors[k, by_change] = np.abs(forecast - validation.truth()).mean()
            if (k, by_change) == (ours.k, ours.by_change):
                np.testing.assert_allclose(on_validation, forecast, rtol=1e-4)
                expected = model.predict(flat(test)) + (test.known((0,)) if by_change else 0)
    assert min(errors, key=lambda key: errors[key]) == (ours.k, ours.by_change)
    np.testing.assert_allclose(ours.forecast(test), expected, rtol=1e-4)
    assert f"k = {ours.k}" in ours.note


def test_many_windows_are_thinned_and_long_ones_averaged(
    data: ForecastData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(baselines, "MAX_REFERENCES", 50)
    monkeypatch.setattr(baselines, "MAX_FEATURES", 40)
    ours = NearestNeighboursForecast(data.parts.train)
    ours.choose(data.parts.validation)
    assert len(ours.chosen) == 50
    assert ours.index.n_features_in_ <= 40
    assert f"among 50 of {len(data.parts.train):,} training windows" in ours.note
    assert f"averaged over {ours.steps_averaged} steps" in ours.note
    assert ours.forecast(data.parts.test).shape == (len(data.parts.test), 30)

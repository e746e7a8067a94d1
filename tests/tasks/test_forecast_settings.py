from __future__ import annotations

import pytest

from throughtime.tasks.forecast_settings import ForecastSettings


@pytest.mark.parametrize(("batches", "epochs"), [(46, 22), (273, 8), (5, 40), (1000, 8), (100, 10)])
def test_epochs_follow_from_the_number_of_updates(batches: int, epochs: int) -> None:
    assert ForecastSettings(target="t").fit_settings(batches).epochs == epochs
    assert ForecastSettings(target="t", epochs=3).fit_settings(batches).epochs == 3


def test_parts_take_what_concerns_them() -> None:
    settings = ForecastSettings(target="t", max_gap="3h", clip_norm=0.5, truncate=(4, 8), ignore=("a",))
    assert settings.prepare_settings().max_gap == "3h"
    assert settings.prepare_settings().ignore == ("a",)
    fit = settings.fit_settings(10)
    assert (fit.clip_norm, fit.truncate, fit.seed) == (0.5, (4, 8), 0)

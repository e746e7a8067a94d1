"""The section of the report on how far back a forecaster sees."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

import throughtime as tt
from throughtime.tasks.forecast_data import prepare_data
from throughtime.tasks.forecast_reach import build_reach
from throughtime.tasks.forecast_sources import open_source
from throughtime.tasks.intervals import MEDIAN
from throughtime.training import QuietDisplay

from .conftest import SMALL


def reach_of(table, **changes):
    forecaster = tt.Forecaster(**{**SMALL, **changes}).fit(table, display=QuietDisplay())
    data = prepare_data(open_source(table, forecaster.settings), forecaster.settings)
    found = build_reach(forecaster.network_, data.parts.test, forecaster.fit_result_)
    return forecaster, data, found


def test_what_it_says_is_what_the_map_says(table):
    forecaster, data, found = reach_of(table)
    windows, network = data.parts.test, forecaster.network_.eval()
    four = np.linspace(0, len(windows) - 1, 4, dtype=int)

    def median(quantiles):
        return quantiles[..., MEDIAN].mean(-1)

    errors = tt.error_map(network, windows.inputs(four), median, every_step=True)
    memory = tt.memory_length(errors)
    assert found.value == "cell"
    assert str(memory.steps) in found.memory
    assert found.verdict == errors.reach().verdict()
    np.testing.assert_allclose(found.left, errors.reach().shares)
    assert found.step_hours == data.series.step / timedelta(hours=1)
    share = (errors["c"][:, 20, 15] / errors["c"][:, 20, 20]).mean()
    assert found.map[20][15] == pytest.approx(float(share.log10()), abs=0.006)
    assert found.map[20][21] is None
    assert [raster.name for raster in found.rasters] == ["input gate", "forget gate", "output gate"]
    assert np.shape(found.rasters[0].percent) == (4, 24)
    assert "Nothing exploded in 2 epochs" in found.exploded


@pytest.mark.parametrize(
    "changes", [{"network": "rnn"}, {"variant": "NIG+NFG+NOG"}, {"layers": 2}, {"variant": "FGR"}]
)
def test_every_kind_of_network(table, changes):
    found = reach_of(table, **changes)[2]
    assert found.memory
    if changes.get("network") == "rnn":
        assert (found.value, found.rasters[0].name, found.rasters[0].low) == (
            "hidden value",
            "hidden values",
            -1.0,
        )
    if changes.get("variant", "").startswith("NIG"):
        assert found.rasters == ()


def test_dropout_plays_no_part_and_training_mode_stays(table):
    forecaster, data, expected = reach_of(table, dropout=0.5)
    forecaster.network_.train()
    found = build_reach(forecaster.network_, data.parts.test, forecaster.fit_result_)
    assert found == expected
    assert forecaster.network_.training


def test_the_first_epoch_that_exploded(table):
    forecaster, data, _ = reach_of(table)
    history = forecaster.fit_result_.history
    loud = history[1].model_copy(update={"gradient_norm": 1.0, "gradient_norm_max": 250.0})
    result = forecaster.fit_result_.model_copy(update={"history": [history[0], loud, loud]})
    found = build_reach(forecaster.network_, data.parts.test, result)
    assert found.exploded == "In epoch 2 one gradient was 250 times as long as the epoch's mean."


def test_the_history_has_what_was_watched(fitted):
    header, first, _ = (fitted[1] / "history.csv").read_text().splitlines()
    assert "memory_steps recurrent.layer0" in header
    assert "f shut recurrent.layer0" in header
    assert "gradient_norm head.linear.weight" in header
    assert len(first.split(",")) == len(header.split(","))
    assert "How far back does it see?" in (fitted[1] / "report.html").read_text()

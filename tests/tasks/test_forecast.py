from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import throughtime as tt
from throughtime import Forecaster
from throughtime.tasks.forecast_settings import ForecastSettings
from throughtime.training import QuietDisplay

from .conftest import SMALL, small_table

QUIET = QuietDisplay()


def test_a_forecast_from_python(fitted: tuple[Forecaster, Path], table: pl.DataFrame) -> None:
    forecast = fitted[0].predict(table)
    assert forecast.columns == ["time", "forecast", "lower80", "upper80", "lower95", "upper95"]
    last = table["time"][-1]
    assert forecast["time"].to_list() == [last + timedelta(hours=h) for h in range(1, 7)]
    ordered = forecast.select("lower95", "lower80", "forecast", "upper80", "upper95").to_numpy()
    assert (np.diff(ordered, axis=1) >= 0).all()
    assert forecast["time"].dtype.time_zone == "UTC"


def test_saved_and_loaded_it_forecasts_the_same(
    fitted: tuple[Forecaster, Path], table: pl.DataFrame, tmp_path: Path
) -> None:
    loaded = tt.load(fitted[1])
    assert loaded.predict(table).equals(fitted[0].predict(table))
    assert loaded.metrics_ == fitted[0].metrics_
    assert loaded.get_params() == fitted[0].get_params()
    again = tt.load(loaded.save(tmp_path / "again"))
    assert again.predict(table).equals(loaded.predict(table))


def test_measuring_the_same_data_again_gives_the_same(
    fitted: tuple[Forecaster, Path], table_file: Path
) -> None:
    assert tt.load(fitted[1]).evaluate(table_file) == fitted[0].metrics_


def test_measuring_other_data(fitted: tuple[Forecaster, Path]) -> None:
    metrics = fitted[0].evaluate(small_table(rows=200, seed=8))
    assert metrics.test.windows == 200 - 24 - 6 + 1
    assert metrics.validation is None
    assert set(metrics.baselines) == {"persistence", "same_hour_day_before"}
    assert "training data" in metrics.left_out["k-nearest neighbours"]


def test_it_learns_what_a_second_column_announces() -> None:
    forecaster = Forecaster(**SMALL | {"hidden": 16, "epochs": 25, "learning_rate": 0.02, "dropout": 0.0})
    metrics = forecaster.fit(small_table(), display=QUIET).metrics_
    assert metrics.skill is not None
    assert metrics.skill > 0.1
    assert all(metrics.test.mae < scores.mae for scores in metrics.baselines.values())
    assert 0.6 < metrics.test.coverage80 < 0.95
    assert metrics.test.coverage95 > 0.8


def test_what_comes_after_training_does_not_reach_the_weights(table: pl.DataFrame) -> None:
    """Other values in the test part change neither weights nor scaling."""
    rows = pl.int_range(pl.len())
    changed = table.with_columns(
        pl.when(rows >= int(0.86 * len(table))).then(pl.col("hint") * -1.5).otherwise(pl.col("hint"))
    )
    one, other = (Forecaster(**SMALL).fit(data, display=QUIET) for data in (table, changed))
    assert one.scaler_ == other.scaler_
    for mine, theirs in zip(one.network_.parameters(), other.network_.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    assert one.margins_ == other.margins_
    assert one.metrics_.test.mae != other.metrics_.test.mae


@pytest.mark.parametrize(
    "change",
    [
        {"network": "rnn", "nonlinearity": "relu"},
        {"variant": "CIFG", "peepholes": True},
        {"variant": "FGR", "layers": 2},
        {"layer_norm": True, "zoneout": 0.1, "recurrent_dropout": 0.2, "layers": 2},
        {"network": "rnn", "layer_norm": True, "zoneout": 0.1},
        {"steps": "last"},
        {"truncate": (16, 32), "lanes": 4},
        {"schedule": "plateau", "optimizer": "sgd", "clip_value": 0.1, "patience": 1},
    ],
    ids=str,
)
def test_every_kind_of_network_fits_and_comes_back(
    change: dict[str, object], table: pl.DataFrame, tmp_path: Path
) -> None:
    forecaster = Forecaster(**SMALL | {"epochs": 1} | change).fit(table, folder=tmp_path, display=QUIET)
    assert tt.load(tmp_path).predict(table).equals(forecaster.predict(table))
    assert len(forecaster.predict(table)) == (1 if change.get("steps") == "last" else 6)


def test_truncated_bptt_learns(table: pl.DataFrame) -> None:
    settings = SMALL | {"hidden": 16, "epochs": 30, "learning_rate": 0.02, "truncate": (12, 24), "lanes": 8}
    metrics = Forecaster(**settings | {"dropout": 0.0}).fit(table, display=QUIET).metrics_
    assert metrics.test.mae < metrics.baselines["persistence"].mae


def test_frames_of_every_kind(table: pl.DataFrame, fitted: tuple[Forecaster, Path]) -> None:
    expected = fitted[0].predict(table)
    assert fitted[0].predict(table.to_pandas()).equals(expected)
    assert fitted[0].predict(table.to_arrow()).equals(expected)


def test_conventions_of_scikit_learn() -> None:
    forecaster = Forecaster("load", hidden=8)
    copy = clone(forecaster)
    assert copy is not forecaster
    assert copy.get_params() == forecaster.get_params()
    assert repr(forecaster) == "Forecaster(target='load', hidden=8)"
    assert forecaster.set_params(hidden=9).hidden == 9
    with pytest.raises(ValueError, match="no setting named depth"):
        forecaster.set_params(depth=3)
    with pytest.raises(TypeError, match=r"no setting named hiden; there are target, .*hidden"):
        Forecaster("load", hiden=3)
    with pytest.raises(NotFittedError, match=r"Forecaster.predict: .* call fit or load first"):
        forecaster.predict("nowhere.csv")
    import inspect

    assert list(inspect.signature(Forecaster).parameters) == ForecastSettings.names()
    assert ForecastSettings.names()[0] == "target"
    assert sorted(ForecastSettings.names()) == sorted(ForecastSettings.model_fields)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"split": (0.5, 0.5, 0.5)}, "split: expected three shares above 0 that add up to 1"),
        ({"history": "five days"}, "history: "),
        ({"hidden": 0}, "hidden: "),
        ({"dropout": 1.5}, "dropout: "),
        ({"variant": "GRU"}, "'GRU' is unknown"),
        ({"network": "rnn", "peepholes": True}, "the simple RNN has no gates"),
        ({"peepholes": True, "variant": "NP"}, "NP"),
        ({"nonlinearity": "relu"}, "belongs to network 'rnn'"),
        ({"truncate": (20, 10)}, "k2 at least k1"),
        ({"backend": "tritn"}, "backend='tritn' is unknown"),
    ],
)
def test_wrong_settings_are_named_before_any_work(settings: dict[str, object], words: str) -> None:
    with pytest.raises(tt.SettingsError, match=words.replace("(", r"\(").replace(")", r"\)")):
        Forecaster(**{"target": "load"} | settings).fit("nowhere.csv", display=QUIET)


def test_too_little_to_forecast_from(fitted: tuple[Forecaster, Path], table: pl.DataFrame) -> None:
    with pytest.raises(tt.DataError, match=r"the last 1d \(24 rows\), the data have 20 rows"):
        fitted[0].predict(table.tail(20))
    gap = table.filter(~pl.int_range(pl.len()).is_between(len(table) - 15, len(table) - 5))
    with pytest.raises(tt.DataError, match="without a long gap, but there is one at"):
        fitted[0].predict(gap)
    with pytest.raises(tt.DataError, match="no column 'hint'"):
        fitted[0].predict(table.drop("hint"))


class Killed(BaseException):
    """Stands in for a process that dies."""


class KilledAtEpoch(QuietDisplay):
    """Ends the fit when an epoch is done."""

    def __init__(self, epoch: int) -> None:
        self.last = epoch

    def epoch(self, epoch: object, best: bool) -> None:
        if epoch.epoch == self.last:  # type: ignore[attr-defined]
            raise Killed


@pytest.mark.parametrize(
    "change",
    [{}, {"layer_norm": True, "zoneout": 0.2, "recurrent_dropout": 0.2}],
    ids=["plain", "regularised"],
)
def test_a_fit_goes_on_where_it_was_stopped(
    change: dict[str, object], table_file: Path, tmp_path: Path
) -> None:
    settings = SMALL | {"epochs": 5} | change
    whole = Forecaster(**settings).fit(table_file, folder=tmp_path / "whole", display=QUIET)
    with pytest.raises(Killed):
        Forecaster(**settings).fit(table_file, folder=tmp_path / "cut", display=KilledAtEpoch(3))
    with pytest.raises(tt.ModelFolderError, match=r"not finished. Continue .* fit forecast --resume"):
        tt.load(tmp_path / "cut")
    resumed = Forecaster.resume(tmp_path / "cut", display=QUIET)
    assert resumed.metrics_ == whole.metrics_
    for mine, theirs in zip(resumed.network_.parameters(), whole.network_.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    assert sorted(p.name for p in (tmp_path / "cut").iterdir()) == sorted(
        p.name for p in (tmp_path / "whole").iterdir()
    )
    with pytest.raises(tt.ModelFolderError, match="this fit was finished, so there is nothing to continue"):
        Forecaster.resume(tmp_path / "cut", display=QUIET)


def test_going_on_with_other_data_is_refused(table: pl.DataFrame, tmp_path: Path) -> None:
    data = tmp_path / "load.csv"
    table.write_csv(data)
    with pytest.raises(Killed):
        Forecaster(**SMALL).fit(data, folder=tmp_path / "cut", display=KilledAtEpoch(1))
    table.head(800).write_csv(data)
    with pytest.raises(tt.DataError, match="not the data this fit began with"):
        Forecaster.resume(tmp_path / "cut", display=QUIET)
    data.unlink()
    with pytest.raises(tt.DataError, match="no longer there; give its place"):
        Forecaster.resume(tmp_path / "cut", display=QUIET)


def test_nothing_to_go_on_with(tmp_path: Path) -> None:
    with pytest.raises(tt.ModelFolderError, match="no fit was begun in this folder"):
        Forecaster.resume(tmp_path, display=QUIET)


def test_a_loss_that_is_not_finite_keeps_the_best_model(table: pl.DataFrame, tmp_path: Path) -> None:
    """A rate far too large: the message says where it began, and the checkpoints stay."""
    forecaster = Forecaster(**SMALL | {"network": "rnn", "nonlinearity": "identity", "clip_norm": None})
    forecaster.set_params(learning_rate=1e30, schedule="constant", optimizer="sgd")
    with pytest.raises(tt.NonFiniteError, match="epoch 1"):
        forecaster.fit(table, folder=tmp_path, display=QUIET)
    assert not (tmp_path / "model.json").exists()

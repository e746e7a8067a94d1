from __future__ import annotations

import csv
import io
import shlex
from pathlib import Path

import pytest

from throughtime import Forecaster
from throughtime.cli.options import parse_options
from throughtime.tasks.forecast_results import diagnose_forecast
from throughtime.tasks.forecast_settings import ForecastSettings
from throughtime.tasks.results import command_of, history_as_csv
from throughtime.tasks.scores import BaselineScores, ErrorScores, Metrics, NetworkScores, TrainingScores


def errors(mae: float) -> ErrorScores:
    return ErrorScores(mae=mae, rmse=2 * mae)


def metrics(*, training: float, validation: float, hard: float = 1.0) -> Metrics:
    """Persistence has 3 on validation and 3 × hard on training; the nearest neighbours have 2."""
    network = NetworkScores(
        mae=validation, rmse=1, coverage80=0.8, coverage95=0.95, width80=1, width95=2, windows=9
    )
    return Metrics(
        target="load",
        unit="MW",
        horizon="6h",
        steps="all",
        test=network,
        validation=network,
        training=TrainingScores(network=errors(training), persistence=errors(3 * hard)),
        baselines={
            "persistence": BaselineScores(label="persistence", note="", mae=3, rmse=4, validation=errors(3)),
            "nearest_neighbours": BaselineScores(
                label="k-nearest neighbours", note="", mae=2, rmse=3, validation=errors(2)
            ),
        },
        left_out={},
        skill=0.1,
        best_baseline="nearest_neighbours",
    )


def test_high_bias_high_variance_and_neither() -> None:
    assert diagnose_forecast(metrics(training=2.1, validation=2.1)).verdict == "high bias"
    assert diagnose_forecast(metrics(training=0.5, validation=1.7)).verdict == "high variance"
    assert diagnose_forecast(metrics(training=1.0, validation=1.05)).verdict == "balanced"


def test_a_harder_training_part_is_no_bias() -> None:
    """An error of 2.1 where persistence has 6 is as good as one of 1.05 where it has 3."""
    diagnosis = diagnose_forecast(metrics(training=2.1, validation=1.1, hard=2))
    assert diagnosis.verdict == "balanced"
    assert "Persistence has 6 on the training part and 3 on the validation part" in diagnosis.text


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"hidden": 8, "peepholes": True, "clip_norm": None, "variant": "CIFG"},
        {"split": (0.5, 0.25, 0.25), "where": {"origin": "New York"}, "truncate": (8, 16)},
        {"time_features": False, "ignore": ("a b", "c"), "unit": "degC"},
    ],
)
def test_the_command_repeats_the_run(change: dict[str, object]) -> None:
    """Read back by the command line, it gives the same settings."""
    settings = ForecastSettings(target="T (degC)", **change)
    words = shlex.split(command_of("forecast", settings, "my data.csv"))
    assert words[:4] == ["throughtime", "fit", "forecast", "my data.csv"]

    from throughtime.cli import app

    _, bound, _ = app.parse_args(words[1:], exit_on_error=False, print_error=False)
    given = {name: value for name, value in bound.arguments.items() if name in ForecastSettings.model_fields}
    assert ForecastSettings(**parse_options(ForecastSettings, given)) == settings


def test_history_as_a_table(fitted: tuple[Forecaster, Path]) -> None:
    forecaster, folder = fitted
    text = (folder / "history.csv").read_text()
    assert text == history_as_csv(forecaster.fit_result_)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[1]["validation_loss"]) == forecaster.fit_result_.history[1].validation_loss

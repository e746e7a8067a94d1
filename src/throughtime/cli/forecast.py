"""Commands for forecasts: demo, fit forecast; measuring and using a trained forecaster."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from cyclopts import Group, Parameter

from throughtime import files
from throughtime.cli.fitting import (
    AsJson,
    Out,
    Quiet,
    Resume,
    display_of,
    finish_fit,
    network_groups,
    print_metrics,
    print_scores,
    run_fit,
    shared_folder,
)
from throughtime.cli.options import settings_as_options
from throughtime.errors import SettingsError
from throughtime.tasks.forecast import Forecaster
from throughtime.tasks.forecast_card import TASK
from throughtime.tasks.forecast_settings import ForecastSettings
from throughtime.tasks.forecast_sources import SHIPPED_WEATHER
from throughtime.tasks.scores import Metrics

NETWORK, TRAINING = network_groups(3)
GROUPS = {
    "network": NETWORK,
    "epochs": TRAINING,
    "target": Group("Forecast", sort_key=1),
    "time": Group("Data", sort_key=2),
    "dropout": NETWORK,
    "truncate": TRAINING,
}


def demo(
    *,
    out: Annotated[Path | None, Parameter(help="Folder for the model. [default: throughtime-demo]")] = None,
    epochs: Annotated[int | None, Parameter(help="Passes over the training part.")] = None,
    json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Train on the weather of New York's JFK airport (2013, shipped), measure, save and show how to look.

    Forecasts the temperature hour by hour for the next 24 hours.
    """
    options = {} if epochs is None else {"epochs": epochs}
    folder = shared_folder(out, "throughtime-demo")
    forecaster = Forecaster("temp", unit="degF", time_zone="America/New_York", **options)
    forecaster.fit(SHIPPED_WEATHER, folder=folder, display=display_of(quiet))
    return finish_fit(TASK, forecaster, folder, as_json=json, show=_show)


@settings_as_options(ForecastSettings, GROUPS)
def forecast(
    data: Annotated[str | None, Parameter(help="CSV or Parquet file, or demo:weather.")] = None,
    /,
    *,
    out: Out = None,
    resume: Resume = None,
    json: AsJson = False,
    quiet: Quiet = False,
    **options: Any,
) -> int:
    """Train a recurrent network to forecast one column of a table, and measure it beside baselines."""
    return run_fit(
        TASK,
        Forecaster,
        data,
        options,
        out=out,
        resume=resume,
        as_json=json,
        quiet=quiet,
        expected=(
            "a data file and --target COLUMN, as in: throughtime fit forecast weather.csv --target temp"
        ),
        show=_show,
    )


def evaluate_model(folder: Path, data: str | None, *, as_json: bool) -> int:
    """Measure a trained forecaster beside its baselines."""
    forecaster = Forecaster.load(folder)
    metrics = forecaster.evaluate(forecaster.source_ if data is None else data)
    print_metrics(metrics, as_json=as_json, show=_show)
    return 0


def predict_with(folder: Path, data: str | None, *, out: Path | None, as_json: bool) -> int:
    """Forecast what comes after the last row of DATA, with 80 % and 95 % intervals, as CSV."""
    forecaster = Forecaster.load(folder)
    if data is None:
        raise SettingsError("predict: expected a CSV or Parquet file that ends now, after the model's folder")
    if as_json:
        raise SettingsError("predict: a forecast is printed as CSV; leave away --json")
    frame = forecaster.predict(data)
    zone = "Z" if frame.schema["time"] == pl.Datetime("us", "UTC") else ""
    text = frame.write_csv(datetime_format=f"%Y-%m-%dT%H:%M:%S{zone}")
    if out is None:
        sys.stdout.write(text)
    else:
        files.write_text(out, text)
        print(f"Wrote {len(frame):,} lead times to {out}", file=sys.stderr)
    return 0


def _show(metrics: Metrics) -> None:
    test, unit = metrics.test, f" {metrics.unit}" if metrics.unit else ""
    rows = [("network", f"{test.mae:.4g}", f"{test.rmse:.4g}", "")]
    rows += [(one.label, f"{one.mae:.4g}", f"{one.rmse:.4g}", one.note) for one in metrics.baselines.values()]
    title = f"{metrics.target}, {metrics.horizon} ahead: {test.windows:,} test windows"
    print_scores(title, (f"MAE{unit}", f"RMSE{unit}"), rows)
    print(
        f"Intervals on the test part: the 80 % interval held {100 * test.coverage80:.1f} % "
        f"(mean width {test.width80:.3g}{unit}), the 95 % interval {100 * test.coverage95:.1f} % "
        f"({test.width95:.3g}{unit})."
    )

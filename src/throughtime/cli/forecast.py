"""Commands for forecasts: demo, fit forecast; measuring and using a trained forecaster."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from cyclopts import Group, Parameter
from rich.console import Console
from rich.table import Table as RichTable

from throughtime import files
from throughtime.cli.fitting import (
    AsJson,
    Out,
    Quiet,
    Resume,
    check_resume,
    display_of,
    network_groups,
    say_where,
    shared_folder,
    stem,
)
from throughtime.cli.options import parse_options, settings_as_options
from throughtime.errors import SettingsError
from throughtime.tasks.forecast import Forecaster
from throughtime.tasks.forecast_card import TASK
from throughtime.tasks.forecast_settings import ForecastSettings
from throughtime.tasks.forecast_sources import SHIPPED_WEATHER
from throughtime.tasks.scores import Metrics
from throughtime.training.distributed import is_first

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
    return _fit(forecaster, SHIPPED_WEATHER, folder, as_json=json, quiet=quiet)


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
    given = parse_options(ForecastSettings, options)
    if resume is not None:
        check_resume(out, given)
        forecaster = Forecaster.resume(resume, data, display=display_of(quiet))
        return _finished(forecaster, resume, as_json=json)
    if data is None or "target" not in given:
        raise SettingsError(
            "fit forecast: expected a data file and --target COLUMN, as in: "
            "throughtime fit forecast weather.csv --target temp"
        )
    folder = shared_folder(out, f"{stem(data)}-forecast")
    return _fit(Forecaster(**given), data, folder, as_json=json, quiet=quiet)


def evaluate_model(folder: Path, data: str | None, *, as_json: bool) -> int:
    """Measure a trained forecaster beside its baselines."""
    forecaster = Forecaster.load(folder)
    metrics = forecaster.evaluate(forecaster.source_ if data is None else data)
    _print_metrics(metrics, as_json=as_json)
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


def _fit(forecaster: Forecaster, data: str, folder: Path, *, as_json: bool, quiet: bool) -> int:
    forecaster.fit(data, folder=folder, display=display_of(quiet))
    return _finished(forecaster, folder, as_json=as_json)


def _finished(forecaster: Forecaster, folder: Path, *, as_json: bool) -> int:
    if not is_first():
        return 0
    _print_metrics(forecaster.metrics_, as_json=as_json)
    return say_where(folder, forecaster.fit_result_, TASK)


def _print_metrics(metrics: Metrics, *, as_json: bool) -> None:
    if as_json:
        print(metrics.model_dump_json())
        return
    unit = f" {metrics.unit}" if metrics.unit else ""
    table = RichTable(
        title=f"{metrics.target}, {metrics.horizon} ahead: {metrics.test.windows:,} test windows"
    )
    table.add_column("")
    for name in ("MAE", "RMSE"):
        table.add_column(f"{name}{unit}", justify="right")
    table.add_column("")
    table.add_row("network", f"{metrics.test.mae:.4g}", f"{metrics.test.rmse:.4g}", "", style="bold")
    for scores in metrics.baselines.values():
        table.add_row(scores.label, f"{scores.mae:.4g}", f"{scores.rmse:.4g}", scores.note)
    console = Console(highlight=False)
    console.print(table)
    test = metrics.test
    console.print(
        f"Intervals on the test part: the 80 % interval held {test.coverage80:.1%} "
        f"(mean width {test.width80:.3g}{unit}), the 95 % interval {test.coverage95:.1%} "
        f"({test.width95:.3g}{unit})."
    )
    for label, reason in metrics.left_out.items():
        console.print(f"Left out: {label}: {reason}.")

"""Commands for forecasts: demo, fit forecast, evaluate, predict, look."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import torch
from cyclopts import Group, Parameter
from rich.console import Console
from rich.table import Table as RichTable

from throughtime import files
from throughtime.cli.codes import INTERRUPTED
from throughtime.cli.options import parse_options, settings_as_options
from throughtime.errors import OutputError, SettingsError
from throughtime.page.open import open_in_browser
from throughtime.tasks.forecast import Forecaster
from throughtime.tasks.forecast_settings import ForecastSettings
from throughtime.tasks.model_folder import (
    CHECKPOINTS,
    MODEL_JSON,
    REPORT,
    RUN_JSON,
    read_card,
    read_checked,
    resume_command,
)
from throughtime.tasks.scores import Metrics
from throughtime.tasks.sources import SHIPPED_WEATHER
from throughtime.training import Display, QuietDisplay
from throughtime.training.distributed import is_first, join

FOLDER = "Folder of a trained model."
JSON = "Print one JSON object on stdout and nothing else."
GROUPS = {
    "target": Group("Forecast", sort_key=1),
    "time": Group("Data", sort_key=2),
    "network": Group("Network", sort_key=3),
    "epochs": Group("Training", sort_key=4),
}

AsJson = Annotated[bool, Parameter(name="--json", help=JSON, negative=())]
Quiet = Annotated[bool, Parameter(help="Show no progress.", negative=())]
Folder = Annotated[Path, Parameter(help=FOLDER)]


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
    folder = _shared_folder(out, "throughtime-demo")
    forecaster = Forecaster("temp", unit="degF", time_zone="America/New_York", **options)
    return _fit(forecaster, SHIPPED_WEATHER, folder, as_json=json, quiet=quiet)


@settings_as_options(ForecastSettings, GROUPS)
def forecast(
    data: Annotated[str | None, Parameter(help="CSV or Parquet file, or demo:weather.")] = None,
    /,
    *,
    out: Annotated[Path | None, Parameter(help="Folder for the model; must be new.")] = None,
    resume: Annotated[
        Path | None, Parameter(help="Continue the fit that was stopped in this folder.")
    ] = None,
    json: AsJson = False,
    quiet: Quiet = False,
    **options: Any,
) -> int:
    """Train a recurrent network to forecast one column of a table, and measure it beside baselines."""
    given = parse_options(ForecastSettings, options)
    if resume is not None:
        if out is not None or given:
            names = ", ".join(f"--{name.replace('_', '-')}" for name in [*(["out"] if out else []), *given])
            raise SettingsError(f"--resume continues with the settings it began with; leave away {names}")
        forecaster = Forecaster.resume(resume, data, display=_display(quiet))
        return _finished(forecaster, resume, as_json=json)
    if data is None or "target" not in given:
        raise SettingsError(
            "fit forecast: expected a data file and --target COLUMN, as in: "
            "throughtime fit forecast weather.csv --target temp"
        )
    folder = _shared_folder(out, f"{_stem(data)}-forecast")
    return _fit(Forecaster(**given), data, folder, as_json=json, quiet=quiet)


def evaluate(
    folder: Folder,
    data: Annotated[str | None, Parameter(help="Other data; left away, the test part again.")] = None,
    /,
    *,
    json: AsJson = False,
) -> int:
    """Measure a trained model beside its baselines."""
    forecaster = Forecaster.load(folder)
    metrics = forecaster.evaluate(forecaster.source_ if data is None else data)
    _print_metrics(metrics, as_json=json)
    return 0


def predict(
    folder: Folder,
    data: Annotated[str, Parameter(help="CSV or Parquet file that ends now.")],
    /,
    *,
    out: Annotated[Path | None, Parameter(help="CSV file to write; left away, stdout.")] = None,
) -> int:
    """Forecast what comes after the last row of DATA, with 80 % and 95 % intervals, as CSV."""
    frame = Forecaster.load(folder).predict(data)
    zone = "Z" if frame.schema["time"] == pl.Datetime("us", "UTC") else ""
    text = frame.write_csv(datetime_format=f"%Y-%m-%dT%H:%M:%S{zone}")
    if out is None:
        sys.stdout.write(text)
    else:
        files.write_text(out, text)
        print(f"Wrote {len(frame):,} lead times to {out}", file=sys.stderr)
    return 0


def look(folder: Folder, /) -> int:
    """Open the report of a trained model in the browser."""
    read_checked(folder, REPORT, read_card(folder))
    page = (folder / REPORT).resolve()
    if open_in_browser(page):
        print(f"Opened {page}")
    return 0


def _fit(forecaster: Forecaster, data: str, folder: Path, *, as_json: bool, quiet: bool) -> int:
    forecaster.fit(data, folder=folder, display=_display(quiet))
    return _finished(forecaster, folder, as_json=as_json)


def _finished(forecaster: Forecaster, folder: Path, *, as_json: bool) -> int:
    if not is_first():
        return 0
    _print_metrics(forecaster.metrics_, as_json=as_json)
    console = Console(stderr=True, highlight=False)
    console.print(f"Model and report: {folder}   Look at it: throughtime look {folder}", soft_wrap=True)
    if forecaster.fit_result_.stopped == "interrupted":
        console.print(
            f"Interrupted: this is the best model so far. Go on: {resume_command(folder)}", soft_wrap=True
        )
        return INTERRUPTED
    return 0


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


def _display(quiet: bool) -> Display | None:
    return QuietDisplay() if quiet else None


def _shared_folder(wanted: Path | None, name: str) -> Path:
    """The folder that the first process chose: to a later one it may look taken, by the first."""
    processes = join(torch.device("cpu"))
    chosen = str(_free_folder(wanted, name)) if processes.first else ""
    return Path(processes.agree_on(chosen))


def _free_folder(wanted: Path | None, name: str) -> Path:
    """The folder asked for, if nothing of ours is in it; else the first free name."""
    if wanted is not None:
        if (wanted / MODEL_JSON).exists():
            raise OutputError(f"{wanted}: holds a model already; choose another --out")
        if (wanted / CHECKPOINTS / RUN_JSON).exists():
            raise OutputError(
                f"{wanted}: holds a fit that was not finished; go on with --resume {wanted}, "
                "or choose another --out"
            )
        return wanted
    candidates = (Path(name if n == 1 else f"{name}-{n}") for n in itertools.count(1))
    return next(folder for folder in candidates if not folder.exists())


def _stem(data: str) -> str:
    return Path(data.rpartition(":")[2]).name.split(".")[0] or "table"

"""What a finished fit leaves behind: the model card, metrics.json, history.csv and report.html."""

from __future__ import annotations

import csv
import io
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from throughtime._version import __version__
from throughtime.page.report import render_forecast_report
from throughtime.tasks.evaluation import Evaluation
from throughtime.tasks.forecast_data import ForecastData
from throughtime.tasks.forecast_report import build_report
from throughtime.tasks.forecast_settings import ForecastSettings
from throughtime.tasks.model_folder import HISTORY, METRICS, REPORT, DataSource, ModelCard, Run
from throughtime.training import Diagnosis, FitResult, diagnose

if TYPE_CHECKING:
    from throughtime.tasks.forecast import Forecaster


def make_card(forecaster: Forecaster, run: Run) -> ModelCard:
    """The model card of a fitted forecaster; its list of files is filled in when it is written."""
    result = forecaster.fit_result_
    return ModelCard(
        **dict(run),
        throughtime_version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        recipe=forecaster.recipe_,
        scaler=forecaster.scaler_,
        margins={str(level): margins for level, margins in forecaster.margins_.items()},
        parameters=count_parameters(forecaster),
        stopped=result.stopped,
        best_epoch=result.best_epoch,
        files={},
    )


def make_texts(
    forecaster: Forecaster, data: ForecastData, evaluation: Evaluation, seconds: float
) -> dict[str, str]:
    """Content of the text files of the model folder, by name."""
    report = build_report(
        forecaster.settings,
        data,
        evaluation,
        forecaster.fit_result_,
        diagnose_forecast(evaluation),
        source_name=forecaster.source_.name,
        parameters=count_parameters(forecaster),
        seconds=seconds,
        command=command_of(forecaster.settings, forecaster.source_),
    )
    return {
        METRICS: evaluation.metrics.model_dump_json(indent=2) + "\n",
        HISTORY: history_as_csv(forecaster.fit_result_),
        REPORT: render_forecast_report(report),
    }


def diagnose_forecast(evaluation: Evaluation) -> Diagnosis:
    """High bias or high variance, by training and validation error beside the best baseline."""
    metrics = evaluation.metrics
    assert metrics.training is not None
    assert metrics.validation is not None
    on_validation = {
        scores.label: scores.validation.mae for scores in metrics.baselines.values() if scores.validation
    }
    best = min(on_validation, key=lambda label: on_validation[label])
    return diagnose(
        metrics.training.mae,
        metrics.validation.mae,
        on_validation[best],
        unit=metrics.unit,
        name_of_baseline=best,
    )


def command_of(settings: ForecastSettings, source: DataSource) -> str:
    """The command line that repeats a fit."""
    words = ["throughtime", "fit", "forecast", shlex.quote(source.path or "DATA")]
    for name, field in ForecastSettings.model_fields.items():
        value = getattr(settings, name)
        if not field.is_required() and value == field.get_default(call_default_factory=True):
            continue
        option = f"--{name.replace('_', '-')}"
        words += [option] if value is True else [option, shlex.quote(_as_typed(value))]
    return " ".join(words)


def history_as_csv(result: FitResult) -> str:
    """One row for each epoch."""
    text = io.StringIO()
    rows = [epoch.model_dump() for epoch in result.history]
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def count_parameters(forecaster: Forecaster) -> int:
    """Numbers the network has learnt."""
    return sum(parameter.numel() for parameter in forecaster.network_.parameters())


def _as_typed(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={entry}" for name, entry in value.items())
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)

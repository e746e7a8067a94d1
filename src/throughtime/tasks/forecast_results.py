"""What a finished fit leaves behind: the model card, metrics.json, history.csv and report.html."""

from __future__ import annotations

from throughtime.page.report import render_forecast_report
from throughtime.tasks.evaluation import Margins
from throughtime.tasks.fitting import shared_card
from throughtime.tasks.forecast_card import ForecastCard
from throughtime.tasks.forecast_report import ForecastFitted, build_report
from throughtime.tasks.model_folder import HISTORY, METRICS, REPORT
from throughtime.tasks.results import history_as_csv
from throughtime.tasks.scores import Metrics
from throughtime.training import Diagnosis, diagnose


def make_card(fitted: ForecastFitted, margins: Margins) -> ForecastCard:
    """The model card."""
    return ForecastCard(
        **shared_card(fitted),
        recipe=fitted.data.recipe,
        scaler=fitted.data.scaler,
        margins={str(level): some for level, some in margins.items()},
    )


def make_texts(fitted: ForecastFitted) -> dict[str, str]:
    """Content of the text files of the model folder, by name."""
    report = build_report(fitted, diagnose_forecast(fitted.evaluation.metrics))
    return {
        METRICS: fitted.evaluation.metrics.model_dump_json(indent=2) + "\n",
        HISTORY: history_as_csv(fitted.result),
        REPORT: render_forecast_report(report),
    }


def diagnose_forecast(metrics: Metrics) -> Diagnosis:
    """High bias or high variance, by training and validation error beside the best baseline.

    The parts are other stretches of time, and one may be harder to forecast than the other. So the
    training error is first scaled by what persistence, which learns nothing, has on both.
    """
    assert metrics.training is not None
    assert metrics.validation is not None
    on_validation = {s.label: s.validation.mae for s in metrics.baselines.values() if s.validation}
    best = min(on_validation, key=lambda label: on_validation[label])
    yardstick = metrics.training.persistence.mae, on_validation["persistence"]
    scale = yardstick[1] / yardstick[0] if yardstick[0] > 0 else 1.0
    diagnosis = diagnose(
        metrics.training.network.mae * scale,
        metrics.validation.mae,
        on_validation[best],
        unit=metrics.unit,
        name_of_baseline=best,
    )
    words = (
        f"Persistence has {yardstick[0]:.4g} on the training part and {yardstick[1]:.4g} on the validation "
        f"part; the training error of {metrics.training.network.mae:.4g} is scaled by their ratio to "
        "make the two comparable. "
    )
    return diagnosis.model_copy(update={"text": words + diagnosis.text})

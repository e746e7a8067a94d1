"""What the page of a trained forecaster says, gathered from what was read, trained and measured."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from throughtime.data import Windows, format_duration, parse_duration
from throughtime.nn.forecast_network import ForecastNetwork
from throughtime.page import forecast_report as page
from throughtime.tasks.evaluation import Evaluation
from throughtime.tasks.fitting import Fitted
from throughtime.tasks.forecast_card import ForecastRun
from throughtime.tasks.forecast_data import ForecastData
from throughtime.tasks.forecast_network import LOSS_NAME
from throughtime.tasks.forecast_reach import build_reach
from throughtime.tasks.intervals import MEDIAN
from throughtime.tasks.recurrent import describe_recurrent
from throughtime.tasks.reporting import shared_report
from throughtime.tasks.scores import Metrics, NetworkScores, mae_by_hour, mae_by_lead
from throughtime.training import Diagnosis

ForecastFitted = Fitted[ForecastRun, ForecastData, ForecastNetwork, Evaluation]

NETWORK = "network"
MAX_SERIES = 9_000  # points of the test part that the page draws
EXAMPLES = 12


def build_report(fitted: ForecastFitted, diagnosis: Diagnosis) -> page.ForecastReport:
    """Gather everything that `render_forecast_report` draws."""
    run, data, evaluation = fitted.run, fitted.data, fitted.evaluation
    settings, metrics = run.settings, evaluation.metrics
    return page.ForecastReport(
        **shared_report(fitted, data.series.repairs, diagnosis),
        title=f"{settings.target}, {_in_words(settings.horizon)} ahead",
        target=settings.target,
        unit=metrics.unit,
        network=describe_recurrent(settings),
        horizon=_in_words(settings.horizon),
        history_span=_in_words(settings.history),
        steps=settings.steps,
        time_zone="UTC" if data.recipe.zoned else "",
        source=_source(data, run.source.name),
        loss_name=LOSS_NAME,
        scores=_scores(metrics, describe_recurrent(settings)),
        coverage=_coverage(metrics),
        by_lead=_by_lead(evaluation, data),
        by_hour=_by_hour(evaluation, data),
        series=_series(evaluation),
        examples=_examples(evaluation),
        reach=build_reach(fitted.network, data.parts.test, fitted.result),
        limits=_limits(metrics),
    )


def _source(data: ForecastData, name: str) -> page.Source:
    series = data.series
    parts = {"training": data.parts.train, "validation": data.parts.validation, "test": data.parts.test}
    return page.Source(
        name=name,
        rows=len(series.times),
        columns=series.names,
        first=_time(series.times[0]),
        last=_time(series.times[-1]),
        step=format_duration(series.step),
        split=[_split_part(part, windows) for part, windows in parts.items()],
    )


def _split_part(part: str, windows: Windows) -> page.SplitPart:
    ends = windows.target_times(np.array([0, len(windows) - 1]))
    return page.SplitPart(part=part, from_=_time(ends[0, 0]), to=_time(ends[-1, -1]), windows=len(windows))


def _scores(metrics: Metrics, label: str) -> list[page.Score]:
    assert metrics.validation is not None
    network = page.Score(
        name=NETWORK,
        label="network",
        kind="network",
        note=label,
        validation=_errors(metrics.validation),
        test=_errors(metrics.test),
    )
    baselines = []
    for name, scores in metrics.baselines.items():
        assert scores.validation is not None
        baselines.append(
            page.Score(
                name=name,
                label=scores.label,
                kind="baseline",
                note=scores.note,
                validation=_errors(scores.validation),
                test=_errors(scores),
            )
        )
    return [network, *baselines]


def _errors(scores: object) -> page.Errors:
    return page.Errors(mae=scores.mae, rmse=scores.rmse)  # type: ignore[attr-defined]


def _coverage(metrics: Metrics) -> list[page.Coverage]:
    validation = metrics.validation
    return [
        page.Coverage(
            level=level,
            validation=None if validation is None else _level(validation, "coverage", level),
            test=_level(metrics.test, "coverage", level),
            mean_width=_level(metrics.test, "width", level),
        )
        for level in (0.8, 0.95)
    ]


def _level(scores: NetworkScores, what: str, level: float) -> float:
    return float(getattr(scores, f"{what}{round(level * 100)}"))


def _methods(evaluation: Evaluation) -> dict[str, npt.NDArray[np.floating]]:
    network = {NETWORK: evaluation.test.quantiles[..., MEDIAN]}
    return network | {baseline.name: baseline.test for baseline in evaluation.baselines}


def _by_lead(evaluation: Evaluation, data: ForecastData) -> list[page.LeadError]:
    truth = evaluation.test.truth
    errors = {name: mae_by_lead(forecast, truth) for name, forecast in _methods(evaluation).items()}
    return [
        page.LeadError(
            lead_text=format_duration(lead * data.series.step),
            lead_hours=lead * data.series.step.total_seconds() / 3600,
            mae={name: error[index] for name, error in errors.items()},
        )
        for index, lead in enumerate(evaluation.test_windows.leads)
    ]


def _by_hour(evaluation: Evaluation, data: ForecastData) -> list[page.HourError]:
    windows = evaluation.test_windows
    hours = windows.target_hours()
    if len(np.unique(hours)) < 2:
        return []
    errors = {
        name: mae_by_hour(forecast, evaluation.test.truth, hours)
        for name, forecast in _methods(evaluation).items()
    }
    return [
        page.HourError(hour=hour, mae={name: error[hour] for name, error in errors.items()})
        for hour in sorted(errors[NETWORK])
    ]


def _series(evaluation: Evaluation) -> page.Series:
    """The last `MAX_SERIES` steps of the test part, each forecast one horizon before; gaps are None."""
    windows, part = evaluation.test_windows, evaluation.test
    rows = windows.target_rows()[:, -1]
    first = max(int(rows[0]), int(rows[-1]) - MAX_SERIES + 1)
    kept = rows >= first
    length = int(rows[-1]) - first + 1
    values = np.full((1 + part.quantiles.shape[-1], length), np.nan)
    at = rows[kept] - first
    values[0, at] = part.truth[kept, -1]
    values[1:, at] = part.quantiles[kept, -1].T
    times = windows.series.times[first : int(rows[-1]) + 1]
    lower95, lower80, forecast, upper80, upper95 = values[1:]
    return page.Series(
        times=[_time(t) for t in times],
        truth=values[0],
        forecast=forecast,
        lower80=lower80,
        upper80=upper80,
        lower95=lower95,
        upper95=upper95,
    )


def _examples(evaluation: Evaluation) -> list[page.Example]:
    windows = evaluation.test_windows
    if len(windows.leads) == 1:
        return []
    return [
        _example(evaluation, int(i)) for i in np.unique(np.linspace(0, len(windows) - 1, EXAMPLES, dtype=int))
    ]


def _example(evaluation: Evaluation, index: int) -> page.Example:
    windows, part = evaluation.test_windows, evaluation.test
    row = np.array([index])
    start = int(windows.starts[index])
    shown = min(windows.history, 3 * len(windows.leads))
    history = np.arange(start + windows.history - shown, start + windows.history)
    lower95, lower80, forecast, upper80, upper95 = part.quantiles[index].T
    return page.Example(
        origin=_time(windows.last_times(row)[0]),
        history_times=[_time(t) for t in windows.series.times[history]],
        history_values=windows.known(np.arange(1 - shown, 1), row)[0],
        times=[_time(t) for t in windows.target_times(row)[0]],
        truth=part.truth[index],
        forecast=forecast,
        lower80=lower80,
        upper80=upper80,
        lower95=lower95,
        upper95=upper95,
    )


def _limits(metrics: Metrics) -> list[str]:
    limits = [f"Left out: {label}; {reason}." for label, reason in metrics.left_out.items()]
    limits.append(
        "Intervals were calibrated on the validation part; what they cover on the test part is measured, "
        "and later data may behave differently."
    )
    return limits


def _in_words(duration: str) -> str:
    return format_duration(parse_duration(duration))


def _time(value: np.datetime64) -> str:
    return str(np.datetime_as_string(value, unit="s"))

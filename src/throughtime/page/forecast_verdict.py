"""What the page of a forecaster says first."""

from __future__ import annotations

from throughtime.page.fit_report import time_to_fit
from throughtime.page.forecast_report import Coverage, ForecastReport, Score
from throughtime.page.words import SPACE, Figure, Verdict, number, quantity, unit_text


def verdict(report: ForecastReport) -> Verdict:
    """What a reader must know first."""
    network = next(score for score in report.scores if score.kind == "network")
    best = best_baseline(report)
    wide = max(report.coverage, key=lambda coverage: coverage.level, default=None)
    against = f", {_comparison(network, best)}" if best else ""
    return Verdict(
        headline=f"Test error {quantity(network.test.mae, report.unit)}{against}.",
        detail=_interval_sentence(wide),
        figures=_figures(report, network, best, wide),
    )


def best_baseline(report: ForecastReport) -> Score | None:
    """The baseline with the lowest test MAE; None without baselines."""
    baselines = [score for score in report.scores if score.kind == "baseline"]
    return min(baselines, key=lambda score: score.test.mae, default=None)


def _comparison(network: Score, best: Score) -> str:
    mae, reference = network.test.mae, best.test.mae
    if round(mae, 12) == round(reference, 12) or (reference > 0 and abs(mae / reference - 1) < 0.005):
        return "level with the best baseline"
    if reference == 0:
        return "while the best baseline makes none"
    side = "below" if mae < reference else "above"
    return f"{_percent_apart(network, best)} {side} the best baseline"


def _percent_apart(network: Score, best: Score) -> str:
    apart = 100 * abs(network.test.mae / best.test.mae - 1)
    return f"{apart:,.0f}{SPACE}%" if apart >= 1 else f"{apart:.1f}{SPACE}%"


def _share(share: float) -> str:
    return f"{100 * share:.1f}{SPACE}%"


def _level(coverage: Coverage) -> str:
    return f"{100 * coverage.level:.3g}{SPACE}%"


def _interval_sentence(wide: Coverage | None) -> str:
    if wide is None or wide.test is None:
        return ""
    return f"The {_level(wide)} intervals held {_share(wide.test)} of the test values."


def _figures(
    report: ForecastReport, network: Score, best: Score | None, wide: Coverage | None
) -> tuple[Figure, ...]:
    unit = unit_text(report.unit)
    figures = [
        Figure(
            "Mean absolute error", number(network.test.mae), unit, f"RMSE {number(network.test.rmse)} on test"
        )
    ]
    if best is not None:
        figures.append(Figure("Best baseline", number(best.test.mae), unit, best.label))
    if wide is not None and wide.test is not None:
        width = (
            f"{quantity(wide.mean_width, report.unit)} wide on average" if wide.mean_width is not None else ""
        )
        figures.append(Figure(f"Inside {_level(wide)} intervals", f"{100 * wide.test:.1f}", "%", width))
    figures.append(time_to_fit(report))
    return tuple(figures)

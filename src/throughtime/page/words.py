"""Numbers and sentences as the page prints them; the verdict that stands first."""

from __future__ import annotations

import math
from dataclasses import dataclass

from throughtime.page.forecast_report import Coverage, ForecastReport, Score

_SPACE = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_UNITS = {"degC": "°C", "degF": "°F", "deg": "°", "percent": "%", "m2": "m²", "m3": "m³", "W/m2": "W/m²"}


@dataclass(frozen=True)
class Figure:
    """One key figure of the header: what it is, the value with its unit, a word beside it."""

    label: str
    value: str
    unit: str
    note: str


@dataclass(frozen=True)
class Verdict:
    """The result in one sentence, one more for the intervals ("" without), and the key figures."""

    headline: str
    detail: str
    figures: tuple[Figure, ...]


def unit_text(unit: str) -> str:
    """The unit as people write it: "degC" becomes "°C"; what is not known stays as it is."""
    return _UNITS.get(unit, unit)


def number(value: float, figures: int = 3) -> str:
    """`value` with that many significant figures, thousands grouped, a true minus sign."""
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(float(f"{value:.{figures - 1}e}"))))
    if not -4 <= exponent < 9:
        mantissa, _, power = f"{value:.{figures - 1}e}".partition("e")
        return f"{mantissa}×10{str(int(power)).translate(_RAISED)}".replace("-", _MINUS)
    return f"{value:,.{max(0, figures - 1 - exponent)}f}".replace("-", _MINUS)


def quantity(value: float, unit: str) -> str:
    """`number` and its unit, not parted at a line's end."""
    return f"{number(value)}{_SPACE}{unit_text(unit)}" if unit else number(value)


def duration(seconds: float) -> str:
    """Seconds as people say them: "84 s", "7 min", "2 h 5 min"."""
    if seconds < 99.5:
        return f"{number(seconds, 2)}{_SPACE}s" if seconds < 10 else f"{seconds:.0f}{_SPACE}s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return f"{minutes}{_SPACE}min"
    return f"{hours}{_SPACE}h {minutes}{_SPACE}min"


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
    return f"{apart:,.0f}{_SPACE}%" if apart >= 1 else f"{apart:.1f}{_SPACE}%"


def _share(share: float) -> str:
    return f"{100 * share:.1f}{_SPACE}%"


def _level(coverage: Coverage) -> str:
    return f"{100 * coverage.level:.3g}{_SPACE}%"


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
    value, _, time_unit = duration(report.seconds_to_fit).partition(_SPACE)
    figures.append(Figure("Time to fit", value, time_unit, f"{report.parameters:,} parameters"))
    return tuple(figures)

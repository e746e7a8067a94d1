"""The page of a trained forecast network: one HTML file, readable offline."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from throughtime.page.embed import rounded, rounded_together
from throughtime.page.forecast_report import ForecastReport
from throughtime.page.forecast_verdict import verdict
from throughtime.page.rendering import render_page
from throughtime.page.words import duration, unit_text

_MODULES = (
    "dom.js",
    "format.js",
    "scale.js",
    "drawing.js",
    "charts.js",
    "state.js",
    "overview.js",
    "series.js",
    "examples.js",
    "errors.js",
    "heat.js",
    "reach.js",
    "tables.js",
    "shell.js",
    "report.js",
)
_DRAWN = ("truth", "forecast", "lower80", "upper80", "lower95", "upper95", "history_values")


def render_forecast_report(report: ForecastReport) -> str:
    """The whole page as HTML text, to be written as UTF-8.

    It fetches nothing, and shows every text of the report as text, whatever stands in it.
    """
    words = verdict(report)
    return render_page(
        _payload(report), _MODULES, headline=f"{words.headline} {words.detail}".strip(), styles=("heat.css",)
    )


def _payload(report: ForecastReport) -> dict[str, Any]:
    fields: dict[str, Any] = report.model_dump(mode="json", by_alias=True)
    series, examples = fields.pop("series"), fields.pop("examples")
    settings = fields.pop("settings")
    shown: dict[str, Any] = rounded(fields)
    return shown | {
        "unit": unit_text(report.unit),
        "verdict": asdict(verdict(report)),
        "fit_time": duration(report.seconds_to_fit),
        "settings": settings,
        "series": series and _rounded_drawing(series),
        "examples": [_rounded_drawing(example) for example in examples],
    }


def _rounded_drawing(forecasts: dict[str, Any]) -> dict[str, Any]:
    drawn = {name: forecasts[name] for name in _DRAWN if name in forecasts}
    return forecasts | rounded_together(drawn)

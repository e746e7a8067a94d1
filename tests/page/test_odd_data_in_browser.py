"""Data of other shapes than hourly weather: the page stays whole and draws nothing that is not a number."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from throughtime.page.embed import joined_modules
from throughtime.page.forecast_report import ForecastReport

from .sample import bare_report, fake_report

pytestmark = pytest.mark.browser


def _series(truth: Any, step: timedelta = timedelta(hours=1), bands: bool = True) -> dict[str, Any]:
    truth = np.asarray(truth, dtype=float)
    times = [datetime(2019, 12, 30) + index * step for index in range(len(truth))]
    width = 0.1 * (np.nanmax(np.abs(truth)) if np.isfinite(truth).any() else 1.0)
    forecast = np.nan_to_num(truth) + 0.3 * width
    intervals = {
        f"{side}{level}": forecast + sign * width * size
        for side, sign in (("lower", -1), ("upper", 1))
        for level, size in (("80", 1), ("95", 2))
    }
    return {"times": times, "truth": truth, "forecast": forecast} | (intervals if bands else {})


def _many_scores() -> list[dict[str, Any]]:
    return [
        {
            "name": f"s{index}",
            "label": f"Method {index}",
            "kind": "baseline" if index else "network",
            "validation": {"mae": index, "rmse": index},
            "test": {"mae": index, "rmse": index},
        }
        for index in range(8)
    ]


WAVE = np.sin(np.arange(400) / 9)
ODD = {
    "one-point": {"series": _series([3.0])},
    "two-points": {"series": _series([3.0, 4.0])},
    "constant": {"series": _series(np.full(50, 7.0))},
    "zero": {"series": _series(np.zeros(50))},
    "no-truth": {"series": _series(np.full(50, np.nan))},
    "no-bands": {"series": _series(WAVE, bands=False)},
    "pascal": {"series": _series(101325 + 300 * WAVE, bands=False), "unit": "Pa"},
    "tiny": {"series": _series(1e-7 * WAVE)},
    "huge": {"series": _series(1e12 * WAVE)},
    "seconds": {"series": _series(WAVE, timedelta(seconds=1))},
    "days": {"series": _series(WAVE, timedelta(days=1))},
    "years": {"series": _series(WAVE, timedelta(days=365.25))},
    "many-scores": {"scores": _many_scores(), "by_lead": [], "by_hour": []},
    "perfect": {
        "scores": [score | {"test": {"mae": 0, "rmse": 0}} for score in _many_scores()[:2]],
        "by_hour": [{"hour": hour, "mae": {"s0": 0.0, "s1": None}} for hour in range(24)],
        "by_lead": [
            {"lead_text": f"{m} min", "lead_hours": m / 60, "mae": {"s0": 0.0}} for m in (10, 20, 30)
        ],
    },
    "long-fit": {
        "history": [
            {"epoch": epoch, "train_loss": 1 / epoch, "validation_loss": None} for epoch in range(1, 301)
        ],
        "best_epoch": None,
    },
    "one-example": {"examples": [_series([1.0]) | {"origin": "2019-12-29T00:00"}], "steps": "last"},
}


def _report(changes: dict[str, Any]) -> ForecastReport:
    return bare_report(**changes)


@pytest.mark.parametrize("name", ODD)
def test_odd_data_are_drawn(show, name):
    opened = show(_report(ODD[name]), width=1000)
    page = opened.page
    for plot in page.locator(".plot").all():
        plot.focus()
        for key in ("Home", "ArrowRight", "End", "+", "-", "0"):
            page.keyboard.press(key)
    for summary in page.locator("summary").all():
        summary.click()
    broken = page.evaluate(
        """() => [...document.querySelectorAll("svg *")].filter((node) =>
          [...node.attributes].some(({ value }) => /NaN|Infinity|undefined/.test(value))
        ).map((node) => node.outerHTML.slice(0, 120))"""
    )
    assert broken == []
    text = page.locator("main").inner_text()
    for word in ("NaN", "Infinity", "undefined", "null", "[object"):
        assert word not in text
    assert opened.complaints == []
    assert page.locator(".plot .tick").count() < 250


def test_large_values_that_move_little_are_read_to_what_moves(show):
    page = show(_report(ODD["pascal"])).page
    page.locator("#series .plot").focus()
    page.keyboard.press("Home")
    expect(page.locator("#series .readout")).to_contain_text("truth 101,325\N{NO-BREAK SPACE}Pa")


def test_times_in_utc_are_said_to_be(show):
    series = _series(WAVE) | {"times": [f"2020-01-01T{hour:02}:00+02:00" for hour in range(24)]}
    series = {name: values[:24] for name, values in series.items()}
    page = show(bare_report(series=series)).page
    expect(page.locator("#series .lede")).to_contain_text("Times in UTC.")
    page.locator("#series .plot").focus()
    page.keyboard.press("Home")
    assert page.locator("#series .readout strong").inner_text().endswith("2019, 22:00")


def test_the_sentences_say_what_the_lines_show(show):
    page = show(fake_report(120)).page
    expect(page.locator("#lead .lede")).to_contain_text("it is the lowest at 24 of 24 lead times.")
    expect(page.locator("#lead .lede")).to_contain_text("0.552 at 1 h and 2.31\N{NO-BREAK SPACE}°C at 24 h")
    expect(page.locator("#learning .lede")).to_contain_text("lowest after epoch 10 of 12")
    by_hour = [{"hour": hour, "mae": {"network": 2 + abs(hour - 7) / 10, "knn": 3}} for hour in range(24)]
    page = show(fake_report(120, by_hour=by_hour)).page
    expect(page.locator("#hour .lede")).to_have_text(
        "The network errs least at 07:00 (2.00) and most at 23:00 (3.60\N{NO-BREAK SPACE}°C)."
    )


def _run(browser: Any, expression: str) -> Any:
    page = browser.new_page()
    modules = joined_modules(["format.js", "scale.js"])
    result = page.evaluate(f"() => {{ {modules}\nconst s = scale_module; return {expression}; }}")
    page.close()
    return result


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 2.96, [0, 1, 2, 3]),
        (-3.2, 28, [-10, 0, 10, 20, 30]),
        (0.1, 0.2, [0.1, 0.15, 0.2]),
        (5, 5, [4.5, 5, 5.5]),
        (0, 0, [-1, 0, 1]),
    ],
)
def test_ticks_are_round_and_enclose(browser, low, high, ticks):
    found = _run(browser, f"s.niceTicks({low}, {high}, {len(ticks)}).ticks")
    assert found == pytest.approx(ticks)


def test_labels_are_kept_apart_in_their_order(browser):
    assert _run(browser, "s.keptApart([50, 10, 52], 16, 0, 100)") == [50, 10, 66]
    assert _run(browser, "s.keptApart([95, 99, 98], 16, 0, 100)") == [68, 100, 84]


def test_a_thinned_line_keeps_its_peaks(browser):
    expression = (
        "s.touched([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 10], [0, 5, -7, 1, 1, 9], s.linear([0, 10], [0, 1.9]))"
    )
    assert _run(browser, expression) == [0, 1, 2, 4, 5]


def test_runs_break_at_gaps_in_values_and_times(browser):
    assert _run(browser, "s.runs([0, 1, 2, 5, 6], [[1, null, 3, 4, 5]], 0, 5, 2)") == [[0], [2], [3, 4]]

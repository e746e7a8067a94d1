from __future__ import annotations

import json
import re

import pytest

from throughtime.page.report import render_forecast_report

from .sample import bare_report, fake_report

HOSTILE = "</script><img src=x onerror=alert(1)>"


def _data(page: str) -> dict:
    return json.loads(
        re.search(r'<script type="application/json" id="report-data">(.*?)</script>', page, re.DOTALL)[1]
    )


def test_nothing_points_outside_the_file():
    page = render_forecast_report(fake_report(200))
    assert re.findall(r"(?:src|href|action)\s*=\s*[\"']?\s*(?:https?:)?//", page) == []
    assert re.findall(r"url\((?!#)|@import|\bfetch\(|XMLHttpRequest|import\(", page) == []
    assert page.count("<script") == 2


def test_hostile_text_stands_nowhere_as_markup():
    report = fake_report(200, title=HOSTILE, target=HOSTILE, unit=HOSTILE, version='"><b>', command=HOSTILE)
    page = render_forecast_report(report)
    assert "<img" not in page
    assert '"><b>' not in page
    assert _data(page)["command"] == HOSTILE
    assert "<title>&lt;/script&gt;&lt;img" in page


def test_a_year_of_hours_stays_small():
    page = render_forecast_report(fake_report(8760))
    assert len(page.encode("utf-8")) < 1_500_000


def test_series_are_rounded_and_figures_keep_five_digits():
    data = _data(render_forecast_report(fake_report(200)))
    assert max(len(str(value)) for value in data["series"]["lower95"]) <= len("-12.345")
    assert None in data["series"]["truth"]
    assert data["scores"][3]["test"] == {"mae": 2.624, "rmse": 3.4112}
    assert data["parameters"] == 6339
    assert data["settings"]["fit.learning_rate"] == 0.004


def test_settings_are_not_rounded():
    assert _data(render_forecast_report(bare_report(settings={"rate": 0.123456789})))["settings"] == {
        "rate": 0.123456789
    }


def test_the_verdict_is_there_without_a_script():
    page = render_forecast_report(fake_report(200)).replace("\N{NO-BREAK SPACE}", " ")
    noscript = re.search(r"<noscript>(.*?)</noscript>", page, re.DOTALL)[1]
    assert "Test error 2.31 °C, 12 % below the best baseline." in noscript


def test_a_bare_report_is_a_page():
    data = _data(render_forecast_report(bare_report()))
    assert data["series"] is None
    assert data["examples"] == []


@pytest.mark.parametrize("steps", ["all", "last"])
def test_the_same_report_gives_the_same_page(steps):
    assert render_forecast_report(fake_report(200, steps=steps)) == render_forecast_report(
        fake_report(200, steps=steps)
    )

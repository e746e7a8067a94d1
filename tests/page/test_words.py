from __future__ import annotations

import pytest

from throughtime.page.forecast_verdict import verdict
from throughtime.page.words import duration, number, quantity, unit_text

from .sample import bare_report, fake_report

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (2.3094, "2.31"),
        (2.3, "2.30"),
        (-2.3, "−2.30"),
        (9.999, "10.0"),
        (99.96, "100"),
        (0.012345, "0.0123"),
        (12345.6, "12,346"),
        (0.00001234, "1.23×10⁻⁵"),
        (2.5e9, "2.50×10⁹"),
    ],
)
def test_numbers_show_three_figures(value, text):
    assert number(value) == text


def test_units_are_written_as_people_write_them():
    assert unit_text("degC") == "°C"
    assert unit_text("furlong") == "furlong"
    assert quantity(2.31, "degC") == f"2.31{NBSP}°C"
    assert quantity(2.31, "") == "2.31"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.52, "0.52 s"),
        (84.3, "84 s"),
        (99.6, "2 min"),
        (600, "10 min"),
        (3599.9, "1 h 0 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds).replace(NBSP, " ") == text


def _headline(network: float, *baselines: float, unit: str = "degC") -> str:
    figures = [("network", network), *((f"baseline{index}", mae) for index, mae in enumerate(baselines))]
    scores = [
        {
            "name": name,
            "label": name,
            "kind": "network" if name == "network" else "baseline",
            "validation": {"mae": 9, "rmse": 9},
            "test": {"mae": mae, "rmse": 9},
        }
        for name, mae in figures
    ]
    return verdict(bare_report(scores=scores, unit=unit)).headline.replace(NBSP, " ")


def test_the_verdict_compares_with_the_best_baseline():
    assert _headline(2.309, 2.96, 2.624) == "Test error 2.31 °C, 12 % below the best baseline."
    assert _headline(3.0, 2.5, 4.0) == "Test error 3.00 °C, 20 % above the best baseline."
    assert _headline(1.0, 1.008) == "Test error 1.00 °C, 0.8 % below the best baseline."
    assert _headline(1.0, 1.001) == "Test error 1.00 °C, level with the best baseline."
    assert _headline(1.0, 0.0) == "Test error 1.00 °C, while the best baseline makes none."
    assert _headline(0.0, 0.0) == "Test error 0 °C, level with the best baseline."
    assert _headline(1.0, unit="") == "Test error 1.00."


def test_the_verdict_speaks_of_the_widest_intervals_on_the_test_part():
    words = verdict(fake_report(200))
    assert words.detail.replace(NBSP, " ") == "The 95 % intervals held 94.2 % of the test values."
    assert verdict(bare_report()).detail == ""
    assert verdict(bare_report(coverage=[{"level": 0.95, "validation": 0.9}])).detail == ""


def test_key_figures():
    figures = {figure.label.replace(NBSP, " "): figure for figure in verdict(fake_report(200)).figures}
    assert list(figures) == ["Mean absolute error", "Best baseline", "Inside 95 % intervals", "Time to fit"]
    assert (figures["Best baseline"].value, figures["Best baseline"].note) == ("2.62", "k-nearest neighbours")
    assert (figures["Time to fit"].value, figures["Time to fit"].unit) == ("84", "s")
    assert figures["Time to fit"].note == "6,339 parameters"

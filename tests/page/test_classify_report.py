"""The page of a classifier: its record, its file, and what a reader sees in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from pydantic import ValidationError

from throughtime.page.classify_report import ClassifyReport, classify_verdict, render_classify_report

HOSTILE = "</script><img src=x onerror=\"document.body.dataset.hacked='yes'\">"


def score(name: str, accuracy: float, kind: str = "baseline") -> dict[str, Any]:
    figures = {"accuracy": accuracy, "macro_f1": accuracy - 0.01, "log_loss": 0.4321}
    return {"name": name, "label": name, "kind": kind, "validation": figures, "test": figures}


def fake(**changes: Any) -> ClassifyReport:
    words = [{"text": text, "counts": counts} for text, counts in (("not", 0.4), ("a", 0.0), ("bore", -0.2))]
    example = {"words": words, "answer": "good", "confidence": 0.97, "truth": "bad"}
    fields: dict[str, Any] = {
        "title": "Classes of films.tsv",
        "version": "0.1",
        "created": "2026-01-02T03:04:05",
        "network": "5 networks averaged",
        "parameters": 4_000_000,
        "seconds_to_fit": 72.0,
        "source": "films.tsv",
        "classes": ["bad", "good"],
        "parts": [{"part": "training", "counts": [40, 60]}, {"part": "test", "counts": [50, 50]}],
        "known": "700 words",
        "history": [{"epoch": n, "train_loss": 1 / n, "validation_loss": 1.2 / n} for n in (1, 2, 3)],
        "best_epoch": 3,
        "scores": [score("network", 0.9, "network"), score("bag", 0.85), score("largest", 0.5)],
        "per_class": [
            {"label": "bad", "precision": 0.9, "recall": 0.8, "f1": 0.847, "count": 50},
            {"label": "good", "precision": 0.8, "recall": 0.9, "f1": 0.847, "count": 50},
        ],
        "confusion": [[40, 10], [0, 50]],
        "calibration": [
            {"confidence": 0.6, "accuracy": 0.5, "count": 20},
            {"confidence": 0.95, "accuracy": 0.97, "count": 80},
        ],
        "calibration_error": 0.036,
        "temperature": 1.1,
        "groups": [{"title": "Wrong and sure", "text": "The worst.", "examples": [example]}],
        "diagnosis": {"verdict": "high variance", "text": "So it is.", "advice": ["more texts"]},
        "command": "throughtime fit classify films.tsv",
        "settings": {"hidden": 64, "text": None},
    }
    return ClassifyReport(**fields | changes)


def test_the_verdict_compares_with_the_best_baseline() -> None:
    words = classify_verdict(fake())
    plain = words.headline.replace("\N{NO-BREAK SPACE}", " ")
    assert plain == "90.0 % of the test texts are classed right, 5.0 points above the best baseline."
    assert "88.0" in words.detail
    worse = classify_verdict(fake(scores=[score("network", 0.8, "network"), score("bag", 0.85)]))
    assert "points below the best baseline" in worse.headline.replace("\N{NO-BREAK SPACE}", " ")
    alone = classify_verdict(fake(scores=[score("network", 0.8, "network")]))
    assert "baseline" not in alone.headline


def test_what_does_not_agree_is_refused() -> None:
    with pytest.raises(ValidationError, match="2 rows of 2 counts"):
        fake(confusion=[[1, 2]])
    with pytest.raises(ValidationError, match="one score of kind 'network'"):
        fake(scores=[score("bag", 0.5)])


def test_nothing_points_outside_the_file() -> None:
    page = render_classify_report(fake(title=HOSTILE, classes=[HOSTILE, "b"], command=HOSTILE))
    assert "<img" not in page
    assert re.findall(r"(?:src|href|action)\s*=\s*[\"']?\s*(?:https?:)?//", page) == []
    assert page.count("<script") == 2


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_the_page_in_a_browser(show: Callable[..., Any], scheme: str, width: int) -> None:
    opened = show(fake(command=HOSTILE), width=width, color_scheme=scheme)
    page = opened.page
    expect(page.locator(".verdict").first).to_contain_text("5.0 points above the best baseline")
    ids = page.evaluate("() => [...document.querySelectorAll('main > section')].map((part) => part.id)")
    assert ids == ["accuracy", "classes", "confidence", "texts", "learning", "diagnosis", "data", "settings"]
    expect(page.locator("#accuracy tbody tr").first).to_contain_text("90.0")
    expect(page.locator("#classes .confusion tbody tr").first).to_contain_text("10")
    expect(page.locator("#texts .texts li")).to_contain_text("97.0")
    expect(page.locator("#texts .texts li")).to_contain_text("true class bad")
    note = page.locator("#texts .texts .note").inner_text().replace("\N{NO-BREAK SPACE}", " ")
    assert "Counts most: “not” +40.0 points, “bore” −20.0 points." in note
    shades = page.evaluate("() => [...document.querySelectorAll('.word')].map((w) => w.className)")
    assert shades == ["word for", "word for", "word against"]
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    violations = Axe().run(page).response["violations"]
    assert violations == [], [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations]
    assert opened.complaints == []
    assert opened.requests == []


@pytest.mark.browser
def test_a_report_without_examples(show: Callable[..., Any]) -> None:
    opened = show(fake(groups=[], history=[], scores=[score("network", 0.9, "network")], diagnosis=None))
    assert opened.page.locator("#texts").count() == 0
    assert opened.page.locator("#learning").count() == 0
    assert opened.complaints == []


def of_sequences(channels: int) -> ClassifyReport:
    example = {
        "steps": [1, 2, 3, 4],
        "channels": [{"name": f"channel {n}", "values": [0.0, n + 1.0, -1.0, 0.5]} for n in range(channels)],
        "stretches": [{"first": 1, "last": 2, "counts": 0.31}, {"first": 3, "last": 4, "counts": -0.02}],
        "answer": "good",
        "confidence": 0.97,
        "truth": "bad",
    }
    group = {"title": "Wrong and sure", "text": "The worst.", "examples": [example, example]}
    return fake(noun="sequence", known=f"{channels} channels", groups=[group])


@pytest.mark.browser
@pytest.mark.parametrize(
    ("channels", "drawn", "width"), [(1, ".plot", 1280), (3, ".plot", 360), (28, "canvas.cells", 360)]
)
def test_sequences_are_drawn_with_their_answer(
    show: Callable[..., Any], channels: int, drawn: str, width: int
) -> None:
    opened = show(of_sequences(channels), width=width, color_scheme="light")
    items = opened.page.locator("#sequences .sequences li")
    assert items.count() == 2
    assert items.first.locator(drawn).count() == 1
    expect(items.first).to_contain_text("true class bad")
    note = items.first.locator(".note").inner_text().replace("\N{NO-BREAK SPACE}", " ")
    assert "Counts most: steps 1–2 +31.0 points, steps 3–4 −2.0 points." in note
    expect(opened.page.locator("#data")).to_contain_text(f"{channels} channels known")
    expect(opened.page.locator("#classes")).to_contain_text("Test sequences")
    assert opened.page.locator("#texts").count() == 0
    if drawn == ".plot":
        expect(items.first.locator("svg .band")).to_have_count(1)
        items.first.locator(".plot").focus()
        opened.page.keyboard.press("ArrowRight")
        expect(items.first.locator(".readout")).to_contain_text("Step 1")
    assert opened.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    violations = Axe().run(opened.page).response["violations"]
    assert violations == [], [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations]
    assert opened.complaints == []

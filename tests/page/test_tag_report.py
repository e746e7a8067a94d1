"""The page of a tagger: its record, its file, and what a reader sees in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from pydantic import ValidationError

from throughtime.page.tag_report import TagReport, render_tag_report, tag_verdict

HOSTILE = "</script><img src=x onerror=\"document.body.dataset.hacked='yes'\">"


def score(name: str, f1: float, kind: str = "baseline") -> dict[str, Any]:
    figures = {"precision": f1 + 0.1, "recall": f1 - 0.1, "f1": f1, "surface_f1": f1 - 0.02}
    return {"name": name, "label": name, "kind": kind, "validation": figures, "test": figures}


def mark(start: int, stop: int, label: str, confidence: float = 0.9) -> dict[str, Any]:
    return {"start": start, "stop": stop, "label": label, "confidence": confidence}


def fake(**changes: Any) -> TagReport:
    example = {
        "tokens": ["Ann", "saw", "New", "York", "and", "Bob", "today"],
        "truth": [mark(0, 1, "person"), mark(2, 4, "place", 0.1), mark(5, 6, "person", 0.3)],
        "found": [mark(0, 1, "person", 0.97), mark(3, 4, "person", 0.6), mark(6, 7, "place", 0.5)],
    }
    counts = {"precision": 0.5, "recall": 0.4, "f1": 0.444, "true": 5, "found": 4, "right": 2}
    names = ["O", "B-person", "I-person", "B-place", "I-place"]
    rows = [[0.5 * (column - row) for column in range(6)] for row in range(6)]
    fields: dict[str, Any] = {
        "title": "Tags of names.conll",
        "version": "0.1",
        "created": "2026-01-02T03:04:05",
        "network": "5 networks averaged",
        "parameters": 400_000,
        "seconds_to_fit": 72.0,
        "source": "names.conll",
        "classes": ["person", "place"],
        "parts": [{"part": "training", "sentences": 90, "tokens": 900, "spans": [40, 60]}],
        "words": 700,
        "known": 0.71,
        "history": [{"epoch": n, "train_loss": 3 / n, "validation_loss": 1 / n} for n in (1, 2, 3)],
        "best_epoch": 3,
        "loss_name": "nats",
        "validation_name": "1 − F1",
        "scores": [score("network", 0.4, "network"), score("dictionary", 0.2)],
        "per_class": [{"label": label, **counts} for label in ("person", "place")],
        "confusion": [[900, 1, 2], [3, 40, 5], [6, 7, 50]],
        "outcomes": {"right": 4, "other_class": 1, "other_borders": 2, "missed": 3, "invented": 1},
        "calibration": [{"confidence": 0.6, "right": 0.5, "spans": 20}],
        "calibration_error": 0.1,
        "offset": 1.25,
        "transitions": {"rows": ["start", *names], "columns": [*names, "end"], "scores": rows},
        "groups": [{"title": "Wrong and sure", "text": "The worst.", "examples": [example]}],
        "diagnosis": {"verdict": "high variance", "text": "So it is.", "advice": ["more sentences"]},
        "command": "throughtime fit tag names.conll",
        "settings": {"hidden": 64, "test": None},
    }
    fields["transitions"]["scores"][0][2] = None
    return TagReport(**fields | changes)


def test_the_verdict_compares_with_the_best_baseline() -> None:
    words = tag_verdict(fake())
    plain = words.headline.replace("\N{NO-BREAK SPACE}", " ")
    assert plain == "Span F1 is 40.0 % on the test part, 20 points above the best baseline."
    assert "30.0" in words.detail
    assert words.figures[0].note == "10 true spans"
    alone = tag_verdict(fake(scores=[score("network", 0.4, "network")]))
    assert "baseline" not in alone.headline


def test_what_does_not_agree_is_refused() -> None:
    with pytest.raises(ValidationError, match="3 rows of 3 counts"):
        fake(confusion=[[1, 2]])
    with pytest.raises(ValidationError, match="another shape than their names"):
        fake(transitions={"rows": ["a"], "columns": ["b", "c"], "scores": [[1.0]]})
    with pytest.raises(ValidationError, match="one score of kind 'network'"):
        fake(scores=[score("bag", 0.5)])


def test_nothing_points_outside_the_file() -> None:
    page = render_tag_report(fake(title=HOSTILE, classes=[HOSTILE, "b"], command=HOSTILE))
    assert "<img" not in page
    assert re.findall(r"(?:src|href|action)\s*=\s*[\"']?\s*(?:https?:)?//", page) == []
    assert page.count("<script") == 2


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_the_page_in_a_browser(show: Callable[..., Any], scheme: str, width: int) -> None:
    opened = show(fake(command=HOSTILE), width=width, color_scheme=scheme)
    page = opened.page
    expect(page.locator(".verdict").first).to_contain_text("20")
    ids = page.evaluate("() => [...document.querySelectorAll('main > section')].map((part) => part.id)")
    wanted = "spans classes confidence sentences transitions learning diagnosis data settings".split()  # noqa: SIM905
    assert ids == wanted
    expect(page.locator("#spans tbody tr").first).to_contain_text("highest")
    expect(page.locator("#classes")).to_contain_text("Invented, where there is none")
    expect(page.locator("#confidence")).to_contain_text("1.25 was added to the scores of every B-")
    cells = page.locator("#transitions tbody tr").first.locator("td")
    assert [text.replace("\N{MINUS SIGN}", "-") for text in cells.all_inner_texts()][:3] == [
        "0.0",
        "+0.5",
        "–",
    ]
    spans = page.evaluate(
        "() => [...document.querySelectorAll('#sentences .texts .span')]"
        ".map((span) => [span.className, span.textContent])"
    )
    spans = [[kind, text.replace("\N{NO-BREAK SPACE}", " ")] for kind, text in spans]
    assert spans == [
        ["span right", "Ann person, 97.0 %"],
        ["span wrong", "York person, 60.0 %; true: “New York” place"],
        ["span missed", "Bob missed: person, 30.0 %"],
        ["span wrong", "today place, 50.0 %; true: O"],
    ]
    line = page.locator("#sentences .texts .text").inner_text()
    assert line.startswith("Ann")
    assert " saw New York" in line.replace("\n", " ")
    assert page.locator("#learning .plot").count() == 2, "two kinds of loss share no axis"
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    violations = Axe().run(page).response["violations"]
    assert violations == [], [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations]
    assert opened.complaints == []
    assert opened.requests == []


@pytest.mark.browser
def test_a_report_without_examples(show: Callable[..., Any]) -> None:
    opened = show(fake(groups=[], history=[], calibration=[], diagnosis=None))
    for part in ("sentences", "learning", "confidence"):
        assert opened.page.locator(f"#{part}").count() == 0
    assert opened.complaints == []

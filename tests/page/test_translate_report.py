"""The page of a translator: its record, its file, and what a reader sees in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from pydantic import ValidationError

from throughtime.page.translate_report import TranslateReport, render_translate_report, translate_verdict

HOSTILE = "</script><img src=x onerror=\"document.body.dataset.hacked='yes'\">"


def score(name: str, bleu: float, kind: str = "baseline") -> dict[str, Any]:
    figures = {"bleu": bleu, "chrf": bleu + 20, "length_ratio": 0.97}
    return {"name": name, "label": name, "kind": kind, "validation": figures, "test": figures}


def sentence(group: str, source: str, **changes: Any) -> dict[str, Any]:
    return {
        "group": group,
        "source": source,
        "found": "a dog runs",
        "reference": "A dog is running.",
        "chrf": 43.2,
        "read": ["ein", " Hu", "nd", " rennt", "(end)"],
        "written": ["a", " dog", " runs", "(end)"],
        "weights": np.array(
            [[0.8, 0.1, 0.1, 0, 0], [0, 0.25, 0.75, 0, 0], [0, 0, 0, 0.9, 0.1], [0, 0, 0, 0, 1]]
        ),
    } | changes


def fake(**changes: Any) -> TranslateReport:
    fields: dict[str, Any] = {
        "title": "Translation of train.de",
        "version": "0.1",
        "created": "2026-01-02T03:04:05",
        "network": "bidirectional encoder, decoder with dot attention",
        "parameters": 4_000_000,
        "seconds_to_fit": 720.0,
        "source": "train.de",
        "parts": [
            {"part": "training", "pairs": 100, "source_words": 900, "target_words": 950},
            {"part": "test", "pairs": 50, "source_words": 430, "target_words": 440},
        ],
        "pieces": (5_000, 4_000),
        "history": [{"epoch": n, "train_loss": 1 / n, "validation_loss": 1.2 / n} for n in (1, 2, 3)],
        "best_epoch": 3,
        "scores": [score("network", 31.24, "network"), score("nearest", 9.5), score("copy", 2.0)],
        "perplexity": 5.61,
        "signatures": {"bleu": "nrefs:1|case:mixed", "chrf": "nc:6"},
        "by_length": [
            {"shortest": 4, "longest": 9, "sentences": 30, "bleu": 33.0, "chrf": 60.0},
            {"shortest": 10, "longest": 20, "sentences": 20, "bleu": 28.0, "chrf": 55.0},
        ],
        "sentences": [sentence("best", "ein Hund rennt"), sentence("worst", "zwei Hunde", found="")],
        "diagnosis": {"verdict": "high variance", "text": "So it is.", "advice": ["more pairs"]},
        "command": "throughtime fit translate train.de,train.en",
        "settings": {"hidden": 256, "validation": ("val.de", "val.en")},
    }
    return TranslateReport(**fields | changes)


def test_the_verdict_compares_with_the_best_baseline() -> None:
    words = translate_verdict(fake())
    assert words.headline == "The translations have 31.2 BLEU on the test part; the best baseline has 9.5."
    assert "97\N{NO-BREAK SPACE}%" in words.detail
    alone = translate_verdict(fake(scores=[score("network", 31.24, "network")]))
    assert "baseline" not in alone.headline


def test_what_does_not_agree_is_refused() -> None:
    with pytest.raises(ValidationError, match="one score of kind 'network'"):
        fake(scores=[score("copy", 2.0)])
    with pytest.raises(ValidationError, match="weights is not 4 rows of 5"):
        fake(sentences=[sentence("best", "a", weights=[[1.0]])])


def test_nothing_points_outside_the_file() -> None:
    page = render_translate_report(fake(title=HOSTILE, sentences=[sentence(HOSTILE, HOSTILE, found=HOSTILE)]))
    assert "<img" not in page
    assert re.findall(r"(?:src|href|action)\s*=\s*[\"']?\s*(?:https?:)?//", page) == []
    assert page.count("<script") == 2


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_the_page_in_a_browser(show: Callable[..., Any], scheme: str, width: int) -> None:
    opened = show(fake(command=HOSTILE), width=width, color_scheme=scheme)
    page = opened.page
    ids = page.evaluate("() => [...document.querySelectorAll('main > section')].map((part) => part.id)")
    assert ids == ["accuracy", "length", "sentences", "learning", "diagnosis", "data", "settings"]
    expect(page.locator("#accuracy tbody tr").first).to_contain_text("31.2")
    expect(page.locator("#accuracy")).to_contain_text("nrefs:1|case:mixed")
    expect(page.locator("#length tbody tr").first).to_contain_text("4 to 9")
    assert page.locator("#sentences [role=gridcell]").count() == 20
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    violations = Axe().run(page).response["violations"]
    assert violations == [], [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations]
    assert opened.complaints == []
    assert opened.requests == []


@pytest.mark.browser
def test_the_matrix_is_read_by_pointer_and_keyboard(show: Callable[..., Any]) -> None:
    page = show(fake()).page
    word, cells = page.locator(".attention-word"), page.locator("#sentences [role=gridcell]")
    cells.nth(7).hover()
    expect(word).to_have_text("While it wrote “dog”, 75.0\N{NO-BREAK SPACE}% of its attention was on “nd”.")
    expect(page.locator(".attention th.looked")).to_have_text(["nd", "dog"])
    shades = cells.evaluate_all("(nodes) => nodes.map((node) => getComputedStyle(node).backgroundColor)")
    assert len(set(shades[5:10])) == 3
    page.mouse.move(0, 0)
    expect(word).to_contain_text("Point at a cell")
    cells.first.focus()
    expect(word).to_contain_text("“a”, 80.0")
    for key, text in (
        ("ArrowDown", "“dog”, 0.0"),
        ("ArrowRight", "“Hu”"),
        ("End", "the end"),
        ("ArrowUp", "“a”"),
    ):
        page.keyboard.press(key)
        expect(word).to_contain_text(text)
    assert cells.evaluate_all("(nodes) => nodes.filter((node) => node.tabIndex === 0).length") == 1


@pytest.mark.browser
def test_a_sentence_is_chosen(show: Callable[..., Any]) -> None:
    page = show(fake()).page
    select = page.locator("#sentences select")
    expect(page.locator(".sentence")).to_contain_text("ein Hund rennt")
    page.get_by_role("button", name="Next sentence").click()
    expect(page.locator(".sentence")).to_contain_text("zwei Hunde")
    expect(page.locator(".sentence")).to_contain_text("(nothing)")
    page.wait_for_function("() => location.hash === '#sentence=2'")
    select.select_option("0")
    expect(page.locator(".sentence")).to_contain_text("ein Hund rennt")
    again = show(fake(), fragment="#sentence=2").page
    expect(again.locator(".sentence")).to_contain_text("zwei Hunde")


@pytest.mark.browser
def test_a_report_without_attention(show: Callable[..., Any]) -> None:
    opened = show(fake(sentences=[sentence("best", "ein Hund", weights=())], history=[], by_length=()))
    expect(opened.page.locator("#sentences")).to_contain_text("nothing to look at")
    assert opened.page.locator("[role=grid]").count() == 0
    assert opened.page.locator("#length").count() == 0
    assert opened.complaints == []

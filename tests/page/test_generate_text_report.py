"""The page of a generator of text: its record, its file, and what a reader sees in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from pydantic import ValidationError

from throughtime.page.generate_text_report import TextReport, render_text_report, text_verdict
from throughtime.tasks.generate_text_data import TextPart
from throughtime.tasks.generate_text_report import groups_of_lines, places_in_text, typical_passage

HOSTILE = "</script><img src=x onerror=\"document.body.dataset.hacked='yes'\">"


def score(name: str, nats: float, kind: str = "baseline", test: float | None = None) -> dict[str, Any]:
    def figures(nats: float) -> dict[str, float]:
        return {"nats": nats, "bits": nats / 0.693, "perplexity": float(np.exp(nats))}

    judged = None if test is None else figures(test)
    return {"name": name, "label": name, "kind": kind, "validation": figures(nats), "test": judged}


def fake(**changes: Any) -> TextReport:
    passage = {
        "text": "To be,\n\U0001f600 or",
        "nats": [None, 0.1, 0.5, 1.0, 2.0, 3.0, 5.0, None, 0.2, 1.0, 0.3],
    }
    fields: dict[str, Any] = {
        "title": "A generator of text like plays.txt",
        "version": "0.1",
        "created": "2026-01-02T03:04:05",
        "network": "LSTM, 384 hidden units, 1 layer",
        "parameters": 700_000,
        "seconds_to_fit": 300.0,
        "source": "plays.txt",
        "alphabet": 65,
        "part": "validation",
        "parts": [{"part": "training", "characters": 900}, {"part": "validation", "characters": 1_234}],
        "history": [{"epoch": n, "train_loss": 1 / n, "validation_loss": 1.2 / n} for n in (1, 2, 3)],
        "best_epoch": 3,
        "scores": [score("network", 1.5, "network"), score("mixed", 1.7), score("order_0", 3.3)],
        "samples": [{"epoch": n, "validation_loss": 2 - n / 4, "text": f"after {n}"} for n in (1, 2, 3)],
        "written": [{"temperature": 0.5, "text": "calm\n words"}, {"temperature": 1.0, "text": "wild"}],
        "passage": passage,
        "groups": [{"title": "Foreseen worst", "text": "The worst.", "passages": [passage]}],
        "places": [{"place": "space", "characters": 10, "nats": 0.5, "share": 0.1}],
        "diagnosis": {"verdict": "balanced", "text": "So it is.", "advice": ["more text"]},
        "command": "throughtime fit generate plays.txt",
        "settings": {"hidden": 384, "test": None},
        "limits": ["One."],
    }
    return TextReport(**fields | changes)


SECTIONS = "() => [...document.querySelectorAll('main > section')].map((part) => part.id)"
SHADES = "() => [...document.querySelectorAll('#passage [data-index]')].map((one) => one.className)"


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def of_pieces() -> TextReport:
    scores = [score("network", 1.5, "network"), score("mixed", 1.7), score("order_0", 3.3)]
    for one in scores:
        one["validation"]["piece_perplexity"] = 10 * one["validation"]["perplexity"]
    return fake(unit="piece", alphabet=1_000, scores=scores, loss_name="cross-entropy, nats per piece")


def test_the_verdict_of_pieces() -> None:
    words = text_verdict(of_pieces())
    assert plain(words.headline).startswith("1.500 nats per character on the validation part")
    assert "unsure of the next piece as among 44.8 equally likely ones, of 1,000." in plain(words.detail)
    assert "of the next character as among 4.48 equally" in plain(text_verdict(fake()).detail)


def test_the_verdict_compares_with_the_best_baseline() -> None:
    words = text_verdict(fake())
    assert plain(words.headline) == (
        "1.500 nats per character on the validation part, 0.200 below the best counting model."
    )
    assert "also chose the epoch" in words.detail
    worse = text_verdict(fake(scores=[score("network", 1.9, "network"), score("mixed", 1.7)]))
    assert "0.200 above the best counting model" in plain(worse.headline)
    scores = [score("network", 1.5, "network", 1.6), score("mixed", 1.4, test=1.75)]
    tested = text_verdict(fake(part="test", scores=scores))
    assert plain(tested.headline).startswith("1.600 nats per character on the test part, 0.150 below")
    assert "also chose" not in tested.detail


def test_what_does_not_agree_is_refused() -> None:
    with pytest.raises(ValidationError, match="2 characters and 1 figures"):
        fake(passage={"text": "ab", "nats": [1.0]})
    with pytest.raises(ValidationError, match="one score of kind 'network'"):
        fake(scores=[score("mixed", 1.5)])
    with pytest.raises(ValidationError, match="figures of the test part"):
        fake(part="test")


def test_nothing_points_outside_the_file() -> None:
    passage = {"text": HOSTILE, "nats": [0.5] * len(HOSTILE)}
    samples = [{"epoch": 1, "text": HOSTILE}]
    page = render_text_report(fake(title=HOSTILE, passage=passage, samples=samples, command=HOSTILE))
    assert "<img" not in page
    assert re.findall(r"(?:src|href|action)\s*=\s*[\"']?\s*(?:https?:)?//", page) == []
    assert page.count("<script") == 2


def part_of(text: str) -> TextPart:
    return TextPart(text, None)  # type: ignore[arg-type]


def test_the_passage_is_of_average_difficulty_and_keeps_its_figures() -> None:
    lines = [f"{'easy' if n < 20 else 'hard'} line number {n:02d} of all\n" for n in range(40)]
    text = "".join(lines)
    nats = np.array([0.0 if place < len(text) // 2 else 2.0 for place in range(1, len(text))])
    passage = typical_passage(part_of(text), nats, length=200)
    assert passage.text in text
    assert text[text.index(passage.text) - 1] == "\n", "it begins with a line"
    assert "easy" in passage.text
    assert "hard" in passage.text
    start = text.index(passage.text)
    assert list(passage.nats) == [float(nats[k - 1]) for k in range(start, start + len(passage.text))]
    short = typical_passage(part_of("ab"), np.array([1.0]))
    assert (short.text, short.nats) == ("ab", (None, 1.0))


def test_lines_by_their_mean() -> None:
    lines = [f"{letter * 30}" for letter in "abcdefghijklmnop"]
    text = "\n".join(["x", *lines, lines[0]])
    value = {letter: float(number) for number, letter in enumerate("abcdefghijklmnop")}
    nats = np.array([value.get(one, 9.0) for one in text[1:]])
    worst, best = groups_of_lines(part_of(text), nats)
    assert [one.text[0] for one in worst.passages] == list("ponmlk")
    assert [one.text[0] for one in best.passages] == list("abcdef"), "a line that comes twice is shown once"
    assert set(best.passages[2].nats) == {2.0}
    nats[text.index("d") - 1] = np.nan
    assert "d" not in {one.text[0] for one in groups_of_lines(part_of(text), nats)[1].passages}
    assert groups_of_lines(part_of("a\nb"), np.array([1.0, 1.0])) == []


def test_places_in_a_text() -> None:
    text = "\nabcd ef,\n"
    nats = np.array([1, 2, 3, 4, 5, 6, 7, 8, np.nan])
    found = {one.place: (one.characters, one.nats) for one in places_in_text(text, nats)}
    assert found == {
        "first letter of a word": (2, 3.5),
        "second letter": (2, 4.5),
        "third letter": (1, 3.0),
        "later letters": (1, 4.0),
        "space": (1, 5.0),
        "sign": (1, 8.0),
    }
    assert sum(one.share for one in places_in_text(text, nats)) == pytest.approx(1)


@pytest.mark.browser
def test_the_page_of_pieces_in_a_browser(show: Callable[..., Any]) -> None:
    opened = show(of_pieces(), width=360)
    page = opened.page
    expect(page.locator("#accuracy thead")).to_contain_text("Perplexity of a piece")
    expect(page.locator("#accuracy tbody tr").first).to_contain_text("44.82")
    expect(page.locator("#passage .lede")).to_contain_text("shared out evenly")
    page.locator("#passage [data-index='6']").hover()
    expect(page.locator(".readout-line")).to_have_text("line end: 5.00 nats, its share of its piece")
    expect(page.locator("#samples .range")).to_contain_text("validation 1.250 nats per piece")
    expect(page.locator("#data .lede")).to_contain_text("1,000 pieces learnt from the training part")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert opened.complaints == []


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_the_page_in_a_browser(show: Callable[..., Any], scheme: str, width: int) -> None:
    opened = show(fake(command=HOSTILE), width=width, color_scheme=scheme)
    page = opened.page
    expect(page.locator(".verdict").first).to_contain_text("below the best counting model")
    ids = page.evaluate(SECTIONS)
    assert ids == [
        "accuracy", "passage", "places", "written", "samples", "learning", "diagnosis", "data", "settings"
    ]  # fmt: skip
    expect(page.locator("#accuracy tbody tr").first).to_contain_text("1.500")
    block = page.locator("#passage .passage")
    assert block.inner_text().replace("\n", "") == "To be,↵\U0001f600 or"
    shades = page.evaluate(SHADES)
    steps = ["none", 0, 1, 2, 3, 4, 5, "none", 0, 2, 1]
    assert shades == [f"nats-{step}" for step in steps]
    block.focus()
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    readout = page.locator(".readout-line")
    expect(readout).to_have_text("line end: probability 0.7\u00a0%, 5.00 nats")
    page.locator("#passage [data-index='0']").hover()
    expect(readout).to_contain_text("“T”: not judged")
    written = page.locator("#samples .written")
    expect(written).to_have_text("after 3")
    page.locator("#samples input[type=range]").focus()
    page.keyboard.press("ArrowLeft")
    expect(written).to_have_text("after 2")
    expect(page.locator("#samples .range")).to_contain_text(
        "After epoch 2; validation 1.500 nats per character"
    )
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    violations = Axe().run(page).response["violations"]
    assert violations == [], [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations]
    assert opened.complaints == []
    assert opened.requests == []


@pytest.mark.browser
def test_a_report_with_little(show: Callable[..., Any]) -> None:
    little = {"groups": [], "places": [], "samples": [], "written": [], "passage": None, "history": []}
    opened = show(fake(**little, scores=[score("network", 1.5, "network")], diagnosis=None))
    ids = opened.page.evaluate(
        "() => [...document.querySelectorAll('main > section')].map((part) => part.id)"
    )
    assert ids == ["accuracy", "diagnosis", "data", "settings"]
    assert opened.complaints == []

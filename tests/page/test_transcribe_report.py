"""The page of a transcriber: its record, its file, and what a reader sees in a browser."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import soundfile
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from pydantic import ValidationError

from throughtime.page.transcribe_report import TranscribeReport, render_transcribe_report, transcribe_verdict

HOSTILE = "</script><img src=x onerror=\"document.body.dataset.hacked='yes'\">"


def wav(seconds: float = 0.6) -> str:
    file = io.BytesIO()
    soundfile.write(file, 0.1 * np.sin(np.arange(int(8_000 * seconds)) * 0.3), 8_000, format="WAV")
    return base64.b64encode(file.getvalue()).decode()


def method(name: str, wer: float, kind: str = "baseline") -> dict[str, Any]:
    figures = {"wer": wer, "cer": wer / 2, "sentences": 1 - wer}
    return {"name": name, "label": name, "kind": kind, "validation": figures, "test": figures}


def recording(name: str = "a.wav", **changes: Any) -> dict[str, Any]:
    posterior = np.zeros((3, 20), dtype=int)
    posterior[0] = 90
    posterior[1, 4:7], posterior[2, 12:15] = 95, 60
    posterior[0, 4:7], posterior[0, 12:15] = 5, 40
    return {
        "group": "Most wrong",
        "name": name,
        "words": [("two", "two"), ("one", "on"), ("six", ""), ("", "nine")],
        "confidence": 0.25,
        "seconds": 0.6,
        "spectrogram": (np.arange(8 * 60).reshape(8, 60) % 100).tolist(),
        "symbols": ["∅", "t", " "],
        "posterior": posterior.tolist(),
        "step": 0.03,
        "path": [{"symbol": "t", "start": 4, "end": 7}, {"symbol": " ", "start": 12, "end": 15}],
        "sound": wav(),
    } | changes


def fake(**changes: Any) -> TranscribeReport:
    fields: dict[str, Any] = {
        "title": "Speech of digits",
        "version": "0.1",
        "created": "2026-01-02T03:04:05",
        "network": "bidirectional LSTM, a step every 30 ms, CTC",
        "parameters": 650_000,
        "seconds_to_fit": 240.0,
        "source": "transcripts.csv",
        "parts": [
            {"part": "training", "recordings": 3_000, "seconds": 8_856.0, "words": 15_000},
            {"part": "test", "recordings": 300, "seconds": 858.0, "words": 1_500},
        ],
        "symbols": ["t", " "],
        "highest": 4_000.0,
        "history": [{"epoch": n, "train_loss": 1 / n, "validation_loss": 1.2 / n} for n in (1, 2, 3)],
        "best_epoch": 3,
        "methods": [
            method("beam", 0.0213, "network"),
            method("greedy", 0.0226, "network"),
            method("near", 0.8),
        ],
        "confidence": 0.87,
        "confusions": [
            {"said": "one", "answered": "nine", "count": 3},
            {"said": "six", "answered": "", "count": 1},
        ],
        "recordings": [
            recording(),
            recording("b.wav", group="Least sure", sound=None, words=[("two", "two")]),
        ],
        "diagnosis": {"verdict": "high variance", "text": "So it is.", "advice": ["more recordings"]},
        "command": "throughtime fit transcribe digits/train",
        "settings": {"hidden": 128, "text": None},
    }
    return TranscribeReport(**fields | changes)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_the_verdict() -> None:
    words = transcribe_verdict(fake())
    assert plain(words.headline) == "2.13 % of the test words are wrong; the best baseline gets 80.0 % wrong."
    assert (
        plain(words.detail) == "On average it is 87.0 % sure of a whole answer, and 97.9 % of them are right."
    )
    assert [figure.value for figure in words.figures] == ["2.13", "80.0", "97.9", "4"]
    alone = transcribe_verdict(fake(methods=[method("beam", 0.0, "network")]))
    assert plain(alone.headline) == "0 % of the test words are wrong."


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"methods": [method("near", 0.8)]}, "a method of kind 'network'"),
        ({"recordings": [recording(symbols=["∅"])]}, "3 rows for 1 symbols"),
        ({"recordings": [recording(spectrogram=[[1, 2], [3]])]}, "different length"),
    ],
)
def test_what_does_not_agree_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        fake(**changes)


def test_nothing_points_outside_the_file() -> None:
    hostile = recording(HOSTILE, words=[(HOSTILE, HOSTILE)])
    page = render_transcribe_report(fake(title=HOSTILE, recordings=[hostile], command=HOSTILE))
    assert "<img" not in page
    assert re.findall(r"(?:src|href|action)\s*=\s*[\"']?\s*(?:https?:)?//", page) == []
    assert page.count("<script") == 2
    assert "media-src data:" in page


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_the_page_in_a_browser(show: Callable[..., Any], scheme: str, width: int) -> None:
    opened = show(fake(command=HOSTILE), width=width, color_scheme=scheme)
    page = opened.page
    expect(page.locator(".verdict").first).to_contain_text("of the test words are wrong")
    ids = page.evaluate("() => [...document.querySelectorAll('main > section')].map((part) => part.id)")
    assert ids == ["errors", "listen", "words", "learning", "diagnosis", "data", "settings"]
    expect(page.locator("#errors tbody tr").first).to_contain_text("2.13")
    told = page.locator("#listen .told")
    assert told.locator("strong").inner_text() == "two on (said: one) six (left out) nine (not said)"
    assert plain(told.locator(".note").inner_text()) == "3 words wrong, 25.0 % sure"
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    violations = Axe().run(page).response["violations"]
    assert violations == [], [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations]
    assert opened.complaints == []
    assert opened.requests == []


@pytest.mark.browser
def test_one_cursor_runs_through_a_recording(show: Callable[..., Any]) -> None:
    opened = show(fake())
    page = opened.page
    view, readout = page.locator(".heard"), page.locator("#listen .readout")
    view.focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    assert plain(readout.inner_text()) == "0.15 s t 95 %, the blank 5 %; written: t"
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert plain(readout.inner_text()).endswith("the space 60 %, the blank 40 %; written: the space")
    lefts = page.evaluate("() => [...document.querySelectorAll('.heard .at')].map((at) => at.style.left)")
    assert set(lefts) == {"72.5%"}
    marks = page.evaluate(
        "() => [...document.querySelectorAll('.written')].map((one) => [one.style.left, one.style.width])"
    )
    assert marks == [["20%", "15%"], ["60%", "15%"]]
    page.keyboard.press("Escape")
    expect(readout).to_contain_text("space plays")
    page.get_by_role("button", name="Next recording").click()
    expect(page.locator("#listen .told")).to_contain_text("all right")
    expect(page.get_by_role("button", name="Play")).to_be_disabled()
    page.wait_for_url("**#recording=2")
    page.locator("#listen summary").click()
    expect(page.locator("#listen .as-table tbody tr")).to_have_count(2)
    page.get_by_label("Recording", exact=True).first.select_option("0")
    expect(page.get_by_role("button", name="Play")).to_be_enabled()
    assert opened.complaints == []


@pytest.mark.browser
def test_a_recording_is_played(show: Callable[..., Any]) -> None:
    opened = show(fake())
    page = opened.page
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => document.querySelector('.heard .at').hidden === false")
    expect(page.get_by_role("button", name="Play")).to_be_visible(timeout=5_000)
    assert opened.complaints == []


@pytest.mark.browser
def test_a_report_without_recordings(show: Callable[..., Any]) -> None:
    opened = show(fake(recordings=[], confusions=[], history=[], diagnosis=None))
    assert opened.page.locator("#listen").count() == 0
    assert opened.page.locator("#words").count() == 0
    assert opened.complaints == []

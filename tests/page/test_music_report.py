"""The page of a composer: its record, its file, and what a reader sees and hears in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from pydantic import ValidationError

from throughtime.page.music_report import MusicReport, music_verdict, render_music_report

HOSTILE = "</script><img src=x onerror=\"document.body.dataset.hacked='yes'\">"
STEPS = [[60, 64], [60, 65], [], [60, 62]]


def score(name: str, nats: float, kind: str = "baseline") -> dict[str, Any]:
    figures = {"nats_per_step": nats, "frame_accuracy": 0.3}
    return {"name": name, "label": name, "kind": kind, "validation": figures, "test": figures}


def roll(**changes: Any) -> dict[str, Any]:
    fields = {
        "title": "A test piece",
        "text": "The middle one.",
        "steps": STEPS,
        "lowest": 58,
        "chances": [[0, 1, 50, 3, 4, 0, 90, 2, 0, 0], *([[5, 0, 40, 0, 70, 0, 0, 3, 0, 0]] * 3)],
        "nats": [4.0, 2.5, 9.25, 1.0],
        "given": 2,
    }
    return fields | changes


def fake(**changes: Any) -> MusicReport:
    fields: dict[str, Any] = {
        "title": "Music after chorales.json",
        "version": "0.1",
        "created": "2026-01-02T03:04:05",
        "network": "LSTM, 200 hidden units, 1 layer, 88 notes in and out",
        "parameters": 250_000,
        "seconds_to_fit": 72.0,
        "source": "chorales.json",
        "parts": [
            {"part": "training", "pieces": 20, "steps": 900},
            {"part": "test", "pieces": 12, "steps": 300},
        ],
        "notes": [21, 108],
        "grid": "quarter",
        "steps_a_quarter": 1,
        "tempo": 240,
        "history": [{"epoch": n, "train_loss": 9 + 1 / n, "validation_loss": 9 + 1.2 / n} for n in (1, 2, 3)],
        "best_epoch": 3,
        "scores": [score("network", 8.25, "network"), score("one step", 10.5), score("rates", 11.0)],
        "first_step_nats": 8.9,
        "rolls": [roll()],
        "samples": [
            {"epoch": n, "validation_loss": 10 - n, "steps": [[60], [62 + n]] * n} for n in (1, 2, 3)
        ],
        "calibration": [{"probability": 0.02, "sounded": 0.021, "notes": 5000}],
        "pieces": [{"name": f"piece {n}", "steps": 40, "nats_per_step": 7 + n / 4} for n in range(12)],
        "diagnosis": {"verdict": "high variance", "text": "So it is.", "advice": ["more pieces"]},
        "command": "throughtime fit generate chorales.json",
        "settings": {"hidden": 200, "patience": None},
    }
    return MusicReport(**fields | changes)


def test_the_verdict_compares_with_the_best_baseline() -> None:
    words = music_verdict(fake())
    plain = words.headline.replace("\N{NO-BREAK SPACE}", " ")
    assert plain == "A test step costs 8.25 nats, 2.25 fewer than the best baseline."
    worse = music_verdict(fake(scores=[score("network", 11.0, "network"), score("rates", 10.0)]))
    assert "1.00 more than the best baseline" in worse.headline
    alone = music_verdict(fake(scores=[score("network", 8.0, "network")]))
    assert "baseline" not in alone.headline


def test_what_does_not_agree_is_refused() -> None:
    with pytest.raises(ValidationError, match="one score of kind 'network'"):
        fake(scores=[score("rates", 11.0)])
    with pytest.raises(ValidationError, match="steps, chances and nats must be as many"):
        fake(rolls=[roll(nats=[1.0])])


def test_nothing_points_outside_the_file() -> None:
    page = render_music_report(fake(title=HOSTILE, rolls=[roll(title=HOSTILE)], command=HOSTILE))
    assert "<img" not in page
    assert re.findall(r"(?:src|href|action)\s*=\s*[\"']?\s*(?:https?:)?//", page) == []
    assert page.count("<script") == 2


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_the_page_in_a_browser(show: Callable[..., Any], scheme: str, width: int) -> None:
    opened = show(fake(command=HOSTILE), width=width, color_scheme=scheme)
    page = opened.page
    expect(page.locator(".verdict").first).to_contain_text("fewer than the best baseline")
    ids = page.evaluate("() => [...document.querySelectorAll('main > section')].map((part) => part.id)")
    names = ["music", "accuracy", "confidence", "pieces", "learning", "samples", "diagnosis"]
    assert ids == [*names, "data", "settings"]
    expect(page.locator("#accuracy tbody tr").first).to_contain_text("8.250")
    expect(page.locator("#pieces tbody tr")).to_have_count(10)
    expect(page.locator("#data")).to_contain_text("A0 to C8")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    violations = Axe().run(page).response["violations"]
    assert violations == [], [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations]
    assert opened.complaints == []
    assert opened.requests == []


@pytest.mark.browser
def test_the_roll_by_keys_and_pointer(show: Callable[..., Any]) -> None:
    opened = show(fake())
    page = opened.page
    slider = page.get_by_role("slider", name="A test piece: step")
    said = page.locator("#music [role=status]")
    expect(said).to_have_text(
        "Step 1 of 4 (given): C4 E4. Expected: E4 90 %, C4 50 %, D4 4 %, C♯4 3 %. 4.0 nats."
    )
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(said).to_have_text("Step 3 of 4: silence. Expected: D4 70 %, C4 40 %, A♯3 5 %, F4 3 %. 9.3 nats.")
    assert slider.get_attribute("aria-valuenow") == "3"
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuenow", "4")
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuenow", "4")
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuenow", "1")
    slider.click(position={"x": 34 + 14 + 7, "y": 20})
    expect(slider).to_have_attribute("aria-valuenow", "2")
    assert opened.complaints == []


@pytest.mark.browser
def test_the_picture_shows_chances_and_notes(show: Callable[..., Any]) -> None:
    """A note is white; a likely note that did not sound is brighter than an unlikely one."""
    page = show(fake()).page
    page.locator("#music [role=slider]").focus()
    page.keyboard.press("End")  # the cursor's frame away from what is looked at
    colours = page.evaluate(
        """() => {
          const canvas = document.querySelector('#music .roll canvas'), context = canvas.getContext('2d');
          const colour = (x, y) => [...context.getImageData(x, y, 1, 1).data];
          const at = (step, note) => colour(34 + 14 * step + 7, (67 - note) * 7 + 3);
          return [at(0, 60), at(0, 64), at(1, 62), at(1, 59), at(1, 58)];
        }"""
    )
    assert colours[0] == colours[1] == [255, 255, 255, 255]
    likely, never, hardly = (sum(colour[:3]) for colour in colours[2:])
    assert likely > hardly > never


@pytest.mark.browser
def test_it_plays_stops_and_ends_by_itself(show: Callable[..., Any]) -> None:
    opened = show(fake(rolls=[roll(), roll(title="Another")]))
    page = opened.page
    button = page.get_by_role("button", name="Play: A test piece")
    button.click()
    expect(page.get_by_role("button", name="Stop: A test piece")).to_be_visible()
    expect(page.get_by_role("slider", name="A test piece: step")).to_have_attribute(
        "aria-valuenow", re.compile("[234]")
    )
    page.get_by_role("button", name="Play: Another").click()
    expect(button).to_be_visible()
    expect(page.get_by_role("button", name="Stop: Another")).to_be_visible()
    expect(page.get_by_role("button", name="Play: Another")).to_be_visible()  # a second later, at its end
    page.get_by_role("button", name="Play: Another").click()
    page.get_by_role("button", name="Stop: Another").click()
    expect(page.get_by_role("button", name="Play: Another")).to_be_visible()
    assert opened.complaints == []


@pytest.mark.browser
def test_held_notes_sound_once_and_what_is_heard_is_no_silence(show: Callable[..., Any]) -> None:
    """Every oscillator the page starts, by pitch, beginning and end in steps of a quarter of a second."""
    page = show(fake()).page
    page.evaluate(
        """() => {
          window.heard = [];
          const create = AudioContext.prototype.createOscillator;
          AudioContext.prototype.createOscillator = function () {
            const made = create.call(this), [start, stop] = [made.start.bind(made), made.stop.bind(made)];
            made.start = (at) => { made.from = at; start(at); };
            made.stop = (at) => {
              if (made.type === 'triangle') window.heard.push([made.frequency.value, made.from, at]);
              stop(at);
            };
            return made;
          };
        }"""
    )
    page.get_by_role("button", name="Play: A test piece").click()
    heard = page.evaluate("() => window.heard")
    origin = min(start for _, start, _ in heard)
    spans = [
        (round(pitch, 1), round((start - origin) * 4), round((stop - origin - 0.09) * 4))
        for pitch, start, stop in heard
    ]
    assert sorted(spans) == [(261.6, 0, 2), (261.6, 3, 4), (293.7, 3, 4), (329.6, 0, 1), (349.2, 1, 2)]


@pytest.mark.browser
def test_a_piece_for_each_epoch(show: Callable[..., Any]) -> None:
    opened = show(fake())
    samples = opened.page.locator("#samples")
    expect(samples).to_contain_text("After epoch 3; validation 7.000 nats; the weights that were kept.")
    expect(samples.locator("[role=status]")).to_have_text("Step 1 of 6: C4.")
    slider = opened.page.get_by_role("slider", name="Epoch of the piece")
    slider.focus()
    opened.page.keyboard.press("Home")
    expect(samples).to_contain_text("After epoch 1; validation 9.000 nats.")
    assert slider.get_attribute("aria-valuetext") == "after epoch 1"
    roll = opened.page.get_by_role("slider", name="A piece after each epoch: step")
    roll.focus()
    opened.page.keyboard.press("End")
    expect(samples.locator("[role=status]")).to_have_text("Step 2 of 2: D♯4.")
    assert opened.complaints == []


@pytest.mark.browser
def test_a_report_without_rolls(show: Callable[..., Any]) -> None:
    alone = [score("network", 8.0, "network")]
    opened = show(
        fake(rolls=[], samples=[], pieces=[], calibration=[], history=[], scores=alone, diagnosis=None)
    )
    assert opened.page.locator("#music, #samples, #pieces, #confidence, #learning").count() == 0
    assert opened.complaints == []

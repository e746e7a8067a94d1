"""Maps, two recordings side by side, the guided tour and what can be taken away."""

from __future__ import annotations

import json
import re

import pytest
import torch
from playwright.sync_api import expect

from throughtime.page.study.data import study_data
from throughtime.page.study.page import render_study

from ...sequences import VARIANTS
from .reading import caption, digits, number, settled_hash
from .recorded import recording

pytestmark = pytest.mark.browser


def with_map(kind, T=12):
    rec = recording(kind, T=T, B=2, H=5)
    k = torch.arange(T)
    rec.attach("error_map/layer0", torch.tril(0.5 ** (k[:, None] - k).clamp(min=0)))
    rec.notes["memory/layer0"] = "1 % is left after 7 steps."
    return rec


LSTM, RNN = with_map("vanilla"), with_map("rnn-tanh")
BOTH = render_study(LSTM, beside=RNN)
TABS = ["gates", "cell and output", "errors", "error map", "gradients by step", "compare"]


def test_every_tab_is_drawn(study):
    opened = study(BOTH)
    page = opened.page
    assert page.get_by_role("tab").all_text_contents() == TABS
    for name in TABS:
        page.get_by_role("tab", name=name).click()
        assert page.locator(".map-body canvas, .map-body svg").count() >= 2
    assert opened.complaints == []


def test_a_raster_tells_its_number_and_leads_to_the_place(study):
    page = study(BOTH, fragment="#tab=gates&seq=2&at=forward.1.f").page
    raster = page.locator("figure.raster", has_text="forget gate").first
    canvas = raster.locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    canvas.hover(position={"x": box["width"] * (6.5 / 12), "y": box["height"] * (3.5 / 5)})
    told = raster.locator(".readout").inner_text()
    assert told.startswith("step 7, unit 4: ")
    assert number(told.partition(": ")[2]) == digits(float(LSTM["layer0.f"][6, 1, 3]), 3)
    canvas.click(position={"x": box["width"] * (6.5 / 12), "y": box["height"] * (3.5 / 5)})
    assert caption(page) == "forward 7/12: forget gate"
    assert "unit=4" in settled_hash(page)


def test_gradients_by_step_are_the_recorded_norms(study):
    page = study(BOTH, fragment="#tab=gradients").page
    figure = page.locator("figure.lines", has_text="weight_hh")
    figure.scroll_into_view_if_needed()
    box = figure.locator("svg").bounding_box()
    scale = box["width"] / 560
    figure.locator("svg").hover(position={"x": (76 + (560 - 76 - 92) * 4 / 11) * scale, "y": 40 * scale})
    norm = float(LSTM.step_gradient_norms("layer0.weight_hh")[4])
    told = figure.locator(".readout").inner_text()
    assert told.startswith("step 5: ")
    assert number(told.partition(": ")[2]) == digits(norm, 3)


def test_two_recordings_stand_side_by_side(study):
    opened = study(BOTH, fragment="#tab=compare")
    page = opened.page
    assert page.locator(".side h3").all_text_contents() == ["LSTM with peepholes", "simple RNN (tanh)"]
    assert page.locator(".side .memory").count() == 2
    page.locator(".choices select").first.select_option(index=1)
    assert page.locator(".side h3").all_text_contents() == ["simple RNN (tanh)", "LSTM with peepholes"]
    assert page.locator(".views button").all_text_contents() == ["block", "neurons"]
    assert opened.complaints == []


def test_the_tour_leads_through_the_page_and_back_by_the_address(study):
    opened = study(BOTH)
    page = opened.page
    page.get_by_role("button", name="Tour").click()
    seen = [page.locator(".tour h2").inner_text()]
    while page.get_by_role("button", name="Next", exact=True).is_enabled():
        page.get_by_role("button", name="Next", exact=True).click()
        seen.append(page.locator(".tour h2").inner_text())
        assert caption(page)
    assert len(seen) == len(set(seen)) == 12
    page.keyboard.press("5")
    expect(page.locator(".tour h2")).to_have_text("What does the forget gate forget here?")
    wanted = settled_hash(page)
    assert "chapter=forget" in wanted
    again = study(BOTH, fragment=wanted).page
    assert again.locator(".tour h2").inner_text() == "What does the forget gate forget here?"
    page.keyboard.press("Escape")
    assert not page.locator(".tour").is_visible()
    assert opened.complaints == []


@pytest.mark.parametrize("kind", [*VARIANTS, "rnn-relu"])
def test_chapters_are_short_and_lead_to_places_that_are_there(kind):
    fields = study_data(recording(kind, T=8)).fields
    journey = fields["layers"][0]["journey"]
    assert len(fields["chapters"]) >= 9
    for chapter in fields["chapters"]:
        assert 15 <= len(chapter["text"].split()) <= 60, chapter["text"]
        phase, t, moment = chapter["state"]["at"].split(".")
        assert 1 <= int(t) <= 8
        assert moment in {m["id"] for m in journey[phase]}
        assert "nan" not in chapter["text"]


def numbers_in(text):
    """Sizes of the decimal fractions in a text."""
    return [number(found) for found in re.findall(r"\d+\.\d+(?:×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?", text)]


def test_numbers_of_the_tour_stand_on_the_page(study):
    page = study(BOTH).page
    for chapter in json.loads(page.locator("#study-data").text_content() or "")["chapters"]:
        if chapter["id"] not in ("forget", "errors", "routes", "peepholes"):
            continue
        state = "&".join(f"{name}={value}" for name, value in chapter["state"].items())
        page.evaluate(f"location.hash = '#chapter={chapter['id']}&{state}'")
        expect(page.locator(".tour h2")).to_have_text(chapter["title"])
        shown = numbers_in(str(page.locator(".panes").text_content()))
        told = numbers_in(chapter["text"].split("Nudge")[0])
        assert told
        for value in told:
            assert any(abs(one - value) <= 0.006 * value for one in shown), (chapter["text"], value)


@pytest.mark.parametrize(("name", "start"), [("Drawing as SVG", b"<svg"), ("Drawing as PNG", b"\x89PNG")])
def test_the_drawing_can_be_taken_away(study, tmp_path, name, start):
    page = study(LSTM, fragment="#at=backward.5.d_c", color_scheme="dark").page
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    content = file.read_bytes()
    assert content.startswith(start)
    assert file.stem.startswith("backward-5-12")
    if start == b"<svg":
        assert b"rgb(18, 21, 24)" in content
        assert b"var(--" not in content


def test_print_leaves_out_what_only_a_screen_needs(study):
    page = study(LSTM).page
    page.emulate_media(media="print")
    assert not page.locator(".transport input").is_visible()
    assert page.locator(".caption").is_visible()
    assert page.locator(".diagram").is_visible()


def test_confirmed_errors_carry_a_badge(study):
    page = study(LSTM, fragment="#seq=1&unit=3&at=backward.12.d_c").page
    badge = page.locator(".checked")
    expect(badge).to_contain_text("checked:")
    differences = number(str(badge.get_attribute("title")).split("give")[1])
    assert differences == pytest.approx(float(LSTM["layer0.d_c"][11, 0, 2]), rel=1e-3)

"""The section "How far back does it see?" as a reader meets it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from pydantic import ValidationError

from .sample import fake_report

pytestmark = pytest.mark.browser
REPORT = fake_report(300)


def _with(**changes):
    fields = REPORT.model_dump(mode="json", by_alias=True)
    fields["reach"] |= changes
    return type(REPORT).model_validate(fields)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_says_and_draws_it(show, width, scheme):
    opened = show(REPORT, width=width, color_scheme=scheme)
    part = opened.page.locator("#reach")
    expect(part.locator("h2")).to_have_text("How far back does it see?")
    expect(part.locator(".finding")).to_have_text(
        "After 1 d 7 h less than 1 % of an error of the cell is left."
    )
    expect(part).to_contain_text("Nothing exploded in 12 epochs of training.")
    expect(part).to_contain_text("Memory length: 1 d 7 h")
    assert part.locator("canvas.cells").count() == 4
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.complaints == []


def test_the_map_is_painted_cell_by_cell(show):
    page = show(REPORT).page
    pixel = """([which, ...place]) => {
        const canvas = document.querySelectorAll("#reach canvas.cells")[which];
        return [canvas.width, canvas.height, ...canvas.getContext("2d").getImageData(...place, 1, 1).data];
    }"""
    assert page.evaluate(pixel, [0, 0, 0]) == [120, 60, 255, 234, 70, 255]  # all of it
    assert page.evaluate(pixel, [0, 0, 59]) == [120, 60, 0, 32, 77, 255]  # 10⁻⁶ or less
    assert page.evaluate(pixel, [0, 119, 0])[-1] == 0  # after the forecast: nothing
    assert page.evaluate(pixel, [1, 0, 0])[:2] == [120, 32]


def test_a_share_is_read_under_the_pointer(show):
    page = show(REPORT).page
    canvas, word = page.locator("#reach canvas.cells").first, page.locator("#reach .heat-word").first
    expect(word).to_have_text("Point at the map to read a share.")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 90.5 / 120, box["y"] + box["height"] * 50.5 / 60)
    told = word.inner_text().replace("\N{NO-BREAK SPACE}", " ")
    assert told == "Forecast made 4.16667 d into the window: 22.4 % left at 3.75 d, 10 h before."
    page.mouse.move(box["x"] + box["width"] - 3, box["y"] + 3)
    expect(word).to_have_text("Point at the map to read a share.")


def test_the_curve_as_a_table(show):
    page = show(REPORT).page
    page.locator("#reach .as-table summary").click()
    rows = page.locator("#reach .as-table tbody tr")
    expect(rows).to_have_count(120)
    assert rows.nth(2).inner_text().split() == ["2", "h", "0.740"]


def test_growing_errors_and_gaps(show):
    left = [1.0, 3.0, 20.0, *[None] * 117]
    logs = [[None if k > t else round(0.1 * (t - k), 2) for k in range(120)] for t in range(0, 120, 2)]
    opened = show(_with(left=left, map=logs, verdict="explode", rasters=[], step_hours=1 / 6))
    expect(opened.page.locator("#reach .scale-line").first).to_contain_text("times")
    assert opened.page.locator("#reach canvas.cells").count() == 1
    assert opened.complaints == []


def test_a_map_that_is_not_whole_is_refused():
    with pytest.raises(ValidationError, match="map has 59 rows"):
        _with(map=REPORT.reach.model_dump(mode="json")["map"][:-1])

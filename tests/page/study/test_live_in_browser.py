"""A number changed on the page, in a real browser with a real server behind it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytest.importorskip("uvicorn")
pytest.importorskip("starlette")

from .reading import digits, outputs
from .test_live import TOKEN, address, replay  # noqa: F401

pytestmark = pytest.mark.browser


def test_a_changed_input_changes_every_later_number(browser, address):  # noqa: F811
    page = browser.new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{address}/{TOKEN}/#unit=2&seq=1&at=forward.2.x")
    page.locator(".live input").first.fill("2.5")
    page.keyboard.press("Tab")
    expect(page.locator(".given td.number").first).to_have_text("2.50")
    page.evaluate("location.hash = '#unit=2&seq=1&at=backward.1.d_c'")
    expected = replay()
    expected.x[1, 0, 0] = 2.5
    rec = expected.record()
    expect(page.locator(".caption")).to_contain_text("backward 1/5: error of the cell")
    assert outputs(page)["d_c"] == digits(float(rec["layer0.d_c"][0, 0, 1]), 4)
    page.evaluate("location.hash = '#unit=2&seq=1&at=forward.2.i'")
    page.get_by_role("button", name="As it was").click()
    page.evaluate("location.hash = '#unit=2&seq=1&at=forward.5.c'")
    expect(page.locator(".caption")).to_contain_text("forward 5/5: cell")
    before = digits(float(replay().record()["layer0.c"][4, 0, 1]), 4)
    expect(page.locator("output[data-value=c]")).to_have_text(f"{before:.4g}".replace("-", "−"))
    assert complaints == []
    page.close()

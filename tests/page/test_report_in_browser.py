"""The page as a reader meets it: opened from disk, offline, with pointer, keys and screen reader."""

from __future__ import annotations

import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from .sample import bare_report, fake_report

pytestmark = pytest.mark.browser

HOSTILE = "</script><img src=x onerror=\"document.body.dataset.hacked='yes'\">"
FULL = fake_report(1200)


def _plot(page: Page, part: str) -> Locator:
    return page.locator(f"#{part} .plot").first


def _readout(page: Page, part: str) -> str:
    return page.locator(f"#{part} .readout").first.inner_text().replace("\N{NO-BREAK SPACE}", " ")


def _range(page: Page) -> str:
    return page.locator("#series .range").inner_text().replace("\N{NO-BREAK SPACE}", " ")


def _press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


@pytest.mark.parametrize(
    ("report", "scheme"),
    [(FULL, "light"), (FULL, "dark"), (fake_report(600, steps="last"), "light"), (bare_report(), "dark")],
    ids=["all", "all-dark", "last", "bare-dark"],
)
def test_opens_offline_without_a_complaint_or_request(show, report, scheme):
    opened = show(report, color_scheme=scheme)
    expect(opened.page.locator(".verdict").first).to_contain_text("Test error 2.31")
    assert opened.complaints == []
    assert opened.requests == []


def test_sections_stand_in_order_and_empty_ones_are_left_out(show):
    order = [
        "accuracy",
        "series",
        "examples",
        "lead",
        "hour",
        "learning",
        "reach",
        "diagnosis",
        "data",
        "settings",
    ]
    in_page = "() => [...document.querySelectorAll('main > section')].map((section) => section.id)"
    page = show(FULL).page
    assert page.evaluate(in_page) == order
    headings = page.evaluate(
        "() => [...document.querySelectorAll('main h1, main h2')].map((node) => node.tagName)"
    )
    assert headings == ["H1"] + ["H2"] * 10
    assert page.locator("nav a").count() == 10
    page = show(fake_report(600, steps="last", repairs=[])).page
    assert page.evaluate(in_page) == [part for part in order if part not in ("examples", "lead")]
    expect(page.locator("#data")).to_contain_text("None: the table was taken as it is.")
    assert show(bare_report()).page.evaluate(in_page) == ["accuracy"]


def test_names_are_shown_as_text_whatever_they_hold(show):
    fields = fake_report(400).model_dump(mode="json", by_alias=True)
    for name in [
        "title",
        "target",
        "unit",
        "version",
        "network",
        "horizon",
        "loss_name",
        "command",
        "time_zone",
    ]:
        fields[name] = HOSTILE
    for score in fields["scores"]:
        score["label"] = score["note"] = HOSTILE
    fields["source"]["columns"] = [HOSTILE]
    fields["source"]["split"][0]["part"] = HOSTILE
    fields["repairs"][0] = {"kind": HOSTILE, "column": HOSTILE, "count": 1, "text": HOSTILE}
    fields["settings"] = {HOSTILE: HOSTILE}
    fields["limits"] = fields["diagnosis"]["advice"] = [HOSTILE]
    fields["by_lead"][0]["lead_text"] = HOSTILE
    for name in ("memory", "summary", "exploded"):
        fields["reach"][name] = HOSTILE
    fields["reach"]["rasters"][0]["name"] = HOSTILE
    opened = show(
        type(FULL).model_validate(fields), fragment=f"#hide={HOSTILE}&view={HOSTILE}&example=x", width=360
    )
    page = opened.page
    for summary in page.locator("summary").all():
        summary.click()
    assert page.locator("img").count() == 0
    assert page.evaluate("document.body.dataset.hacked") is None
    assert page.title() == HOSTILE
    expect(page.locator("h1")).to_have_text(HOSTILE)
    expect(page.locator(".settings dt")).to_have_text(HOSTILE)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert opened.complaints == []


def test_the_policy_stops_a_script_put_in_later(show):
    opened = show(bare_report())
    opened.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "document.body.dataset.hacked = 'yes'";
          document.body.append(script);
          const image = `<img src="data:," onerror="document.body.dataset.hacked = 1">`;
          document.body.insertAdjacentHTML("beforeend", image);
        }"""
    )
    opened.page.wait_for_timeout(100)
    assert opened.page.evaluate("document.body.dataset.hacked") is None
    assert any("Content Security Policy" in complaint for complaint in opened.complaints)


def test_scores_are_sorted_and_the_lowest_is_marked(show):
    page = show(FULL).page
    rows = page.locator(".scores tbody tr")
    assert [rows.nth(index).locator("td .measure").inner_text() for index in range(4)] == [
        "2.31",
        "2.62",
        "2.96",
        "2.96",
    ]
    expect(rows.nth(0).locator(".tag")).to_have_text("lowest")
    expect(rows.nth(0).locator("td").nth(1)).to_have_text("−12.0\N{NO-BREAK SPACE}%")
    expect(rows.nth(1).locator(".tag")).to_have_text("best baseline")
    expect(rows.nth(2).locator("td").nth(1)).to_have_text("+12.8\N{NO-BREAK SPACE}%")
    widths = [rows.nth(index).locator(".fill").bounding_box()["width"] for index in range(4)]
    assert widths[3] == rows.nth(3).locator(".track").bounding_box()["width"]
    assert widths[0] / widths[3] == pytest.approx(2.309 / 2.96, rel=0.01)


def test_the_series_is_read_by_keys(show):
    page = show(FULL).page
    _plot(page, "series").focus()
    _press(page, "Home")
    assert _readout(page, "series").startswith("Tue 1 Oct 2013, 00:00")
    _press(page, "ArrowRight", "ArrowRight", "Shift+ArrowRight", "ArrowLeft")
    text = _readout(page, "series")
    assert text.startswith("Tue 1 Oct 2013, 11:00")
    series = FULL.series
    for label, value in (("truth", series.truth[11]), ("forecast", series.forecast[11])):
        assert f"{label} {value:.1f} °C".replace("-", "−") in text
    assert f"{series.lower95[11]:.1f} to {series.upper95[11]:.1f} °C".replace("-", "−") in text
    assert page.locator("#series .readout").get_attribute("aria-live") == "polite"
    _press(page, "End")
    assert _readout(page, "series").startswith("Tue 19 Nov 2013, 23:00")
    _press(page, "ArrowRight", "Escape")
    assert "Point at the chart" in _readout(page, "series")


def test_the_series_is_zoomed_by_keys_and_buttons(show):
    page = show(FULL).page
    _plot(page, "series").focus()
    _press(page, "0")
    pairs = zip(FULL.series.truth, FULL.series.forecast, strict=True)
    mean = np.mean([abs(truth - forecast) for truth, forecast in pairs if truth is not None])
    assert _range(page) == f"1 Oct to 19 Nov 2013, the whole test part; mean error in view {mean:.2f} °C"
    _press(page, "Home", "+", "+")
    assert _range(page).startswith("1 Oct to 13 Oct 2013;")
    _press(page, "PageDown")
    assert _range(page).startswith("10 Oct to 23 Oct 2013;")
    _press(page, "-", "-", "-", "-")
    assert "the whole test part" in _range(page)
    page.get_by_role("button", name="Zoom in").click()
    assert "the whole test part" not in _range(page)
    page.get_by_role("button", name="Earlier").click()
    assert _range(page).startswith("1 Oct to 25 Oct")
    page.get_by_role("button", name="Whole test part").click()
    assert "the whole test part" in _range(page)


def test_the_series_is_zoomed_by_drawing_over_it(show):
    page = show(FULL).page
    _plot(page, "series").focus()
    _press(page, "0")
    box = _plot(page, "series").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 300, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, middle, steps=3)
    assert float(page.locator("#series .brush").get_attribute("width")) == pytest.approx(100, abs=2)
    page.mouse.up()
    assert re.match(r"17 Oct to 2[23] Oct 2013;", _range(page))
    strip = page.locator(".overview").bounding_box()
    page.mouse.click(strip["x"] + strip["width"] - 5, strip["y"] + 20)
    assert "to 19 Nov 2013" in _range(page)


def test_the_view_is_kept_in_the_address(show):
    page = show(FULL).page
    _plot(page, "series").focus()
    _press(page, "0", "Home", "+", "+")
    page.locator("#examples input").fill("3")
    page.locator("#lead .chip", has_text="Persistence").click()
    expect(page).to_have_url(re.compile("hide=persistence"))
    seen = _range(page)
    fragment = page.evaluate("location.hash")
    again = show(FULL, fragment=fragment).page
    assert _range(again) == seen
    assert again.locator("#examples input").input_value() == "3"
    expect(again.locator("#hour .chip", has_text="Persistence")).to_have_attribute("aria-pressed", "false")
    again.evaluate("location.hash = '#example=5'")
    expect(again.locator("#examples input")).to_have_value("5")
    expect(again.locator("#hour .chip", has_text="Persistence")).to_have_attribute("aria-pressed", "true")


def test_examples_are_walked_by_keys(show):
    opened = show(FULL)
    page = opened.page
    first = page.locator("#examples .range").inner_text()
    slider = page.locator("#examples input")
    slider.focus()
    _press(page, "ArrowRight")
    assert page.locator("#examples .range").inner_text() != first
    assert slider.get_attribute("aria-valuetext").startswith("2 of 12, issued")
    _press(page, "End")
    assert slider.get_attribute("aria-valuetext").startswith("12 of 12")
    page.get_by_role("button", name="Next forecast").click()
    assert opened.complaints == []
    assert slider.get_attribute("aria-valuetext").startswith("12 of 12")
    _plot(page, "examples").focus()
    _press(page, "End")
    assert "forecast" in _readout(page, "examples")
    _press(page, "Home")
    assert "forecast" not in _readout(page, "examples")


def test_methods_are_shown_and_hidden_in_both_charts(show):
    page = show(FULL).page
    lines = {part: page.locator(f"#{part} .plot g.line") for part in ("lead", "hour")}
    chip = page.locator("#lead .chip", has_text="k-nearest")
    chip.focus()
    _press(page, "Space")
    assert [lines[part].count() for part in lines] == [3, 3]
    assert page.locator("#lead .plot .label", has_text="k-nearest").count() == 0
    _plot(page, "lead").focus()
    _press(page, "End")
    assert _readout(page, "lead").startswith("24 h LSTM 2.31 °C")
    assert page.locator("#lead .readout").get_attribute("aria-live") == "polite"
    assert "k-nearest" not in _readout(page, "lead")
    for index in range(3):
        page.locator("#hour .chip").nth(index).click()
    assert lines["hour"].count() == 1, "one method always stays"


def test_every_chart_has_a_name_and_its_numbers_as_a_table(show):
    page = show(FULL).page
    for plot in page.locator(".plot").all():
        assert plot.get_attribute("aria-label")
        assert plot.get_attribute("tabindex") == "0"
    for part, rows in {"examples": 24, "lead": 24, "hour": 24, "learning": 12}.items():
        page.locator(f"#{part} summary").click()
        expect(page.locator(f"#{part} details tbody tr")).to_have_count(rows)
    page.locator("#series summary").click()
    _plot(page, "series").focus()
    _press(page, "0")
    expect(page.locator("#series details caption")).to_contain_text("The first 1000 rows")
    first = page.locator("#series details tbody tr").first.inner_text().replace("\N{NO-BREAK SPACE}", " ")
    assert first.startswith("Tue 1 Oct 2013, 00:00\t")
    assert f"{FULL.series.forecast[0]:.2f}" in first


def test_a_gap_in_the_truth_is_a_gap_in_the_line(show):
    page = show(FULL, fragment="#view=2013-10-24T00:00~2013-10-28T00:00").page
    truth = page.locator("#series .plot g.line.k-truth .stroke").get_attribute("d")
    forecast = page.locator("#series .plot g.line.k-forecast .stroke").get_attribute("d")
    assert (truth.count("M"), forecast.count("M")) == (2, 1)


def test_a_year_of_hours_is_drawn_with_few_points(show):
    page = show(fake_report(8760)).page
    _plot(page, "series").focus()
    _press(page, "0")
    path = page.locator("#series .plot g.line.k-truth .stroke").get_attribute("d")
    assert 500 < path.count("L") < 4 * 1000


def test_light_and_dark(show):
    page = show(FULL, color_scheme="dark").page
    paper = "() => getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(paper) == "rgb(18, 21, 24)"
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    assert not page.locator(".tools").first.is_visible()


def test_the_command_is_copied(show):
    page = show(FULL, permissions=["clipboard-read", "clipboard-write"]).page
    page.get_by_role("button", name="Copy").click()
    expect(page.locator(".said")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == FULL.command
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    page.evaluate(
        """() => {
          document.execCommand = () => {
            document.body.dataset.selected = document.activeElement.value;
            return true;
          };
        }"""
    )
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("body")).to_have_attribute("data-selected", FULL.command)


def test_contents_lead_to_the_sections_and_keep_the_view(show):
    page = show(FULL, fragment="#example=4", reduced_motion="reduce").page
    page.locator("nav a", has_text="Diagnosis").click()
    assert page.evaluate("document.activeElement.id") == "diagnosis-title"
    expect(page.locator("#diagnosis-title")).to_be_in_viewport()
    expect(page.locator("nav a[aria-current]")).to_have_text("Diagnosis")
    assert page.evaluate("location.hash") == "#example=4"
    assert not show(FULL, width=800).page.locator("nav").is_visible()


def test_every_id_is_there_once(show):
    page = show(FULL).page
    ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("report", [FULL, bare_report()], ids=["full", "bare"])
def test_nothing_is_wider_than_a_small_screen(show, report):
    opened = show(report, width=360)
    page = opened.page
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    outside = page.evaluate(
        """() => [...document.querySelectorAll("main *")].filter((node) => {
          if (node.closest(".scroller, .readout, clipPath, [clip-path]")) return false;
          const box = node.getBoundingClientRect();
          return box.width > 0 && (box.right > 361 || box.left < -1);
        }).map((node) => node.outerHTML.slice(0, 120))"""
    )
    assert outside == []
    assert opened.complaints == []


def test_the_tab_key_walks_in_reading_order(show):
    page = show(FULL).page
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("() => document.activeElement.closest('section')?.id ?? ''"))
    walked = list(dict.fromkeys(part for part in seen if part))
    assert walked == [
        "accuracy",
        "series",
        "examples",
        "lead",
        "hour",
        "learning",
        "reach",
        "data",
        "settings",
    ]


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("light", 1280), ("dark", 1280)])
def test_no_barrier_that_axe_can_find(show, scheme, width):
    page = show(FULL, width=width, color_scheme=scheme, bypass_csp=True).page
    _plot(page, "series").focus()
    _press(page, "ArrowRight", "+", "+", "+", "+")
    for summary in page.locator("summary").all():
        summary.click()
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    assert [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in serious] == []

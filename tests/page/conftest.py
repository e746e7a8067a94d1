"""One browser for all tests of pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from throughtime.page.classify_report import ClassifyReport, render_classify_report
from throughtime.page.fit_report import FitReport
from throughtime.page.forecast_report import ForecastReport
from throughtime.page.generate_text_report import TextReport, render_text_report
from throughtime.page.music_report import MusicReport, render_music_report
from throughtime.page.report import render_forecast_report
from throughtime.page.tag_report import TagReport, render_tag_report
from throughtime.page.transcribe_report import TranscribeReport, render_transcribe_report
from throughtime.page.translate_report import TranslateReport, render_translate_report

RENDER: dict[type[FitReport], Callable[[Any], str]] = {
    ClassifyReport: render_classify_report,
    ForecastReport: render_forecast_report,
    MusicReport: render_music_report,
    TagReport: render_tag_report,
    TextReport: render_text_report,
    TranslateReport: render_translate_report,
    TranscribeReport: render_transcribe_report,
}
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Opened:
    """A page opened from disk, with what it complained about and tried to fetch."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium of this machine: THROUGHTIME_CHROMIUM or the first found on the path."""
    names = ("chromium", "chromium-browser", "google-chrome")
    program = os.environ.get("THROUGHTIME_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("no Chromium: set THROUGHTIME_CHROMIUM to its program")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_QUIET))
        yield browser
        browser.close()


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Open a report from disk, offline: `show(report, width=..., fragment=..., **context options)`."""
    contexts: list[BrowserContext] = []

    def open_page(report: FitReport, width: int = 1280, fragment: str = "", **options: Any) -> Opened:
        file = tmp_path / "report.html"
        file.write_text(RENDER[type(report)](report), encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        context.set_offline(True)
        opened = Opened(context.new_page())
        _listen(opened)
        opened.page.goto(f"{file.as_uri()}{fragment}")
        opened.page.locator("html[data-ready]").wait_for(state="attached", timeout=10_000)
        return opened

    yield open_page
    for context in contexts:
        context.close()


def _listen(opened: Opened) -> None:
    def refuse(route: Route) -> None:
        if route.request.url.startswith("file:"):
            route.continue_()
        else:
            opened.requests.append(route.request.url)
            route.abort()

    opened.page.route("**/*", refuse)
    opened.page.on("console", lambda message: opened.complaints.append(f"{message.type}: {message.text}"))
    opened.page.on("pageerror", lambda error: opened.complaints.append(f"error: {error}"))

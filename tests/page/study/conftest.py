"""Study pages opened from disk, with the network cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

from throughtime.page.study.page import render_study
from throughtime.recording import Recording

from ..conftest import Opened, _listen


@pytest.fixture
def study(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Open a recording's page: `study(recording, width=..., fragment=..., **context options)`."""
    contexts: list[BrowserContext] = []

    def open_page(
        recording: Recording | str, width: int = 1280, height: int = 900, fragment: str = "", **options: Any
    ) -> Opened:
        file = tmp_path / "study.html"
        text = recording if isinstance(recording, str) else render_study(recording)
        file.write_text(text, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
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

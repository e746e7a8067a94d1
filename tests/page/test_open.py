from __future__ import annotations

import sys
import time
import webbrowser
from pathlib import Path

import pytest

from throughtime.errors import ModelFolderError
from throughtime.page.open import open_in_browser


class _Browser:
    def __init__(self, name: str) -> None:
        self.name = name
        self.opened: list[str] = []

    def open(self, uri: str) -> bool:
        self.opened.append(uri)
        return True


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    path = tmp_path / "a page.html"
    path.write_text("<p>")
    return path


def _found(monkeypatch: pytest.MonkeyPatch, name: str) -> _Browser:
    browser = _Browser(name)
    monkeypatch.setattr(webbrowser, "get", lambda: browser)
    return browser


def test_the_browser_gets_the_address_of_the_file(page, monkeypatch, capsys):
    monkeypatch.setenv("DISPLAY", ":0")
    browser = _found(monkeypatch, "firefox")
    assert open_in_browser(page)
    assert browser.opened == [page.as_uri()]
    assert "%20" in browser.opened[0]
    assert capsys.readouterr().out == ""


def test_without_a_screen_the_path_is_printed(page, monkeypatch, capsys):
    browser = _found(monkeypatch, "firefox")
    assert not open_in_browser(page)
    assert browser.opened == []
    assert str(page) in capsys.readouterr().out


@pytest.mark.parametrize("name", ["w3m", "/usr/bin/lynx", "www-browser"])
def test_a_text_browser_does_not_take_over_the_terminal(name, page, monkeypatch, capsys):
    monkeypatch.setenv("DISPLAY", ":0")
    browser = _found(monkeypatch, name)
    assert not open_in_browser(page)
    monkeypatch.setenv("BROWSER", name)
    assert not open_in_browser(page)
    assert browser.opened == []
    assert capsys.readouterr().out.count(str(page)) == 2


def test_no_browser_at_all(page, monkeypatch, capsys):
    def missing() -> None:
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setattr(webbrowser, "get", missing)
    assert not open_in_browser(page)
    monkeypatch.setenv("BROWSER", "no-such-program-at-all")
    assert not open_in_browser(page)
    assert str(page) in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="runs a shell script")
@pytest.mark.parametrize("words", ["{}", "{} %s"])
def test_the_users_browser_runs_away_from_the_terminal(words, page, tmp_path, monkeypatch):
    program, seen = tmp_path / "browser", tmp_path / "seen"
    program.write_text(f'#!/bin/sh\n[ -t 0 ] && exit 1\necho "$1" > {seen}.part && mv {seen}.part {seen}\n')
    program.chmod(0o755)
    monkeypatch.setenv("BROWSER", words.format(program))
    assert open_in_browser(page)
    for _ in range(200):
        if seen.exists():
            break
        time.sleep(0.02)
    assert seen.read_text().strip() == page.as_uri()


def test_a_missing_page_is_said(tmp_path):
    with pytest.raises(ModelFolderError, match=r"report\.html: no such page"):
        open_in_browser(tmp_path / "report.html")

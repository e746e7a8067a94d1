"""Showing a page to the person at the keyboard, and never hanging where nobody can see it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
import webbrowser
from pathlib import Path

from throughtime.errors import ModelFolderError

_TEXT_BROWSERS = {"www-browser", "links", "links2", "elinks", "lynx", "w3m", "browsh", "edbrowse"}


def open_in_browser(path: str | os.PathLike[str]) -> bool:
    """Open an HTML file in the user's browser; print where it is if there is none.

    A text browser is not started: it would take over the terminal.

    Returns:
        Whether a browser was started.

    Raises:
        ModelFolderError: there is no such file.
    """
    page = Path(path).resolve()
    if not page.is_file():
        raise ModelFolderError(f"{path}: no such page. Evaluate or fit the model again to write it.")
    opened = _open(page.as_uri())
    if not opened:
        print(f"No browser to open here. The page is {page}")
    return opened


def open_address(address: str) -> bool:
    """Open an http address in the user's browser. Returns whether a browser was started."""
    return _open(address)


def _open(uri: str) -> bool:
    chosen = os.environ.get("BROWSER", "").split(os.pathsep)[0].strip()
    if chosen:
        return _start(chosen, uri)
    if sys.platform.startswith("linux") and not _has_screen():
        return False
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    if _is_text_browser(getattr(browser, "name", "")):
        return False
    return browser.open(uri)


def _has_screen() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _is_text_browser(program: str) -> bool:
    return Path(program).stem in _TEXT_BROWSERS


def _start(command: str, uri: str) -> bool:
    """Run the user's BROWSER away from the terminal, without waiting for it."""
    words = shlex.split(command, posix=os.name == "posix")
    if not words or _is_text_browser(words[0]):
        return False
    words = [word.replace("%s", uri) for word in words] if "%s" in command else [*words, uri]
    quiet = subprocess.DEVNULL
    try:
        process = subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    except OSError:
        return False
    threading.Thread(target=process.wait, daemon=True).start()
    return True

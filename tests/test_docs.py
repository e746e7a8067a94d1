"""Every Python block of the README and of docs/ runs, each page from top to bottom."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import throughtime

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path) -> list[tuple[int, str]]:
    """Line and text of each Python block."""
    text = page.read_text(encoding="utf-8")
    found = re.finditer(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [(text.count("\n", 0, match.start(1)), match[1]) for match in found]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.name)
def test_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": page.stem}
    for line, block in blocks(page):
        exec(compile("\n" * line + block, str(page), "exec"), names)


def test_pages_with_python_are_found() -> None:
    expected = {"README.md", "cells.md", "data.md", "forecast.md", "recording.md", "training.md"}
    assert expected | {"which-unit-remembers.md"} <= {p.name for p in PAGES if blocks(p)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_are_there(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} points to {target}"


def test_version_stands_in_one_place() -> None:
    assert f'__version__ = "{throughtime.__version__}"' in (ROOT / "src/throughtime/_version.py").read_text()
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text()

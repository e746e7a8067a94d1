"""The walls of the house: imports run downward only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import throughtime

ROOT = Path(throughtime.__file__).parent
FLOORS = [
    {"errors", "_version"},
    {"files", "batch"},
    {"cells"},
    {"kernels"},
    {"ops"},
    {"nn"},
    {"recording"},
    {"training", "data", "page", "testing"},
    {"tasks"},
    {"cli"},
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def imported_rooms(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    parts = [name.split(".") for name in names]
    return {part[1] for part in parts if part[0] == "throughtime" and len(part) > 1} & set(FLOOR)


MODULES = sorted(p for p in ROOT.rglob("*.py") if p.parent != ROOT or p.stem in FLOOR)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_downward(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0].removesuffix(".py")
    too_high = {other for other in imported_rooms(path) - {room} if FLOOR[other] >= FLOOR[room]}
    assert not too_high, f"{path.relative_to(ROOT)} ({room}) imports from {sorted(too_high)}"


def test_every_room_has_a_floor() -> None:
    rooms = {p.name.removesuffix(".py") for p in ROOT.iterdir() if p.suffix == ".py" or p.is_dir()}
    assert rooms - {"__init__", "__main__", "__pycache__"} == set(FLOOR)

"""Small pieces for the tests of composers: chords that go round, in a few keys and lengths."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

SMALL: dict[str, Any] = {"hidden": 8, "epochs": 2, "batch_size": 8}
ROUND = ((48, 60, 64, 67), (53, 60, 65, 69), (55, 59, 62, 67), (48, 60, 64, 72))

Piece = list[list[int]]


def small_pieces(count: int = 20, seed: int = 0) -> list[Piece]:
    """The round from a drawn chord on, 5 to 16 steps, a drawn voice silent now and then."""
    rng = np.random.default_rng(seed)
    pieces = []
    for _ in range(count):
        at = int(rng.integers(len(ROUND)))
        chords = [list(ROUND[(at + t) % len(ROUND)]) for t in range(int(rng.integers(5, 17)))]
        for chord in chords:
            if rng.random() < 0.2:
                chord.pop(int(rng.integers(len(chord))))
        pieces.append(chords)
    return pieces


def small_parts(seed: int = 0) -> dict[str, list[Piece]]:
    """In the layout of the literature."""
    pieces = small_pieces(36, seed)
    return {"train": pieces[:24], "valid": pieces[24:30], "test": pieces[30:]}


def write_pieces(path: Path, seed: int = 0) -> Path:
    """As JSON."""
    path.write_text(json.dumps(small_parts(seed)))
    return path

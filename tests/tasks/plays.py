"""A small text whose next character depends on what came before; imported by the tests of generators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

SMALL: dict[str, Any] = {
    "hidden": 12,
    "embedding": 6,
    "epochs": 2,
    "batch_size": 4,
    "steps": 20,
    "dropout": 0.1,
}
SPEAKERS = ("ANNA", "BERT", "CLEO")
WORDS = ("good", "morrow", "my", "lord", "and", "so", "farewell", "sweet", "night")


def small_play(lines: int = 120, seed: int = 0) -> str:
    """Speakers' names on lines of their own, then a line of a few words."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(lines):
        words = rng.choice(WORDS, size=int(rng.integers(3, 7)))
        parts.append(f"{SPEAKERS[rng.integers(3)]}:\n{' '.join(words).capitalize()}.\n\n")
    return "".join(parts)


def write_play(path: Path, lines: int = 120, seed: int = 0) -> Path:
    path.write_text(small_play(lines, seed), encoding="utf-8")
    return path

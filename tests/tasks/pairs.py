"""Small pairs of sentences for the tests of translators: word for word, but the verb goes to the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

SMALL: dict[str, Any] = {
    "hidden": 6,
    "embedding": 8,
    "epochs": 2,
    "batch_size": 16,
    "source_pieces": 60,
    "target_pieces": 60,
    "beam": 2,
}
NOUNS = {"Hund": "dog", "Mann": "man", "Ball": "ball", "Baum": "tree", "Kind": "child"}
VERBS = {"sieht": "sees", "holt": "fetches", "malt": "paints"}
SIZES = {"alte": "old", "kleine": "small", "rote": "red"}


def small_pairs(count: int = 200, seed: int = 0) -> tuple[list[str], list[str]]:
    """Sources "der rote Hund den Ball sieht." and targets "the red dog sees the ball."."""
    rng = np.random.default_rng(seed)
    sources, targets = [], []
    for _ in range(count):
        size, one, other, verb = (
            list(words)[int(rng.integers(len(words)))] for words in (SIZES, NOUNS, NOUNS, VERBS)
        )
        sources.append(f"der {size} {one} den {other} {verb}.")
        targets.append(f"the {SIZES[size]} {NOUNS[one]} {VERBS[verb]} the {NOUNS[other]}.")
    return sources, targets


def write_pairs(folder: Path, name: str, count: int = 200, seed: int = 0) -> tuple[Path, Path]:
    """As two files, NAME.de and NAME.en."""
    paths = []
    for language, sentences in zip(("de", "en"), small_pairs(count, seed), strict=True):
        path = folder / f"{name}.{language}"
        path.write_text("".join(f"{one}\n" for one in sentences))
        paths.append(path)
    return paths[0], paths[1]

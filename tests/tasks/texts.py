"""Small texts with labels for the tests of classifiers: one word decides, another turns it round."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

SMALL: dict[str, Any] = {"hidden": 4, "embedding": 6, "members": 2, "epochs": 2, "batch_size": 32}
GOOD, BAD = ("fine", "moving", "funny", "bright"), ("dull", "weak", "empty", "slow")
FILLERS = "the film is a story of two people and their long way home with songs".split()  # noqa: SIM905


def small_texts(count: int = 240, seed: int = 0) -> tuple[list[str], list[str]]:
    """Texts of 3 to 12 words; "not" before the word that decides turns it round."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(count):
        words = list(rng.choice(FILLERS, rng.integers(2, 10)))
        good, turned = bool(rng.integers(2)), bool(rng.integers(2))
        at = int(rng.integers(len(words) + 1))
        words[at:at] = [*(["not"] if turned else []), str(rng.choice(GOOD if good else BAD))]
        texts.append(" ".join(words))
        labels.append("good" if good != turned else "bad")
    return texts, labels


def write_texts(path: Path, count: int = 240, seed: int = 0) -> Path:
    """As tab-separated values with a header."""
    rows = [f"{text}\t{label}\n" for text, label in zip(*small_texts(count, seed), strict=True)]
    path.write_text("text\tlabel\n" + "".join(rows))
    return path

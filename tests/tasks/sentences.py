"""Small tagged sentences for the tests of taggers: people and places, known by what stands around them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

SMALL: dict[str, Any] = {"hidden": 4, "embedding": 6, "members": 2, "epochs": 2, "batch_size": 32}
FIRST, LAST = ("Ann", "Bob", "Cleo", "Dan"), ("Lee", "Moor", "Nash")
PLACES = (("Rome",), ("New", "York"), ("Oslo",), ("San", "Juan"))
DOES = ("sleeps", "works", "sings")

Sentence = tuple[list[str], list[str]]


def small_sentences(count: int = 120, seed: int = 0) -> list[Sentence]:
    """Pairs of tokens and tags, like "Ann Lee sings in New York 17 ." and "nobody sings 3 ."; all differ."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        tokens, tags = ["nobody"], ["O"]
        if rng.random() < 0.8:
            tokens, tags = [str(rng.choice(FIRST))], ["B-person"]
            if rng.random() < 0.5:
                tokens, tags = [*tokens, str(rng.choice(LAST))], [*tags, "I-person"]
        tokens, tags = [*tokens, str(rng.choice(DOES))], [*tags, "O"]
        if rng.random() < 0.7:
            place = PLACES[rng.integers(len(PLACES))]
            tokens += ["in", *place]
            tags += ["O", "B-place", *["I-place"] * (len(place) - 1)]
        made.append(([*tokens, f"{seed}.{number}", "."], [*tags, "O", "O"]))
    return made


def as_conll(sentences: list[Sentence]) -> str:
    """As CoNLL text with tabs."""
    return "\n".join(
        "".join(f"{token}\t{tag}\n" for token, tag in zip(*sentence, strict=True)) for sentence in sentences
    )


def write_sentences(path: Path, count: int = 120, seed: int = 0) -> Path:
    """A CoNLL file of small sentences."""
    path.write_text(as_conll(small_sentences(count, seed)))
    return path

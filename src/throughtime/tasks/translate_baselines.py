"""What a translator must beat: leaving the source as it is, and the translation of the most similar one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from throughtime.tasks.translate_data import Part

AT_ONCE = 256  # sentences whose neighbours are looked for together
WORD = r"\w+|[^\w\s]"


@dataclass(frozen=True)
class Baseline:
    """Translations by one baseline.

    Attributes:
        name: Key in metrics.json.
        label: What people read.
        note: What it did, in a few words.
        test: One for each test pair.
        validation: One for each validation pair; None where there is no validation part.
    """

    name: str
    label: str
    note: str
    test: list[str]
    validation: list[str] | None


def run_baselines(train: Part, validation: Part, test: Part) -> list[Baseline]:
    """Every baseline, on the same sentences."""
    return [copied(test, validation), _nearest(train, validation, test)]


def copied(test: Part, validation: Part | None) -> Baseline:
    """The source as it is: names, numbers and signs are right."""
    held = None if validation is None else validation.sources
    return Baseline("copy", "the source itself", "copied", test.sources, held)


def _nearest(train: Part, validation: Part, test: Part) -> Baseline:
    """The true translation of the training source with the highest cosine of tf-idf over words and pairs."""
    tfidf = TfidfVectorizer(token_pattern=WORD, ngram_range=(1, 2), sublinear_tf=True)
    known = tfidf.fit_transform(train.sources)

    def look_up(sources: Sequence[str]) -> list[str]:
        found: list[str] = []
        for start in range(0, len(sources), AT_ONCE):
            alike = (tfidf.transform(sources[start : start + AT_ONCE]) @ known.T).toarray()
            found += [train.targets[row] for row in np.argmax(alike, axis=1)]
        return found

    note = "of the training source that is most alike by tf-idf"
    return Baseline(
        "nearest_neighbour", "nearest neighbour", note, look_up(test.sources), look_up(validation.sources)
    )

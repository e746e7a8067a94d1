"""What a classifier must beat: bags of words with logistic regression, near neighbours, the largest class.

They run on the same words as the network and see nothing that it does not see; what there is to choose is
chosen on the validation part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.neighbors import NearestNeighbors

from throughtime.data import Words
from throughtime.tasks.classify_data import ClassifyData, Part

Floats = npt.NDArray[np.float64]

NGRAMS = (1, 2)  # words, or words and pairs of neighbours
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)  # C of the logistic regression
NEIGHBOURS = (1, 3, 5, 11, 21, 51, 101, 201)  # candidates for k


@dataclass(frozen=True)
class Baseline:
    """Probabilities of one baseline.

    Attributes:
        name: Key in metrics.json.
        label: What people read.
        note: What it did, in a few words.
        test: (N, K).
        validation: (N, K), or None where there is no validation part.
    """

    name: str
    label: str
    note: str
    test: Floats
    validation: Floats | None


def run_baselines(data: ClassifyData) -> list[Baseline]:
    """Learn every baseline from the training part."""
    return [
        _bag_of_words(data),
        _neighbours(data),
        largest_class(data.classes, data.shares, data.test, data.validation),
    ]


def largest_class(
    classes: Sequence[str], shares: Sequence[float], test: Part, validation: Part | None
) -> Baseline:
    """Always the class that training holds most of, with the classes' shares as probabilities."""
    rows = np.array(shares)
    return Baseline(
        "largest_class",
        "largest class",
        f"always {classes[int(rows.argmax())]!r}",
        np.tile(rows, (len(test), 1)),
        None if validation is None else np.tile(rows, (len(validation), 1)),
    )


def _bag_of_words(data: ClassifyData) -> Baseline:
    """Logistic regression on tf-idf; n-grams and C by the accuracy on the validation part."""
    best = -1.0
    for n in NGRAMS:
        tfidf = _tfidf(data.words, n)
        train = tfidf.fit_transform(data.train.texts)
        validation = tfidf.transform(data.validation.texts)
        for strength in STRENGTHS:
            model = LogisticRegression(C=strength, max_iter=1_000).fit(train, data.train.truth)
            found = model.predict_proba(validation)
            accuracy = accuracy_score(data.validation.truth, found.argmax(axis=1))
            if accuracy > best:
                best, on_validation = accuracy, found
                on_test = model.predict_proba(tfidf.transform(data.test.texts))
                note = f"{'words' if n == 1 else 'words and pairs'}, C = {strength:g}"
    return Baseline("bag_of_words", "tf-idf, logistic regression", note, on_test, on_validation)


def _neighbours(data: ClassifyData) -> Baseline:
    """Shares of the classes among the k nearest training texts by cosine; k by validation accuracy."""
    tfidf = _tfidf(data.words, 1)
    train = tfidf.fit_transform(data.train.texts)
    candidates = [k for k in NEIGHBOURS if k <= len(data.train)]
    index = NearestNeighbors(n_neighbors=candidates[-1], metric="cosine", algorithm="brute").fit(train)
    near = [
        data.train.truth[index.kneighbors(tfidf.transform(part.texts), return_distance=False)]
        for part in (data.validation, data.test)
    ]
    classes = len(data.classes)
    truth = data.validation.truth
    scores = [accuracy_score(truth, _votes(near[0], k, classes).argmax(axis=1)) for k in candidates]
    k = candidates[int(np.argmax(scores))]
    on_validation, on_test = (_votes(part, k, classes) for part in near)
    return Baseline("nearest_neighbours", "k-nearest neighbours", f"k = {k}, tf-idf", on_test, on_validation)


def _votes(near: npt.NDArray[np.int64], k: int, classes: int) -> Floats:
    """Share of each class among k neighbours, each class counted once more, so that none is impossible."""
    votes = np.stack([(near[:, :k] == number).sum(axis=1) for number in range(classes)], axis=1) + 1.0
    shares: Floats = votes / votes.sum(axis=1, keepdims=True)
    return shares


def _tfidf(words: Words, n: int) -> Any:
    return TfidfVectorizer(
        tokenizer=words.cut, token_pattern=None, lowercase=False, ngram_range=(1, n), sublinear_tf=True
    )

"""The baselines held against the same made by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from throughtime.data import from_lists
from throughtime.tasks.classify_baselines import run_baselines
from throughtime.tasks.classify_data import ClassifyData, Sources, prepare_parts
from throughtime.tasks.classify_settings import ClassifySettings

from .texts import small_texts


@pytest.fixture(scope="module")
def data() -> ClassifyData:
    parts = [from_lists(*small_texts(count, seed)) for seed, count in enumerate((240, 60, 60))]
    return prepare_parts(Sources(*parts), ClassifySettings(min_count=1))


def vectors(data: ClassifyData, n: int) -> list[np.ndarray]:
    tfidf = TfidfVectorizer(analyzer=lambda text: _grams(data.encoder.words.cut(text), n), sublinear_tf=True)
    parts = (data.train, data.validation, data.test)
    tfidf.fit(data.train.items)
    return [tfidf.transform(part.items).toarray() for part in parts]


def _grams(words: list[str], n: int) -> list[str]:
    pairs = [f"{one} {other}" for one, other in pairwise(words)]
    return words + (pairs if n == 2 else [])


def test_logistic_regression_is_chosen_on_the_validation_part(data: ClassifyData) -> None:
    found = next(one for one in run_baselines(data) if one.name == "bag_of_words")
    best = (-1.0, "", np.zeros(0))
    for n, name in ((1, "words"), (2, "words and pairs")):
        train, validation, test = vectors(data, n)
        for strength in (0.3, 1, 3, 10, 30):
            model = LogisticRegression(C=strength, max_iter=1_000).fit(train, data.train.truth)
            accuracy = model.score(validation, data.validation.truth)
            if accuracy > best[0]:
                best = (accuracy, f"{name}, C = {strength:g}", model.predict_proba(test))
    assert found.note == best[1]
    assert found.test == pytest.approx(best[2], abs=1e-4)


def test_neighbours_vote(data: ClassifyData) -> None:
    found = next(one for one in run_baselines(data) if one.name == "nearest_neighbours")
    k = int(found.note.split(",")[0].removeprefix("k = "))
    train, validation, test = vectors(data, 1)
    for part, shares in ((validation, found.validation), (test, found.test)):
        assert shares is not None
        for row, share in zip(part, shares, strict=True):
            near = np.argsort(-(train @ row), kind="stable")[:k]
            votes = np.bincount(data.train.truth[near], minlength=2) + 1
            ties = np.sort(train @ row)[::-1]
            if ties[k - 1] - ties[k] > 1e-9:
                assert share == pytest.approx(votes / votes.sum())


def test_the_largest_class(data: ClassifyData) -> None:
    found = next(one for one in run_baselines(data) if one.name == "largest_class")
    counts = np.bincount(data.train.truth)
    assert found.test[0] == pytest.approx(counts / counts.sum())
    assert found.note == f"always {data.classes[int(counts.argmax())]!r}"

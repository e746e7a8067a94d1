"""What a classifier must beat: logistic regression, near neighbours, the largest class.

They read what the network reads and nothing that it does not see: bags of its words, or its filled and
scaled sequences. What there is to choose is chosen on the validation part.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer

from throughtime.data import Words
from throughtime.tasks.classify_data import ClassifyData
from throughtime.tasks.classify_encoders import Kind, TextEncoder
from throughtime.tasks.classify_learners import (
    Baseline,
    Features,
    largest_class,
    logistic_regression,
    nearest_neighbours,
)
from throughtime.tasks.classify_number_features import every_step, summaries

NGRAMS = (1, 2)  # words, or words and pairs of neighbours
LOGISTIC: dict[Kind, tuple[str, str]] = {
    "text": ("bag_of_words", "tf-idf, logistic regression"),
    "numbers": ("summaries", "summaries, logistic regression"),
}


def run_baselines(data: ClassifyData) -> list[Baseline]:
    """Learn every baseline from the training part."""
    encoder, truth, judged = data.encoder, data.train.truth, data.validation.truth
    if isinstance(encoder, TextEncoder):
        candidates = _tfidf_features(data, encoder.words)
        near, metric = _tfidf(data, encoder.words, 1, "tf-idf"), "cosine"
    else:
        candidates, near, metric = iter([summaries(data)]), every_step(data), "euclidean"
    name, label = LOGISTIC[encoder.kind]
    return [
        logistic_regression(name, label, candidates, truth, judged),
        nearest_neighbours(near, truth, judged, len(data.classes), metric=metric),
        largest_class(data.classes, data.shares, data.test, data.validation),
    ]


def _tfidf_features(data: ClassifyData, words: Words) -> Iterator[Features]:
    for n in NGRAMS:
        yield _tfidf(data, words, n, "words" if n == 1 else "words and pairs")


def _tfidf(data: ClassifyData, words: Words, n: int, note: str) -> Features:
    tfidf = TfidfVectorizer(
        tokenizer=words.cut, token_pattern=None, lowercase=False, ngram_range=(1, n), sublinear_tf=True
    )
    train: Any = tfidf.fit_transform(data.train.items)
    return Features(note, train, tfidf.transform(data.validation.items), tfidf.transform(data.test.items))

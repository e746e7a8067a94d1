"""Figures of spans held against a count written another way, and against counting by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest

from throughtime.data import Span, spans_of
from throughtime.tasks.tag_scores import (
    calibration_bins,
    calibration_error,
    class_scores,
    confusion,
    outcomes,
    part_scores,
    span_scores,
    surface_scores,
)

NAMES = ("O", "B-p", "I-p", "B-q", "I-q")


def pieces(tags: list[str]) -> list[tuple[int, str]]:
    """Where each span begins and the text of its tags, by a search in the tags written as one text."""
    text = "".join(f"{tag:>4}" for tag in tags)
    runs = (re.finditer(f" B-{label}(?: I-{label})*", text) for label in ("p", "q"))
    return sorted((match.start() // 4, match.group()) for some in runs for match in some)


def valid(rng: np.random.Generator, length: int) -> list[str]:
    tags: list[str] = []
    for _ in range(length):
        tag = str(rng.choice(NAMES))
        if tag.startswith("I-") and (not tags or tags[-1][2:] != tag[2:] or tags[-1] == "O"):
            tag = "O"
        tags.append(tag)
    return tags


def test_against_an_independent_count() -> None:
    rng = np.random.default_rng(0)
    truth = [valid(rng, int(rng.integers(1, 12))) for _ in range(300)]
    found = [one if rng.random() < 0.3 else valid(rng, len(one)) for one in truth]
    for label in ("p", "q", None):
        both = [
            [{piece for piece in pieces(tags) if label is None or piece[1].endswith(label)} for tags in part]
            for part in (truth, found)
        ]
        true, named = (sum(map(len, part)) for part in both)
        right = sum(len(one & other) for one, other in zip(*both, strict=True))
        spans = [[spans_of(tags) for tags in part] for part in (truth, found)]
        scores = span_scores(*spans) if label is None else class_scores(*spans, ("p", "q"))[label]
        assert (scores.true, scores.found, scores.right) == (true, named, right)
        assert 0 < right < min(true, named)
        assert scores.precision == pytest.approx(right / named)
        assert scores.recall == pytest.approx(right / true)
        assert scores.f1 == pytest.approx(2 / (named / right + true / right))


TOKENS = [["Ann", "met", "Bob", "Lee"], ["Ann", "in", "New", "York"]]
TRUE = [["B-p", "O", "B-p", "I-p"], ["B-p", "O", "B-q", "I-q"]]
FOUND = [["B-p", "O", "O", "B-p"], ["B-q", "B-q", "B-p", "I-p"]]


def test_by_hand() -> None:
    truth, found = ([spans_of(tags) for tags in part] for part in (TRUE, FOUND))
    scores = part_scores(TOKENS, truth, found, TRUE, FOUND)
    assert (scores.true, scores.found, scores.right, scores.sentences) == (4, 5, 1, 2)
    assert scores.f1 == pytest.approx(2 / 9)
    assert scores.token_accuracy == pytest.approx(2 / 8)
    # forms: Ann/p, Bob Lee/p, New York/q against Ann/p, Lee/p, Ann/q, in/q, New York/p
    assert scores.surface_f1 == pytest.approx(2 * 1 / (3 + 5))
    twice = [[Span(0, 1, "p")], [Span(0, 1, "p")]]
    assert surface_scores(TOKENS, twice, twice).true == 1
    became = outcomes(truth, found)
    assert became.model_dump() == {
        "right": 1,
        "other_class": 2,
        "other_borders": 1,
        "missed": 0,
        "invented": 1,
    }
    assert outcomes(truth, [[], []]).missed == 4
    assert confusion(TRUE, FOUND, ("p", "q")) == ((1, 0, 1), (1, 2, 1), (0, 2, 0))


def test_nothing_found_and_nothing_there() -> None:
    scores = span_scores([[Span(0, 1, "p")]], [[]])
    assert (scores.precision, scores.recall, scores.f1) == (0, 0, 0)
    assert span_scores([[]], [[]]).f1 == 0
    assert calibration_error(calibration_bins([[]], [[]], [[]])) == 0


def test_calibration_by_hand() -> None:
    truth = [[Span(0, 1, "p"), Span(2, 3, "q")]]
    found = [[Span(0, 1, "p"), Span(2, 3, "p"), Span(4, 5, "p")]]
    bins = calibration_bins(truth, found, [[0.92, 0.98, 1.0]])
    assert [(one.spans, one.right) for one in bins] == [(3, pytest.approx(1 / 3))]
    bins = calibration_bins(truth, found, [[0.8, 0.3, 0.35]])
    assert [one.spans for one in bins] == [2, 1]
    assert calibration_error(bins) == pytest.approx((2 * 0.325 + 0.2) / 3)

"""How good a tagger is: spans found exactly, class by class, and if its confidence means something."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from throughtime.data import Span
from throughtime.data.tag_schemes import OUTSIDE

BINS = 10
Spans = Sequence[Sequence[Span]]  # of each sentence
Tokens = Sequence[Sequence[str]]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SpanScores(_Record):
    """Spans with exactly the true borders and class; shares are 0 where there is nothing to divide by.

    Attributes:
        precision: Share of the spans found that are right.
        recall: Share of the true spans that were found.
        f1: Their harmonic mean.
        true: How many there are.
        found: How many were found.
        right: How many of those are right.
    """

    precision: float
    recall: float
    f1: float
    true: int
    found: int
    right: int


class PartScores(SpanScores):
    """Figures over one part, all classes together.

    Attributes:
        surface_f1: F1 over different forms: each pair of words and class counts once, wherever it stands.
        token_accuracy: Share of tokens whose tag is right, O among them.
        sentences: How many there are.
    """

    surface_f1: float
    token_accuracy: float
    sentences: int


class Bin(_Record):
    """Spans found whose confidence lies in one bin: mean confidence, share that is right, how many."""

    confidence: float
    right: float
    spans: int


class Outcomes(_Record):
    """What became of the true spans, and what else was found.

    Attributes:
        right: Found with borders and class.
        other_class: The borders are right, the class is not.
        other_borders: Another span touches it.
        missed: Nothing was found there.
        invented: Spans found that touch no true one.
    """

    right: int
    other_class: int
    other_borders: int
    missed: int
    invented: int


class BaselineScores(PartScores):
    """A baseline on the test part, and on the validation part."""

    label: str
    note: str
    validation: PartScores


class TagMetrics(_Record):
    """What `evaluate` prints with --json, and what metrics.json holds.

    Attributes:
        per_class: On the test part.
        confusion: Test tokens by true class (rows) and class found (columns); O comes first.
        outcomes: On the test part.
        calibration: Spans found in the test part by confidence, bins without spans left out.
        calibration_error: Mean distance of confidence from the share that is right, over those bins.
        offset: Added to the scores of every B-; see `find_offset`.
        known: Share of the test tokens that are known words.
        best_baseline: Name of the one with the highest F1 on test, if there is one.
    """

    classes: tuple[str, ...]
    test: PartScores
    validation: PartScores | None = None
    training: PartScores | None = None
    per_class: dict[str, SpanScores]
    confusion: tuple[tuple[int, ...], ...]
    outcomes: Outcomes
    calibration: tuple[Bin, ...]
    calibration_error: float
    offset: float
    known: float
    baselines: dict[str, BaselineScores]
    left_out: dict[str, str]
    best_baseline: str | None


def span_scores(truth: Spans, found: Spans) -> SpanScores:
    """Figures of all spans together."""
    right = sum(len(set(one) & set(other)) for one, other in zip(truth, found, strict=True))
    return _scores(sum(map(len, truth)), sum(map(len, found)), right)


def class_scores(truth: Spans, found: Spans, classes: Sequence[str]) -> dict[str, SpanScores]:
    """Figures of each class alone."""
    return {
        label: span_scores(
            *([[span for span in one if span.label == label] for one in spans] for spans in (truth, found))
        )
        for label in classes
    }


def part_scores(
    tokens: Tokens, truth: Spans, found: Spans, true_tags: Tokens, found_tags: Tokens
) -> PartScores:
    """Figures of one part."""
    same = [
        one == other
        for a, b in zip(true_tags, found_tags, strict=True)
        for one, other in zip(a, b, strict=True)
    ]
    return PartScores(
        **span_scores(truth, found).model_dump(),
        surface_f1=surface_scores(tokens, truth, found).f1,
        token_accuracy=sum(same) / len(same),
        sentences=len(tokens),
    )


def surface_scores(tokens: Tokens, truth: Spans, found: Spans) -> SpanScores:
    """Figures over different pairs of form and class, wherever they stand.

    Source: Derczynski, Nichols, van Erp and Limsopatham, Results of the WNUT2017 Shared Task (2017).
    """
    true_forms, found_forms = _forms(tokens, truth), _forms(tokens, found)
    return _scores(len(true_forms), len(found_forms), len(true_forms & found_forms))


def outcomes(truth: Spans, found: Spans) -> Outcomes:
    """What became of each true span."""
    counts = dict.fromkeys(Outcomes.model_fields, 0)
    for true, other in zip(truth, found, strict=True):
        for span in true:
            counts[_outcome(span, other)] += 1
        counts["invented"] += sum(not any(_touch(one, span) for span in true) for one in other)
    return Outcomes(**counts)


def confusion(true_tags: Tokens, found_tags: Tokens, classes: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """Tokens by true class (rows) and class found (columns): O, then the classes."""
    place = {label: number for number, label in enumerate((OUTSIDE, *classes))}
    counts = np.zeros((len(place), len(place)), dtype=np.int64)
    for true, other in zip(true_tags, found_tags, strict=True):
        rows, columns = ([place[_class_of(tag)] for tag in tags] for tags in (true, other))
        np.add.at(counts, (rows, columns), 1)
    return tuple(tuple(row) for row in counts.tolist())


def calibration_bins(truth: Spans, found: Spans, confidences: Sequence[Sequence[float]]) -> tuple[Bin, ...]:
    """The spans found by confidence, in `BINS` bins of equal width."""
    right = np.array(
        [span in true for true, some in zip(truth, found, strict=True) for span in some], dtype=float
    )
    sure = np.array([one for some in confidences for one in some], dtype=float)
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    return tuple(
        Bin(
            confidence=float(sure[place == number].mean()),
            right=float(right[place == number].mean()),
            spans=int((place == number).sum()),
        )
        for number in np.unique(place)
    )


def calibration_error(bins: Sequence[Bin]) -> float:
    """Mean distance of confidence from the share that is right, over the spans; 0 without any."""
    spans = sum(one.spans for one in bins)
    return sum(abs(one.confidence - one.right) * one.spans for one in bins) / max(spans, 1)


def _scores(true: int, found: int, right: int) -> SpanScores:
    precision, recall = right / max(found, 1), right / max(true, 1)
    return SpanScores(
        precision=precision,
        recall=recall,
        f1=2 * right / max(true + found, 1),
        true=true,
        found=found,
        right=right,
    )


def _forms(tokens: Tokens, spans: Spans) -> set[tuple[str, str]]:
    return {
        (" ".join(words[span.start : span.stop]), span.label)
        for words, some in zip(tokens, spans, strict=True)
        for span in some
    }


def _outcome(span: Span, found: Sequence[Span]) -> str:
    if span in found:
        return "right"
    if any(one[:2] == span[:2] for one in found):
        return "other_class"
    return "other_borders" if any(_touch(one, span) for one in found) else "missed"


def _touch(one: Span, other: Span) -> bool:
    return one.start < other.stop and other.start < one.stop


def _class_of(tag: str) -> str:
    return tag if tag == OUTSIDE else tag[2:]

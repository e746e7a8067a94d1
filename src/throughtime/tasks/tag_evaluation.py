"""Measuring a tagger beside its baselines on the same sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from throughtime.data import spans_of, tag_names
from throughtime.nn.tag_network import TagEnsemble
from throughtime.tasks.tag_answers import (
    Answers,
    Readings,
    answer,
    best_tags,
    read_held_out,
    read_sentences,
    span_confidences,
)
from throughtime.tasks.tag_baselines import Baseline, Tags, f1_of, run_baselines
from throughtime.tasks.tag_data import Part, TagData
from throughtime.tasks.tag_scores import (
    BaselineScores,
    PartScores,
    TagMetrics,
    calibration_bins,
    calibration_error,
    class_scores,
    confusion,
    outcomes,
    part_scores,
)
from throughtime.tasks.tag_vocabulary import Vocabulary

OFFSETS = tuple(quarters / 4 for quarters in range(-4, 25))
BOLDER, NEARLY = 1.5, 0.97
MAX_TRAINING_SENTENCES = 1_000  # enough to know the training error
NOT_KEPT = "it needs the training sentences, which are not kept"


@dataclass(frozen=True)
class Evaluation:
    """Everything measured in one evaluation.

    Attributes:
        metrics: The figures.
        test: The answers on the test part.
        truth: Probability of each true span of the test part, by sentence.
    """

    metrics: TagMetrics
    test: Answers
    truth: list[list[float]]


def find_offset(network: TagEnsemble, data: TagData) -> float:
    """What to add to the scores of every B-, by span F1 on the validation part.

    The likeliest tags are not those of the highest F1 where spans are rare: a span that is not quite likelier
    than none is worth naming. Text of another kind wants a larger offset than that at hand, so above the best
    (of equal ones that nearest to 0) the largest within `BOLDER` is taken that keeps `NEARLY` its F1.
    """
    readings, names = _held_out(network, data), tag_names(data.classes)
    scores = {offset: f1_of(data.validation, best_tags(readings, offset, names)) for offset in OFFSETS}
    best = max(OFFSETS, key=lambda offset: (scores[offset], -abs(offset)))
    above = [one for one in OFFSETS if best <= one <= best + BOLDER]
    return max(one for one in above if scores[one] >= NEARLY * scores[best]) if scores[best] else best


def evaluate_parts(network: TagEnsemble, offset: float, data: TagData) -> Evaluation:
    """Measure network and baselines on the parts of the data it was trained on."""
    train = _some(data.train)
    found = evaluate_other(network, offset, data.classes, data.vocabulary, data.test)
    baselines = {one.name: _baseline_scores(one, data) for one in run_baselines(data)}
    metrics = found.metrics.model_copy(
        update={
            "validation": _scores(_held_out(network, data), offset, data.classes, data.validation),
            "training": _scores(read_sentences(network, train.inputs), offset, data.classes, train),
            "baselines": baselines,
            "left_out": {},
            "best_baseline": max(baselines, key=lambda name: baselines[name].f1),
        }
    )
    return replace(found, metrics=metrics)


def evaluate_other(
    network: nn.Module, offset: float, classes: Sequence[str], vocabulary: Vocabulary, part: Part
) -> Evaluation:
    """Measure the network on other sentences; every baseline needs the training sentences."""
    readings = read_sentences(network, part.inputs)
    found = answer(readings, offset, classes)
    bins = calibration_bins(part.spans, found.spans, found.confidences)
    tokens = sum(map(len, part.tokens))
    metrics = TagMetrics(
        classes=tuple(classes),
        test=_part_scores(part, found.tags),
        per_class=class_scores(part.spans, found.spans, classes),
        confusion=confusion(part.tags, found.tags, classes),
        outcomes=outcomes(part.spans, found.spans),
        calibration=bins,
        calibration_error=calibration_error(bins),
        offset=offset,
        known=sum(map(vocabulary.known, part.tokens)) / tokens,
        baselines={},
        left_out={"logistic regression, token by token": NOT_KEPT, "dictionary of training spans": NOT_KEPT},
        best_baseline=None,
    )
    return Evaluation(metrics, found, span_confidences(readings, offset, classes, part.spans))


def _held_out(network: TagEnsemble, data: TagData) -> Readings:
    return read_held_out(network, data.validation.inputs, data.validation_folds, data.folds)


def _scores(readings: Readings, offset: float, classes: Sequence[str], part: Part) -> PartScores:
    return _part_scores(part, best_tags(readings, offset, tag_names(classes)))


def _part_scores(part: Part, tags: Tags) -> PartScores:
    return part_scores(part.tokens, part.spans, [spans_of(one) for one in tags], part.tags, tags)


def _baseline_scores(baseline: Baseline, data: TagData) -> BaselineScores:
    return BaselineScores(
        label=baseline.label,
        note=baseline.note,
        **_part_scores(data.test, baseline.test).model_dump(),
        validation=_part_scores(data.validation, baseline.validation),
    )


def _some(part: Part) -> Part:
    """At most `MAX_TRAINING_SENTENCES` of a part, from all over it."""
    rows = np.unique(np.linspace(0, len(part) - 1, MAX_TRAINING_SENTENCES).astype(int)).tolist()
    lists = (part.tokens, part.tags, part.spans, part.inputs, part.truth)
    return Part(*([one[row] for row in rows] for one in lists))  # type: ignore[arg-type]

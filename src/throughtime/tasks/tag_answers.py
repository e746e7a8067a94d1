"""How a tagger answers: likeliest tags, spans, and how probable they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from throughtime.data import SequenceBatches, Span, spans_of, tag_names
from throughtime.nn.crf import CRFScores
from throughtime.nn.crf_inference import forward_backward, marginals, stretch_log_probability, viterbi
from throughtime.nn.tag_network import TagEnsemble, averaged

AT_ONCE = 128  # sentences read together


class FoundSpan(NamedTuple):
    """Tokens `start` to `stop` (exclusive) that are one span of a class, and how probable it is."""

    start: int
    stop: int
    label: str
    confidence: float


@dataclass(frozen=True)
class Reading:
    """What the network says of some sentences, as one chain, in float64.

    Attributes:
        rows: Which sentences, (B,).
        scores: (T, B, K).
        crf: Scores of the transitions.
        lengths: (B,).
    """

    rows: Tensor
    scores: Tensor
    crf: CRFScores
    lengths: Tensor

    def bolder(self, offset: float) -> Reading:
        """With `offset` added to the scores of every B-: above 0, more spans are named, long and short."""
        scores = self.scores.clone()
        scores[..., 1::2] += offset  # the tags are O, then B- and I- of each class
        return Reading(self.rows, scores, self.crf, self.lengths)

    def columns(self) -> Iterator[tuple[int, int, int]]:
        """Column, which sentence it is, and its length."""
        pairs = zip(self.rows.tolist(), self.lengths.tolist(), strict=True)
        return ((column, row, length) for column, (row, length) in enumerate(pairs))


@dataclass(frozen=True)
class Readings:
    """What the network says of `count` sentences; those without a token are in none of the `parts`."""

    parts: list[Reading]
    count: int


@dataclass(frozen=True)
class Answers:
    """Tags, spans and the confidence of each span, by sentence."""

    tags: list[list[str]]
    spans: list[list[Span]]
    confidences: list[list[float]]


def read_sentences(network: nn.Module, inputs: Sequence[Tensor]) -> Readings:
    """What the network says of each sentence (T, 3 + C), in batches of about the same length."""
    network.eval()
    rows = torch.tensor([row for row, one in enumerate(inputs) if len(one)], dtype=torch.long)
    readings = []
    with torch.inference_mode():
        filled = [inputs[row] for row in rows.tolist()]
        for batch in SequenceBatches(filled, rows, AT_ONCE, shuffle=False).epoch(0):
            scores, crf = averaged(*network(batch.inputs, batch.lengths))
            exact = CRFScores(*(part.double() for part in crf))
            assert batch.lengths is not None
            readings.append(Reading(batch.targets, scores.double(), exact, batch.lengths))
    return Readings(readings, len(inputs))


def read_held_out(network: TagEnsemble, inputs: Sequence[Tensor], share: Tensor, folds: int) -> Readings:
    """What of each sentence those members say that held it out: member m the share m mod F.

    Args:
        network: Its members were trained so.
        inputs: The sentences, each (T, 3 + C).
        share: Of the validation part, that each sentence is in, 0 to F - 1.
        folds: F.
    """
    parts = []
    for fold in range(folds):
        rows = (share == fold).nonzero()[:, 0]
        judges = network.some(slice(fold, None, folds))
        found = read_sentences(judges, [inputs[row] for row in rows.tolist()])
        parts += [replace(one, rows=rows[one.rows]) for one in found.parts]
    return Readings(parts, len(inputs))


def answer(readings: Readings, offset: float, classes: Sequence[str]) -> Answers:
    """Tags, spans and confidences from what the network says of some sentences."""
    tags = best_tags(readings, offset, tag_names(classes))
    spans = [spans_of(one) for one in tags]
    return Answers(tags, spans, span_confidences(readings, offset, classes, spans))


def best_tags(readings: Readings, offset: float, names: Sequence[str]) -> list[list[str]]:
    """The likeliest tags of each sentence, by the Viterbi algorithm."""
    found: list[list[str]] = [[] for _ in range(readings.count)]
    for reading in readings.parts:
        shifted = reading.bolder(offset)
        paths = viterbi(shifted.scores, shifted.crf, shifted.lengths).T.tolist()
        for column, row, length in reading.columns():
            found[row] = [names[number] for number in paths[column][:length]]
    return found


def span_confidences(
    readings: Readings, offset: float, classes: Sequence[str], spans: Sequence[Sequence[Span]]
) -> list[list[float]]:
    """Probability of each span: of exactly these borders and this class, whatever stands around it."""
    place = {tag: number for number, tag in enumerate(tag_names(classes))}
    found: list[list[float]] = [[] for _ in spans]
    for reading in readings.parts:
        shifted = reading.bolder(offset)
        chain = forward_backward(shifted.scores, shifted.crf, shifted.lengths)
        for column, row, length in reading.columns():
            for span in spans[row]:
                begin, inside = place[f"B-{span.label}"], place[f"I-{span.label}"]
                tags = torch.tensor([begin, *[inside] * (span.stop - span.start - 1)])
                barred = inside if span.stop < length else None
                log = stretch_log_probability(
                    chain, shifted.scores, shifted.crf, tags, span.start, column, barred
                )
                found[row].append(min(1.0, float(log.exp())))
    return found


def tag_probabilities(readings: Readings, offset: float, tags: int) -> list[Tensor]:
    """Probability of each of K tags at each token of each sentence, (T, K)."""
    found = [torch.zeros(0, tags, dtype=torch.float64)] * readings.count
    for reading in readings.parts:
        shifted = reading.bolder(offset)
        shares = marginals(shifted.scores, shifted.crf, shifted.lengths)
        for column, row, length in reading.columns():
            found[row] = shares[:length, column]
    return found

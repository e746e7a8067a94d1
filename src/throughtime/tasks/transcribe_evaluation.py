"""Measuring a transcriber beside its baselines on the same recordings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import nn

from throughtime.data import Spelling
from throughtime.nn.ctc_decoding import log_probability
from throughtime.tasks.transcribe_answers import texts_of
from throughtime.tasks.transcribe_baselines import Baseline, most_frequent, run_baselines
from throughtime.tasks.transcribe_data import Part, TranscribeData
from throughtime.tasks.transcribe_network import Floats, log_probabilities
from throughtime.tasks.transcribe_scores import (
    BothScores,
    PartScores,
    TranscribeMetrics,
    confusions,
    part_scores,
)
from throughtime.tasks.transcribe_settings import TranscribeSettings

MAX_TRAINING = 300  # training recordings measured: enough to know the training error
NOT_KEPT = "it needs the training recordings, which are not kept"


@dataclass(frozen=True)
class Evaluation:
    """Everything measured in one evaluation.

    Attributes:
        metrics: The figures.
        logs: Of the test part, (T, K) each.
        answers: To the test part.
        confidence: Of each answer.
    """

    metrics: TranscribeMetrics
    logs: list[Floats]
    answers: list[str]
    confidence: list[float]


def evaluate_parts(network: nn.Module, data: TranscribeData, settings: TranscribeSettings) -> Evaluation:
    """Measure network and baselines on the parts of the data it was trained on."""
    found = _evaluate(network, data.test, data.validation, data.symbols, settings, run_baselines(data))
    rows = np.unique(np.linspace(0, len(data.train) - 1, MAX_TRAINING).astype(np.intp))
    some = [data.train.heard[row] for row in rows]
    logs = log_probabilities(network, [one.features for one in some])
    answers = texts_of(logs, data.symbols, settings.decoder, settings.beam_width)
    training = part_scores([one.text for one in some], answers)
    metrics = found.metrics.model_copy(update={"training": training})
    return Evaluation(metrics, found.logs, found.answers, found.confidence)


def evaluate_other(
    network: nn.Module, part: Part, symbols: Spelling, settings: TranscribeSettings, frequent: str
) -> Evaluation:
    """Measure the network on other recordings, beside the one baseline that needs no training recordings."""
    baselines = [most_frequent(frequent, len(part), None)]
    found = _evaluate(network, part, None, symbols, settings, baselines)
    metrics = found.metrics.model_copy(update={"left_out": {"nearest recording": NOT_KEPT}})
    return Evaluation(metrics, found.logs, found.answers, found.confidence)


def _evaluate(
    network: nn.Module,
    test: Part,
    validation: Part | None,
    symbols: Spelling,
    settings: TranscribeSettings,
    baselines: Sequence[Baseline],
) -> Evaluation:
    logs = log_probabilities(network, test.features)
    others = None if validation is None else log_probabilities(network, validation.features)
    decoders: dict[str, BothScores] = {}
    for name, label, note in _decoders(settings):
        answers = texts_of(logs, symbols, name, settings.beam_width)
        if name == settings.decoder:
            chosen = answers
        on_validation = None
        if validation is not None and others is not None:
            on_validation = texts_of(others, symbols, name, settings.beam_width)
        decoders[name] = _both(label, note, test, answers, validation, on_validation)
    confidence = [_probability(one, symbols, text) for one, text in zip(logs, chosen, strict=True)]
    scored = {
        one.name: _both(one.label, one.note, test, one.test, validation, one.validation) for one in baselines
    }
    metrics = TranscribeMetrics(
        decoder=settings.decoder,
        test=decoders[settings.decoder].test,
        validation=decoders[settings.decoder].validation,
        decoders=decoders,
        confidence=sum(confidence) / len(confidence),
        confusions=confusions(test.texts, chosen),
        baselines=scored,
        left_out={},
        best_baseline=min(scored, key=lambda name: scored[name].test.wer),
    )
    return Evaluation(metrics, logs, chosen, confidence)


def _decoders(settings: TranscribeSettings) -> list[tuple[Literal["beam", "greedy"], str, str]]:
    width = settings.beam_width
    return [
        ("beam", "network, beam search", f"the likeliest text, {width} beginnings kept"),
        ("greedy", "network, greedy", "the likeliest symbol at every step"),
    ]


def _both(
    label: str,
    note: str,
    test: Part,
    on_test: list[str],
    validation: Part | None,
    on_validation: list[str] | None,
) -> BothScores:
    judged: PartScores | None = None
    if validation is not None and on_validation is not None:
        judged = part_scores(validation.texts, on_validation)
    return BothScores(label=label, note=note, test=part_scores(test.texts, on_test), validation=judged)


def _probability(logs: Floats, symbols: Spelling, text: str) -> float:
    """Of an answer that the decoder gave, so all its symbols are known."""
    return min(1.0, math.exp(log_probability(logs, symbols.number(text))))

"""Measuring a transcriber beside its baselines on the same recordings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from throughtime.data import Spelling
from throughtime.nn.ctc_decoding import log_probability
from throughtime.tasks.transcribe_answers import Decoding
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
from throughtime.tasks.transcribe_words import DecoderName

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


def evaluate_parts(
    network: nn.Module, data: TranscribeData, ways: Sequence[Decoding], decoder: DecoderName | None
) -> Evaluation:
    """Measure network and baselines on the parts of the data it was trained on.

    Args:
        network: The one trained.
        data: All parts.
        ways: How answers may be found.
        decoder: The one that answers; None: of those that search, the one with fewer word errors on the
            validation part, of equals the one that is free to write any word.
    """
    found = _evaluate(network, data.test, data.validation, ways, decoder, run_baselines(data))
    rows = np.unique(np.linspace(0, len(data.train) - 1, MAX_TRAINING).astype(np.intp))
    some = [data.train.heard[row] for row in rows]
    logs = log_probabilities(network, [one.features for one in some])
    chosen = next(one for one in ways if one.decoder == found.metrics.decoder)
    training = part_scores([one.text for one in some], chosen.texts(logs))
    metrics = found.metrics.model_copy(update={"training": training})
    return Evaluation(metrics, found.logs, found.answers, found.confidence)


def evaluate_other(
    network: nn.Module, part: Part, ways: Sequence[Decoding], decoder: DecoderName, frequent: str
) -> Evaluation:
    """Measure the network on other recordings, beside the one baseline that needs no training recordings."""
    baselines = [most_frequent(frequent, len(part), None)]
    found = _evaluate(network, part, None, ways, decoder, baselines)
    metrics = found.metrics.model_copy(update={"left_out": {"nearest recording": NOT_KEPT}})
    return Evaluation(metrics, found.logs, found.answers, found.confidence)


def _evaluate(
    network: nn.Module,
    test: Part,
    validation: Part | None,
    ways: Sequence[Decoding],
    decoder: DecoderName | None,
    baselines: Sequence[Baseline],
) -> Evaluation:
    logs = log_probabilities(network, test.features)
    others = None if validation is None else log_probabilities(network, validation.features)
    answers = {one.decoder: one.texts(logs) for one in ways}
    decoders = {
        one.decoder: _both(
            one.label,
            one.note,
            test,
            answers[one.decoder],
            validation,
            None if others is None else one.texts(others),
        )
        for one in ways
    }
    chosen = decoder or best_decoder(decoders)
    texts, symbols = answers[chosen], ways[0].symbols
    confidence = [_probability(one, symbols, text) for one, text in zip(logs, texts, strict=True)]
    scored = {
        one.name: _both(one.label, one.note, test, one.test, validation, one.validation) for one in baselines
    }
    metrics = TranscribeMetrics(
        decoder=chosen,
        test=decoders[chosen].test,
        validation=decoders[chosen].validation,
        decoders=decoders,
        confidence=sum(confidence) / len(confidence),
        confusions=confusions(test.texts, texts),
        baselines=scored,
        left_out={},
        best_baseline=min(scored, key=lambda name: scored[name].test.wer),
    )
    return Evaluation(metrics, logs, texts, confidence)


def best_decoder(decoders: Mapping[DecoderName, BothScores]) -> DecoderName:
    """Known words where they make fewer word errors on the validation part, else any."""
    free, known = decoders["beam"].validation, decoders["words"].validation if "words" in decoders else None
    return "words" if free and known and known.wer < free.wer else "beam"


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

"""Measuring a translator beside its baselines on the same sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from throughtime.nn.beam_search import Hypothesis
from throughtime.nn.seq2seq import Seq2Seq
from throughtime.tasks.translate_baselines import Baseline, copied, run_baselines
from throughtime.tasks.translate_data import Part, Pieces, TranslateData
from throughtime.tasks.translate_network import mean_loss, translate
from throughtime.tasks.translate_scores import (
    BaselineScores,
    NetworkScores,
    TranslateMetrics,
    by_length,
    signatures,
    text_scores,
)
from throughtime.tasks.translate_settings import TranslateSettings

MAX_TRAINING_PAIRS = 1_000  # enough to know the training error
NOT_KEPT = "it needs the training pairs, which are not kept"


@dataclass(frozen=True)
class Evaluation:
    """Everything measured in one evaluation.

    Attributes:
        metrics: The figures.
        test: The best translation of each test source.
    """

    metrics: TranslateMetrics
    test: list[Hypothesis]


def evaluate_parts(
    network: Seq2Seq, pieces: Pieces, settings: TranslateSettings, data: TranslateData
) -> Evaluation:
    """Measure network and baselines on the parts of the data it was trained on."""
    others = {"validation": data.validation, "training": data.train.some(MAX_TRAINING_PAIRS)}
    measured = {name: _measure(network, pieces, settings, part)[0] for name, part in others.items()}
    baselines = run_baselines(data.train, data.validation, data.test)
    held = data.validation.targets
    evaluation = _evaluate(network, pieces, settings, data.test, baselines, held)
    return Evaluation(evaluation.metrics.model_copy(update=measured), evaluation.test)


def evaluate_other(network: Seq2Seq, pieces: Pieces, settings: TranslateSettings, part: Part) -> Evaluation:
    """Measure the network on other pairs, beside the one baseline that needs no training pairs."""
    evaluation = _evaluate(network, pieces, settings, part, [copied(part, None)], None)
    left_out = {"nearest neighbour": NOT_KEPT}
    return Evaluation(evaluation.metrics.model_copy(update={"left_out": left_out}), evaluation.test)


def _evaluate(
    network: Seq2Seq,
    pieces: Pieces,
    settings: TranslateSettings,
    test: Part,
    baselines: Sequence[Baseline],
    held: Sequence[str] | None,
) -> Evaluation:
    scores, found = _measure(network, pieces, settings, test)
    scored = {one.name: _baseline_scores(one, test, held) for one in baselines}
    metrics = TranslateMetrics(
        test=scores,
        by_length=by_length(test.sources, [pieces.target.text(one.symbols) for one in found], test.targets),
        baselines=scored,
        left_out={},
        best_baseline=max(scored, key=lambda name: scored[name].bleu),
        signatures=signatures(),
    )
    return Evaluation(metrics, found)


def _measure(
    network: Seq2Seq, pieces: Pieces, settings: TranslateSettings, part: Part
) -> tuple[NetworkScores, list[Hypothesis]]:
    loss = mean_loss(network, part.inputs, part.outputs)
    found = [hypotheses[0] for hypotheses in translate(network, part.inputs, settings)]
    scores = text_scores([pieces.target.text(one.symbols) for one in found], part.targets)
    return NetworkScores(**scores.model_dump(), loss=loss, perplexity=math.exp(loss)), found


def _baseline_scores(baseline: Baseline, test: Part, held: Sequence[str] | None) -> BaselineScores:
    known = baseline.validation is not None and held is not None
    return BaselineScores(
        label=baseline.label,
        note=baseline.note,
        **text_scores(baseline.test, test.targets).model_dump(),
        validation=text_scores(baseline.validation, held) if known else None,  # type: ignore[arg-type]
    )

"""Measuring a classifier beside its baselines on the same part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import nn

from throughtime.tasks.classify_baselines import LOGISTIC, run_baselines
from throughtime.tasks.classify_data import ClassifyData, Part
from throughtime.tasks.classify_encoders import Encoder
from throughtime.tasks.classify_learners import Baseline, largest_class
from throughtime.tasks.classify_network import at_temperature, log_probabilities
from throughtime.tasks.classify_scores import (
    ClassifyMetrics,
    baseline_scores,
    calibration_bins,
    class_scores,
    confusion,
    part_scores,
)

Floats = npt.NDArray[np.float64]

MAX_TRAINING = 5_000  # texts or sequences: enough to know the training error


@dataclass(frozen=True)
class Evaluation:
    """Everything measured in one evaluation.

    Attributes:
        metrics: The figures.
        test: Probabilities of the network on the test part, (N, K), calibrated.
    """

    metrics: ClassifyMetrics
    test: Floats


def judge(network: nn.Module, part: Part, temperature: float) -> Floats:
    """Calibrated probabilities for all of a part: (N, K)."""
    return at_temperature(log_probabilities(network, part.inputs), temperature)


def evaluate_parts(network: nn.Module, temperature: float, data: ClassifyData) -> Evaluation:
    """Measure network and baselines on the parts of the data it was trained on."""
    rows = np.unique(np.linspace(0, len(data.train) - 1, MAX_TRAINING).astype(np.intp))
    some = Part([], data.train.truth[rows], [data.train.inputs[row] for row in rows])
    on_test, on_validation = (judge(network, part, temperature) for part in (data.test, data.validation))
    metrics = _metrics(
        data.encoder.noun,
        data.classes,
        temperature,
        on_test,
        data.test,
        run_baselines(data),
        data.validation.truth,
    )
    return Evaluation(
        metrics.model_copy(
            update={
                "validation": part_scores(on_validation, data.validation.truth),
                "training": part_scores(judge(network, some, temperature), some.truth),
            }
        ),
        on_test,
    )


def evaluate_other(
    network: nn.Module,
    temperature: float,
    classes: Sequence[str],
    shares: Sequence[float],
    part: Part,
    encoder: Encoder,
) -> Evaluation:
    """Measure the network on other data, beside the one baseline that needs no training data."""
    on_test = judge(network, part, temperature)
    baselines = [largest_class(classes, shares, part, None)]
    metrics = _metrics(encoder.noun, classes, temperature, on_test, part, baselines, None)
    why = f"it needs the training {encoder.noun}s, which are not kept"
    left_out = {LOGISTIC[encoder.kind][1]: why, "k-nearest neighbours": why}
    return Evaluation(metrics.model_copy(update={"left_out": left_out}), on_test)


def _metrics(
    noun: str,
    classes: Sequence[str],
    temperature: float,
    on_test: Floats,
    test: Part,
    baselines: Sequence[Baseline],
    validation: npt.NDArray[np.int64] | None,
) -> ClassifyMetrics:
    scored = {one.name: baseline_scores(one, test.truth, validation) for one in baselines}
    return ClassifyMetrics(
        noun=noun,
        classes=tuple(classes),
        test=part_scores(on_test, test.truth),
        per_class=class_scores(on_test, test.truth, classes),
        confusion=confusion(on_test, test.truth),
        calibration=calibration_bins(on_test, test.truth),
        temperature=temperature,
        baselines=scored,
        left_out={},
        best_baseline=max(scored, key=lambda name: scored[name].accuracy),
    )

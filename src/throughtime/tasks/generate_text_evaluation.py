"""Measuring a generator of text beside counting models on the same text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from throughtime.data import Symbols
from throughtime.nn.generate_network import GenerateNetwork
from throughtime.tasks.counting_models import CountingModel, Floats, counting_models
from throughtime.tasks.generate_text_data import TextData, TextPart, judged_streams
from throughtime.tasks.generate_text_network import surprises
from throughtime.tasks.generate_text_scores import (
    TextMetrics,
    method_scores,
    shares_as_model,
    text_scores,
)

MAX_TRAINING = 200_000  # characters; enough to know the training error
MOST_COUNTED = 10_000_000  # the last characters of the training part, for the counting models
NOT_KEPT = "they need the training text, which is not kept"


@dataclass(frozen=True)
class Evaluation:
    """Everything measured in one evaluation.

    Attributes:
        metrics: The figures.
        surprise: -log of the network's probability of each character but the first of the part that counts.
    """

    metrics: TextMetrics
    surprise: Floats


def judge(network: GenerateNetwork, part: TextPart, symbols: Symbols) -> Floats:
    """-log of the probability of each character of a part but the first: (N - 1,), NaN where unknown."""
    network.eval()
    found: Floats = surprises(network, judged_streams(part, symbols)).double().numpy()
    return found


def evaluate_parts(network: GenerateNetwork, data: TextData) -> Evaluation:
    """Measure network and baselines on the parts of the text it was trained on."""
    symbols = data.symbols
    parts = {"validation": data.validation, "test": data.test}
    judged = {name: part for name, part in parts.items() if part is not None}
    found = {name: judge(network, part, symbols) for name, part in judged.items()}
    some = TextPart(data.train.text[:MAX_TRAINING], data.train.symbols[:MAX_TRAINING])
    models = counting_models(
        data.train.symbols[-MOST_COUNTED:].numpy(),
        {name: part.symbols.numpy() for name, part in judged.items()},
        symbols=len(symbols),
    )
    metrics = _metrics(symbols, found, models)
    training = text_scores(judge(network, some, symbols))
    return Evaluation(metrics.model_copy(update={"training": training}), found[metrics.part])


def evaluate_other(
    network: GenerateNetwork, symbols: Symbols, shares: tuple[float, ...], part: TextPart
) -> Evaluation:
    """Measure the network on another text, beside the one baseline that needs no training text."""
    found = {"test": judge(network, part, symbols)}
    metrics = _metrics(symbols, found, [shares_as_model(np.array(shares), part.symbols)])
    left_out = {"counts, higher orders": NOT_KEPT}
    return Evaluation(metrics.model_copy(update={"left_out": left_out}), found["test"])


def _metrics(symbols: Symbols, found: dict[str, Floats], models: list[CountingModel]) -> TextMetrics:
    counted = "test" if "test" in found else "validation"
    baselines = {model.name: method_scores(model) for model in models}
    scores = {name: text_scores(nats) for name, nats in found.items()}
    return TextMetrics(
        alphabet=len(symbols),
        validation=scores.get("validation"),
        test=scores.get("test"),
        baselines=baselines,
        left_out={},
        best_baseline=min(baselines, key=lambda name: float(getattr(baselines[name], counted).nats)),
    )

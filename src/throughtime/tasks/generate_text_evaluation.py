"""Measuring a generator of text beside counting models on the same text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from throughtime.nn.generate_network import GenerateNetwork
from throughtime.tasks.counting_models import CountingModel, Floats, counting_models
from throughtime.tasks.generate_text_data import TextData, TextPart, judged_streams, part_of
from throughtime.tasks.generate_text_network import surprises
from throughtime.tasks.generate_text_scores import (
    MethodScores,
    TextMetrics,
    TextScores,
    shares_as_model,
    text_scores,
)
from throughtime.tasks.generate_text_units import TextUnits, first_of, noun_of, per_character

MAX_TRAINING = 200_000  # characters; enough to know the training error
MOST_COUNTED = 10_000_000  # the last characters of the training part, for the counting models
NOT_KEPT = "they need the training text, which is not kept"


@dataclass(frozen=True)
class Evaluation:
    """Everything measured in one evaluation.

    Attributes:
        metrics: The figures.
        surprise: -log of the network's probability of each character of the part that counts but the first,
            or but those of the first piece.
    """

    metrics: TextMetrics
    surprise: Floats


def judge(network: GenerateNetwork, part: TextPart, symbols: TextUnits) -> Floats:
    """-log of the probability of each character of a part but the first: (N - 1,), NaN where unknown.

    Of pieces, those of the first are left out; the others' nats are shared out among their characters.
    """
    network.eval()
    return _of_characters(surprises(network, judged_streams(part, symbols)).double().numpy(), part, symbols)


def evaluate_parts(network: GenerateNetwork, data: TextData) -> Evaluation:
    """Measure network and baselines on the parts of the text it was trained on."""
    symbols = data.symbols
    parts = {"validation": data.validation, "test": data.test}
    judged = {name: part for name, part in parts.items() if part is not None}
    found = {name: judge(network, part, symbols) for name, part in judged.items()}
    some = part_of(data.train.text[:MAX_TRAINING], symbols)
    models = counting_models(
        data.train.symbols[-MOST_COUNTED:].numpy(),
        {name: part.symbols.numpy() for name, part in judged.items()},
        symbols=len(symbols),
    )
    metrics = _metrics(symbols, judged, found, models)
    training = _scores(judge(network, some, symbols), some, symbols)
    return Evaluation(metrics.model_copy(update={"training": training}), found[metrics.part])


def evaluate_other(
    network: GenerateNetwork, symbols: TextUnits, shares: tuple[float, ...], part: TextPart
) -> Evaluation:
    """Measure the network on another text, beside the one baseline that needs no training text."""
    found = {"test": judge(network, part, symbols)}
    metrics = _metrics(symbols, {"test": part}, found, [shares_as_model(np.array(shares), part.symbols)])
    left_out = {"counts, higher orders": NOT_KEPT}
    return Evaluation(metrics.model_copy(update={"left_out": left_out}), found["test"])


def _metrics(
    symbols: TextUnits, parts: dict[str, TextPart], found: dict[str, Floats], models: list[CountingModel]
) -> TextMetrics:
    counted = "test" if "test" in found else "validation"
    baselines = {}
    for model in models:
        each = {name: _of_characters(nats, parts[name], symbols) for name, nats in model.surprise.items()}
        scores = {name: _scores(nats, parts[name], symbols) for name, nats in each.items()}
        baselines[model.name] = MethodScores(label=model.label, note=model.note, **scores)
    scores = {name: _scores(nats, parts[name], symbols) for name, nats in found.items()}
    return TextMetrics(
        unit=noun_of(symbols),
        alphabet=len(symbols),
        validation=scores.get("validation"),
        test=scores.get("test"),
        baselines=baselines,
        left_out={},
        best_baseline=min(baselines, key=lambda name: float(getattr(baselines[name], counted).nats)),
    )


def _of_characters(nats: Floats, part: TextPart, symbols: TextUnits) -> Floats:
    """Nats of all characters or pieces but the first, of all characters but those of the first."""
    shared = per_character(np.append(np.nan, nats), part.symbols, symbols)
    return shared[first_of(part.symbols, symbols)[0] :]


def _scores(nats: Floats, part: TextPart, symbols: TextUnits) -> TextScores:
    if noun_of(symbols) == "character":
        return text_scores(nats)
    return text_scores(nats, pieces=len(part.symbols) - first_of(part.symbols, symbols)[1])

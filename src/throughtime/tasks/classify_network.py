"""The network of a classifier, built from its settings, the loss it learns by, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor, nn
from torch.nn import functional

from throughtime.data import SequenceBatches, word_vectors
from throughtime.data.words import PADDING, UNKNOWN
from throughtime.nn import LSTM, RNN
from throughtime.nn.classify_network import ClassifyNetwork, Ensemble, WordInput
from throughtime.nn.dropout import VariationalDropout
from throughtime.tasks.classify_encoders import Encoder, Kind, NumberEncoder, TextEncoder
from throughtime.tasks.classify_settings import ClassifySettings
from throughtime.tasks.recurrent import build_recurrent, describe_recurrent
from throughtime.training import Outcome

LOSS_NAME = "cross-entropy, nats per {noun}"
INPUT_DROPOUT: dict[Kind, float] = {"text": 0.3, "numbers": 0.0}  # where the setting is "auto"
SPREAD = 0.3  # standard deviation of the word vectors that come from co-occurrence
NOISE = 0.03  # and of what makes the members differ
AT_ONCE = 256  # judged together

Floats = npt.NDArray[np.float64]


def build_network(
    settings: ClassifySettings, encoder: Encoder, *, classes: int, vectors: Tensor | None = None
) -> Ensemble:
    """Make the network with fresh weights.

    Args:
        settings: Cell, sizes, members.
        encoder: What makes the inputs: words known, or channels.
        classes: K.
        vectors: What the word vectors start from, (V, E), unit variance; None starts from chance.
    """
    make = _member_for_words if isinstance(encoder, TextEncoder) else _member_for_numbers
    return Ensemble([make(settings, encoder, classes, vectors) for _ in range(settings.members)])


def _member_for_words(
    settings: ClassifySettings, encoder: Encoder, classes: int, vectors: Tensor | None
) -> ClassifyNetwork:
    assert isinstance(encoder, TextEncoder)
    start = torch.randn(len(encoder.words), settings.embedding) * (NOISE if vectors is not None else 0.1)
    recurrent = _recurrent(settings, settings.embedding)
    inputs = WordInput(
        start if vectors is None else start + SPREAD * vectors,
        padding=PADDING,
        unknown=UNKNOWN,
        dropout=INPUT_DROPOUT["text"] if settings.input_dropout == "auto" else settings.input_dropout,
        word_dropout=settings.word_dropout,
    )
    return ClassifyNetwork(inputs, recurrent, classes=classes, dropout=settings.dropout)


def _member_for_numbers(
    settings: ClassifySettings, encoder: Encoder, classes: int, vectors: Tensor | None
) -> ClassifyNetwork:
    assert isinstance(encoder, NumberEncoder)
    share = INPUT_DROPOUT["numbers"] if settings.input_dropout == "auto" else settings.input_dropout
    recurrent = _recurrent(settings, len(encoder.channels.names))
    return ClassifyNetwork(VariationalDropout(share), recurrent, classes=classes, dropout=settings.dropout)


def _recurrent(settings: ClassifySettings, inputs: int) -> LSTM | RNN:
    return build_recurrent(settings, inputs, dropout=settings.dropout, bidirectional=True)


def first_vectors(settings: ClassifySettings, texts: Sequence[Tensor], encoder: Encoder) -> Tensor | None:
    """What the word vectors start from; None for chance, and for numbers."""
    if settings.word_vectors == "random" or isinstance(encoder, NumberEncoder):
        return None
    return word_vectors(texts, len(encoder.words), settings.embedding, seed=settings.seed)


def describe_network(settings: ClassifySettings) -> str:
    """The network in words."""
    members = "" if settings.members == 1 else f"{settings.members} networks averaged, each a "
    return f"{members}bidirectional {describe_recurrent(settings)}, mean, maximum and last output pooled"


def objective(model: nn.Module, batch: Any, state: Any = None) -> Outcome:
    """Cross-entropy of a batch: in training the mean over the members, else of their mean probability.

    Args:
        model: An `Ensemble`, or a wrapper around one.
        batch: Targets (B,), long.
        state: Not used: each sequence is read whole.

    Returns:
        Mean loss over the sequences, and their number.
    """
    logits = model(batch.inputs, batch.lengths)  # (M, B, K)
    if model.training:
        targets = batch.targets.repeat(len(logits))
        return Outcome(functional.cross_entropy(logits.flatten(0, 1), targets), len(batch.targets))
    return Outcome(functional.nll_loss(mean_log_probability(logits), batch.targets), len(batch.targets))


def mean_log_probability(logits: Tensor) -> Tensor:
    """Logarithm of the members' mean probability: (M, B, K) to (B, K)."""
    summed: Tensor = logits.log_softmax(dim=-1).logsumexp(dim=0)
    return summed - math.log(len(logits))


def log_probabilities(network: nn.Module, inputs: Sequence[Tensor]) -> Floats:
    """Logarithm of the probability of every class for each input, not calibrated: (N, K)."""
    network.eval()
    numbers = torch.arange(len(inputs))
    found: Floats = np.zeros((0, 0))
    with torch.inference_mode():
        for batch in SequenceBatches(inputs, numbers, AT_ONCE, shuffle=False).epoch(0):
            some = mean_log_probability(network(batch.inputs, batch.lengths)).double().numpy()
            if not found.size:
                found = np.zeros((len(inputs), some.shape[1]))
            found[batch.targets.numpy()] = some
    return found


def at_temperature(logs: Floats, temperature: float) -> Floats:
    """Probabilities (N, K) from their logarithms: above 1 less sure, below 1 surer; the order stays."""
    scaled = logs / temperature
    exponents = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: Floats = exponents / exponents.sum(axis=1, keepdims=True)
    return probabilities


def find_temperature(logs: Floats, truth: npt.NDArray[np.int64]) -> float:
    """The temperature with the lowest log loss on what was not learnt from.

    Source: Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks (2017).
    """
    rows = np.arange(len(truth))

    def loss(logarithm: float) -> float:
        chosen = at_temperature(logs, float(np.exp(logarithm)))[rows, truth]
        return float(-np.log(np.maximum(chosen, 1e-300)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x))

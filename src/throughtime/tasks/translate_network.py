"""The network of a translator, built from its settings, the loss it learns by, and how it is used."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from throughtime.data import PairBatches, SequenceBatches
from throughtime.data.subwords import BEGIN, END
from throughtime.data.words import PADDING, UNKNOWN
from throughtime.nn.attention import AdditiveAttention, Attention, DotAttention
from throughtime.nn.beam_search import Hypothesis, Rules, beam_search
from throughtime.nn.seq2seq import Seq2Seq
from throughtime.tasks.recurrent import build_recurrent, describe_recurrent
from throughtime.tasks.translate_settings import TranslateSettings
from throughtime.training import Outcome
from throughtime.training.objective import Objective

LOSS_NAME = "cross-entropy, nats per piece"
ATTENTIONS: dict[str, type[Attention]] = {"dot": DotAttention, "additive": AdditiveAttention}
AT_ONCE = 64  # sentences translated together

Floats = npt.NDArray[np.float64]


def build_network(settings: TranslateSettings, *, sources: int, targets: int) -> Seq2Seq:
    """Make the network with fresh weights.

    Args:
        settings: Cell, sizes, attention.
        sources: Source pieces known.
        targets: Target pieces known.
    """
    layers = partial(build_recurrent, settings, settings.embedding, dropout=settings.dropout)
    attention = ATTENTIONS.get(settings.attention)
    return Seq2Seq(
        layers(bidirectional=True),
        layers(),
        None if attention is None else attention(settings.hidden, 2 * settings.hidden),
        sources=sources,
        targets=targets,
        padding=PADDING,
        unknown=UNKNOWN,
        begin=BEGIN,
        dropout=settings.dropout,
        word_dropout=settings.word_dropout,
    )


def describe_network(settings: TranslateSettings) -> str:
    """The network in words."""
    attention = "no attention" if settings.attention == "none" else f"{settings.attention} attention"
    return f"bidirectional encoder, decoder with {attention}: each {describe_recurrent(settings)}"


def objective_of(settings: TranslateSettings) -> Objective:
    """Cross-entropy of every target piece, smoothed in training; mean over the pieces of a batch."""

    def objective(model: nn.Module, batch: Any, state: Any = None) -> Outcome:
        truth = batch.truth if model.training else 1.0
        logits = model(batch.inputs, batch.lengths, batch.targets, truth)
        targets = batch.targets[batch.targets != PADDING]
        smoothing = settings.label_smoothing if model.training else 0.0
        return Outcome(functional.cross_entropy(logits, targets, label_smoothing=smoothing), len(targets))

    return objective


def mean_loss(network: nn.Module, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> float:
    """Cross-entropy over all pieces of the targets, nats per piece."""
    network.eval()
    total = pieces = 0.0
    with torch.inference_mode():
        for batch in PairBatches(inputs, outputs, 2 * AT_ONCE, shuffle=False).epoch(0):
            logits = network(batch.inputs, batch.lengths, batch.targets)
            targets = batch.targets[batch.targets != PADDING]
            total += float(functional.cross_entropy(logits, targets, reduction="sum"))
            pieces += len(targets)
    return total / pieces


def translate(
    network: Seq2Seq, inputs: Sequence[Tensor], settings: TranslateSettings, *, best: int = 1
) -> list[list[Hypothesis]]:
    """The best translations of each source, the best first.

    A translation ends at the latest after twice as many pieces as its source has, and ten.

    Args:
        network: Trained.
        inputs: The pieces of each source, each (S,), with the end.
        settings: Beam and length penalty.
        best: Translations wanted of each; the beam is at least so wide.
    """
    network.eval()
    rules = Rules(BEGIN, END, max(settings.beam, best), settings.length_penalty, best)
    found: list[list[Hypothesis]] = [[] for _ in inputs]
    numbers = torch.arange(len(inputs))
    for batch in SequenceBatches(inputs, numbers, AT_ONCE, shuffle=False).epoch(0):
        assert batch.lengths is not None
        with torch.inference_mode():
            context = network.read(batch.inputs, batch.lengths)
        beams = beam_search(network, context, 2 * batch.lengths + 10, rules)
        for place, hypotheses in zip(batch.targets.tolist(), beams, strict=True):
            found[place] = hypotheses
    return found


def attention_weights(network: Seq2Seq, source: Tensor, target: Sequence[int]) -> Floats | None:
    """Where the decoder looks for each piece it writes.

    Args:
        network: Trained.
        source: Pieces (S,), with the end.
        target: Pieces without the end.

    Returns:
        (T + 1, S), a row for each piece and one for the end; each adds up to 1. None without attention.
    """
    network.eval()
    with torch.inference_mode():
        context = network.read(source[:, None])
        given = torch.tensor([BEGIN, *target])[:, None]
        _, _, weights = network.decode(given, context)
    return None if weights is None else weights[:, 0].double().numpy()

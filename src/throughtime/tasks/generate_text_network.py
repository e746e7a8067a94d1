"""The network of a generator of text, built from its settings, and the loss it learns by."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from throughtime.data import TextStreams
from throughtime.nn.generate_network import GenerateNetwork
from throughtime.tasks.generate_text_settings import TextSettings, Unit
from throughtime.tasks.recurrent import build_recurrent, describe_recurrent
from throughtime.training import Outcome

VECTORS: dict[Unit, str] = {"character": "character", "word": "word", "bpe": "byte-pair"}


def build_network(settings: TextSettings, *, symbols: int) -> GenerateNetwork:
    """Make the network with fresh weights for `symbols` characters or pieces."""
    return GenerateNetwork(
        build_recurrent(settings, settings.embedding, dropout=settings.dropout),
        symbols=symbols,
        dropout=settings.dropout,
        input_dropout=settings.input_dropout,
        tied=settings.tied,
    )


def describe_network(settings: TextSettings) -> str:
    """The network in words."""
    of = VECTORS[settings.unit]
    tied = f", output tied to the {of} vectors" if settings.tied else ""
    return f"{describe_recurrent(settings)}, {of} vectors of {settings.embedding}{tied}"


def objective(model: nn.Module, batch: Any, state: Any = None) -> Outcome:
    """Cross-entropy of the next character or piece.

    Args:
        model: A `GenerateNetwork`, or a wrapper around one.
        batch: Targets (T, B), long; its mask tells which of them count.
        state: Of the recurrent layers.

    Returns:
        Mean loss over the targets that count, nats, their number, and the state after the last step.
    """
    logits, state = model(batch.inputs, state)
    logits, targets = logits.flatten(0, 1), batch.targets.flatten()
    if batch.mask is not None:
        counts = batch.mask.flatten()
        logits, targets = logits[counts], targets[counts]
    if not len(targets):
        return Outcome(logits.sum(), 0, state)
    return Outcome(functional.cross_entropy(logits, targets), len(targets), state)


def surprises(network: nn.Module, streams: TextStreams) -> Tensor:
    """-log of the probability of each symbol of a text but the first, nats: (N - 1,), float32.

    NaN where the symbol is unknown. The network must be in eval mode.

    Args:
        network: A `GenerateNetwork`.
        streams: Of the whole text, not moving.
    """
    found, state = [], None
    with torch.inference_mode():
        for batch in streams.epoch(0):
            logits, state = network(batch.inputs, state)
            known = batch.targets.clamp(max=logits.shape[-1] - 1)
            nats = functional.cross_entropy(logits.flatten(0, 1), known.flatten(), reduction="none")
            found.append(nats.view_as(known).masked_fill(batch.targets != known, torch.nan))
    return torch.cat(found).T.flatten()[: len(streams.symbols) - 1]

"""The network of a transcriber, built from its settings, and the loss it learns by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from throughtime.data import SequenceBatches
from throughtime.data.spelling import BLANK
from throughtime.nn.transcribe_network import TranscribeNetwork
from throughtime.tasks.recurrent import build_recurrent, describe_recurrent
from throughtime.tasks.transcribe_settings import TranscribeSettings
from throughtime.training import Outcome

LOSS_NAME = "CTC loss, nats per symbol"
AT_ONCE = 64  # recordings judged together

Floats = npt.NDArray[np.float32]


def build_network(settings: TranscribeSettings, *, symbols: int) -> TranscribeNetwork:
    """Make the network with fresh weights.

    Args:
        settings: Cell, sizes, bands, stack.
        symbols: K, with the blank.
    """
    inputs = settings.stack * settings.bands
    return TranscribeNetwork(
        build_recurrent(settings, inputs, dropout=settings.dropout, bidirectional=True),
        symbols=symbols,
        stack=settings.stack,
        dropout=settings.dropout,
    )


def describe_network(settings: TranscribeSettings) -> str:
    """The network in words."""
    step = settings.stack * settings.hop
    return f"bidirectional {describe_recurrent(settings)}, a step every {step:g} ms, CTC"


def objective(model: nn.Module, batch: Any, state: Any = None) -> Outcome:
    """CTC loss of a batch.

    A recording with fewer steps than its transcript needs has no path and an infinite loss; such ones are
    left out before training (`transcribe_data`), so that nothing need be hidden here.

    Args:
        model: A `TranscribeNetwork`, or a wrapper around one.
        batch: Targets (B, S) long, blanks (0) behind each transcript.
        state: Not used: each recording is read whole.

    Returns:
        Mean loss over the symbols of all transcripts, and their number.
    """
    logs, steps = model(batch.inputs, batch.lengths)
    symbols = (batch.targets != BLANK).sum(dim=1)
    count = max(int(symbols.sum()), 1)  # transcripts of unknown symbols alone hold none
    loss = functional.ctc_loss(logs, batch.targets, steps, symbols, blank=BLANK, reduction="sum")
    return Outcome(loss / count, count)


def log_probabilities(network: nn.Module, features: Sequence[Tensor]) -> list[Floats]:
    """Logarithms of the probabilities of every symbol at every step of each recording, (T', K) each."""
    network.eval()
    found: list[Floats] = [np.zeros((0, 0), dtype=np.float32)] * len(features)
    with torch.inference_mode():
        batches = SequenceBatches(features, torch.arange(len(features)), AT_ONCE, shuffle=False)
        for batch in batches.epoch(0):
            logs, steps = network(batch.inputs, batch.lengths)
            for column, row in enumerate(batch.targets.tolist()):
                found[row] = logs[: int(steps[column]), column].float().cpu().numpy()
    return found

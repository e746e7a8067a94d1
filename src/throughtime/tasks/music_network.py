"""The network of a composer, built from its settings, the loss it learns by, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from throughtime.data.roll_batches import heard
from throughtime.nn.music_network import MusicNetwork
from throughtime.tasks.music_settings import MusicSettings
from throughtime.tasks.recurrent import build_recurrent, describe_recurrent
from throughtime.training import Outcome

LOSS_NAME = "nats per step, summed over the notes"
AT_ONCE = 64  # pieces answered together

Floats = npt.NDArray[np.float64]


def build_network(settings: MusicSettings, rates: Tensor) -> MusicNetwork:
    """Make the network with fresh weights.

    Args:
        settings: Cell, sizes, dropout.
        rates: How often each of N notes sounds, (N,).
    """
    return MusicNetwork(
        build_recurrent(settings, len(rates), dropout=settings.dropout),
        rates,
        dropout=settings.dropout,
        input_dropout=settings.input_dropout,
    )


def describe_network(settings: MusicSettings, notes: int) -> str:
    """The network in words."""
    return f"{describe_recurrent(settings)}, {notes} notes in and out"


def objective(model: nn.Module, batch: Any, state: Any = None) -> Outcome:
    """Negative log-likelihood of the steps of a batch, summed over the notes.

    Training counts every step. Judging leaves out the first of each piece, which nothing comes before, as
    the published figures do (see docs/music.md).

    Args:
        model: A `MusicNetwork`, or a wrapper around one.
        batch: Inputs and targets (T, B, N), lengths (B,).
        state: Not used: each piece is heard whole.

    Returns:
        Mean loss over the steps that count, nats; their number.
    """
    logits, _ = model(batch.inputs, None, batch.lengths)
    nats = step_nats(logits, batch.targets)  # (T, B)
    first = 0 if model.training else 1
    t = torch.arange(len(nats), device=nats.device).unsqueeze(1)
    counts = (t >= first) & (t < batch.lengths.to(nats.device))
    steps = int(counts.sum())
    return Outcome((nats * counts).sum() / max(steps, 1), steps)


def step_nats(logits: Tensor, targets: Tensor) -> Tensor:
    """Negative log-likelihood of each step, summed over the notes: (..., N) to (...), nats."""
    return functional.binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(dim=-1)


def note_logits(network: MusicNetwork, bits: Sequence[Tensor]) -> list[Tensor]:
    """Logits of each note at each step of each piece, given the steps before: each (T, N)."""
    network.eval()
    found: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(bits), AT_ONCE):
            some = bits[start : start + AT_ONCE]
            lengths = [len(one) for one in some]
            logits, _ = network(heard(pad_sequence(list(some))), None, lengths)
            found += [logits[:length, b].clone() for b, length in enumerate(lengths)]
    return found

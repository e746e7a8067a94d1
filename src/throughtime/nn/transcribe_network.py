"""Networks that read a recording frame by frame and give every symbol a probability over time."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from throughtime.nn.lstm import LSTM
from throughtime.nn.pooling import step_mask
from throughtime.nn.rnn import RNN


class TranscribeNetwork(nn.Module):
    """Neighbouring frames put together, recurrent layers, and a linear head at every step.

    Padded steps change nothing.

    Args:
        recurrent: A `throughtime.nn.RNN` or `LSTM`, time first, with `stack` times the bands as inputs.
        symbols: K, with the blank of CTC as number 0.
        stack: Frames put together to one step.
        dropout: Share of the outputs dropped before the head, in training.
    """

    def __init__(self, recurrent: LSTM | RNN, *, symbols: int, stack: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.stack = stack
        self.recurrent = recurrent
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(recurrent.num_directions * recurrent.hidden_size, symbols)

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Judge a batch of recordings.

        Args:
            frames: (T, B, I).
            lengths: True frames of each, (B,), at least 1; None if all have T.

        Returns:
            Logarithms of probabilities (T', B, K), T' = ceil(T / stack), and the true steps of each, (B,).
        """
        T, B, _ = frames.shape
        if lengths is None:
            lengths = torch.full((B,), T, device=frames.device)
        steps = steps_of(lengths, self.stack)
        y, _ = self.recurrent(stack_frames(frames, lengths, self.stack), lengths=steps)
        return self.head(self.dropout(y)).log_softmax(dim=-1), steps


def stack_frames(frames: Tensor, lengths: Tensor, stack: int) -> Tensor:
    """Each `stack` neighbouring frames side by side, zeros after a recording's end.

    Args:
        frames: (T, B, I).
        lengths: True frames of each, (B,).
        stack: How many.

    Returns:
        (ceil(T / stack), B, stack · I), the earliest frame first.
    """
    T, B, I = frames.shape  # noqa: E741
    kept = frames.masked_fill(~step_mask(lengths, T), 0)
    kept = functional.pad(kept, (0, 0, 0, 0, 0, -T % stack))
    return kept.view(-1, stack, B, I).transpose(1, 2).reshape(-1, B, stack * I)


def steps_of(lengths: Tensor, stack: int) -> Tensor:
    """Steps that so many frames become: rounded up."""
    return (lengths + stack - 1) // stack

"""A network that hears a piano roll step by step and tells which notes come next."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from throughtime.nn.lstm import LSTM
from throughtime.nn.recurrent import State
from throughtime.nn.rnn import RNN
from throughtime.nn.sequences import Lengths


class MusicNetwork(nn.Module):
    """Recurrent layers over the notes of the step before, and one logit for each note of the next step.

    The notes of a step are independent of each other given the steps before (88 Bernoulli variables for
    the piano), after Boulanger-Lewandowski, Bengio and Vincent, Modeling Temporal Dependencies in
    High-Dimensional Sequences (2012), their model "RNN".

    Args:
        recurrent: A `throughtime.nn.RNN` or `LSTM`, time first, one direction, N inputs.
        rates: How often each note sounds, (N,), in (0, 1): what the untrained network answers.
        dropout: Share of block outputs dropped before the head, in training.
        input_dropout: Share of the notes heard that are dropped, in training.
    """

    def __init__(
        self, recurrent: LSTM | RNN, rates: Tensor, *, dropout: float = 0.0, input_dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.input_dropout = nn.Dropout(input_dropout)
        self.recurrent = recurrent
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(recurrent.hidden_size, len(rates))
        with torch.no_grad():
            self.head.bias.copy_(torch.logit(rates))

    def forward(
        self, x: Tensor, state: State | None = None, lengths: Lengths | None = None
    ) -> tuple[Tensor, State]:
        """Tell the notes of every next step.

        Args:
            x: The steps before, 1 where a note sounds, (T, B, N); zeros before the first.
            state: Of the recurrent layers; zero if left away.
            lengths: True length of each roll, (B,); None if all have T.

        Returns:
            Logits (T, B, N) of each note sounding, and the state after the last step.
        """
        y, state = self.recurrent(self.input_dropout(x), state, lengths=lengths)
        logits: Tensor = self.head(self.dropout(y))
        return logits, state

"""Networks that read a sequence of words and say which class it belongs to."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from throughtime.nn.dropout import VariationalDropout, WordDropout
from throughtime.nn.lstm import LSTM
from throughtime.nn.pooling import max_over_time, mean_over_time
from throughtime.nn.rnn import RNN


class ClassifyNetwork(nn.Module):
    """Word vectors, recurrent layers, pooling over time, and a linear head.

    The head reads the mean and the maximum of the outputs over the true steps, and the state after the
    last of them (in each direction). Padded steps change nothing.

    Args:
        vectors: What the word vectors start from, (V, E). The row of padding stays zero.
        recurrent: A `throughtime.nn.RNN` or `LSTM`, time first, E inputs.
        classes: K.
        padding: Number of the padding symbol.
        unknown: Number of the unknown word.
        dropout: Share of the pooled values dropped before the head, in training.
        input_dropout: Share of the word vectors' entries dropped, the same ones at every step.
        word_dropout: Share of the words replaced by the unknown word, in training.
    """

    def __init__(
        self,
        vectors: Tensor,
        recurrent: LSTM | RNN,
        *,
        classes: int,
        padding: int,
        unknown: int,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        word_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.word_dropout = WordDropout(word_dropout, unknown, padding)
        self.embedding = nn.Embedding(vectors.shape[0], vectors.shape[1], padding_idx=padding)
        with torch.no_grad():
            self.embedding.weight.copy_(vectors)
            self.embedding.weight[padding] = 0
        self.input_dropout = VariationalDropout(input_dropout)
        self.recurrent = recurrent
        self.dropout = nn.Dropout(dropout)
        last = recurrent.num_directions * recurrent.hidden_size
        self.head = nn.Linear(2 * recurrent.output_size + last, classes)

    def forward(self, symbols: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Judge a batch of sequences.

        Args:
            symbols: (T, B), long.
            lengths: True length of each, (B,), at least 1; None if all have T.

        Returns:
            Logits (B, K).
        """
        x = self.input_dropout(self.embedding(self.word_dropout(symbols)))
        y, state = self.recurrent(x, lengths=lengths)
        h = state[0] if isinstance(state, tuple) else state
        last = h[-self.recurrent.num_directions :]
        pooled = [mean_over_time(y, lengths), max_over_time(y, lengths), *last]
        logits: Tensor = self.head(self.dropout(torch.cat(pooled, dim=-1)))
        return logits


class Ensemble(nn.Module):
    """Networks that learn side by side from the same batches, each with its own weights and dropout.

    Args:
        members: Networks that take the same arguments.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, symbols: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits of every member, (M, B, K)."""
        return torch.stack([member(symbols, lengths) for member in self.members])

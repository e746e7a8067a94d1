"""Networks that read a sequence of words or numbers and say which class it belongs to."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from throughtime.nn.dropout import VariationalDropout, WordDropout
from throughtime.nn.lstm import LSTM
from throughtime.nn.pooling import max_over_time, mean_over_time
from throughtime.nn.rnn import RNN


class WordInput(nn.Module):
    """Words as vectors, some of them dropped in training.

    Args:
        vectors: What the word vectors start from, (V, E). The row of padding stays zero.
        padding: Number of the padding symbol.
        unknown: Number of the unknown word.
        dropout: Share of the word vectors' entries dropped, the same ones at every step.
        word_dropout: Share of the words replaced by the unknown word, in training.
    """

    def __init__(
        self,
        vectors: Tensor,
        *,
        padding: int,
        unknown: int,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.word_dropout = WordDropout(word_dropout, unknown, padding)
        self.embedding = nn.Embedding(vectors.shape[0], vectors.shape[1], padding_idx=padding)
        with torch.no_grad():
            self.embedding.weight.copy_(vectors)
            self.embedding.weight[padding] = 0
        self.dropout = VariationalDropout(dropout)

    def forward(self, symbols: Tensor) -> Tensor:
        """Vectors (T, B, E) of symbols (T, B), long."""
        vectors: Tensor = self.dropout(self.embedding(self.word_dropout(symbols)))
        return vectors


class ClassifyNetwork(nn.Module):
    """An input part, recurrent layers, pooling over time, and a linear head.

    The head reads the mean and the maximum of the outputs over the true steps, and the state after the
    last of them (in each direction). Padded steps change nothing.

    Args:
        inputs: Turns what a batch holds into (T, B, I): a `WordInput`, or a `VariationalDropout` where it
            holds numbers already.
        recurrent: A `throughtime.nn.RNN` or `LSTM`, time first, I inputs.
        classes: K.
        dropout: Share of the pooled values dropped before the head, in training.
    """

    def __init__(
        self, inputs: nn.Module, recurrent: LSTM | RNN, *, classes: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.inputs = inputs
        self.recurrent = recurrent
        self.dropout = nn.Dropout(dropout)
        last = recurrent.num_directions * recurrent.hidden_size
        self.head = nn.Linear(2 * recurrent.output_size + last, classes)

    def forward(self, sequences: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Judge a batch of sequences.

        Args:
            sequences: Symbols (T, B), long, or numbers (T, B, I), as the input part takes them.
            lengths: True length of each, (B,), at least 1; None if all have T.

        Returns:
            Logits (B, K).
        """
        y, state = self.recurrent(self.inputs(sequences), lengths=lengths)
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

    def forward(self, sequences: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Logits of every member, (M, B, K)."""
        return torch.stack([member(sequences, lengths) for member in self.members])

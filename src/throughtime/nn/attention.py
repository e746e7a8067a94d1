"""Attention: what a decoder reads of an encoder's outputs, at every decoder step at once.

Shapes: S encoder steps, T decoder steps, B sequences, M size of the encoder's outputs, Q of the queries.
"""

from __future__ import annotations

import abc
import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from throughtime.nn.pooling import step_mask


class Memory(NamedTuple):
    """An encoder's outputs, made ready once for all the decoder's steps.

    Attributes:
        values: What is read, (B, S, M).
        keys: What queries are compared with, (B, S, ·).
        padded: True where an encoder step is padding, (B, 1, S); None if nowhere.
    """

    values: Tensor
    keys: Tensor
    padded: Tensor | None

    def rows(self, chosen: Tensor) -> Memory:
        """Some sequences of the batch, in the order of `chosen` (any number of them, long)."""
        parts = (None if part is None else part.index_select(0, chosen) for part in self)
        return Memory(*parts)  # type: ignore[arg-type]


class Attention(nn.Module, abc.ABC):
    """Compares queries with keys and reads the values by weights that add up to 1.

    Args:
        query_size: Q.
        memory_size: M.
    """

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__()
        self.query_size, self.memory_size = query_size, memory_size

    def remember(self, outputs: Tensor, lengths: Tensor | None = None) -> Memory:
        """Make an encoder's outputs ready.

        Args:
            outputs: (S, B, M).
            lengths: True steps of each sequence, (B,), at least 1; None if all have S.
        """
        values = outputs.transpose(0, 1)
        padded = None if lengths is None else ~step_mask(lengths, outputs.shape[0]).permute(1, 2, 0)
        return Memory(values, self.keys(values), padded)

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Read the memory once for each query.

        Args:
            queries: (T, B, Q).
            memory: Of the same B sequences.

        Returns:
            What was read, (T, B, M), and the weights, (T, B, S): over the true steps of S they add up
            to 1, at padded ones they are 0.
        """
        scores = self.scores(queries.transpose(0, 1), memory.keys)  # (B, T, S)
        if memory.padded is not None:
            scores = scores.masked_fill(memory.padded, -torch.inf)
        weights = scores.softmax(dim=-1)
        return torch.bmm(weights, memory.values).transpose(0, 1), weights.transpose(0, 1)

    @abc.abstractmethod
    def keys(self, values: Tensor) -> Tensor:
        """What queries are compared with: (B, S, M) to (B, S, ·)."""

    @abc.abstractmethod
    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """How well each query (B, T, Q) fits each key (B, S, ·): (B, T, S)."""


class DotAttention(Attention):
    """score(q, m) = q · W m.

    Source: Luong, Pham and Manning, Effective Approaches to Attention-based Neural Machine Translation
    (2015), 3.1, "general".
    """

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__(query_size, memory_size)
        self.key = nn.Linear(memory_size, query_size, bias=False)

    def keys(self, values: Tensor) -> Tensor:
        """W m."""
        keys: Tensor = self.key(values)
        return keys

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Products of every query with every key."""
        return torch.bmm(queries, keys.transpose(1, 2))


class AdditiveAttention(Attention):
    """score(q, m) = v · tanh(W q + U m).

    It holds B·T·S·A values while training, A times as many as `DotAttention`.

    Args:
        query_size: Q.
        memory_size: M.
        size: A, of the layer inside; Q if None.

    Source: Bahdanau, Cho and Bengio, Neural Machine Translation by Jointly Learning to Align and Translate
    (2015).
    """

    def __init__(self, query_size: int, memory_size: int, size: int | None = None) -> None:
        super().__init__(query_size, memory_size)
        size = query_size if size is None else size
        self.query = nn.Linear(query_size, size, bias=False)
        self.key = nn.Linear(memory_size, size, bias=False)
        self.energy = nn.Parameter(torch.empty(size).uniform_(-1, 1) * math.sqrt(3 / size))

    def keys(self, values: Tensor) -> Tensor:
        """U m."""
        keys: Tensor = self.key(values)
        return keys

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """The layer inside, for every query with every key."""
        return torch.tanh(self.query(queries)[:, :, None] + keys[:, None]) @ self.energy

"""Batches of sequences of different length, put together so that little is padded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from throughtime.batch import Batch
from throughtime.data.batches import check_shard

BATCHES_IN_A_BUCKET = 20


class SequenceBatches:
    """Batches of neighbours in length; the order depends on seed and epoch alone.

    Each epoch the sequences are shuffled and cut into buckets of `BATCHES_IN_A_BUCKET` batches; those are
    sorted by length inside, and the batches shuffled. Padding is zero and behind the sequence.

    Args:
        sequences: Each (T,) long for symbols, or (T, I) float; T at least 1.
        targets: One for each sequence, (N, ...).
        batch_size: Sequences in a global batch; the last may hold fewer.
        seed: Seed of the order.
        shuffle: Draw a new order each epoch; else all by length.
        change: Called with a sequence, its number and the epoch whenever it goes into a batch; gives what
            stands there instead, of any length from 1. Batches are put together by the lengths before.

    Raises:
        ValueError: batch_size is below 1, or the numbers of sequences and targets differ.
    """

    def __init__(
        self,
        sequences: Sequence[Tensor],
        targets: Tensor,
        batch_size: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        change: Callable[[Tensor, int, int], Tensor] | None = None,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"SequenceBatches: batch_size={batch_size} must be 1 or more.")
        if len(sequences) != len(targets):
            raise ValueError(
                f"SequenceBatches: {len(sequences)} sequences and {len(targets)} targets; give one for each."
            )
        self.sequences, self.targets = sequences, targets
        self.batch_size, self.seed, self.shuffle, self.change = batch_size, seed, shuffle, change
        self.lengths = np.array([len(sequence) for sequence in sequences])
        self.sizes = self.lengths  # by which they are sorted

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.sequences) // self.batch_size)

    def epoch(self, epoch: int, shard: tuple[int, int] = (0, 1)) -> Iterator[Batch]:
        """Batches of an epoch; with shard (rank, world) this rank's slice of each, which may be empty."""
        rank, world = check_shard(shard)
        for rows in self._batches(epoch):
            yield self._batch(np.array_split(rows, world)[rank], epoch)

    def _batches(self, epoch: int) -> list[np.ndarray]:
        """Which sequences stand in which batch."""
        if not self.shuffle:
            return self._cut(np.argsort(self.sizes, kind="stable"))
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self.sequences))
        bucket = self.batch_size * BATCHES_IN_A_BUCKET
        batches = []
        for start in range(0, len(order), bucket):
            rows = order[start : start + bucket]
            batches += self._cut(rows[np.argsort(self.sizes[rows], kind="stable")])
        return [batches[i] for i in rng.permutation(len(batches))]

    def _cut(self, rows: np.ndarray) -> list[np.ndarray]:
        return [rows[start : start + self.batch_size] for start in range(0, len(rows), self.batch_size)]

    def _batch(self, rows: np.ndarray, epoch: int) -> Batch:
        if not len(rows):
            like = self.sequences[0]
            return Batch(like.new_zeros(1, 0, *like.shape[1:]), self.targets[:0], torch.zeros(0).long())
        chosen = [self.sequences[row] for row in rows]
        if self.change is not None:
            chosen = [self.change(one, int(row), epoch) for one, row in zip(chosen, rows, strict=True)]
        lengths = torch.tensor([len(one) for one in chosen])
        return Batch(pad_sequence(chosen), self.targets[torch.from_numpy(rows)], lengths)

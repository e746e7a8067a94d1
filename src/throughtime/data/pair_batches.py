"""Batches of pairs of sequences, sources beside targets, put together so that little of either is padded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from throughtime.batch import Batch
from throughtime.data.sequence_batches import SequenceBatches


@dataclass(frozen=True)
class PairBatch(Batch):
    """Sources (S, B) and targets (T, B), both long and padded with zeros; `lengths` are the sources'.

    Attributes:
        truth: Share of the true symbols among those a decoder is fed with; the rest are its own.
    """

    truth: float = 1.0


class PairBatches(SequenceBatches):
    """Batches of pairs that are alike in the length of their targets and then of their sources.

    Padding is zero and behind each sequence. The order depends on seed and epoch alone.

    Args:
        sources: Each (S,), long.
        targets: Each (T,), long, one for each source.
        batch_size: Pairs in a global batch; the last may hold fewer.
        seed: Seed of the order.
        shuffle: Draw a new order each epoch; else all by length.
        truth: See `PairBatch.truth`, of each epoch from 1 on; after the last entry it stays.

    Raises:
        ValueError: batch_size is below 1, or the numbers of sources and targets differ.
    """

    def __init__(
        self,
        sources: Sequence[Tensor],
        targets: Sequence[Tensor],
        batch_size: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        truth: Sequence[float] = (1.0,),
    ) -> None:
        if len(sources) != len(targets):
            raise ValueError(
                f"PairBatches: {len(sources)} sources and {len(targets)} targets; give one for each."
            )
        super().__init__(sources, torch.arange(len(sources)), batch_size, seed=seed, shuffle=shuffle)
        self.pairs, self.truth = targets, tuple(truth)
        sizes = np.stack([[len(target) for target in targets], self.lengths], axis=1)
        self.sizes = np.unique(sizes, axis=0, return_inverse=True)[1].reshape(-1)

    def epoch(self, epoch: int, shard: tuple[int, int] = (0, 1)) -> Iterator[Batch]:
        """Batches of an epoch; with shard (rank, world) this rank's slice of each, which may be empty."""
        truth = self.truth[min(max(epoch, 1), len(self.truth)) - 1]
        for batch in super().epoch(epoch, shard):
            rows = batch.targets.tolist()
            targets = [self.pairs[row] for row in rows]
            padded = pad_sequence(targets) if rows else batch.targets.new_zeros(1, 0)
            yield PairBatch(batch.inputs, padded, batch.lengths, truth=truth)

"""Batches of piano rolls: what was heard, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from throughtime.batch import Batch
from throughtime.data.sequence_batches import SequenceBatches


class RollBatches:
    """Whole rolls side by side; the order, and the transpositions, depend on seed and epoch alone.

    Inputs are the targets one step later, zeros first. Padding is zero and behind the roll.

    Args:
        rolls: Each (T, N) float, 1 where a note sounds; T at least 1.
        batch_size: Rolls in a global batch; the last may hold fewer.
        seed: Seed of the order.
        shuffle: Draw a new order each epoch; else all by length.
        transpose: Each roll is moved up or down by a random number of semitones, at most so many ...
        compass: ... but never out of these columns, [first, last]; None: all N. A roll that reaches beyond
            them stays where it is.

    Raises:
        ValueError: batch_size is below 1 or transpose below 0.
    """

    def __init__(
        self,
        rolls: Sequence[Tensor],
        batch_size: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        transpose: int = 0,
        compass: tuple[int, int] | None = None,
    ) -> None:
        if transpose < 0:
            raise ValueError(f"RollBatches: transpose={transpose} must be 0 or more semitones.")
        rows = torch.arange(len(rolls))
        self.numbers = SequenceBatches(list(rolls), rows, batch_size, seed=seed, shuffle=shuffle)
        self.rolls, self.seed = rolls, seed
        self.limits = [_limits(roll, transpose, compass) for roll in rolls]

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self.numbers)

    def epoch(self, epoch: int, shard: tuple[int, int] = (0, 1)) -> Iterator[Batch]:
        """Batches of an epoch; with shard (rank, world) this rank's slice of each, which may be empty."""
        draw = np.random.default_rng([self.seed, epoch, 1])
        shifts = [int(draw.integers(down, up + 1)) for down, up in self.limits]
        for batch in self.numbers.epoch(epoch, shard):
            rows = batch.targets.tolist()
            if not rows:
                yield Batch(batch.inputs, batch.inputs, batch.lengths, aligned=True)
                continue
            targets = pad_sequence([self.rolls[row].roll(shifts[row], dims=1) for row in rows])
            yield Batch(heard(targets), targets, batch.lengths, aligned=True)


def heard(targets: Tensor) -> Tensor:
    """What sounds one step before: (T, B, N), nothing at the first step."""
    return torch.cat([torch.zeros_like(targets[:1]), targets[:-1]])


def _limits(roll: Tensor, transpose: int, compass: tuple[int, int] | None) -> tuple[int, int]:
    """By how many columns a roll may be moved, (down, up)."""
    first, last = compass or (0, roll.shape[1] - 1)
    used = roll.any(dim=0).nonzero().flatten().tolist()
    if not used or used[0] < first or used[-1] > last:
        return 0, 0
    return max(-transpose, first - used[0]), min(transpose, last - used[-1])

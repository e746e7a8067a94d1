"""A long text as parallel streams for truncated BPTT: the state runs on from batch to batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from throughtime.batch import Batch
from throughtime.data.batches import check_shard

SHIFT = 20  # streams move by at most one part in so many of the text


class TextStreams:
    """Symbols laid side by side in streams; the target of each step is the symbol after it.

    A text of N symbols is cut into `lanes` streams of equal length, and these into batches of `steps` steps.
    Each batch goes on where the one before stopped; each stream begins from a state of its own.

    Training streams start a few symbols further on in some epochs than in others, by seed and epoch alone, so
    that the cuts do not always fall on the same places; what is left over at the ends is left out. Otherwise
    every symbol but the first is a target once: the last stream is padded, and unknown targets do not count.

    Args:
        symbols: (N,) long.
        lanes: Streams side by side, B.
        steps: Steps of a batch, T; the last may have fewer.
        unknown: Number of the unknown symbol.
        seed: Seed of the places where training streams start.
        moving: Whether these are training streams.

    Raises:
        ValueError: an argument is below 1, or a stream would be empty.
    """

    def __init__(
        self, symbols: Tensor, lanes: int, steps: int, *, unknown: int, seed: int = 0, moving: bool = True
    ) -> None:
        if lanes < 1 or steps < 1:
            raise ValueError(f"TextStreams: lanes={lanes} and steps={steps} must be 1 or more.")
        pairs = len(symbols) - 1
        self._room = min(steps - 1, pairs // SHIFT) if moving else 0
        self.length = (pairs - self._room) // lanes if moving else -(-pairs // lanes)
        if self.length < 1:
            raise ValueError(f"TextStreams: {len(symbols)} symbols are too few for {lanes} streams.")
        self.symbols, self.lanes, self.steps = symbols, lanes, steps
        self.unknown, self.seed, self.moving = unknown, seed, moving

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-self.length // self.steps)

    def epoch(self, epoch: int, shard: tuple[int, int] = (0, 1)) -> Iterator[Batch]:
        """Batches of an epoch; with shard (rank, world) this rank's streams, which may be none."""
        rank, world = check_shard(shard)
        lanes = np.array_split(np.arange(self.lanes), world)[rank]
        mine = slice(lanes[0], lanes[-1] + 1) if len(lanes) else slice(0)
        first = 0
        if self.moving:
            first = int(np.random.default_rng([self.seed, epoch]).integers(self._room + 1))
        inputs, targets = (self._lanes(first + ahead)[mine].T for ahead in (0, 1))  # (L, B)
        for start in range(0, self.length, self.steps):
            stop = min(start + self.steps, self.length)
            known = targets[start:stop] != self.unknown
            yield Batch(
                inputs[start:stop].contiguous(),
                targets[start:stop].contiguous(),
                aligned=True,
                mask=None if bool(known.all()) else known,
                continued=stop < self.length,
            )

    def _lanes(self, first: int) -> Tensor:
        """The streams of the symbols from `first` on, padded with the unknown symbol: (B, L)."""
        used = self.symbols[first : first + self.lanes * self.length]
        missing = self.lanes * self.length - len(used)
        if missing:
            used = torch.cat([used, used.new_full((missing,), self.unknown)])
        return used.view(self.lanes, self.length)

"""Batches for training: windows in a shuffled order, or parallel streams for truncated BPTT."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from throughtime.batch import Batch
from throughtime.data.windows import Windows
from throughtime.errors import DataError


class WindowBatches:
    """Batches of windows; the order depends on seed and epoch alone.

    Args:
        windows: Windows with observed targets.
        batch_size: Windows in a global batch; the last may hold fewer.
        seed: Seed of the order.
        shuffle: Draw a new order each epoch; else in the order of time.
    """

    def __init__(self, windows: Windows, batch_size: int, *, seed: int = 0, shuffle: bool = True):
        if batch_size < 1:
            raise ValueError(f"WindowBatches: batch_size={batch_size} must be 1 or more.")
        self.windows = windows
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.windows) // self.batch_size)

    def epoch(self, epoch: int, shard: tuple[int, int] = (0, 1)) -> Iterator[Batch]:
        """Batches of an epoch; with shard (rank, world) this rank's slice of each, which may be empty."""
        rank, world = check_shard(shard)
        order = np.arange(len(self.windows))
        if self.shuffle:
            order = np.random.default_rng([self.seed, epoch]).permutation(len(self.windows))
        for start in range(0, len(order), self.batch_size):
            mine = np.array_split(order[start : start + self.batch_size], world)[rank]
            yield Batch(self.windows.inputs(mine), self.windows.targets(mine))


class StreamBatches:
    """A continuous series as parallel streams, one long aligned batch per epoch.

    The rows are cut into `lanes` stretches of equal length that run side by side; the loop cuts them in
    time and carries the state over. A target that was not observed, lies in a long gap or beyond the rows
    is masked.

    Args:
        windows: Gives table, truth and leads; its `history` plays no part.
        lanes: Streams side by side.
        rows: Rows to use [first, last); None is all. Targets beyond them are masked.
    """

    def __init__(self, windows: Windows, lanes: int, *, rows: tuple[int, int] | None = None):
        first, last = rows or (0, len(windows.series))
        if lanes < 1:
            raise ValueError(f"StreamBatches: lanes={lanes} must be 1 or more.")
        if (last - first) // lanes <= max(windows.leads):
            raise DataError(
                f"{last - first:,} rows in {lanes} streams leave {(last - first) // lanes:,} rows each, "
                f"and the horizon is {max(windows.leads):,}; take fewer streams."
            )
        self.windows = windows
        self.lanes = lanes
        self.length = (last - first) // lanes
        self.rows = (first, last)

    def __len__(self) -> int:
        """Batches in an epoch: one."""
        return 1

    def epoch(self, epoch: int, shard: tuple[int, int] = (0, 1)) -> Iterator[Batch]:
        """The streams, the same in every epoch; with shard (rank, world) this rank's share of them."""
        rank, world = check_shard(shard)
        mine = np.array_split(np.arange(self.lanes), world)[rank]
        first = self.rows[0]
        used = self.windows.table[first : first + self.lanes * self.length]
        lanes = (
            used.view(self.lanes, self.length, -1)[mine[0] : mine[-1] + 1]
            if len(mine)
            else used[:0].view(0, self.length, used.shape[1])
        )
        at = first + mine * self.length + np.arange(self.length)[:, None]  # (T, B)
        targets, mask = self._targets(at)
        yield Batch(lanes.transpose(0, 1), targets, aligned=True, mask=mask)

    def _targets(self, at: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        series, last = self.windows.series, self.rows[1]
        usable = ~np.isnan(series.target) & ~series.broken
        rows = at[:, :, None] + np.asarray(self.windows.leads)  # (T, B, K)
        inside = np.minimum(rows, last - 1)
        good = (rows < last) & usable[inside] & ~series.broken[at][:, :, None]
        truth = np.where(good, series.target[inside], np.float32(self.windows.scaler.target_mean))
        scaled = self.windows.scaler.scale_target(torch.from_numpy(truth.astype(np.float32)))
        return scaled, torch.from_numpy(good)


def check_shard(shard: tuple[int, int]) -> tuple[int, int]:
    """(rank, world) if they fit together. Raises `ValueError`."""
    rank, world = shard
    if world < 1 or not 0 <= rank < world:
        raise ValueError(f"shard={shard} must be (rank, world) with 0 <= rank < world.")
    return rank, world

from __future__ import annotations

import numpy as np
import pytest
import torch

from throughtime.data import PairBatch, PairBatches


def batches(count: int = 300, batch_size: int = 8, **options: object) -> PairBatches:
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 30, count)
    sources = [torch.full((int(n),), row + 1) for row, n in enumerate(sizes)]
    targets = [torch.full((int(n) + row % 3,), row + 1) for row, n in enumerate(sizes)]
    return PairBatches(sources, targets, batch_size, **options)


def test_each_pair_once_and_both_sides_together() -> None:
    made = batches()
    for epoch in (0, 1, 2):
        seen = []
        for batch in made.epoch(epoch):
            assert batch.lengths is not None
            for column, length in enumerate(batch.lengths.tolist()):
                row = int(batch.inputs[0, column]) - 1
                seen.append(row)
                for side, whole in ((batch.inputs, made.sequences[row]), (batch.targets, made.pairs[row])):
                    assert torch.equal(side[: len(whole), column], whole)
                    assert not side[len(whole) :, column].any()
                assert length == len(made.sequences[row])
        assert sorted(seen) == list(range(300))


def test_little_of_either_side_is_padded() -> None:
    for side in ("inputs", "targets"):
        cells = [getattr(batch, side) for batch in batches(count=1_600).epoch(1)]
        padded = sum(int((cell == 0).sum()) for cell in cells) / sum(cell.numel() for cell in cells)
        assert padded < 0.12


def test_what_is_fed_follows_the_epochs() -> None:
    made = batches(truth=(1.0, 0.8, 0.6))
    shares = []
    for epoch in (0, 1, 2, 3, 9):
        batch = next(made.epoch(epoch))
        assert isinstance(batch, PairBatch)
        shares.append(batch.truth)
    assert shares == [1.0, 1.0, 0.8, 0.6, 0.6]


def test_processes_share_each_batch() -> None:
    def rows(made: PairBatches, shard: tuple[int, int] = (0, 1)) -> list[list[int]]:
        return [batch.inputs[0].tolist() for batch in made.epoch(3, shard)]

    halves = [rows(batches(count=17), (rank, 2)) for rank in (0, 1)]
    assert [one + other for one, other in zip(*halves, strict=True)] == rows(batches(count=17))
    empty = list(batches(count=17).epoch(3, (1, 2)))
    assert any(batch.targets.numel() == 0 for batch in empty)


def test_sources_and_targets_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="2 sources and 1 targets"):
        PairBatches([torch.ones(1)] * 2, [torch.ones(1)], 1)

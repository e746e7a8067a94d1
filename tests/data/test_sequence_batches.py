from __future__ import annotations

import numpy as np
import pytest
import torch

from throughtime.data import SequenceBatches


def source(count: int = 300, batch_size: int = 8, **options: object) -> SequenceBatches:
    rng = np.random.default_rng(0)
    sequences = [torch.full((int(n),), row + 1) for row, n in enumerate(rng.integers(1, 60, count))]
    return SequenceBatches(sequences, torch.arange(count), batch_size, **options)


def test_each_sequence_once_in_every_epoch() -> None:
    batches = source()
    for epoch in (0, 1, 2):
        seen = []
        for batch in batches.epoch(epoch):
            assert batch.lengths is not None
            for column, (row, length) in enumerate(zip(batch.targets, batch.lengths, strict=True)):
                assert torch.equal(batch.inputs[:length, column], batches.sequences[row])
                assert not batch.inputs[length:, column].any()
                seen.append(int(row))
        assert sorted(seen) == list(range(300))
        assert len(batches) == 38


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    def order(batches: SequenceBatches, epoch: int) -> list[int]:
        return [int(row) for batch in batches.epoch(epoch) for row in batch.targets]

    assert order(source(), 1) == order(source(), 1)
    assert order(source(), 1) != order(source(), 2)
    assert order(source(), 1) != order(source(seed=1), 1)
    assert order(source(shuffle=False), 1) == order(source(shuffle=False), 2)


def test_little_is_padded() -> None:
    def padded(batches: SequenceBatches) -> float:
        cells = sum(batch.inputs.numel() for batch in batches.epoch(1))
        return 1 - batches.lengths.sum() / cells

    assert padded(source(count=320)) < 0.15
    assert padded(source(count=320, shuffle=False)) < 0.05


def test_processes_share_each_batch() -> None:
    whole = [batch.targets.tolist() for batch in source(count=17).epoch(3)]
    shares = [[batch.targets.tolist() for batch in source(count=17).epoch(3, (rank, 2))] for rank in (0, 1)]
    assert [one + other for one, other in zip(*shares, strict=True)] == whole
    assert any(len(one) == 0 for one in shares[1])


def test_numbers_as_steps() -> None:
    batches = SequenceBatches([torch.ones(2, 3), torch.ones(4, 3)], torch.arange(2), 2)
    batch = next(batches.epoch(1))
    assert batch.inputs.shape == (4, 2, 3)
    assert batch.inputs.sum() == 18


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="batch_size=0"):
        source(batch_size=0)
    with pytest.raises(ValueError, match="2 sequences and 3 targets"):
        SequenceBatches([torch.ones(1), torch.ones(1)], torch.arange(3), 1)


def test_a_sequence_may_be_changed_each_time() -> None:
    def longer(sequence: torch.Tensor, row: int, epoch: int) -> torch.Tensor:
        assert sequence[0] == row + 1
        return torch.cat([sequence, sequence.new_full((epoch,), 999)])

    batches = source(change=longer)
    for epoch in (0, 3):
        for batch in batches.epoch(epoch):
            assert batch.lengths is not None
            for column, (row, length) in enumerate(zip(batch.targets, batch.lengths, strict=True)):
                assert length == len(batches.sequences[row]) + epoch
                assert (batch.inputs[:length, column] == 999).sum() == epoch
                assert not batch.inputs[length:, column].any()

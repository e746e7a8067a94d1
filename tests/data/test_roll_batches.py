from __future__ import annotations

import pytest
import torch

from throughtime.data import RollBatches
from throughtime.data.roll_batches import heard


def rolls(count: int = 30) -> list[torch.Tensor]:
    """Of 1 to 9 steps, each with one note of its own in columns 4 to 8 of 12."""
    made = []
    for number in range(count):
        roll = torch.zeros(1 + number % 9, 12)
        roll[:, 4 + number % 5] = 1
        roll[-1, 6] = 1
        made.append(roll)
    return made


def test_inputs_are_the_steps_before() -> None:
    batches = RollBatches(rolls(), 8, seed=2)
    seen = 0
    for batch in batches.epoch(1):
        assert batch.aligned
        assert batch.lengths is not None
        for column, length in enumerate(batch.lengths.tolist()):
            assert any(torch.equal(batch.targets[:length, column], roll) for roll in rolls())
            assert not batch.targets[length:, column].any()
            assert not batch.inputs[0, column].any()
            assert torch.equal(batch.inputs[1:length, column], batch.targets[: length - 1, column])
            seen += 1
    assert seen == 30
    assert len(batches) == 4
    assert heard(torch.ones(3, 1, 2)).sum(dim=(1, 2)).tolist() == [0, 2, 2]


def test_transposition_stays_in_the_compass_and_depends_on_seed_and_epoch_alone() -> None:
    def sums(epoch: int, seed: int = 0, shard: tuple[int, int] = (0, 1)) -> list[list[float]]:
        batches = RollBatches(rolls(), 30, seed=seed, transpose=4, compass=(3, 9))
        return [column.tolist() for b in batches.epoch(epoch, shard) for column in b.targets.sum(dim=0)]

    found = torch.tensor([sums(epoch) for epoch in range(40)])
    sounding = found.sum(dim=(0, 1)).bool().tolist()
    assert sounding == [3 <= column <= 9 for column in range(12)]
    assert sums(1) == sums(1) != sums(2)
    assert sums(1) != sums(1, seed=1)
    assert sums(1, shard=(0, 2)) + sums(1, shard=(1, 2)) == sums(1)


def test_a_roll_beyond_the_compass_or_without_a_note_stays() -> None:
    wide = torch.zeros(2, 12)
    wide[0, 1] = wide[1, 9] = 1
    high = wide.roll(2, dims=1)
    silent = torch.zeros(3, 12)
    for roll, used in ((wide, [1, 9]), (high, [3, 11])):
        batches = RollBatches([roll, silent], 2, transpose=6, compass=(2, 9))
        for epoch in range(1, 8):
            (batch,) = batches.epoch(epoch)
            assert batch.targets.sum(dim=(0, 1)).nonzero().flatten().tolist() == used


def test_the_range_of_a_shift_is_used_to_both_ends() -> None:
    roll = torch.zeros(1, 12)
    roll[0, 5] = 1
    batches = RollBatches([roll], 1, transpose=2)
    found = {int(b.targets.argmax()) for epoch in range(60) for b in batches.epoch(epoch)}
    assert found == {3, 4, 5, 6, 7}


def test_an_empty_share_of_a_batch() -> None:
    (batch,) = RollBatches(rolls(1), 4).epoch(1, (1, 2))
    assert batch.inputs.shape == batch.targets.shape == (1, 0, 12)


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="transpose=-1 must be 0 or more semitones"):
        RollBatches(rolls(), 4, transpose=-1)
    with pytest.raises(ValueError, match="batch_size=0 must be 1 or more"):
        RollBatches(rolls(), 0)

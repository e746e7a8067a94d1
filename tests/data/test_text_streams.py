from __future__ import annotations

import pytest
import torch

from throughtime.data import TextStreams

UNKNOWN = 1_000


def streams(
    symbols: torch.Tensor, lanes: int, steps: int, *, seed: int = 0, moving: bool = True
) -> TextStreams:
    return TextStreams(symbols, lanes, steps, unknown=UNKNOWN, seed=seed, moving=moving)


def laid(source: TextStreams, epoch: int = 0, shard: tuple[int, int] = (0, 1)) -> tuple[torch.Tensor, ...]:
    """Inputs, targets and mask of a whole epoch, (L, B)."""
    batches = list(source.epoch(epoch, shard))
    assert len(batches) == len(source)
    assert all(batch.aligned for batch in batches)
    assert [batch.continued for batch in batches] == [True] * (len(batches) - 1) + [False]
    masks = [torch.ones_like(b.targets, dtype=torch.bool) if b.mask is None else b.mask for b in batches]
    return tuple(
        torch.cat(parts) for parts in ([b.inputs for b in batches], [b.targets for b in batches], masks)
    )


@pytest.mark.parametrize("lanes", [1, 3, 7])
@pytest.mark.parametrize("count", [23, 100, 101])
def test_every_symbol_but_the_first_is_a_target_once(count: int, lanes: int) -> None:
    text = torch.arange(count)
    inputs, targets, mask = laid(streams(text, lanes, 4, moving=False))
    assert inputs.shape == (-(-(count - 1) // lanes), lanes)
    assert torch.equal(targets[mask].sort().values, text[1:])
    assert torch.equal(inputs[mask] + 1, targets[mask])
    assert torch.equal(inputs[1:][mask[1:]], targets[:-1][mask[1:]]), "each stream runs on without a break"


def test_training_streams_run_side_by_side_and_start_elsewhere_each_epoch() -> None:
    text = torch.arange(500)
    source = streams(text, 4, 20)
    starts = set()
    for epoch in range(1, 12):
        inputs, targets, mask = laid(source, epoch)
        assert mask.all()
        assert torch.equal(targets, inputs + 1)
        assert torch.equal(inputs[1:], inputs[:-1] + 1), "the state runs on over what follows in the text"
        assert torch.equal(inputs[0].diff(), torch.full((3,), len(inputs)))
        assert torch.equal(inputs, laid(source, epoch)[0]), "the same epoch comes the same"
        assert int(targets.max()) <= 499
        starts.add(int(inputs[0, 0]))
    assert len(starts) > 3
    assert starts != {int(laid(streams(text, 4, 20, seed=1), epoch)[0][0, 0]) for epoch in range(1, 12)}


def test_processes_share_the_streams() -> None:
    text = torch.arange(300)
    for source in (streams(text, 5, 16), streams(text, 5, 16, moving=False)):
        whole = laid(source, 3)
        parts = [laid(source, 3, (rank, 2)) for rank in (0, 1)]
        assert [part[0].shape[1] for part in parts] == [3, 2]
        for one, both in zip(whole, zip(*parts, strict=True), strict=True):
            assert torch.equal(one, torch.cat(both, dim=1))
    assert [batch.inputs.numel() for batch in streams(text, 1, 300).epoch(1, (1, 2))] == [0]


def test_unknown_targets_do_not_count() -> None:
    text = torch.tensor([0, 1, UNKNOWN, 2, 3, UNKNOWN, 0])
    inputs, targets, mask = laid(streams(text, 2, 3, moving=False))
    assert sorted(targets[mask].tolist()) == [0, 1, 2, 3]
    assert not mask[targets == UNKNOWN].any()
    assert (inputs == UNKNOWN).any(), "they are read"


@pytest.mark.parametrize(("count", "lanes", "steps"), [(9, 9, 3), (5, 0, 1), (5, 1, 0), (1, 1, 1), (0, 1, 1)])
def test_too_little_to_cut(count: int, lanes: int, steps: int) -> None:
    with pytest.raises(ValueError, match="TextStreams"):
        streams(torch.arange(count), lanes, steps)

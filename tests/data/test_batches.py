import numpy as np
import pytest
import torch
from test_windows import series_with

from throughtime.data import Scaler, StreamBatches, WindowBatches, make_windows
from throughtime.errors import DataError


@pytest.fixture
def windows():
    series = series_with()
    return make_windows(series, Scaler.fit(series, 100), 12, (1, 3))


def numbers(windows, batch):
    """Which windows a batch holds, told by their inputs."""
    everything = windows.inputs()
    return [
        int((everything == one[:, None]).all(dim=2).all(dim=0).nonzero()[0]) for one in batch.inputs.unbind(1)
    ]


def test_every_window_comes_once_in_an_order_of_seed_and_epoch(windows):
    batches = WindowBatches(windows, 16, seed=3)
    assert len(batches) == len(list(batches.epoch(0))) == -(-len(windows) // 16)
    orders = {}
    for seed, epoch in ((3, 0), (3, 1), (4, 0)):
        order = [
            n for batch in WindowBatches(windows, 16, seed=seed).epoch(epoch) for n in numbers(windows, batch)
        ]
        assert sorted(order) == list(range(len(windows)))
        orders[seed, epoch] = order
    assert len({tuple(order) for order in orders.values()}) == 3
    again = [n for batch in batches.epoch(0) for n in numbers(windows, batch)]
    assert again == orders[3, 0]


def test_inputs_and_targets_belong_together(windows):
    for batch in WindowBatches(windows, 50, seed=1).epoch(2):
        assert torch.equal(batch.targets, windows.targets(numbers(windows, batch)))
        assert batch.lengths is None
        assert not batch.aligned


def test_unshuffled_is_the_order_of_time(windows):
    first = next(WindowBatches(windows, 5, shuffle=False).epoch(7))
    assert numbers(windows, first) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("world", [2, 3, 40])
def test_ranks_share_each_global_batch(windows, world):
    batches = WindowBatches(windows, 16, seed=3)
    whole = list(batches.epoch(1))
    shards = [list(batches.epoch(1, (rank, world))) for rank in range(world)]
    for number, batch in enumerate(whole):
        pieces = [shard[number] for shard in shards]
        assert torch.equal(torch.cat([piece.inputs for piece in pieces], dim=1), batch.inputs)
        assert torch.equal(torch.cat([piece.targets for piece in pieces]), batch.targets)
        sizes = [piece.inputs.shape[1] for piece in pieces]
        assert max(sizes) - min(sizes) <= 1


def test_wrong_arguments(windows):
    with pytest.raises(ValueError, match="batch_size=0 must be 1 or more"):
        WindowBatches(windows, 0)
    with pytest.raises(ValueError, match="lanes=0 must be 1 or more"):
        StreamBatches(windows, 0)
    with pytest.raises(ValueError, match=r"shard=\(2, 2\) must be"):
        next(WindowBatches(windows, 8).epoch(0, (2, 2)))
    with pytest.raises(DataError, match="200 rows in 80 streams leave 2 rows each, and the horizon is 3"):
        StreamBatches(windows, 80)
    with pytest.raises(ValueError, match="needs targets that run along time"):
        next(WindowBatches(windows, 8).epoch(0)).steps(0, 1)


def test_streams_are_the_rows_side_by_side():
    series = series_with(missing=[20, 77], gap=(110, 125))
    windows = make_windows(series, Scaler.fit(series, 100), 12, (1, 3))
    streams = StreamBatches(windows, 4, rows=(2, 160))
    (batch,) = streams.epoch(0)
    assert len(streams) == 1
    assert batch.aligned
    assert batch.inputs.shape == (39, 4, len(series.names))
    assert batch.targets.shape == batch.mask.shape == (39, 4, 2)
    assert batch.inputs.untyped_storage().data_ptr() == windows.table.untyped_storage().data_ptr()
    scaled = windows.scaler.scale(series.values)
    for lane in range(4):
        for step in range(39):
            row = 2 + lane * 39 + step
            assert torch.equal(batch.inputs[step, lane], scaled[row])
            for k, lead in enumerate((1, 3)):
                usable = row + lead < 160 and not np.isnan(series.target[row + lead])
                usable = usable and not series.broken[row] and not series.broken[row + lead]
                assert bool(batch.mask[step, lane, k]) == usable
                if usable:
                    assert batch.targets[step, lane, k] == pytest.approx(
                        scaled[row + lead, 0].item(), abs=1e-5
                    )
    assert torch.isfinite(batch.targets).all()
    cut = batch.steps(5, 9)
    assert torch.equal(cut.inputs, batch.inputs[5:9])
    assert torch.equal(cut.targets, batch.targets[5:9])
    assert torch.equal(cut.mask, batch.mask[5:9])


@pytest.mark.parametrize("world", [2, 3, 6])
def test_ranks_share_the_lanes(windows, world):
    streams = StreamBatches(windows, 4)
    (whole,) = streams.epoch(0)
    pieces = [next(streams.epoch(0, (rank, world))) for rank in range(world)]
    for name in ("inputs", "targets", "mask"):
        assert torch.equal(torch.cat([getattr(piece, name) for piece in pieces], dim=1), getattr(whole, name))

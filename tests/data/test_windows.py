import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import frame_of, prepared

from throughtime.data import Scaler, make_windows, part_borders, split_windows
from throughtime.errors import DataError, SettingsError


def series_with(missing: list[int] = (), gap: tuple[int, int] = (0, 0), rows: int = 200):
    """A series with some targets missing and the rows [gap) absent."""
    temp = frame_of(rows)["temp"].to_numpy().copy()
    temp[list(missing)] = np.nan
    frame = frame_of(rows, temp=temp, wind=np.arange(rows) % 7 * 1.0)
    row = pl.int_range(rows)
    return prepared(frame.filter((row < gap[0]) | (row >= gap[1])))[1]


@given(
    st.sets(st.integers(1, 118), max_size=8),
    st.integers(30, 60),
    st.integers(0, 12),
    st.integers(1, 20),
    st.lists(st.integers(1, 10), min_size=1, max_size=4, unique=True),
)
@settings(max_examples=40, deadline=None)
def test_windows_are_the_slices_one_would_take_by_hand(missing, first, length, history, leads):
    leads = tuple(sorted(leads))
    series = series_with(sorted(missing), (first, first + length), rows=120)
    scaler = Scaler.fit(series, 60)
    windows = make_windows(series, scaler, history, leads)
    scaled = scaler.scale(series.values)
    by_hand = []
    for start in range(len(series)):
        last = start + history - 1
        if last + leads[-1] >= len(series) or series.broken[start : last + leads[-1] + 1].any():
            continue
        if not np.isnan(series.target[[last + lead for lead in leads]]).any():
            by_hand.append(start)
    assert windows.starts.tolist() == by_hand
    if not by_hand:
        return
    inputs, targets, truth = windows.inputs(), windows.targets(), windows.truth()
    assert inputs.shape == (history, len(by_hand), len(series.names))
    for number, start in enumerate(by_hand):
        assert torch.equal(inputs[:, number], scaled[start : start + history])
        rows = [start + history - 1 + lead for lead in leads]
        assert (truth[number] == series.target[rows]).all()
        assert torch.allclose(targets[number], scaled[rows, series.target_column], atol=1e-5)
        assert (windows.target_times([number])[0] == series.times[rows]).all()
        assert (windows.target_hours([number])[0] == series.local_hours[rows]).all()


def test_one_window_looks_as_expected():
    series = series_with()
    scaler = Scaler.fit(series, 100)
    windows = make_windows(series, scaler, 24, (1, 6))
    assert len(windows) == 200 - 24 - 6 + 1
    batch = windows.inputs([3, 0])
    assert batch.is_contiguous()
    assert batch.dtype == torch.float32
    assert windows.last_rows([3, 0]).tolist() == [26, 23]
    assert windows.target_rows([3]).tolist() == [[27, 32]]
    assert windows.last_times([3])[0] == series.times[26]
    assert torch.equal(windows.last_values([3, 0]), batch[-1, :, series.target_column])
    assert scaler.unscale_target(windows.last_values([3])).item() == pytest.approx(
        series.target[26], abs=1e-4
    )
    assert scaler.unscale_target(windows.targets()).numpy() == pytest.approx(windows.truth(), abs=1e-4)
    assert torch.equal(windows.inputs(torch.tensor([5])), windows.inputs(slice(5, 6)))


def test_inputs_never_depend_on_later_rows():
    frame = frame_of(200, wind=[None if i % 9 == 0 else i % 7 for i in range(200)])
    __, series = prepared(frame)
    last = 150
    changed = frame.with_columns(
        [
            pl.when(pl.int_range(200) > last).then(pl.col(name) + 3).otherwise(pl.col(name))
            for name in ("temp", "wind")
        ]
    ).filter(pl.int_range(200) != last + 2)
    other = prepared(changed)[1]
    kept = [other.names.index(name) for name in series.names]
    assert (series.values[: last + 1] == other.values[: last + 1][:, kept]).all()
    assert (series.values[last + 1 :, 0] != other.values[last + 1 :, 0]).all()


def test_scaling_is_learnt_from_training_rows_only():
    series = series_with()
    first = Scaler.fit(series, 100)
    series.values[100:] += 50
    assert Scaler.fit(series, 100) == first
    series.values[99, 0] += 50
    assert Scaler.fit(series, 100) != first


def test_scaling_leaves_circles_and_marks_alone_and_holds_constants_at_zero():
    frame = frame_of(
        200, wind_dir=np.arange(200) % 36 * 10.0, wind=[None if i == 150 else i % 7 for i in range(200)]
    )
    _, series = prepared(frame)
    scaler = Scaler.fit(series, 100)
    scaled = scaler.scale(series.values)
    for column, (name, kind) in enumerate(zip(series.names, series.kinds, strict=True)):
        training = scaled[:100, column].numpy()
        if kind == "number":
            assert training.mean() == pytest.approx(0, abs=1e-5)
            assert training.std() == pytest.approx(1, abs=1e-5)
        elif name == "wind missing":
            assert series.values[150, column] == 1
            assert (scaled[:, column] == 0).all()
        else:
            assert (scaled[:, column].numpy() == series.values[:, column]).all()
    assert Scaler.model_validate_json(scaler.model_dump_json()) == scaler
    with pytest.raises(ValueError, match="values has 1 features, expected"):
        scaler.scale(series.values[:, :1])


def test_scaling_ignores_rows_in_long_gaps():
    series = series_with(gap=(40, 60))
    scaler = Scaler.fit(series, 100)
    used = series.values[:100, 0][~series.broken[:100]].astype(np.float64)
    assert scaler.target_mean == pytest.approx(used.mean())
    assert scaler.target_std == pytest.approx(used.std())
    with pytest.raises(DataError, match="all lie in long gaps"):
        Scaler.fit(series_with(missing=list(range(30))), 20)
    series.values[:100, 0] = 4
    with pytest.raises(DataError, match=r"column 'temp' \(the target\) never changes in the first 100 rows"):
        Scaler.fit(series, 100)


def test_windows_without_truth_reach_to_the_last_row():
    series = series_with()
    windows = make_windows(series, Scaler.fit(series, 100), 24, (1, 12), need_truth=False)
    assert windows.last_rows()[-1] == 199
    last = [len(windows) - 1]
    assert np.isnan(windows.truth(last)).all()
    assert windows.target_times(last)[0, 1] - series.times[-1] == np.timedelta64(12, "h")
    assert torch.equal(windows.inputs(last)[-1, 0], windows.table[-1])


def test_known_values_look_back_only():
    series = series_with(gap=(40, 60))
    windows = make_windows(series, Scaler.fit(series, 100), 5, (1,))
    known = windows.known((0, -1, -20))
    rows = windows.last_rows()
    assert (known[:, 0] == series.values[rows, 0]).all()
    assert (known[:, 1] == series.values[rows - 1, 0]).all()
    assert (np.isnan(known[:, 2]) == ((rows < 20) | series.broken[np.maximum(rows - 20, 0)])).all()
    with pytest.raises(ValueError, match="offset 1 lies after the last input"):
        windows.known((1,))


@pytest.mark.parametrize(("history", "leads"), [(0, (1,)), (5, ()), (5, (0,))])
def test_wrong_lengths(history, leads):
    series = series_with()
    with pytest.raises(ValueError, match="must be 1 or more"):
        make_windows(series, Scaler.fit(series, 100), history, leads)


@pytest.mark.parametrize("leads", [(6,), tuple(range(1, 7))])
def test_parts_hold_the_windows_whose_targets_lie_in_them(leads):
    series = series_with()
    parts = split_windows(series, history=24, leads=leads)
    assert parts.borders == (0, 100, 150, 200)
    for number, windows in enumerate((parts.train, parts.validation, parts.test)):
        rows = windows.target_rows()
        assert rows.min() >= parts.borders[number]
        assert rows.max() < parts.borders[number + 1]
        assert windows.table is parts.train.table
    assert parts.validation.starts[0] < 100
    everything = make_windows(series, parts.scaler, 24, leads)
    straddling = 2 * (len(leads) - 1)
    assert len(parts.train) + len(parts.validation) + len(parts.test) == len(everything) - straddling
    assert parts.scaler == Scaler.fit(series, 100)


def test_borders():
    assert part_borders(70129, (0.5, 0.25, 0.25)) == (0, 35064, 52596, 70129)
    assert part_borders(10, (0.7, 0.1, 0.2)) == (0, 7, 8, 10)
    for wrong in ((0.5, 0.5, 0.5), (1.0, 0.0, 0.0), (0.5, 0.5), (1.2, -0.4, 0.2)):
        with pytest.raises(
            SettingsError, match=r"three shares above 0 that sum to 1, such as 0.5,0.25,0.25; got"
        ):
            part_borders(10, wrong)


def test_too_little_data_is_said_with_numbers():
    series = series_with(gap=(40, 60))
    with pytest.raises(
        DataError, match=r"needs 224 rows \(history 200 \+ horizon 24\) and the data have 200; choose"
    ):
        split_windows(series, history=200, leads=(24,))
    with pytest.raises(
        DataError, match=r"needs 154 rows .* longest stretch without a long gap has 140 of 200"
    ):
        split_windows(series, history=130, leads=(24,))
    with pytest.raises(
        DataError, match=r"the training part holds no window: it has 100 rows of 200, a window needs 104"
    ):
        split_windows(series, history=80, leads=(24,))
    with pytest.raises(
        DataError, match=r"the validation part holds no window: it has 20 rows of 200, a window needs 24"
    ):
        split_windows(series_with(), history=20, leads=tuple(range(1, 25)), fractions=(0.5, 0.1, 0.4))
    with pytest.raises(DataError, match="the test part holds no window"):
        split_windows(series_with(missing=list(range(150, 200))), history=5, leads=(1,))

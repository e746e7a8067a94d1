from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import counts, frame_of, prepared, texts

from throughtime.data import PrepareSettings, apply, prepare, read_table
from throughtime.data.grid import lay_grid, native_step
from throughtime.errors import DataError

ZERO = np.datetime64("2013-01-01", "us")


def test_unsorted_rows_are_sorted():
    frame = frame_of(100)
    _, expected = prepared(frame)
    _, series = prepared(frame.sample(fraction=1, shuffle=True, seed=1))
    assert (series.values == expected.values).all()
    assert counts(series, "sorted")[0] > 0
    assert not texts(expected, "sorted")


def test_repeated_times_keep_the_first(write):
    rows = [f"2013-01-01 {h:02d}:00,{h}" for h in range(24)]
    rows.insert(9, "2013-01-01 08:00,77")
    table = read_table(write("time,temp\n" + "\n".join(rows)))
    _, series = prepare(table, PrepareSettings(target="temp"))
    assert series.target[8] == 8
    assert texts(series, "duplicate times") == [
        "1 row with a time that was there before left out (the first is line 11)."
    ]


def test_a_table_that_stands_in_the_file_twice_is_no_two_series():
    frame = frame_of(50)
    _, series = prepared(pl.concat([frame, frame]))
    assert counts(series, "duplicate times") == [50]


@pytest.mark.parametrize("key", [["EWR", "JFK", "LGA"], [11, 22, 33]])
def test_several_series_in_one_table_name_the_column_to_choose_by(key):
    frame = pl.concat(
        [frame_of(50, origin=[one] * 50, temp=np.arange(50.0) + i) for i, one in enumerate(key)]
    )
    first = key[0]
    with pytest.raises(DataError) as caught:
        prepared(frame)
    assert f"holds 3 series (column 'origin': '{first}', " in str(caught.value)
    assert str(caught.value).endswith(f"choose one with --where origin={first}")
    _, series = prepare(read_table(frame, where={"origin": str(key[1])}), PrepareSettings(target="temp"))
    assert series.target[0] == 1


def test_repeated_times_that_no_column_tells_apart():
    frame = frame_of(48).with_columns(time=pl.col("time").dt.date())
    with pytest.raises(DataError, match="46 of 48 rows repeat a time of column 'time', and no column tells"):
        prepared(frame)


def test_rows_go_to_the_nearest_slot():
    times = ZERO + np.array([0, 60, 121, 178, 240, 300 + 29, 360, 420, 480, 540, 600]).astype(
        "timedelta64[m]"
    )
    grid = lay_grid(times, np.zeros(11, np.int64), None, "t")
    assert grid.step == timedelta(hours=1)
    assert grid.slots.tolist() == list(range(11))
    assert [repair.count for repair in grid.repairs] == [3]
    assert "by at most 29 min" in grid.repairs[0].text


def test_a_jittering_clock_still_has_its_step():
    jitter = np.random.default_rng(0).integers(-9, 10, 200)
    times = ZERO + (600 * np.arange(200) + jitter).astype("timedelta64[s]")
    grid = lay_grid(times, np.zeros(200, np.int64), None, "t")
    assert grid.step == timedelta(minutes=10)
    assert grid.slots.tolist() == list(range(200))


def test_of_two_rows_in_a_slot_the_nearer_stays():
    times = ZERO + np.array([0, 60, 110, 125, 180, 240]).astype("timedelta64[m]")
    grid = lay_grid(times, np.zeros(6, np.int64), timedelta(hours=1), "t")
    assert grid.slots.tolist() == [0, 1, -1, 2, 3, 4]
    assert [repair.kind for repair in grid.repairs] == ["moved onto the grid", "two rows a step"]


def test_a_coarser_step_averages_and_a_finer_one_is_refused():
    frame = frame_of(240)
    _, series = prepared(frame, every="6h")
    assert len(series) == 40
    assert np.allclose(series.target, frame["temp"].to_numpy().reshape(40, 6).mean(1), atol=1e-5)
    assert texts(series, "averaged") == ["240 rows averaged into 40 steps of 6 h."]
    with pytest.raises(
        DataError, match=r"the rows are 1 h apart, and --every 30min \(30 min\) is finer; steps of 1 h"
    ):
        prepared(frame, every="30min")


def test_averaged_slots_begin_at_whole_local_units():
    frame = frame_of(240, start="2013-01-01 05:00").with_columns(pl.col("time").dt.replace_time_zone("UTC"))
    _, utc = prepared(frame, every="1d")
    _, there = prepared(frame, every="1d", time_zone="America/New_York")
    assert utc.times[0] == np.datetime64("2013-01-01T00:00", "us")
    assert there.times[0] == np.datetime64("2013-01-01T05:00", "us")


def test_directions_are_averaged_on_the_circle():
    frame = frame_of(200, wind_dir=[350.0, 10.0, 200.0, 160.0] * 50)
    _, series = prepared(frame, every="2h")
    sine, cosine = series.names.index("wind_dir sine"), series.names.index("wind_dir cosine")
    degrees = np.rad2deg(np.arctan2(series.values[:, sine], series.values[:, cosine]))
    assert np.allclose(np.abs(degrees), np.tile([0, 180], 50), atol=1e-4)


def test_one_row_and_wild_times():
    with pytest.raises(DataError, match="the table: holds one row"):
        prepared(frame_of(1))
    frame = frame_of(50)
    wild = frame.with_columns(
        time=pl.when(pl.int_range(50) == 49).then(pl.datetime(2093, 1, 1)).otherwise(pl.col("time"))
    )
    with pytest.raises(
        DataError, match=r"50 rows would leave most of [\d,]+ steps of 1 h empty .*to 2093-01-01"
    ):
        prepared(wild)


def test_new_data_on_another_step():
    recipe, _ = prepared(frame_of(200))
    with pytest.raises(DataError, match=r"the rows are 2 h apart, and the model's step \(1 h\) is finer"):
        apply(recipe, read_table(frame_of(200)[::2]))
    times = np.datetime64("2014-01-01", "us") + np.arange(120) * np.timedelta64(30, "m")
    series = apply(recipe, read_table(frame_of(120).with_columns(time=pl.Series(times))))
    assert len(series) == 60
    assert counts(series, "averaged") == [120]


@given(st.lists(st.integers(0, 400), min_size=2, max_size=40, unique=True))
@settings(max_examples=60)
def test_grid_properties(minutes):
    """Every row sits within half a step of its slot, and no slot has two rows."""
    times = np.sort(ZERO + np.array(minutes).astype("timedelta64[m]"))
    step = native_step(times)
    grid = lay_grid(times, np.zeros(len(times), np.int64), step, "t")
    kept = grid.slots >= 0
    distance = np.abs(grid.times[grid.slots[kept]] - times[kept])
    assert (2 * distance <= np.timedelta64(step)).all()
    assert len(np.unique(grid.slots[kept])) == kept.sum()
    assert (np.diff(grid.times) == np.timedelta64(step)).all()

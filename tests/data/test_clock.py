import numpy as np
import polars as pl
import pytest
from small_tables import counts, frame_of, prepared, texts

from throughtime.data import PrepareSettings, apply, prepare, read_table
from throughtime.errors import DataError

ZONE = "America/New_York"


def text_times(times: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"time": times, "temp": [float(i * i % 17) for i in range(len(times))]})


def local(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """UTC hours as a station with a wall clock writes them."""
    wall = pl.col("time").dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.strftime("%Y-%m-%d %H:%M")
    return frame.with_columns(wall)


def test_different_offsets_are_put_on_utc():
    times = [f"2013-01-01T{h:02d}:00:00+00:00" for h in range(10)]
    times += [f"2013-01-01T{h + 1:02d}:00:00+01:00" for h in range(10, 20)]
    _, series = prepared(text_times(times))
    assert (np.diff(series.times) == np.timedelta64(1, "h")).all()
    assert texts(series, "time zones") == [
        "The times carry different offsets from UTC (+00:00, +01:00); all are put on UTC."
    ]
    assert series.local_hours[[9, 10]].tolist() == [9, 11]


def test_times_with_and_without_a_zone_are_refused(write):
    rows = [f"2013-01-01 {h:02d}:00{'Z' if h < 5 else ''},{h}" for h in range(20)]
    table = read_table(write("time,temp\n" + "\n".join(rows)))
    with pytest.raises(
        DataError, match=r"mixes .* line 2 holds '2013-01-01 00:00Z', line 7 holds '2013-01-01 05:00'"
    ):
        prepare(table, PrepareSettings(target="temp"))


@pytest.mark.parametrize("order", ["up", "down"])
def test_a_double_hour_is_resolved_by_order(order):
    frame = frame_of(300, start="2013-10-28")
    wall = local(frame, ZONE)
    assert wall["time"].n_unique() == 299
    _, series = prepared(wall if order == "up" else wall.reverse(), time_zone=ZONE)
    assert (series.times == frame["time"].to_numpy().astype("datetime64[us]")).all()
    assert np.allclose(series.target, frame["temp"])
    assert counts(series, "double hour") == [2]
    assert not texts(series, "duplicate times")
    assert series.local_hours[:2].tolist() == [20, 21]


def test_a_double_hour_of_ten_minutes_with_a_row_missing():
    times = pl.datetime_range(pl.datetime(2013, 11, 3, 3), pl.datetime(2013, 11, 3, 9), "10m", eager=True)
    frame = pl.DataFrame({"time": times, "temp": np.arange(len(times)) % 7.0}).with_row_index()
    frame = frame.filter(pl.col("index") != 14).drop("index")  # 05:20 UTC, the first 01:20
    _, series = prepared(local(frame, ZONE), time_zone=ZONE)
    missing = series.times[np.isnan(series.target)]
    assert missing.tolist() == [np.datetime64("2013-11-03T05:20", "us").item()]


def test_without_a_zone_the_double_hour_is_a_duplicate_that_names_the_cure():
    _, series = prepared(local(frame_of(300, start="2013-10-28"), ZONE))
    (text,) = texts(series, "duplicate times")
    assert text.startswith("1 row with a time that was there before left out")
    assert "--time-zone" in text
    other = frame_of(300).with_columns(pl.col("time").dt.strftime("%Y-%m-%d %H:%M"))
    _, series = prepared(pl.concat([other, other[50:51].with_columns(temp=99.0)]))
    assert "--time-zone" not in texts(series, "duplicate times")[0]


def test_times_that_spring_skips_are_left_out_and_said():
    frame = frame_of(100, start="2013-03-09").with_columns(pl.col("time").dt.strftime("%Y-%m-%d %H:%M"))
    _, series = prepared(frame, time_zone=ZONE)
    (text,) = texts(series, "times that do not exist")
    assert text.startswith("1 row left out")
    assert "Etc/GMT-1" in text
    assert len(series) == 99


def test_an_unknown_zone():
    with pytest.raises(DataError, match="time zone 'Mars/Olympus' is unknown; use a name such as"):
        prepared(frame_of(50), time_zone="Mars/Olympus")


def test_local_hours_of_utc_times_follow_the_zone():
    frame = frame_of(48).with_columns(pl.col("time").dt.replace_time_zone("UTC"))
    _, utc = prepared(frame)
    _, there = prepared(frame, time_zone=ZONE)
    assert utc.local_hours[:3].tolist() == [0, 1, 2]
    assert there.local_hours[:3].tolist() == [19, 20, 21]
    assert (utc.times == there.times).all()


def test_new_data_must_have_a_zone_if_the_old_had_one():
    zoned = frame_of(48).with_columns(pl.col("time").dt.replace_time_zone("UTC"))
    recipe, _ = prepared(zoned)
    with pytest.raises(
        DataError, match="has times without a zone, and the model was fitted on times with one"
    ):
        apply(recipe, read_table(frame_of(48)))
    recipe, _ = prepared(frame_of(48))
    with pytest.raises(
        DataError, match="has times with a zone, and the model was fitted on times without one"
    ):
        apply(recipe, read_table(zoned))

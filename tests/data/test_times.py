from datetime import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tables import frame_of, prepared, texts

from throughtime.data import PrepareSettings, Recipe, apply, prepare, read_table
from throughtime.data.times import TimeStyle, guess_kind, read_times
from throughtime.errors import DataError

EXPECTED = np.datetime64("2013-01-31T06:05:00", "us")


def read_one(text: str) -> np.datetime64:
    cells = pl.Series("t", [text])
    kind, share = guess_kind(cells)
    assert share == 1
    return read_times(cells, TimeStyle(kind=kind)).wall[0]


@pytest.mark.parametrize(
    "text",
    [
        "2013-01-31 06:05",
        "2013-01-31T06:05:00",
        "2013-01-31T06:05:00Z",
        "2013-01-31 06:05:00+02:00",
        "2013-01-31 06:05:00.000000",
        "2013/01/31 06:05",
        "31.01.2013 06:05",
        "31.01.2013 06:05:00",
        "31.1.13 6:05",
        "31/01/2013 06:05",
        "01/31/2013 06:05",
        "1/31/2013 6:05 AM",
        "201301310605",
        "20130131T060500Z",
    ],
)
def test_forms(text):
    assert read_one(text) == EXPECTED


def test_dates_fractions_midnight_and_noon():
    assert read_one("2013-01-31") == np.datetime64("2013-01-31", "us")
    assert read_one("2013-01-31T06") == np.datetime64("2013-01-31T06", "us")
    assert read_one("20130131") == np.datetime64("2013-01-31", "us")
    assert read_one("2013-01-31 06:05:00.25") == EXPECTED + np.timedelta64(250, "ms")
    assert read_one("2013-01-31 24:00") == np.datetime64("2013-02-01", "us")
    assert read_one("1/31/2013 12:05 AM") == np.datetime64("2013-01-31T00:05", "us")
    assert read_one("1/31/2013 12:05 PM") == np.datetime64("2013-01-31T12:05", "us")


@pytest.mark.parametrize(
    "text", ["2013-02-29 00:00", "2013-13-01", "2013-01-31 24:01", "2013-01-00", "2013-01-01 05:60"]
)
def test_dates_that_are_not_in_the_calendar(text):
    assert np.isnat(read_one(text))


@given(st.datetimes(min_value=datetime(1000, 1, 1)))
def test_iso_text_reads_back(moment):
    assert read_one(moment.isoformat(sep=" ")) == np.datetime64(moment, "us")


@pytest.mark.parametrize(("unit", "scale"), [("s", 1), ("ms", 1000), ("us", 10**6), ("ns", 10**9)])
def test_unix_times(unit, scale):
    seconds = np.datetime64("2013-01-31T06:05", "s").astype(int)
    cells = pl.Series("t", [int(seconds) * scale, int(seconds + 1) * scale])
    kind, _ = guess_kind(cells)
    assert kind == "epoch"
    times = read_times(cells, TimeStyle(kind=kind))
    assert (times.wall - EXPECTED).tolist() == [np.timedelta64(0, "us").item(), np.timedelta64(1, "s").item()]
    assert (times.offset == 0).all()


def dated(cells: list[str], **more: object) -> pl.DataFrame:
    return pl.DataFrame({"time": cells, "temp": [float(i * i % 17) for i in range(len(cells))], **more})


def test_day_and_month_are_told_apart_by_numbers_above_12():
    months_first = dated([f"01/{d:02d}/2013" for d in range(1, 29)])
    days_first = dated([f"{d:02d}/01/2013" for d in range(1, 29)])
    a, b = prepared(months_first), prepared(days_first)
    assert (a[1].times == b[1].times).all()
    assert (a[0].time_style.day_first, b[0].time_style.day_first) == (False, True)


def test_undecidable_and_contradicting_dates():
    with pytest.raises(
        DataError, match="row 1: column 'time': '01/01/2013' may have the day or the month first"
    ):
        prepared(dated([f"{d:02d}/01/2013" for d in range(1, 10)]))
    with pytest.raises(
        DataError, match=r"row 3: .*'01/20/2013' has the month first, '20/01/2013' has the day first"
    ):
        prepared(dated(["01/01/2013", "20/01/2013", "01/20/2013"]))


def test_new_data_keep_the_learnt_order_of_day_and_month():
    recipe, _ = prepared(dated([f"{d:02d}/01/2013" for d in range(1, 29)]))
    new = read_table(dated([f"{d:02d}/02/2014" for d in range(1, 6)]))
    series = apply(Recipe.model_validate_json(recipe.model_dump_json()), new)
    assert series.times[-1] == np.datetime64("2014-02-05", "us")


def test_dots_mean_day_first():
    _, series = prepared(dated([f"{d:02d}.01.2013" for d in range(1, 10)]))
    assert series.times[1] == np.datetime64("2013-01-02", "us")


def test_the_full_timestamp_is_preferred_and_said():
    frame = frame_of(60).with_columns(pl.col("time").dt.strftime("%Y-%m-%d %H:%M"))
    frame = frame.with_columns(date=pl.col("time").str.head(10)).select("date", "temp", "time")
    _, series = prepared(frame)
    assert texts(series, "time column") == [
        "The time is read from 'time'; 'date' could be read as times too."
    ]


def test_date_and_time_of_day_columns_together():
    frame = frame_of(60)
    split = frame.select(
        "temp", Date=pl.col("time").dt.strftime("%d/%m/%Y"), Time=pl.col("time").dt.strftime("%H.%M.%S")
    ).with_columns(pl.col("Date").str.replace("2013", "2013"))
    late = split.with_columns(
        Date=pl.when(pl.col("Date").str.starts_with("03")).then(pl.lit("13/01/2013")).otherwise("Date")
    )
    recipe, series = prepared(late)
    assert recipe.time_columns == ("Date", "Time")
    assert series.times[5] == np.datetime64("2013-01-01T05:00", "us")


def test_year_month_day_hour_columns_together():
    frame = frame_of(60)
    parts = frame.select(
        "temp",
        **{
            name: getattr(pl.col("time").dt, name)().cast(pl.Int64)
            for name in ("year", "month", "day", "hour")
        },
    )
    recipe, series = prepared(parts)
    assert recipe.time_columns == ("year", "month", "day", "hour")
    assert (series.times == frame["time"].to_numpy().astype("datetime64[us]")).all()


def test_no_time_column():
    with pytest.raises(
        DataError, match=r"no column holds times; name it with --time COLUMN \(the columns are 'temp'"
    ):
        prepared(frame_of(10).select("temp"))
    with pytest.raises(DataError, match="no column 'when' \\(named as the time column\\)"):
        prepared(frame_of(10), time="when")
    with pytest.raises(
        DataError, match=r"column 'temp', named as the time column, holds 10\.0, which is no time"
    ):
        prepared(frame_of(10), time="temp")


def test_a_cell_that_is_no_time_names_its_line(write):
    lines = ["time,temp"] + [f"2013-01-01 {h:02d}:00,{h}" for h in range(24)]
    lines += [f"2013-01-02 {h:02d}:00,{h}" for h in range(24)]
    lines[30] = "2013-02-30 05:00,3"
    with pytest.raises(
        DataError, match=r"weather.csv line 31: column 'time' holds '2013-02-30 05:00' where a time"
    ):
        prepare(read_table(write("\n".join(lines))), PrepareSettings(target="temp"))
    lines[30] = ",3"
    with pytest.raises(
        DataError, match=r"weather.csv line 31: column 'time' is empty where a time is expected"
    ):
        prepare(read_table(write("\n".join(lines))), PrepareSettings(target="temp"))

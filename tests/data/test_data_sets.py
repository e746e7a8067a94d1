"""The shipped weather, the whole New York file, and eight years of Jena."""

import gzip
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from small_tables import counts, texts

from throughtime.data import PrepareSettings, prepare, read_table, split_windows, weather
from throughtime.errors import DataError

JENA = "jena_climate/jena_hourly_2009_2016_6vars.csv.gz"
NYC = "nyc_weather_2013/weather.csv.gz"
ZONE = "America/New_York"


def persistence(windows) -> float:
    guess = windows.known((0,))
    return float(np.abs(guess - windows.truth()).mean())


def test_shipped_weather():
    table = weather()
    assert table.frame.height == 8706
    assert table.frame["pressure"].null_count() == 831
    recipe, series = prepare(table, PrepareSettings(target="temp", time_zone=ZONE))
    assert [rule.name for rule in recipe.columns if rule.kind == "angle"] == ["wind_dir"]
    assert counts(series, "sentinel") == counts(series, "outlier") == []
    assert "Left out 4 columns (repeats the time): year, month, day, hour." in texts(series, "left out")
    assert len(series) == 8730
    assert not series.broken.any()
    assert series.local_hours[0] == 1
    assert len(split_windows(series, history=120, leads=(24,)).test) == 2169


@pytest.mark.data
def test_shipped_weather_is_that_of_the_source(datasets):
    source = read_table(datasets / NYC, where={"origin": "JFK"}).frame.drop("origin", "time_hour")
    assert source.cast(pl.Float64).equals(weather().frame.drop("time_hour").cast(pl.Float64))


@pytest.mark.data
def test_new_york_holds_three_stations(datasets):
    with pytest.raises(
        DataError, match=r"weather.csv.gz: holds 3 series \(column 'origin': 'EWR', 'JFK', 'LGA'\)"
    ):
        prepare(read_table(datasets / NYC), PrepareSettings(target="temp"))


@pytest.mark.data
@pytest.mark.parametrize(
    ("station", "rows", "slots", "pressure"), [("EWR", 8703, 27, 935), ("JFK", 8706, 24, 831)]
)
def test_new_york_stations(datasets, station, rows, slots, pressure):
    table = read_table(datasets / NYC, where={"origin": station})
    assert table.frame.height == rows
    recipe, series = prepare(table, PrepareSettings(target="temp", time_zone=ZONE))
    assert recipe.time_columns == ("time_hour",)
    assert counts(series, "missing rows") == [slots]
    assert pressure in counts(series, "missing values")
    outliers = texts(series, "outlier")
    if station == "EWR":
        assert counts(series, "calm") == [586]
        assert len(outliers) == 1
        assert "wind_speed: 1048.36058 in line 1011 is impossible" in outliers[0]
    else:
        assert outliers == []
    assert not texts(series, "sentinel")


@pytest.mark.data
def test_new_york_local_times_repeat_an_hour_in_november(datasets):
    frame = read_table(datasets / NYC, where={"origin": "JFK"}).frame
    wall = frame.select("temp", time=pl.format("{}-{}-{} {}:00", "year", "month", "day", "hour"))
    _, series = prepare(read_table(wall), PrepareSettings(target="temp", time_zone=ZONE))
    assert counts(series, "double hour") == [2]
    assert not texts(series, "duplicate times")
    _, utc = prepare(read_table(frame), PrepareSettings(target="temp", time_zone=ZONE))
    assert (series.times == utc.times).all()
    assert np.array_equal(series.target, utc.target, equal_nan=True)
    _, naive = prepare(read_table(wall), PrepareSettings(target="temp"))
    assert "--time-zone" in texts(naive, "duplicate times")[0]


@pytest.mark.data
def test_jena_persistence_is_that_of_the_book(datasets):
    table = read_table(datasets / JENA)
    assert table.frame.height == 70_037 + 1
    _, series = prepare(table, PrepareSettings(target="T (degC)"))
    assert series.unit == "degC"
    assert series.broken.sum() == 90
    assert counts(series, "missing rows") == [91]
    assert not texts(series, "sentinel") + texts(series, "outlier")
    assert "by at most 30 min" in texts(series, "moved onto the grid")[0]
    parts = split_windows(series, history=120, leads=(24,))
    assert round(persistence(parts.validation), 2) == pytest.approx(2.44, abs=0.011)
    assert round(persistence(parts.test), 2) == pytest.approx(2.62)


@pytest.mark.data
def test_jena_with_the_sentinels_it_once_had(datasets, tmp_path):
    lines = gzip.decompress((datasets / JENA).read_bytes()).decode().split("\n")
    for number in range(30_000, 30_018):
        cells = lines[number].split(",")
        cells[5] = "-9999.00"
        lines[number] = ",".join(cells)
    path = tmp_path / "jena.csv"
    path.write_text("\n".join(lines))
    _, series = prepare(read_table(path), PrepareSettings(target="T (degC)"))
    assert texts(series, "sentinel")[0].startswith(
        "wv (m/s): -9999 appears 18 times and the rest is 0 to 13.59"
    )
    assert "wv (m/s) missing" in series.names


MEMORY = """
import resource, numpy as np
from throughtime.data import Scaler, Series, WindowBatches, split_windows
from datetime import timedelta
rows, columns = 420_000, 14
values = np.random.default_rng(0).normal(size=(rows, columns)).astype(np.float32)
series = Series(
    times=np.datetime64("2009-01-01", "us") + np.arange(rows) * np.timedelta64(600, "s"),
    local_hours=np.zeros(rows, np.int64), values=values, names=tuple("abcdefghijklmn"),
    kinds=("number",) * columns, target=values[:, 0].copy(), target_column=0,
    broken=np.zeros(rows, bool), step=timedelta(minutes=10), unit="",
)
next(WindowBatches(split_windows(series, history=10, leads=(1,)).train, 32).epoch(0))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
parts = split_windows(series, history=720, leads=(144,))
held = parts.train.table.nbytes + sum(p.starts.nbytes for p in (parts.train, parts.validation, parts.test))
batches = iter(WindowBatches(parts.train, 32).epoch(0))
for _ in range(20):
    batch = next(batches)
assert batch.inputs.shape == (720, 32, columns)
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
print(held / values.nbytes, grown / values.nbytes)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts in other units elsewhere")
def test_windows_of_720_steps_over_420_000_rows_are_views():
    run = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    held, grown = map(float, run.stdout.split())
    assert held < 1.2
    assert grown < 2

import numpy as np
import pytest
from small_tables import counts, frame_of, prepared, texts

from throughtime.data import apply, prepare, read_table
from throughtime.data.recipe import PrepareSettings
from throughtime.data.strays import find_strays, is_code

N = 3000


def drawn(name: str, rng: np.random.Generator) -> np.ndarray:
    wet = rng.random(N) > 0.9
    return {
        "temperature": (9 + 8 * rng.normal(size=N)).round(1),
        "pressure": (990 + 8 * rng.normal(size=N)).round(1),
        "wind": np.abs(rng.normal(0, 3, N)).round(2),
        "rain": np.where(wet, rng.gamma(0.5, 3, N), 0).round(1),
        "cloudburst": np.where(wet, rng.lognormal(-1, 1.5, N), 0).round(1),
        "pareto": rng.pareto(1, N),
        "cauchy": rng.standard_cauchy(N),
        "direction": np.where(rng.random(N) < 0.1, 0, rng.integers(1, 37, N) * 10.0),
        "humidity": np.minimum(100, rng.normal(90, 15, N)).round(0),
        "flag": (rng.random(N) < 0.01) * 1.0,
        "count": rng.poisson(0.05, N) * 1.0,
        "sun": np.maximum(0, np.sin(np.arange(N) / 3.8) * 800).round(0),
        "machine": np.where(rng.random(N) < 0.3, 10, rng.normal(1000, 10, N)),
        "visibility": np.minimum(10, rng.exponential(30, N)).round(1),
        "walk": np.cumsum(rng.normal(0, 1, N)),
    }[name]


NATURAL = [
    "temperature",
    "pressure",
    "wind",
    "rain",
    "cloudburst",
    "pareto",
    "cauchy",
    "direction",
    "humidity",
    "flag",
    "count",
    "sun",
    "machine",
    "visibility",
    "walk",
]


@pytest.mark.parametrize("name", NATURAL)
def test_natural_values_are_left_alone(name):
    for seed in range(8):
        found = find_strays(drawn(name, np.random.default_rng(seed)))
        assert (found.sentinels, found.outliers, found.suspicious) == ({}, {}, {}), seed


@pytest.mark.parametrize("name", ["temperature", "pressure", "wind", "rain", "direction"])
@pytest.mark.parametrize(
    ("value", "count"), [(-9999.0, 3), (-9999.0, 2000), (9999.0, 20), (-99.9, 20), (-200.0, 300)]
)
def test_sentinels_are_found_with_their_count(name, value, count):
    rng = np.random.default_rng(5)
    column = drawn(name, rng)
    column[rng.choice(N, count, replace=False)] = value
    assert find_strays(column).sentinels == {value: count}


def test_two_sentinels_and_an_outlier():
    column = drawn("wind", np.random.default_rng(1))
    column[:6] = -9999, -9999, -9999, -8888, -8888, -8888
    column[9] = 1048.36
    found = find_strays(column)
    assert found.sentinels == {-9999: 3, -8888: 3}
    assert found.outliers == {1048.36: 1}
    assert found.low < 0
    assert 20 < found.high < 1048


def test_a_value_that_is_no_usual_code():
    column = drawn("temperature", np.random.default_rng(1))
    column[:5] = 500.0
    assert find_strays(column).sentinels == {500: 5}


def test_a_lone_value_is_impossible_only_ten_ranges_away():
    column = drawn("temperature", np.random.default_rng(1))
    reach = column.max() - column.min()
    for ranges, found in ((5, {}), (12, {round(12 * reach): 1})):
        column[7] = round(ranges * reach)
        assert find_strays(column).outliers == found


def test_a_sentinel_of_another_column_needs_a_smaller_gap():
    column = np.random.default_rng(1).normal(600, 120, N).round(0)
    column[:5] = -321.0
    assert find_strays(column).sentinels == {}
    assert find_strays(column, frozenset([-321.0])).sentinels == {-321: 5}


def test_zeros_far_from_the_rest_are_only_suspicious():
    column = drawn("pressure", np.random.default_rng(1))
    column[:5] = 0
    found = find_strays(column)
    assert (found.suspicious, found.sentinels) == ({0: 5}, {})


@pytest.mark.parametrize("value", [-9999, -999.9, 99, 9999.0, -200, 32767, 1e20, -1e30])
def test_codes(value):
    assert is_code(value)


@pytest.mark.parametrize("value", [0, 360, 100, 200, 9, -1, 1000, 998.9])
def test_no_codes(value):
    assert not is_code(value)


def wind_with(values: list[float], rows: int = 400) -> np.ndarray:
    wind = np.abs(np.random.default_rng(2).normal(0, 3, rows)).round(2)
    wind[50 : 50 + 2 * len(values) : 2] = values
    return wind


def test_sentinels_are_reported_and_missing(write):
    frame = frame_of(400, wind=wind_with([-9999] * 4))
    table = read_table(frame)
    recipe, series = prepare(table, PrepareSettings(target="temp"))
    (text,) = texts(series, "sentinel")
    assert text.startswith("wind: -9999 appears 4 times and the rest is 0")
    assert "--keep-sentinels" in text
    assert counts(series, "missing values") == [4]
    wind, mark = (series.values[:, series.names.index(name)] for name in ("wind", "wind missing"))
    assert np.flatnonzero(mark).tolist() == [50, 52, 54, 56]
    assert (wind[[50, 52]] == wind[[49, 51]]).all()
    new = apply(recipe, read_table(frame[:60]))
    assert counts(new, "sentinel") == [4]


def test_keep_sentinels_leaves_them_in():
    _, series = prepared(frame_of(400, wind=wind_with([-9999] * 4)), keep_sentinels=True)
    assert "kept as asked" in texts(series, "sentinel")[0]
    assert (series.values[:, series.names.index("wind")] == -9999).sum() == 4
    assert "wind missing" not in series.names


def test_a_lone_impossible_value_names_its_line(write):
    frame = frame_of(400, wind=wind_with([1048.36]))
    path = write(frame.write_csv())
    _, series = prepare(read_table(path), PrepareSettings(target="temp"))
    (text,) = texts(series, "outlier")
    assert text.startswith("wind: 1048.36 in line 52 is impossible beside the others (the rest is 0")
    assert series.values.max() < 100


def test_a_sentinel_in_the_target_is_no_truth():
    temp = frame_of(400)["temp"].to_numpy().copy()
    temp[[60, 70, 80]] = -9999
    _, series = prepared(frame_of(400, temp=temp))
    assert np.flatnonzero(np.isnan(series.target)).tolist() == [60, 70, 80]
    assert series.values[:, series.target_column].min() > 0


def test_new_sentinels_in_new_data_are_known_by_the_range():
    recipe, _ = prepared(frame_of(400, wind=wind_with([])))
    series = apply(recipe, read_table(frame_of(400, wind=wind_with([-999, 9999]))))
    assert counts(series, "sentinel") == [2]
    assert "wind missing" not in series.names


def test_infinities_are_missing():
    _, series = prepared(frame_of(400, wind=wind_with([np.inf, -np.inf])))
    assert texts(series, "infinite") == ["wind: 2 infinite values treated as missing."]
    assert np.isfinite(series.values).all()

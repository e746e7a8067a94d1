import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import counts, frame_of, hourly, prepared, texts

from throughtime.data import PrepareSettings, Recipe, apply, prepare, read_table
from throughtime.data.fill import broken_rows, carry_forward, run_lengths
from throughtime.errors import DataError

NAN = float("nan")


def column(series, name):
    return series.values[:, series.names.index(name)]


def test_a_clean_table_is_passed_on_as_it_is():
    frame = frame_of(200, wind=np.arange(200) * 7 % 31 / 2)
    recipe, series = prepared(frame)
    assert series.names == ("temp", "wind", "time of day sine", "time of day cosine")
    assert series.kinds == ("number", "number", "time", "time")
    assert np.allclose(series.target, frame["temp"])
    assert (series.values[:, 0] == series.target).all()
    assert not series.broken.any()
    assert series.repairs == []
    assert series.values.dtype == series.target.dtype == np.float32
    assert recipe.features == series.names
    assert len(series) == 200


def test_the_recipe_survives_json_and_gives_the_same_series():
    frame = frame_of(
        300, wind=[None if i % 50 == 7 else i % 13 for i in range(300)], wd=np.arange(300) % 36 * 10
    )
    frame = frame.filter(pl.int_range(300) != 100)
    recipe, series = prepared(frame)
    text = recipe.model_dump_json()
    again = Recipe.model_validate(json.loads(text))
    assert again == recipe
    other = apply(again, read_table(frame))
    for name in ("values", "target", "broken", "times", "local_hours"):
        assert np.array_equal(getattr(other, name), getattr(series, name), equal_nan=name == "target"), name
    assert (other.names, other.kinds, other.unit, other.step) == (
        series.names,
        series.kinds,
        series.unit,
        series.step,
    )


def test_statistics_come_from_the_training_share_alone():
    rng = np.random.default_rng(0)
    wind = rng.normal(5, 1, 400).round(3)
    wind[rng.choice(400, 40, replace=False)] = NAN
    late = wind.copy()
    late[200:] = late[200:] + 100
    before, after = prepared(frame_of(400, wind=wind))[0], prepared(frame_of(400, wind=late))[0]
    rule = dict(zip([c.name for c in before.columns], before.columns, strict=True))["wind"]
    other = dict(zip([c.name for c in after.columns], after.columns, strict=True))["wind"]
    assert rule.fill == other.fill == pytest.approx(np.nanmedian(wind[:200]))


def test_columns_left_out_are_named_with_the_reason():
    frame = frame_of(
        200,
        station=["A"] * 200,
        same=[3.0] * 200,
        late=[1.0] * 100 + [float(i % 7) for i in range(100)],
        empty=[None] * 200,
        sparse=[float(i) if i % 3 == 0 else None for i in range(200)],
        nr=list(range(5, 205)),
        hour=[t.hour for t in hourly(200)],
        unix=[i * 3600.0 + 1e9 for i in range(200)],
        made=hourly(200),
        skip=[float(i % 11) for i in range(200)],
        used=[float(i % 5) for i in range(200)],
    )
    recipe, series = prepared(frame, ignore=("skip",), time="time")
    assert [rule.name for rule in recipe.columns] == ["temp", "used"]
    assert set(texts(series, "left out")) == {
        "Left out 1 column (text): station.",
        "Left out 2 columns (constant in the training rows): same, late.",
        "Left out 1 column (empty): empty.",
        "Left out 1 column (more than half missing in the training rows): sparse.",
        "Left out 1 column (only numbers the rows): nr.",
        "Left out 1 column (repeats the time): hour.",
        "Left out 1 column (repeats the time): unix.",
        "Left out 1 column (another time): made.",
        "Left out 1 column (ignored): skip.",
    }


def test_asked_columns_only():
    frame = frame_of(200, a=np.arange(200) % 7, b=np.arange(200) % 5, note=["x"] * 200)
    recipe, _ = prepared(frame, columns=("b",))
    assert [rule.name for rule in recipe.columns] == ["temp", "b"]
    with pytest.raises(DataError, match=r"column 'note', named in columns, cannot be an input: text"):
        prepared(frame, columns=("note",))
    with pytest.raises(DataError, match=r"no column 'c' \(named in columns\)"):
        prepared(frame, columns=("c",))
    with pytest.raises(DataError, match=r"no column 'c' \(named in ignore\)"):
        prepared(frame, ignore=("c",))


def test_targets_that_will_not_do(write):
    with pytest.raises(
        DataError, match=r"the table: no column 'heat' \(the target\); the columns are 'time', 'temp'"
    ):
        prepared(frame_of(50), target="heat")
    with pytest.raises(DataError, match=r"column 'temp' \(the target\) is 4 in all 25 training rows"):
        prepared(frame_of(50, temp=[4.0] * 50))
    with pytest.raises(DataError, match=r"column 'temp' \(the target\) is 4 in all 25 training rows"):
        prepared(frame_of(50, temp=[4.0] * 25 + [5.0] * 25))
    with pytest.raises(DataError, match=r"column 'temp' \(the target\) has no value in the training rows"):
        prepared(frame_of(50, temp=[None] * 30 + [float(i) for i in range(20)]))
    with pytest.raises(DataError, match=r"column 'time' is the time; choose another target"):
        prepared(frame_of(50), target="time")
    with pytest.raises(DataError, match=r"column 'temp' cannot be both target and ignored"):
        prepared(frame_of(50), ignore=("temp",))
    path = write("time,temp\n" + "".join(f"2013-01-{d:02d},{'warm' if d % 2 else d}\n" for d in range(1, 29)))
    with pytest.raises(
        DataError, match=r"weather.csv line 2: column 'temp' \(the target\) holds 'warm' where numbers"
    ):
        prepare(read_table(path), PrepareSettings(target="temp"))


def test_settings_are_checked():
    with pytest.raises(ValueError, match="training_share must be above 0"):
        prepared(frame_of(50), training_share=0.0)
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        PrepareSettings(target="temp", tme="x")
    with pytest.raises(ValueError, match="'often' is not a length of time"):
        prepared(frame_of(50), every="often")


def test_huge_values_do_not_overflow():
    with pytest.raises(
        DataError, match=r"row 41: column 'wind' holds 1e\+300, beyond what a 32-bit number holds"
    ):
        prepared(frame_of(200, wind=[1e300 if i == 40 else i % 7 for i in range(200)]), keep_sentinels=True)


def test_missing_rows_are_filled_marked_and_told():
    frame = frame_of(200, wind=np.arange(200) % 7).filter(~pl.int_range(200).is_in([50, 51, 90]))
    _, series = prepared(frame)
    assert np.flatnonzero(column(series, "row missing")).tolist() == [50, 51, 90]
    assert np.flatnonzero(np.isnan(series.target)).tolist() == [50, 51, 90]
    assert (column(series, "temp")[[50, 51]] == column(series, "temp")[49]).all()
    assert "wind missing" not in series.names
    assert texts(series, "missing rows") == [
        "3 steps without a row (longest gap: 2 h); gaps up to 6 h carry the last values forward."
    ]
    assert not series.broken.any()


@pytest.mark.parametrize(("gap", "broken"), [(6, 0), (7, 7)])
def test_long_gaps_are_broken(gap, broken):
    rows = pl.int_range(200)
    _, whole = prepared(frame_of(200).filter((rows < 100) | (rows >= 100 + gap)))
    temp = frame_of(200)["temp"].to_numpy().copy()
    temp[100 : 100 + gap] = NAN
    _, target = prepared(frame_of(200, temp=temp))
    for series in (whole, target):
        assert np.flatnonzero(series.broken).tolist() == list(range(100, 100 + broken))
        assert counts(series, "long gaps") == ([broken] if broken else [])
        assert ("row missing" in series.names or "temp missing" in series.names) == (broken == 0)


def test_max_gap_is_taken_from_the_settings():
    frame = frame_of(200).filter((pl.int_range(200) < 100) | (pl.int_range(200) >= 103))
    assert prepared(frame, max_gap="3h")[1].broken.sum() == 0
    assert prepared(frame, max_gap="2h")[1].broken.sum() == 3


def test_other_columns_are_carried_on_then_take_the_training_median():
    wind = np.arange(200) % 7 * 1.0
    wind[103:113] = NAN
    recipe, series = prepared(frame_of(200, wind=wind))
    assert not series.broken.any()
    assert column(series, "wind")[103:113].tolist() == [wind[102]] * 6 + [np.median(wind[:100])] * 4
    assert np.flatnonzero(column(series, "wind missing")).tolist() == list(range(103, 113))
    assert recipe.columns[1].fill == np.median(wind[:100])


def test_rows_before_the_first_target_are_broken():
    temp = frame_of(200)["temp"].to_numpy().copy()
    temp[:3] = NAN
    assert np.flatnonzero(prepared(frame_of(200, temp=temp))[1].broken).tolist() == [0, 1, 2]


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 5))
@settings(max_examples=100)
def test_filling_looks_back_only(observed, limit):
    values = np.where(observed, np.arange(len(observed)) + 1.0, np.nan)
    filled = carry_forward(values, limit, beyond=-1.0)
    for row in range(len(observed)):
        past = [i for i in range(row, max(-1, row - limit - 1), -1) if observed[i]]
        assert filled[row] == (values[past[0]] if past else -1)
        assert (carry_forward(values[: row + 1], limit, -1.0) == filled[: row + 1]).all()


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 5))
@settings(max_examples=100)
def test_runs_and_broken_rows(observed, limit):
    seen = np.array(observed)
    text = "".join("x" if one else "." for one in observed)
    lengths = run_lengths(~seen)
    for row, mark in enumerate(text):
        left = len(text[:row]) - len(text[:row].rstrip("."))
        right = len(text[row:]) - len(text[row:].lstrip("."))
        assert lengths[row] == (left + right if mark == "." else 0)
    before = np.cumsum(seen) == 0
    expected = (lengths > limit) | before
    assert (broken_rows(np.ones(len(seen), bool), seen, limit) == expected).all()


def test_directions_become_sine_and_cosine_and_calm_is_neither():
    degrees = np.tile([0.0, 90, 180, 270, 360, 45], 40)
    _, series = prepared(frame_of(240, wind_dir=degrees))
    sine, cosine = column(series, "wind_dir sine"), column(series, "wind_dir cosine")
    assert np.allclose(sine[:5], [0, 1, 0, -1, 0], atol=1e-6)
    assert np.allclose(cosine[:5], [0, 0, -1, 0, 1], atol=1e-6)
    assert texts(series, "calm") == ["wind_dir: 0 stands for calm or variable wind (40 rows), 360 for north."]
    degrees[degrees == 360] = 10
    _, series = prepared(frame_of(240, wind_dir=degrees))
    assert column(series, "wind_dir cosine")[0] == 1
    assert not texts(series, "calm")


def test_missing_directions_beyond_the_gap_are_no_direction():
    degrees = np.arange(240) % 36 * 10.0
    degrees[100:110] = NAN
    _, series = prepared(frame_of(240, wind_dir=degrees))
    length = np.hypot(column(series, "wind_dir sine"), column(series, "wind_dir cosine"))
    assert np.allclose(length[100:106], 1)
    assert (length[106:110] == 0).all()


@pytest.mark.parametrize(
    "name", ["wd (deg)", "wind_dir", "WindDirection", "wd", "drct", "Windrichtung", "wind from [°]"]
)
def test_direction_names(name):
    recipe, _ = prepared(frame_of(240, **{name: np.arange(240) % 36 * 10.0}))
    assert recipe.columns[1].kind == "angle"


@pytest.mark.parametrize(
    ("name", "scale"), [("T (degC)", 10.0), ("wind_dir", 5.0), ("wind_dir", 11.0), ("wd_speed", 10.0)]
)
def test_no_directions(name, scale):
    recipe, _ = prepared(frame_of(240, **{name: np.arange(240) % 36 * scale}))
    assert recipe.columns[1].kind == "number"


def test_angles_by_hand():
    frame = frame_of(240, turn=np.arange(240) % 36 * 10.0, wd=np.arange(240) % 35 * 10.0)
    recipe, _ = prepared(frame, angles=("turn",))
    assert [rule.kind for rule in recipe.columns] == ["number", "angle", "number"]
    recipe, _ = prepared(frame, angles=())
    assert [rule.kind for rule in recipe.columns] == ["number"] * 3
    with pytest.raises(DataError, match="column 'wd', named in angles, has values beyond 360"):
        prepared(frame_of(240, wd=np.arange(240) * 3.0 % 401), angles=("wd",))
    recipe, _ = prepared(frame, target="wd")
    assert recipe.columns[-1].kind == "number"


def test_time_features_by_span_and_setting():
    day = ("time of day sine", "time of day cosine")
    year = ("time of year sine", "time of year cosine")
    assert prepared(frame_of(90))[1].names == ("temp",)
    assert prepared(frame_of(100))[1].names == ("temp", *day)
    assert prepared(frame_of(90), time_features=True)[1].names == ("temp", *day, *year)
    assert prepared(frame_of(100), time_features=False)[1].names == ("temp",)
    long = frame_of(2 * 365 * 4 + 9).with_columns(
        time=pl.Series(np.datetime64("2011-01-01", "us") + np.arange(2929) * np.timedelta64(6, "h"))
    )
    assert prepared(long)[1].names == ("temp", *day, *year)
    assert prepared(long, training_share=0.4)[1].names == ("temp", *day)
    assert prepared(long, every="1d")[1].names == ("temp", *year)


def test_time_features_are_on_the_clock():
    _, series = prepared(frame_of(200))
    assert column(series, "time of day sine")[6] == pytest.approx(1, abs=1e-6)
    assert column(series, "time of day cosine")[12] == pytest.approx(-1, abs=1e-6)
    frame = frame_of(200).with_columns(pl.col("time").dt.replace_time_zone("UTC"))
    _, there = prepared(frame, time_zone="Etc/GMT-6")
    assert column(there, "time of day sine")[0] == pytest.approx(1, abs=1e-6)


def test_units():
    frame = frame_of(100).rename({"temp": "T (degC)"})
    assert prepared(frame, target="T (degC)")[1].unit == "degC"
    assert prepared(frame_of(100))[1].unit == ""


def test_apply_demands_the_same_columns():
    recipe, series = prepared(frame_of(200, wind=np.arange(200) % 7))
    new = frame_of(60, start="2014-01-01", wind=np.arange(60) % 7)
    with pytest.raises(
        DataError, match=r"no column 'wind' \(an input of the model\); the columns are 'time', 'temp'"
    ):
        apply(recipe, read_table(new.drop("wind")))
    with pytest.raises(DataError, match=r"no column 'time' \(the time column of the model\)"):
        apply(recipe, read_table(new.drop("time")))
    with pytest.raises(
        DataError, match=r"row 1: column 'wind' \(an input of the model\) holds 'x' where numbers"
    ):
        apply(recipe, read_table(new.with_columns(wind=pl.lit("x"))))
    more = apply(recipe, read_table(new.with_columns(extra=1.0)))
    assert texts(more, "left out") == ["Left out 1 column (not used by the model): extra."]
    assert more.names == series.names


def test_apply_uses_what_was_learnt_not_the_new_data():
    wind = np.arange(200) % 7 * 1.0
    wind[20] = NAN
    recipe, _ = prepared(frame_of(200, wind=wind))
    new = apply(recipe, read_table(frame_of(60, wind=[None] * 60)))
    assert (column(new, "wind") == recipe.columns[1].fill).all()
    assert (column(new, "wind missing") == 1).all()
    constant = apply(recipe, read_table(frame_of(60, temp=[1.0] * 60, wind=[2.0] * 60)))
    assert constant.names == recipe.features
    assert apply(recipe, read_table(frame_of(1, wind=[2.0]))).values.shape == (1, len(recipe.features))

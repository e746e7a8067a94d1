"""Reading sequences of numbers with labels from every kind of source, and what is said about a bad one."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from throughtime.data import Channels, Sequences, from_arrays, read_sequences
from throughtime.data.channels import fill_steps
from throughtime.errors import DataError

TABLE = """trial;t;x;y2;site;label
a;2;3,5;30;north;walk
a;1;1,5;10;north;walk
b;1;7,5;70;south;none
b;2;;80;south;none
b;3;9,5;90;south;none
"""
EXPECTED = [np.array([[1.5, 10], [3.5, 30]]), np.array([[7.5, 70], [np.nan, 80], [9.5, 90]])]
LINES = {
    "steps": '{"label": "walk", "values": [[1.5, 10], [3.5, 30]]}\n'
    '{"label": "none", "values": [[7.5, 70], [null, 80], [9.5, 90]]}\n',
    "channels": '{"label": "walk", "values": {"x": [1.5, 3.5], "y2": [10, 30]}}\n'
    '{"label": "none", "values": {"y2": [70, 80, 90], "x": [7.5, null, 9.5]}}\n',
    "top": '{"id": 4, "x": [1.5, 3.5], "y2": [10, 30], "class": "walk"}\n\n'
    '{"id": 9, "x": [7.5, null, 9.5], "y2": [70, 80, 90], "class": "none"}\n',
}


def same(found: Sequences) -> None:
    assert [one.tolist() for one in map(np.nan_to_num, found.values)] == [
        one.tolist() for one in map(np.nan_to_num, EXPECTED)
    ]
    assert [np.isnan(one).sum() for one in found.values] == [0, 1]
    assert found.labels == ("walk", "none")


def test_a_table_is_grouped_sorted_and_read() -> None:
    frame = pl.DataFrame({"seq": ["a", "b"], "label": [1, 2], "x": [0.5, 1.5]})
    found = read_sequences(frame)
    assert found.labels == ("1", "2")
    assert found.channels == ("x",)
    assert [one.tolist() for one in found.values] == [[[0.5]], [[1.5]]]


def test_every_form_of_table(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(TABLE)
    found = read_sequences(path)
    same(found)
    assert found.channels == ("x", "y2")
    assert found.ids == ("a", "b")
    assert found.place(1) == "t.csv line 4, sequence 'b'"
    said = [repair.text for repair in found.repairs]
    assert said == [
        "Left out 1 column (not numbers): site.",
        "The rows of 1 sequence were not in the order of t; sorted.",
    ]
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(TABLE.encode()))
    same(read_sequences(tmp_path / "t.csv.gz"))
    frame = pl.read_csv(path, separator=";", decimal_comma=True)
    frame.write_parquet(tmp_path / "t.parquet")
    for source in (tmp_path / "t.parquet", frame, frame.to_pandas(), frame.to_arrow()):
        same(read_sequences(source))
    named = read_sequences(path, features=["y2"], step="t")
    assert [one.tolist() for one in named.values] == [[[10], [30]], [[70], [80], [90]]]
    unlabelled = read_sequences(frame.drop("label"), label="label", labelled=False)
    assert unlabelled.labels is None
    assert unlabelled.channels == ("x", "y2")
    one = read_sequences(frame.select("t", "y2")[:2], labelled=False)
    assert [values.tolist() for values in one.values] == [[[10], [30]]]
    assert one.ids is None


def test_steps_may_be_times_and_rows_mixed() -> None:
    times = ["2024-01-01 10:00", "2024-01-01 09:00", "2024-01-01 09:00", "2024-01-01 10:00"]
    frame = pl.DataFrame(
        {"id": ["b", "a", "b", "a"], "time": times, "v": [4, 1, 3, 2], "label": ["q", "p", "q", "p"]}
    )
    for source in (frame, frame.with_columns(pl.col("time").str.to_datetime("%Y-%m-%d %H:%M"))):
        found = read_sequences(source)
        assert found.ids == ("b", "a")
        assert [one.ravel().tolist() for one in found.values] == [[3, 4], [1, 2]]
    unsorted = read_sequences(frame.drop("time"))
    assert [one.ravel().tolist() for one in unsorted.values] == [[4, 3], [1, 2]]


@pytest.mark.parametrize("name", LINES)
def test_json_lines(name: str, tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text(LINES[name])
    found = read_sequences(path)
    same(found)
    assert found.channels == (("value 1", "value 2") if name == "steps" else ("x", "y2"))
    last = {"steps": "s.jsonl line 2", "channels": "s.jsonl line 2", "top": "s.jsonl line 3, sequence '9'"}
    assert found.place(1) == last[name]


def test_lines_without_labels_and_single_values(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text("[1, 0, null]\n" + '{"values": [[4], [5]]}\n[]\n')
    found = read_sequences(path, labelled=False)
    assert [one.shape for one in found.values] == [(3, 1), (2, 1), (0, 1)]
    assert np.array_equal(found.values[0], [[1], [0], [np.nan]], equal_nan=True)
    assert found.values[1].tolist() == [[4], [5]]


def test_arrays_in_memory() -> None:
    arrays = [np.arange(3), torch.ones(2, dtype=torch.float64), [0.5]]
    found = from_arrays(arrays, np.array([1, 0, 1]))
    assert [one.shape for one in found.values] == [(3, 1), (2, 1), (1, 1)]
    assert found.labels == ("1", "0", "1")
    assert found.place(2) == "the sequences, number 3"
    cube = np.arange(24).reshape(2, 4, 3)
    assert from_arrays(cube, ["a", "b"], ["p", "q", "r"]).channels == ("p", "q", "r")
    assert from_arrays(cube, ["a", "b"]).fingerprint != from_arrays(cube, ["b", "a"]).fingerprint
    cube[0, 0, 0] = 99
    assert from_arrays(cube, None).values[0][0, 0] == 99
    with pytest.raises(ValueError, match="2 sequences and 1 labels"):
        from_arrays(cube, ["a"])
    with pytest.raises(ValueError, match="number 2 has 2, expected 3"):
        from_arrays([np.ones((4, 3)), np.ones((4, 2))], ["a", "b"])
    with pytest.raises(ValueError, match=r"number 1 has \(2, 2, 2\)"):
        from_arrays([np.ones((2, 2, 2))], ["a"])
    with pytest.raises(TypeError, match="number 2 is a list that is none"):
        from_arrays([[1.0], ["x"]], ["a", "b"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("id,x,label\na,1,p\na,2,q\n", ["bad line 3", "sequence 'a' has the label 'q'", "'p' in line 2"]),
        ("id,x,label\na,1,p\n,2,q\n", ["bad line 3", "column 'id'", "empty"]),
        ("id,x,label\na,1,p\nb,2,\n", ["bad line 3", "column 'label'", "empty"]),
        ("id,t,x,label\na,1,3,p\na,1,4,p\n", ["bad line 3", "step 1", "after line 2"]),
        ("id,t,x,label\na,1,3,p\na,,4,p\n", ["bad line 3", "column 't'", "empty"]),
        ("id,t,x,label\na,early,3,p\na,late,4,p\n", ["bad line 2", "'early'", "--step"]),
        ("id,x,label\na,one,p\nb,two,q\n", ["bad line 2", "column 'x' holds 'one'"]),
        ("id,x,label\n" + "a,1,p\n" * 20 + "b,2..5,q\n", ["bad line 22", "column 'x' holds '2..5'"]),
        ("id,x\na,1\n", ["cannot be told which column holds the labels", "--label", "'x'"]),
        ("who,x,label\na,1,p\n", ["cannot be told which column tells the sequences apart", "--sequence"]),
        ("id,label\na,p\n", ["no column is left"]),
        ('{"label": "p", "values": [1]}\n{"label": "q", "values": [1, "2x"]}\n', ["line 2, step 2", "'2x'"]),
        ('{"label": "p", "values": [[1, 2], [3]]}\n', ["line 1, step 2", "1 values where 2 are expected"]),
        ('{"label": "p", "values": [1]}\n{"label": "p", "values": [[1, 2]]}\n', ["line 2, step 1", "1 are"]),
        ('{"label": "p", "x": [1], "y": [1, 2]}\n', ["line 1", "different numbers of steps", "'x' 1, 'y' 2"]),
        ('{"label": "p", "x": [1]}\n{"label": "q", "z": [1]}\n', ["line 2", "no channel 'x'", "'z'"]),
        ('{"label": "p", "x": 4}\n', ["line 1", "no list of numbers"]),
        ('{"values": [1]}\n', ["line 1", "which key holds the label", "--label"]),
        ('{"label": "p", "values": [1]}\n{"values": [1]}\n', ["line 2", "no label"]),
        ('{"label": "p", "values": [1]}\n{"label": \n', ["line 2", "not JSON"]),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_with_its_place(content: str, words: list[str], tmp_path: Path) -> None:
    path = tmp_path / "bad"
    path.write_text(content)
    with pytest.raises(DataError) as error:
        read_sequences(path)
    for word in words:
        assert word in str(error.value)


def test_columns_that_are_not_there() -> None:
    frame = pl.DataFrame({"id": ["a"], "x": [1.0], "s": ["z"], "label": ["p"]})
    for options, words in (
        ({"sequence": "who"}, ["no column 'who'", "--sequence"]),
        ({"step": "when"}, ["no column 'when'", "--step"]),
        ({"label": "kind"}, ["no column 'kind'", "--label"]),
        ({"features": ["x", "w"]}, ["no column 'w'", "--features"]),
        ({"features": ["s"]}, ["column 's' holds 'z'"]),
    ):
        with pytest.raises(DataError) as error:
            read_sequences(frame, **options)  # type: ignore[arg-type]
        for word in words:
            assert word in str(error.value)


def test_gaps_are_filled_from_before_and_at_the_start_from_after() -> None:
    nan = np.nan
    values = np.array([[nan, 1, nan], [2, nan, nan], [np.inf, nan, nan], [5, 4, nan]])
    filled = fill_steps(values)
    assert filled[:, :2].tolist() == [[2, 1], [2, 1], [2, 1], [5, 4]]
    assert np.isnan(filled[:, 2]).all()
    whole = np.ones((3, 2))
    assert fill_steps(whole) is whole


def test_channels_are_scaled_by_what_was_learnt() -> None:
    learnt = [np.array([[1.0, 5, np.nan]]), np.array([[3.0, 5, 2], [np.nan, 5, 4]])]
    channels = Channels.learn(learnt, ["a", "b", "c"])
    assert channels.mean == (2, 5, 3)
    assert channels.std == (1, 0, 1)
    (scaled,) = channels.scale([np.array([[4.0, 9, np.nan], [np.nan, 1, 5]])])
    assert scaled.dtype == torch.float32
    assert scaled.tolist() == [[2, 0, 2], [2, 0, 2]]
    (unknown,) = channels.scale([np.full((2, 3), np.nan)])
    assert unknown.tolist() == [[0, 0, 0]] * 2
    with pytest.raises(ValueError, match=r"number 1 has shape \(2, 2\), expected \(T, 3\)"):
        channels.scale([np.ones((2, 2))])

"""`fit classify` on sequences of numbers and what follows it, as a user meets it."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

import throughtime as tt
from throughtime.cli import run

from ..tasks.waves import wave_table, waves, write_lines
from .test_cli import refused

SMALL = "--hidden 4 --members 2 --epochs 2 --batch-size 32 --quiet".split()  # noqa: SIM905


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "waves.csv"
    wave_table(*waves(60)).write_csv(path)
    return path


@pytest.fixture(scope="module")
def model(table: Path) -> Path:
    folder = table.parent / "model"
    options = ["--step", "step", "--sequence", "sequence_id", "--features", "x,y2"]
    assert run(["fit", "classify", str(table), *options, *SMALL, "--out", str(folder)]) == 0
    return folder


def test_fit_then_measure(table: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = json.loads((model / "metrics.json").read_text())
    for data in ([], [str(table)]):
        assert run(["evaluate", str(model), *data, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == written
    assert set(written["baselines"]) == {"summaries", "nearest_neighbours", "largest_class"}
    other = table.parent / "other.csv"
    wave_table(*waves(9, 3)).write_csv(other)
    assert run(["evaluate", str(model), str(other)]) == 0
    assert "9 test sequences" in capsys.readouterr().out


def test_one_sequence_in_one_line_out(
    table: Path,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrays = waves(60)[0]
    classifier = tt.load(model)
    shares = classifier.predict_proba(arrays)
    expected = [f"{classifier.classes_[row.argmax()]}\t{row.max():.4f}" for row in shares]
    assert run(["predict", str(model), str(table)]) == 0
    assert capsys.readouterr().out.splitlines() == [f"w{n}\t{line}" for n, line in enumerate(expected)]
    lines = write_lines(tmp_path / "waves.jsonl", arrays, None)
    for given in (str(lines), "-", None):
        monkeypatch.setattr(sys, "stdin", io.StringIO(lines.read_text()))
        assert run(["predict", str(model), *([given] if given else [])]) == 0
        assert capsys.readouterr().out.splitlines() == expected
    monkeypatch.setattr(sys, "stdin", io.StringIO("[[1000, 0], [null, 0.01]]\n"))
    assert run(["predict", str(model), "-", "--json"]) == 0
    printed = capsys.readouterr()
    answer = json.loads(printed.out)
    assert (set(answer["scores"]), answer["steps"]) == (set(classifier.classes_), 2)
    assert "1 sequences had missing values" in printed.err
    assert run(["predict", str(model), str(table), "--json", "--out", str(tmp_path / "out.jsonl")]) == 0
    assert json.loads((tmp_path / "out.jsonl").read_text().splitlines()[7])["sequence"] == "w7"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('[[1, 2], [3, "x"]]', ["standard input line 2, step 2", "'y2' holds 'x'"]),
        ("[]", ["standard input line 2", "is empty"]),
        ("[[1, 2, 3]]", ["standard input line 2, step 1", "3 values where 2"]),
        ("walk", ["standard input line 2", "not JSON"]),
        ("7", ["standard input line 2", "no sequence"]),
        ('{"x": [1]}', ["standard input line 2", "no channel 'y2'"]),
    ],
)
def test_bad_lines(
    line: str,
    words: list[str],
    model: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"[[1, 2]]\n{line}\n"))
    assert run(["predict", str(model), "-"]) == 2
    message = capsys.readouterr().err
    for word in words:
        assert word in message
    assert message.startswith("throughtime: ")


def test_bad_input(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("sequence_id,step,x,y2,label\na,1,1,1,slow\na,2,1,1,fast\n")
    message = refused(capsys, "fit", "classify", bad, *SMALL, "--out", tmp_path / "m")
    assert "bad.csv line 3: sequence 'a' has the label 'fast' here and 'slow' in line 2" in message
    assert not (tmp_path / "m").exists()
    assert "no option --jsn" in refused(capsys, "predict", model, "--jsn")
    bad.write_text("sequence_id,step,x\na,1,1\n")
    assert "bad.csv: no column 'y2'" in refused(capsys, "predict", model, bad)

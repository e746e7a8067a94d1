"""`fit classify` and what follows it, as a user meets it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import throughtime as tt
from throughtime.cli import run

from ..tasks.texts import small_texts, write_texts
from .test_cli import finish, interrupt, refused

SMALL = "--hidden 4 --embedding 6 --members 2 --epochs 2 --batch-size 32".split()  # noqa: SIM905


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_texts(tmp_path_factory.mktemp("data") / "texts.tsv")


@pytest.fixture(scope="module")
def model(texts: Path) -> Path:
    folder = texts.parent / "model"
    assert run(["fit", "classify", str(texts), *SMALL, "--out", str(folder), "--quiet"]) == 0
    return folder


def test_fit_then_measure_and_look(
    texts: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = json.loads((model / "metrics.json").read_text())
    for data in ([], [str(texts)]):
        assert run(["evaluate", str(model), *data, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == written
    assert {"accuracy", "macro_f1", "log_loss", "calibration_error", "count"} == set(written["test"])
    assert set(written["baselines"]) == {"bag_of_words", "nearest_neighbours", "largest_class"}
    assert run(["evaluate", str(model), str(write_texts(texts.parent / "other.tsv", 50, 3))]) == 0
    printed = capsys.readouterr().out
    assert "50 test texts" in printed
    assert "Left out: k-nearest neighbours" in printed
    opened: list[Path] = []
    monkeypatch.setattr("throughtime.cli.models.open_in_browser", lambda path: not opened.append(path))
    assert run(["look", str(model)]) == 0
    assert opened == [(model / "report.html").resolve()]


def test_one_line_in_one_line_out(
    texts: Path,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    some = small_texts(5, seed=2)[0]
    lines = [some[0], "", *some[1:], "zebra giraffe"]
    classifier = tt.load(model)
    shares = classifier.predict_proba(lines)
    expected = [f"{classifier.classes_[row.argmax()]}\t{row.max():.4f}" for row in shares]
    file = tmp_path / "lines.txt"
    file.write_text("\n".join(lines) + "\n")
    for arguments in ([str(file)], []):
        monkeypatch.setattr(sys, "stdin", io.StringIO(file.read_text()))
        assert run(["predict", str(model), *arguments]) == 0
        printed = capsys.readouterr()
        assert printed.out.splitlines() == expected
        assert "2 of 7 texts hold no word that training held" in printed.err
        assert "2);" in printed.err
    monkeypatch.setattr(sys, "stdin", io.StringIO(file.read_text()))
    assert run(["predict", str(model), "-"]) == 0
    assert capsys.readouterr().out.splitlines() == expected
    assert run(["predict", str(model), str(file), "--json", "--out", str(tmp_path / "out.jsonl")]) == 0
    answers = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [answer["label"] for answer in answers] == [line.split("\t")[0] for line in expected]
    assert [answer["scores"]["good"] for answer in answers] == pytest.approx(list(shares[:, 1]), abs=1e-6)
    assert (answers[1]["words"], answers[1]["known"], answers[6]["words"]) == (0, 0, 2)
    capsys.readouterr()
    assert run(["predict", str(model), str(texts)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 240, "a table is read by its column of texts"


def test_standard_input_is_answered_as_it_comes(model: Path) -> None:
    words = [sys.executable, "-m", "throughtime", "predict", str(model)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, bufsize=1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for text in ("fine", "not fine"):
            process.stdin.write(f"{text}\n")
            assert "\t" in process.stdout.readline()
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["bad.tsv", "empty"]),
        (b"text\tlabel\n", ["bad.tsv", "no texts"]),
        (b"text\tlabel\na b\tx\nc\n", ["bad.tsv line 3", "1 cell"]),
        (b"text\tlabel\na b\tx\nc d\t\n", ["bad.tsv line 3", "no label"]),
        (b"text\tlabel\na b\tx\nc d\tx\n", ["bad.tsv", "two or more"]),
        (b"text\tlabel\na b\tx\nsch\xf6n\ty\n", ["bad.tsv line 3", "UTF-8"]),
        (b"text\tlabel\n\tx\n\ty\n", ["bad.tsv", "every text is empty"]),
    ],
    ids=["empty", "header only", "short line", "no label", "one class", "latin-1", "no text"],
)
def test_bad_input(
    content: bytes, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.tsv").write_bytes(content)
    message = refused(capsys, "fit", "classify", tmp_path / "bad.tsv", *SMALL, "--out", tmp_path / "m")
    assert all(word in message for word in words), message
    assert not (tmp_path / "m").exists()


def test_bad_input_to_a_model(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.tsv"
    other.write_text("text\tlabel\na b\tgood\nc d\todd\n")
    message = refused(capsys, "evaluate", model, other)
    assert "other.tsv line 3: the label 'odd' does not occur in the training texts" in message
    assert "no such file" in refused(capsys, "predict", model, tmp_path / "nowhere.txt")
    assert "no column" in refused(capsys, "fit", "classify", other, "--text", "body", "--out", tmp_path / "m")


def test_ctrl_c_keeps_the_best_model_and_it_can_go_on(texts: Path, tmp_path: Path) -> None:
    long = [*SMALL[:-4], "--epochs", "25", "--batch-size", "8"]
    folder = tmp_path / "interrupted"
    interrupt(folder, 2, "classify", texts, *long)
    assert tt.load(folder).predict(["fine"]).shape == (1,)
    finish("fit", "classify", "--resume", folder)
    finish("fit", "classify", texts, *long, "--out", tmp_path / "whole")
    assert (folder / "model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()

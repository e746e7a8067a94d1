"""`fit tag` and what follows it, as a user meets it."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path

import pytest

import throughtime as tt
from throughtime.cli import run

from ..tasks.sentences import write_sentences
from .test_cli import finish, interrupt, refused

SMALL = "--hidden 4 --embedding 6 --members 2 --epochs 2 --batch-size 32".split()  # noqa: SIM905


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sentences(tmp_path_factory.mktemp("data") / "train.conll")


@pytest.fixture(scope="module")
def model(sentences: Path) -> Path:
    folder = sentences.parent / "model"
    assert run(["fit", "tag", str(sentences), *SMALL, "--out", str(folder), "--quiet"]) == 0
    return folder


def test_fit_then_measure_and_look(
    sentences: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = json.loads((model / "metrics.json").read_text())
    for data in ([], [str(sentences)]):
        assert run(["evaluate", str(model), *data, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == written
    assert set(written["baselines"]) == {"dictionary", "token_classifier"}
    assert run(["evaluate", str(model), str(write_sentences(sentences.parent / "other.conll", 50, 3))]) == 0
    printed = capsys.readouterr().out
    assert "50 test sentences" in printed
    assert "Left out: dictionary of training spans" in printed
    opened: list[Path] = []
    monkeypatch.setattr("throughtime.cli.models.open_in_browser", lambda path: not opened.append(path))
    assert run(["look", str(model)]) == 0
    assert opened == [(model / "report.html").resolve()]


def test_one_line_in_one_line_out(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["Ann Lee sings in New York.", "", "a/b sleeps"]
    tags = tt.load(model).predict(lines)
    tokens = [["Ann", "Lee", "sings", "in", "New", "York", "."], [], ["a", "/", "b", "sleeps"]]
    expected = [
        " ".join(f"{token}/{tag}" for token, tag in zip(*one, strict=True))
        for one in zip(tokens, tags, strict=True)
    ]
    file = tmp_path / "lines.txt"
    file.write_text("\n".join(lines) + "\n")
    for arguments in ([str(file)], []):
        monkeypatch.setattr(sys, "stdin", io.StringIO(file.read_text()))
        assert run(["predict", str(model), *arguments]) == 0
        printed = capsys.readouterr()
        assert printed.out.split("\n") == [*expected, ""]
        assert "1 of 3 sentences hold no word that training held" in printed.err
        assert "line 2);" in printed.err
    assert run(["predict", str(model), str(file), "--json", "--out", str(tmp_path / "out.jsonl")]) == 0
    answers = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [answer["tokens"] for answer in answers] == tokens
    spans = tt.load(model).predict_spans(lines)
    for line, answer, found in zip(lines, answers, spans, strict=True):
        assert [one["confidence"] for one in answer["spans"]] == pytest.approx(
            [one.confidence for one in found]
        )
        for one, span in zip(answer["spans"], found, strict=True):
            assert line[one["start"] : one["end"]] == one["text"]
            assert one["tokens"] == [span.start, span.stop]
            assert one["type"] == span.label
    assert any(answer["spans"] for answer in answers)


def test_conll_in_conll_out(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "some.conll.gz"
    file.write_bytes(gzip.compress(b"Ann\tO\nLee\tO\nsings\tO\n\nRome.\tO\n"))
    tags = tt.load(model).predict([["Ann", "Lee", "sings"], ["Rome."]])
    assert run(["predict", str(model), str(file)]) == 0
    rows = [f"{token}\t{tag}" for token, tag in zip(["Ann", "Lee", "sings"], tags[0], strict=True)]
    assert capsys.readouterr().out == "\n".join([*rows, "", f"Rome.\t{tags[1][0]}", "", ""])
    assert run(["predict", str(model), str(file), "--json"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["text"] for answer in answers] == ["Ann Lee sings", "Rome."]
    for answer in answers:
        for span in answer["spans"]:
            assert answer["text"][span["start"] : span["end"]] == span["text"]
    (tmp_path / "tokens.bio").write_text("Ann\nsings\n")
    assert run(["predict", str(model), str(tmp_path / "tokens.bio")]) == 0
    assert capsys.readouterr().out.startswith("Ann\t")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["bad.conll", "empty"]),
        (b"\n\n", ["bad.conll", "no token"]),
        (b"Ann\tB-p\nsings\n", ["bad.conll line 2", "without its tag"]),
        (b"Ann\tI-p\nsings\tO\n", ["bad.conll line 1", "without its B-", "--repair-tags"]),
        (b"Ann\tNNP\nsings\tVBZ\n", ["bad.conll line 1", "'NNP'", "known scheme"]),
        (b"sings\tO\n\nworks\tO\n", ["bad.conll", "every tag"]),
        (b"Ann\tB-p\n\nZo\xeb\tB-p\n", ["bad.conll line 3", "UTF-8"]),
    ],
    ids=["empty", "blank", "no tag", "I- without B-", "scheme", "only O", "latin-1"],
)
def test_bad_input(
    content: bytes, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.conll"
    bad.write_bytes(content)
    arguments = ["fit", "tag", bad, "--validation", bad, "--test", bad, *SMALL, "--out", tmp_path / "m"]
    message = refused(capsys, *arguments)
    assert all(word in message for word in words), message
    assert not (tmp_path / "m").exists()


def test_bad_vectors_and_other_classes(
    sentences: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vectors = tmp_path / "v.txt"
    vectors.write_text("in 1 2\nAnn 1\n")
    message = refused(capsys, "fit", "tag", sentences, "--vectors", vectors, "--out", tmp_path / "m")
    assert "v.txt line 2: 1 numbers after the word 'Ann', expected 2" in message
    message = refused(capsys, "fit", "tag", sentences, "--vectors", "nowhere.txt", "--out", tmp_path / "m")
    assert "nowhere.txt" in message
    other = tmp_path / "other.conll"
    other.write_text("Ann\tB-person\nsings\tB-verb\n")
    message = refused(capsys, "evaluate", model, other)
    assert "other.conll line 2: the class 'verb' does not occur in the training sentences" in message
    assert not (tmp_path / "m").exists()


def test_tags_are_repaired_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "iob1.conll"
    text = write_sentences(tmp_path / "t.conll", 60).read_text()
    file.write_text(text.replace("B-person", "I-person"))
    assert "--repair-tags" in refused(capsys, "fit", "tag", file, *SMALL, "--out", tmp_path / "m")
    assert run(["fit", "tag", str(file), "--repair-tags", *SMALL, "--out", str(tmp_path / "m")]) == 0
    assert "without a B- read as B-, the first at iob1.conll line" in capsys.readouterr().err


def test_ctrl_c_keeps_the_best_model_and_it_can_go_on(sentences: Path, tmp_path: Path) -> None:
    long = [*SMALL[:-4], "--epochs", "12", "--batch-size", "4"]
    folder = tmp_path / "interrupted"
    interrupt(folder, 2, "tag", sentences, *long)
    assert len(tt.load(folder).predict(["Ann sings"])[0]) == 2
    finish("fit", "tag", "--resume", folder)
    finish("fit", "tag", sentences, *long, "--out", tmp_path / "whole")
    assert (folder / "model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()

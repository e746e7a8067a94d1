"""`fit translate` and what follows it, as a user meets it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import throughtime as tt
from throughtime.cli import run

from ..tasks.pairs import small_pairs, write_pairs
from .test_cli import finish, interrupt, refused

SIZES = "--source-pieces 60 --target-pieces 60 --beam 2 --hidden 6 --embedding 8".split()  # noqa: SIM905
SMALL = [*SIZES, "--epochs", "2", "--batch-size", "16"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Beside its training files train.de and train.en."""
    here = tmp_path_factory.mktemp("data")
    folder = here / "model"
    train = map(str, write_pairs(here, "train"))
    others = [
        ",".join(map(str, write_pairs(here, name, 20, seed))) for name, seed in (("val", 1), ("test", 2))
    ]
    words = ["fit", "translate", *train, "--validation", others[0], "--test", others[1], *SMALL]
    assert run([*words, "--out", str(folder), "--quiet"]) == 0
    return folder


def test_fit_then_measure_and_look(
    model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = json.loads((model / "metrics.json").read_text())
    for data in ([], [f"{model.parent / 'train.de'},{model.parent / 'train.en'}"]):
        assert run(["evaluate", str(model), *data, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == written
    assert written["test"]["sentences"] == 20
    assert set(written["baselines"]) == {"copy", "nearest_neighbour"}
    assert written["signatures"]["bleu"].startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp")
    assert run(["evaluate", str(model), ",".join(map(str, write_pairs(model.parent, "other", 30, 3)))]) == 0
    printed = capsys.readouterr().out
    assert "30 test sentences" in printed
    assert "case:mixed" in printed
    assert "Left out: nearest neighbour" in printed
    opened: list[Path] = []
    monkeypatch.setattr("throughtime.cli.models.open_in_browser", lambda path: not opened.append(path))
    assert run(["look", str(model)]) == 0
    assert opened == [(model / "report.html").resolve()]


def test_the_report_names_the_command_that_repeats_it(model: Path) -> None:
    here = model.parent
    page = (model / "report.html").read_text()
    assert f"throughtime fit translate {here / 'train.de'},{here / 'train.en'} " in page
    assert f"--validation {here / 'val.de'},{here / 'val.en'} " in page


def test_one_line_in_one_line_out(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    some = small_pairs(4, seed=2)[0]
    lines = [some[0], "", *some[1:], "犬が走る"]
    expected = tt.load(model).predict(lines)
    file = tmp_path / "lines.txt"
    file.write_text("\n".join(lines) + "\n")
    for arguments in ([str(file)], []):
        monkeypatch.setattr(sys, "stdin", io.StringIO(file.read_text()))
        assert run(["predict", str(model), *arguments]) == 0
        printed = capsys.readouterr()
        assert printed.out.split("\n") == [*expected, ""]
        assert expected[1] == ""
        assert "1 of 6 sentences hold nothing that training held" in printed.err
        assert "line 6);" in printed.err
    assert run(["predict", str(model), str(file), "--json", "--out", str(tmp_path / "out.jsonl")]) == 0
    answers = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [answer["translation"] for answer in answers] == expected
    assert (answers[1]["pieces"], answers[1]["attention"]) == (0, None)
    assert (answers[5]["pieces"], answers[5]["known"]) == (1, 0)
    first = answers[0]
    assert len(first["best"]) == 2
    assert first["best"][0]["text"] == first["translation"]
    assert first["best"][0]["score"] > first["best"][1]["score"]
    weights = first["attention"]["weights"]
    assert len(weights) == len(first["attention"]["target"])
    assert all(sum(row) == pytest.approx(1, abs=0.01) for row in weights)
    assert "".join(first["attention"]["source"][:-1]) == some[0]


def test_standard_input_is_answered_as_it_comes(model: Path) -> None:
    words = [sys.executable, "-m", "throughtime", "predict", str(model)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, bufsize=1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for text, answer in zip(("Hund", ""), tt.load(model).predict(["Hund", ""]), strict=True):
            process.stdin.write(f"{text}\n")
            assert process.stdout.readline() == f"{answer}\n"
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        (b"a\nb\nc\n", b"a\nb\n", ["a.de has 3 lines", "a.en 2 lines"]),
        (b"a\nb\n", b"a\nsch\xf6n\n", ["a.en line 2", "UTF-8"]),
        (b"\n\n", b"a\nb\n", ["a.de", "every pair has an empty side"]),
        (b"a\n", b"b\n", ["validation part holds no pair"]),
    ],
    ids=["lengths", "latin-1", "empty", "one pair"],
)
def test_bad_input(
    source: bytes, target: bytes, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.de").write_bytes(source)
    (tmp_path / "a.en").write_bytes(target)
    files = [tmp_path / "a.de", tmp_path / "a.en"]
    message = refused(capsys, "fit", "translate", *files, *SMALL, "--out", tmp_path / "m")
    assert all(word in message for word in words), message
    assert not (tmp_path / "m").exists()


def test_no_attention_and_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "pairs.tsv"
    rows = zip(*small_pairs(100), strict=True)
    table.write_text("de\ten\n\tno source\n" + "".join(f"{de}\t{en}\n" for de, en in rows))
    arguments = ["fit", "translate", str(table), *SMALL, "--no-attention", "--out", str(tmp_path / "m")]
    assert run(arguments) == 0
    printed = capsys.readouterr()
    assert "1 pair with an empty side left out, the first: pairs.tsv line 2." in printed.err
    assert tt.load(tmp_path / "m").settings.attention == "none"


def test_ctrl_c_keeps_the_best_model_and_it_can_go_on(tmp_path: Path) -> None:
    files = write_pairs(tmp_path, "train", 80)
    long = [*SIZES, "--epochs", "25", "--batch-size", "8"]
    folder = tmp_path / "interrupted"
    interrupt(folder, 2, "translate", *files, *long)
    assert len(tt.load(folder).predict(["Hund"])) == 1
    finish("fit", "translate", "--resume", folder)
    finish("fit", "translate", *files, *long, "--out", tmp_path / "whole")
    assert (folder / "model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()

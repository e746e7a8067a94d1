"""`fit transcribe` and what follows it, as a user meets it."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
import soundfile

import throughtime as tt
from throughtime.cli import run

from ..tasks.speech import small_speech, write_speech
from .test_cli import finish, interrupt, refused

SMALL = (
    "--hidden 8 --layers 1 --bands 12 --unit word --stack 2 --batch-size 16 --learning-rate 0.03".split()  # noqa: SIM905
)


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_speech(tmp_path_factory.mktemp("data") / "speech", 80)


@pytest.fixture(scope="module")
def model(speech: Path) -> Path:
    folder = speech.parent / "model"
    words = ["fit", "transcribe", str(speech), *SMALL, "--epochs", "25", "--out", str(folder), "--quiet"]
    assert run(words) == 0
    return folder


def test_fit_then_measure_and_look(
    speech: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = json.loads((model / "metrics.json").read_text())
    for data in ([], [str(speech)]):
        assert run(["evaluate", str(model), *data, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == written
    assert {"wer", "cer", "sentences", "words", "recordings"} <= set(written["test"])
    assert set(written["decoders"]) == {"beam", "greedy"}
    assert set(written["baselines"]) == {"nearest_recording", "most_frequent"}
    other = write_speech(speech.parent / "other", 20, 3)
    assert run(["evaluate", str(model), str(other)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "20 test recordings" in printed
    assert "network, greedy" in printed
    assert "Left out: nearest recording" in printed
    opened: list[Path] = []
    monkeypatch.setattr("throughtime.cli.models.open_in_browser", lambda path: not opened.append(path))
    assert run(["look", str(model)]) == 0
    assert opened == [(model / "report.html").resolve()]


def test_one_recording_in_one_line_out(
    speech: Path,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = [str(path) for path in sorted(speech.glob("*.wav"))[:4]]
    found = tt.load(model).transcribe(paths)
    expected = [f"{one.text}\t{one.confidence:.4f}" for one in found]
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(paths) + "\n")
    for arguments in ([str(listed)], []):
        monkeypatch.setattr(sys, "stdin", io.StringIO(listed.read_text()))
        assert run(["predict", str(model), *arguments]) == 0
        assert capsys.readouterr().out.splitlines() == expected
    assert run(["predict", str(model), paths[0], "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["text"] == found[0].text
    assert answer["file"] == paths[0]
    assert [one["symbol"] for one in answer["symbols"]] == found[0].text.split()
    assert answer["alternatives"][0]["probability"] == pytest.approx(found[0].alternatives[0].probability)
    assert run(["predict", str(model), str(speech), "--out", str(tmp_path / "out.txt")]) == 0
    assert len((tmp_path / "out.txt").read_text().splitlines()) == 80


def test_a_bad_recording_does_not_stop_the_others(
    speech: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = str(sorted(speech.glob("*.wav"))[0])
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    (tmp_path / "list").write_text(f"{good}\n{tmp_path / 'bad.wav'}\nnowhere.wav\n{good}\n")
    assert run(["predict", str(model), str(tmp_path / "list")]) == 2
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert len(lines) == 4
    assert lines[0] == lines[3]
    assert lines[1] == lines[2] == "\t0.0000"
    assert "bad.wav: is no sound file" in printed.err
    assert "nowhere.wav: there is no such file" in printed.err
    assert run(["predict", str(model), str(tmp_path / "list"), "--json"]) == 2
    assert "is no sound file" in json.loads(capsys.readouterr().out.splitlines()[1])["error"]


def test_a_lexicon(speech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = tmp_path / "words.txt"
    words.write_text("la\nso\n")
    spelled = [*SMALL, "--epochs", "2"]
    spelled[spelled.index("word")] = "character"
    command = ["fit", "transcribe", str(speech), *spelled, "--lexicon", str(words)]
    assert run([*command, "--out", str(tmp_path / "m"), "--quiet"]) == 0
    assert "network, known" in capsys.readouterr().out
    assert json.loads((tmp_path / "m" / "lexicon.json").read_text()) == ["la", "so"]
    assert run(["predict", str(tmp_path / "m"), str(speech)]) == 0
    answers = [line.partition("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert len(answers) == 80
    assert {word for answer in answers for word in answer.split()} <= {"la", "so"}
    words.write_text("la so\n")
    message = refused(capsys, *command, "--out", tmp_path / "n")
    assert "words.txt line 1: expected one word" in message
    assert "no such file" in refused(capsys, *command[:-1], tmp_path / "nowhere", "--out", tmp_path / "n")
    assert not (tmp_path / "n").exists()


def test_bad_input(tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    small = [*SMALL[SMALL.index("--bands") :], *SMALL[: SMALL.index("--bands")]]
    command = ["fit", "transcribe", folder, *small, "--out", tmp_path / "m"]
    assert "holds no table of transcripts" in refused(capsys, *command)
    (folder / "t.csv").write_text("file,text\na.wav,one\n")
    assert "t.csv: 1 file of 1 not found" in refused(capsys, *command)
    (folder / "a.wav").write_bytes(b"x")
    assert "none of its 1 recordings can be read as sound" in refused(capsys, *command)
    samples, rate = small_speech(1)[0][0]
    soundfile.write(folder / "a.wav", samples, rate)
    assert "part holds no recording" in refused(capsys, *command)
    (folder / "t.csv").write_text("file,text\na.wav,\n")
    assert "no recording with a transcript can be used" in refused(capsys, *command)
    (folder / "t.csv").write_text("file,text\na.wav,la\n")
    command[4] = "900"
    assert command[3:5] == ["--bands", "900"]
    assert "900 bands from 20 to 2000 Hz are too many" in refused(capsys, *command)
    assert not (tmp_path / "m").exists()
    assert "holds no sound file" in refused(capsys, "predict", model, tmp_path)
    assert "no such file" in refused(capsys, "predict", model, tmp_path / "nowhere.txt")


def test_ctrl_c_keeps_the_best_model_and_it_can_go_on(speech: Path, tmp_path: Path) -> None:
    long = [*SMALL, "--epochs", "8"]
    folder = tmp_path / "interrupted"
    interrupt(folder, 2, "transcribe", speech, *long)
    assert len(tt.load(folder).predict([sorted(speech.glob("*.wav"))[0]])) == 1
    finish("fit", "transcribe", "--resume", folder)
    finish("fit", "transcribe", speech, *long, "--out", tmp_path / "whole")
    assert (folder / "model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()

"""`fit generate` on text and what follows it, as a user meets it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import throughtime as tt
from throughtime.cli import run

from ..tasks.plays import write_play
from .test_cli import finish, interrupt, refused

SMALL = "--hidden 8 --embedding 4 --epochs 2 --batch-size 4 --steps 20".split()  # noqa: SIM905


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_play(tmp_path_factory.mktemp("data") / "play.txt")


@pytest.fixture(scope="module")
def model(play: Path) -> Path:
    folder = play.parent / "model"
    assert run(["fit", "generate", str(play), *SMALL, "--out", str(folder), "--quiet"]) == 0
    return folder


def test_fit_then_measure_and_look(
    play: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = json.loads((model / "metrics.json").read_text())
    for data in ([], [str(play)]):
        assert run(["evaluate", str(model), *data, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == written
    figures = {name for name, value in written["validation"].items() if value is not None}
    assert figures == {"nats", "bits", "perplexity", "characters", "unknown"}
    assert run(["evaluate", str(model), str(write_play(play.parent / "other.txt", 20, 3))]) == 0
    printed = capsys.readouterr().out
    assert "characters of the test part" in printed
    assert "Left out: counts, higher orders" in printed
    assert run(["evaluate", str(model)]) == 0
    assert "The validation part also chose the epoch." in capsys.readouterr().out
    opened: list[Path] = []
    monkeypatch.setattr("throughtime.cli.models.open_in_browser", lambda path: not opened.append(path))
    assert run(["look", str(model)]) == 0
    assert opened == [(model / "report.html").resolve()]


def test_it_writes_on(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = tt.load(model)
    how = ["--length", "40", "--temperature", "0.8", "--top-p", "0.95", "--top-k", "9", "--seed", "4"]
    sampling = {"length": 40, "temperature": 0.8, "top_p": 0.95, "top_k": 9, "seed": 4}
    expected = "ANNA:" + "".join(generator.generate("ANNA:", **sampling)) + "\n"
    assert run(["generate", str(model), "--prompt", "ANNA:", *how]) == 0
    assert capsys.readouterr().out == expected
    monkeypatch.setattr(sys, "stdin", io.StringIO("ANNA:"))
    assert run(["generate", str(model), "--prompt", "-", *how]) == 0
    assert capsys.readouterr().out == expected
    assert run(["generate", str(model), "--prompt", "ANNA:", *how, "--out", str(tmp_path / "t.txt")]) == 0
    assert (tmp_path / "t.txt").read_text() == expected
    assert capsys.readouterr().out == ""
    assert run(["generate", str(model), "--prompt", "ANNA:", *how, "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "".join(one["character"] for one in found) == expected[5:-1]
    assert [one["probability"] for one in found] == [p for _, p in generator.draw("ANNA:", **sampling)]
    assert run(["generate", str(model)]) == 0
    assert len(capsys.readouterr().out) == 501, "500 characters and a line end"


def test_words_and_byte_pairs(
    play: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "m"
    command = ["fit", "generate", str(play), *SMALL, "--unit", "bpe", "--vocabulary", "300"]
    assert run([*command, "--out", str(folder)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    judged = json.loads((folder / "metrics.json").read_text())["validation"]
    assert f"{judged['characters']:,} characters in {judged['pieces']:,} pieces of the validation" in printed
    assert f"{judged['nats']:.4f}" in printed
    assert f"{judged['piece_perplexity']:.2f}" in printed
    assert judged["piece_perplexity"] > judged["perplexity"]
    how = ["--length", "50", "--seed", "4", "--prompt", "Zoë: "]
    expected = "".join(tt.load(folder).generate("Zoë: ", length=50, seed=4))
    assert run(["generate", str(folder), *how]) == 0
    assert capsys.readouterr().out == f"Zoë: {expected}\n"
    assert run(["generate", str(folder), *how, "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "".join(one["text"] for one in found) == expected
    (tmp_path / "lines.txt").write_text("ß\n", encoding="utf-8")
    assert run(["predict", str(folder), str(tmp_path / "lines.txt")]) == 0
    assert float(capsys.readouterr().out) > 0, "every text can be judged"
    assert run(["evaluate", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["validation"] == judged
    message = refused(capsys, *command[:-1], 9_000, "--out", tmp_path / "n")
    assert "a vocabulary of 9,000 is more than the training part gives" in message


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_not_steered_by_what_is_drawn(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = [("\x1b[2J", 0.5), ("a\tb\n", 0.3), ("\x9b", 0.1)]
    monkeypatch.setattr(tt.TextGenerator, "draw", lambda self, **sampling: iter(drawn))
    for stream, expected in ((Terminal(), "�[2Ja\tb\n�\n"), (io.StringIO(), "\x1b[2Ja\tb\n\x9b\n")):
        monkeypatch.setattr(sys, "stdout", stream)
        assert run(["generate", str(model)]) == 0
        assert stream.getvalue() == expected
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert run(["generate", str(model), "--out", str(tmp_path / "t.txt")]) == 0
    assert (tmp_path / "t.txt").read_text() == "\x1b[2Ja\tb\n\x9b\n"


def test_each_character_comes_as_it_is_drawn(model: Path) -> None:
    """Far more than can be drawn at once: the first ones are there while the rest is under way."""
    words = [sys.executable, "-m", "throughtime", "generate", str(model), "--length", "100000000"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert len(process.stdout.read(30)) == 30
        assert process.poll() is None
        process.stdout.close()
        assert process.wait(30) == 0, "the reader is gone, as after head"


def test_one_line_in_one_line_out(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["ANNA:", "", "Good morrow my lord.", "ß"]
    file = tmp_path / "lines.txt"
    file.write_text("\n".join(lines) + "\n")
    nats = tt.load(model).predict(lines)
    expected = [f"{nats[0]:.4f}", "-", f"{nats[2]:.4f}", "-"]
    for arguments in ([str(file)], []):
        monkeypatch.setattr(sys, "stdin", io.StringIO(file.read_text()))
        assert run(["predict", str(model), *arguments]) == 0
        assert capsys.readouterr().out.splitlines() == expected
    assert run(["predict", str(model), str(file), "--json", "--out", str(tmp_path / "out.jsonl")]) == 0
    answers = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert answers[0]["nats"] == pytest.approx(nats[0], abs=1e-5)
    assert answers[0]["nats"] == pytest.approx(sum(answers[0]["surprise"]) / 5, abs=1e-3)
    assert answers[0]["bits"] == pytest.approx(answers[0]["nats"] * 1.442695)
    assert [(one["characters"], one["unknown"]) for one in answers] == [(5, 0), (0, 0), (20, 0), (1, 1)]
    assert answers[1]["perplexity"] is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["bad.txt", "empty"]),
        (b"Hamlet\nsch\xf6n\n", ["bad.txt line 2", "byte 10 (0xf6)", "UTF-8"]),
        (b"short\n", ["bad.txt: 5 characters", "too few", "--batch-size"]),
        (bytes(range(256)), ["bad.txt is not a text"]),
    ],
    ids=["empty", "latin-1", "short", "binary"],
)
def test_bad_input(
    content: bytes, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.txt").write_bytes(content)
    message = refused(capsys, "fit", "generate", tmp_path / "bad.txt", *SMALL, "--out", tmp_path / "m")
    assert all(word in message for word in words), message
    assert not (tmp_path / "m").exists()


def test_bad_prompts(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, "generate", model, "--prompt", "ANNÄ:")
    assert "character 4, 'Ä' (U+00C4), never occurred" in message
    assert "knows" in message
    assert "temperature" in refused(capsys, "generate", model, "--temperature", "-1")
    assert "top_p" in refused(capsys, "generate", model, "--top-p", "1.5")
    assert "length" in refused(capsys, "generate", model, "--length", "0")


def test_other_models_generate_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("throughtime.cli.generate.check_task", lambda folder: "classify")
    assert "'classify', which generates nothing" in refused(capsys, "generate", tmp_path)


def test_ctrl_c_keeps_the_best_model_and_it_can_go_on(tmp_path: Path) -> None:
    long = [*SMALL[:4], *SMALL[6:], "--epochs", "6"]
    folder, text = tmp_path / "interrupted", write_play(tmp_path / "long.txt", 200)
    interrupt(folder, 1, "generate", text, *long)
    assert "".join(tt.load(folder).generate(length=3))
    finish("fit", "generate", "--resume", folder)
    finish("fit", "generate", text, *long, "--out", tmp_path / "whole")
    assert (folder / "model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()

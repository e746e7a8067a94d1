"""`fit generate` on music and what follows it, as a user meets it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import throughtime as tt
from throughtime.cli import run
from throughtime.data import read_music, write_midi

from ..tasks.pieces import small_parts, small_pieces, write_pieces
from .test_cli import finish, interrupt, refused

SMALL = "--hidden 8 --epochs 2 --batch-size 8".split()  # noqa: SIM905


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pieces(tmp_path_factory.mktemp("data") / "pieces.json")


@pytest.fixture(scope="module")
def model(pieces: Path) -> Path:
    folder = pieces.parent / "model"
    assert run(["fit", "generate", str(pieces), *SMALL, "--out", str(folder), "--quiet"]) == 0
    return folder


def test_fit_then_measure(pieces: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = json.loads((model / "metrics.json").read_text())
    capsys.readouterr()
    for data in ([], [str(pieces)]):
        assert run(["evaluate", str(model), *data, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == written
    assert set(written["baselines"]) == {"constant_rates", "one_step", "nearest_neighbours"}
    other = write_pieces(pieces.parent / "other.json", 7)
    assert run(["evaluate", str(model), str(other)]) == 0
    printed = capsys.readouterr().out
    assert "Music: 36 test pieces" in printed
    assert "Left out: one step of memory: it needs the training pieces" in printed


def test_a_piece_as_midi_and_as_json(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, composer = tmp_path / "tune.mid", tt.load(model)
    wanted = ["--length", "20", "--seed", "4", "--temperature", "0.8", "--out", str(out)]
    assert run(["generate", str(model), *wanted]) == 0
    assert f"Wrote 20 steps to {out} (seed 4)" in capsys.readouterr().err
    made = tuple(composer.compose(20, seed=4, temperature=0.8))
    assert read_music(out).pieces[0].steps == made
    assert read_music(out).pieces[0].tempo == 80
    prompt = tmp_path / "prompt.mid"
    write_midi(prompt, small_pieces(1)[0], tempo=132)
    options = ["--prompt", str(prompt), "--length", "5", "--threshold", "0.3", "--json"]
    assert run(["generate", str(model), *options]) == 0
    found = json.loads(capsys.readouterr().out)
    given = [sorted(step) for step in small_pieces(1)[0]]
    assert found["steps"][: len(given)] == given
    assert found["given"] == len(given)
    assert [tuple(step) for step in found["steps"][len(given) :]] == list(
        composer.compose(5, prompt=prompt, threshold=0.3)
    )
    assert (found["tempo"], found["grid"]) == (132, "quarter")
    again = [*options, "--seed", str(found["seed"]), "--one-track", "--tempo", "60"]
    assert run(["generate", str(model), *again, "--out", str(out)]) == 0
    assert json.loads(capsys.readouterr().out) == {**found, "tempo": 60.0}
    assert [list(step) for step in read_music(out).pieces[0].steps] == found["steps"]


def test_the_nats_of_each_piece(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "some.json"
    file.write_text(json.dumps([*small_pieces(2, seed=5), [[60]]]))
    nats = tt.load(model).predict(file)
    assert run(["predict", str(model), str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"some.json piece 1\t{nats[0]:.4f}"
    assert lines[2] == "some.json piece 3\tnan"
    assert math.isnan(nats[2])
    assert run(["predict", str(model), str(file), "--json", "--out", str(tmp_path / "out")]) == 0
    answers = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert answers[1] == {
        "piece": "some.json piece 2",
        "steps": len(small_pieces(2, seed=5)[1]),
        "nats_per_step": nats[1],
    }
    assert answers[2] == {"piece": "some.json piece 3", "steps": 1, "nats_per_step": None}


def test_ctrl_c_keeps_the_best_model_and_it_can_go_on(pieces: Path, tmp_path: Path) -> None:
    long = ["--hidden", "8", "--epochs", "12", "--batch-size", "2"]
    folder = tmp_path / "interrupted"
    interrupt(folder, 2, "generate", pieces, *long)
    assert len(list(tt.load(folder).compose(3))) == 3
    finish("fit", "generate", "--resume", folder)
    assert len((folder / "history.csv").read_text().splitlines()) == 13


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "generate", "{folder}/none.mid"], "none.mid: there is no such file"),
        (["fit", "generate", "{folder}/bad.json"], "bad.json piece 1, step 2: note 200 is outside 0..127"),
        (["fit", "generate", "{folder}/broken.mid"], "broken.mid: is a damaged MIDI file"),
        (["fit", "generate", "--kind", "music"], "fit generate: expected music to learn from"),
        (["fit", "generate", "{folder}/good.json", "--grid", "32nd"], "--grid"),
        (
            ["fit", "generate", "{folder}/good.json", "--transpose", "-1"],
            "transpose: Input should be greater",
        ),
        (["generate", "{model}"], "generate: expected a file for the music, as in --out tune.mid"),
        (["generate", "{model}", "--json", "--temperature", "0"], "temperature: Input should be greater"),
        (["generate", "{model}", "--json", "--prompt", "{folder}/good.json"], "holds 36 pieces; a prompt"),
        (["predict", "{model}"], "predict: expected a file or folder of music"),
        (
            ["predict", "{model}", "{folder}/high.json"],
            "high.json piece 1, step 1: note 109 (C#8) is outside",
        ),
    ],
)
def test_what_a_user_may_get_wrong(
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    (tmp_path / "good.json").write_text(json.dumps(small_parts()))
    (tmp_path / "bad.json").write_text("[[[60], [200]]]")
    (tmp_path / "high.json").write_text("[[[109], [60]]]")
    (tmp_path / "broken.mid").write_bytes(b"MThd\0\0\0\6\0\1\0\2\0\x60MTrk")
    said = refused(capsys, *(part.format(folder=tmp_path, model=model) for part in arguments))
    assert message in said

"""`throughtime show`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import throughtime as tt
from throughtime.cli import run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = tt.LSTM(2, 3, bidirectional=True, peepholes=True)
    with tt.record(network, loss_reduction="mean over T·B") as rec:
        network(torch.randn(4, 2, 2), lengths=[4, 2])[0].sum().backward()
    rec.attach("target", torch.ones(4, 2))
    rec.notes["unit"] = "degC [x]"
    rec.save(tmp_path / "rec.safetensors")
    return tmp_path / "rec.safetensors"


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert run(["show", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_the_list(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = " ".join(printed(capsys, file).split())
    assert "loss: mean over T·B" in text
    assert "unit: degC [x]" in text
    assert "attached target (4, 2)" in text
    assert "layer0: LSTM vanilla with peepholes; T=4, B=2, I=2, H=3; float32 by the backend" in text
    assert "layer0.reverse: LSTM vanilla with peepholes;" in text
    assert "from the end to the beginning; lengths [4, 2]" in text
    assert "d_c (4, 2, 3)" in text


def test_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, file, "--json"))
    (one,) = found["passes"]
    layer, rec = one["layers"]["layer0"], tt.load_recording(file)
    assert (layer["T"], layer["lengths"], layer["cuts"], layer["backward_passes"]) == (4, [4, 2], [], 1)
    assert set(layer["arrays"]) == {
        name.removeprefix("layer0.") for name in rec.names if "reverse" not in name
    }
    expected = rec["layer0.c"].double()
    for key, value in (("mean", expected.mean()), ("max", expected.max()), ("norm", expected.norm())):
        assert layer["arrays"]["c"][key] == pytest.approx(value.item(), rel=1e-12)
    values = json.loads(printed(capsys, file, "layer0.f", "--json"))["values"]
    assert values == rec["layer0.f"].tolist()
    values = json.loads(printed(capsys, file, "layer0.f", "--step", 2, "--json"))["values"]
    assert values == rec["layer0.f"][2].tolist()


def test_one_array(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, file, "layer0.d_c").splitlines()
    assert lines[0] == "layer0.d_c (4, 2, 3), over sequences and units at each t"
    assert [line.split()[0] for line in lines[1:]] == ["t", "0", "1", "2", "3"]
    lines = printed(capsys, file, "layer0.d_c", "--step", -1).splitlines()
    assert lines[0] == "layer0.d_c, t=-1: (2, 3), one line for each sequence"
    assert lines[2] == "0 0 0"


def test_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network, path = tt.RNN(2, 3), tmp_path / "rec"
    with tt.record(network) as rec:
        for _ in range(2):
            network(torch.randn(4, 2, 2))
    rec.save(path)
    text = printed(capsys, path)
    assert "pass 0" in text
    assert "pass 1" in text
    assert "no backward yet" in text
    assert "layer0.h" in printed(capsys, path, "layer0.h", "--pass", 1)
    tt.Recording({"layer0": []}).save(path)
    assert json.loads(printed(capsys, path, "--json"))["passes"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["layer0.q"], "no value 'layer0.q' in this recording; layer0 has x, i_bar"),
        (["layer0.f", "--step", "4"], "t=4, expected 0 to 3"),
        (["--step", "4"], "--step needs the NAME of an array"),
        (["--pass", "1"], "--pass 1, expected 0 to 0"),
    ],
)
def test_wrong_arguments(
    file: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["show", str(file), *arguments]) == 2
    assert words in capsys.readouterr().err


def test_no_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", str(tmp_path / "nothing")]) == 2
    assert "there is no such file" in capsys.readouterr().err

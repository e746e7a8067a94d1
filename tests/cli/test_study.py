"""`throughtime study` as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from throughtime.cli import run

from ..page.study.recorded import recording
from .test_cli import SMALL, refused, small_table


def wrote(capsys: pytest.CaptureFixture[str]) -> str:
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def test_a_recording_becomes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording(T=3).save(tmp_path / "a.safetensors")
    page = tmp_path / "page.html"
    assert run(["study", str(tmp_path / "a.safetensors"), "--out", str(page), "--no-open"]) == 0
    assert f"Wrote {page}, 0." in wrote(capsys)
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_without_a_source_a_tiny_lstm_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("throughtime.tasks.study.UPDATES", 3)
    assert run(["study", "--no-open"]) == 0
    assert run(["study", "--no-open"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "throughtime-study-2.html",
        "throughtime-study.html",
    ]
    assert "Training a tiny LSTM" in wrote(capsys)


@pytest.mark.parametrize("more", [[], ["--layer-norm", "--zoneout", "0.1", "--recurrent-dropout", "0.2"]])
def test_a_model_folder_is_recorded_on_its_test_part(
    tmp_path: Path, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    small_table().write_csv(tmp_path / "load.csv")
    folder, page = tmp_path / "model", tmp_path / "page.html"
    fit = ["fit", "forecast", str(tmp_path / "load.csv"), *SMALL, *more, "--out", str(folder), "--quiet"]
    assert run(fit) == 0
    capsys.readouterr()
    assert run(["study", str(folder), "--out", str(page), "--no-open"]) == 0
    text = page.read_text(encoding="utf-8")
    assert "load, 6h ahead: LSTM" in text
    assert ("z_x_hat" in text) == bool(more)


def test_what_cannot_be_shown_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such recording or model folder" in refused(capsys, "study", tmp_path / "none")
    assert "holds no model.json" in refused(capsys, "study", tmp_path)
    (tmp_path / "text").write_text("no recording")
    assert "text" in refused(capsys, "study", tmp_path / "text")
    recording(T=3, H=40).save(tmp_path / "large")
    message = refused(capsys, "study", tmp_path / "large", "--megabytes", "0", "--no-open")
    assert "more than the 0 a page may hold" in message

"""The command line as a user meets it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

import throughtime as tt
from throughtime.cli import run

from ..tasks.conftest import small_table

SMALL = "--target load --history 1d --horizon 6h --hidden 4 --epochs 2 --batch-size 64".split()  # noqa: SIM905


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "load.csv"
    small_table().write_csv(path)
    return path


@pytest.fixture(scope="module")
def model(csv: Path) -> Path:
    folder = csv.parent / "model"
    assert run(["fit", "forecast", str(csv), *SMALL, "--out", str(folder), "--quiet"]) == 0
    return folder


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that must fail with exit code 2 and one message; give the message."""
    assert run([str(argument) for argument in arguments]) == 2
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    assert printed.err.startswith("throughtime: ") or "\nthroughtime: " in printed.err
    return printed.err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    printed = capsys.readouterr().out
    commands = ("demo", "fit", "evaluate", "predict", "look", "study", "slides", "show", "doctor")
    assert all(command in printed for command in commands)


def test_help_of_fit_explains_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fit", "forecast", "--help"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for words in ("--history", "[default: 5d]", "--split", "0.7,0.15,0.15", "--max-gap", "--resume"):
        assert words in printed


def test_help_does_not_wait_for_torch() -> None:
    script = "import sys; from throughtime.cli import run; run(['--help']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"


def test_fit_then_measure_predict_and_look(
    csv: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["evaluate", str(model), "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured == json.loads((model / "metrics.json").read_text())
    assert {"mae", "rmse", "coverage80", "coverage95"} <= set(measured["test"])
    assert {"mae", "rmse"} <= set(measured["baselines"]["persistence"])
    assert {"unit", "validation", "baselines"} <= set(measured)

    assert run(["predict", str(model), str(csv)]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[1].startswith("2024-02-07T12:00:00Z,")
    forecast = pl.read_csv(io.StringIO(printed), try_parse_dates=True)
    assert forecast["forecast"].to_list() == pytest.approx(tt.load(model).predict(csv)["forecast"].to_list())
    out = csv.parent / "forecast.csv"
    assert run(["predict", str(model), str(csv), "--out", str(out)]) == 0
    assert pl.read_csv(out, try_parse_dates=True).equals(forecast)
    capsys.readouterr()

    opened: list[Path] = []
    monkeypatch.setattr("throughtime.cli.models.open_in_browser", lambda path: not opened.append(path))
    assert run(["look", str(model)]) == 0
    assert opened == [(model / "report.html").resolve()]


def test_doctor(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("throughtime.cli.doctor.SECONDS", 0.05)
    assert run(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert all(
        word in printed for word in (tt.__version__, "backends", "instruction set", "triton", "times as fast")
    )
    assert run(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["chosen"] in found["backends"]
    assert found["ratio"] > 0


def test_json_is_one_object_and_the_rest_goes_elsewhere(
    csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["fit", "forecast", str(csv), *SMALL, "--out", str(tmp_path / "m"), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["target"] == "load"
    assert "epoch 2/2" in printed.err


def test_options_reach_the_settings(csv: Path, tmp_path: Path) -> None:
    options = ["--split", "0.6,0.2,0.2", "--clip-norm", "none", "--variant", "cifg", "--peepholes"]
    options += ["--ignore", "hint", "--angles", "auto", "--time-features", "false", "--truncate", "8,16"]
    options += ["--lanes", "4", "--epochs", "1"]
    folder = tmp_path / "m"
    assert run(["fit", "forecast", str(csv), *SMALL[:-4], *options, "--out", str(folder), "--quiet"]) == 0
    settings = tt.load(folder).settings
    assert settings.split == (0.6, 0.2, 0.2)
    assert settings.clip_norm is None
    assert (settings.variant, settings.peepholes, settings.ignore) == ("cifg", True, ("hint",))
    assert (settings.time_features, settings.truncate) == (False, (8, 16))


def test_a_model_is_never_written_over(csv: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (model / "model.json").read_bytes()
    message = refused(capsys, "fit", "forecast", csv, *SMALL, "--out", model)
    assert "holds a model already; choose another --out" in message
    assert (model / "model.json").read_bytes() == before


def test_without_out_a_free_name_is_found(csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert run(["fit", "forecast", str(csv), *SMALL, "--quiet"]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["load-forecast", "load-forecast-2"]


def test_a_folder_that_cannot_be_made(csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, "fit", "forecast", csv, *SMALL, "--out", csv / "inside-a-file")
    assert "inside-a-file" in message
    assert "could not be written" in message


def start(*arguments: object) -> subprocess.Popen[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "throughtime", *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def finish(*arguments: object) -> str:
    process = start(*arguments)
    _, words = process.communicate(timeout=300)
    assert process.returncode == 0, words
    return words


def wait_for_epoch(process: subprocess.Popen[str], epoch: int) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(f"epoch {epoch}/"):
            return
    raise AssertionError(f"the fit ended before epoch {epoch}")


def interrupt(folder: Path, epoch: int, task: str, *arguments: object) -> None:
    """Press Ctrl-C after `epoch` of a fit into `folder`; it must end in good order and say how to go on."""
    process = start("fit", task, *arguments, "--out", folder)
    wait_for_epoch(process, epoch)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=120)
    assert process.returncode == 130
    assert f"throughtime fit {task} --resume {folder}" in words
    assert "Traceback" not in words


LONG = [*SMALL[:-4], "--epochs", "12", "--batch-size", "32"]


@pytest.fixture(scope="module")
def undisturbed(csv: Path) -> Path:
    folder = csv.parent / "undisturbed"
    finish("fit", "forecast", csv, *LONG, "--out", folder)
    return folder


def test_killed_and_resumed_it_ends_the_same(csv: Path, undisturbed: Path, tmp_path: Path) -> None:
    """SIGKILL in the middle of a fit, then --resume: the figures of a run that was left alone."""
    folder = tmp_path / "killed"
    process = start("fit", "forecast", csv, *LONG, "--out", folder)
    wait_for_epoch(process, 4)
    time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (folder / "model.json").exists()
    printed = finish("fit", "forecast", "--resume", folder)
    assert "epoch 2/12" not in printed, "it began anew"
    assert (folder / "metrics.json").read_text() == (undisturbed / "metrics.json").read_text()
    assert (folder / "model.safetensors").read_bytes() == (undisturbed / "model.safetensors").read_bytes()


def test_ctrl_c_keeps_the_best_model_and_says_how_to_go_on(
    csv: Path, undisturbed: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "interrupted"
    process = start("fit", "forecast", csv, *LONG, "--out", folder)
    wait_for_epoch(process, 3)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=300)
    assert process.returncode == 130
    assert f"throughtime fit forecast --resume {folder}" in words
    assert "Traceback" not in words
    assert len(tt.load(folder).predict(csv)) == 6, "the best model so far can be used"
    finish("fit", "forecast", "--resume", folder)
    assert (folder / "metrics.json").read_text() == (undisturbed / "metrics.json").read_text()


def test_a_reader_that_goes_away_is_no_error(model: Path, csv: Path) -> None:
    command = f"{sys.executable} -m throughtime predict {model} {csv} | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("time,")
    assert done.stderr == ""


LATE_SECOND = """
import os, sys, time
from throughtime.cli import run
time.sleep(2 * int(os.environ["RANK"]))
sys.exit(run(sys.argv[1:]))
"""


def test_two_processes_give_what_one_gives(csv: Path, tmp_path: Path) -> None:
    """torchrun: each takes its part of every batch; the first one writes and prints.

    The second comes late, when the first has begun to write: it must not take the folder for another's.
    """
    options = [*SMALL, "--dropout", "0"]
    finish("fit", "forecast", csv, *options, "--out", tmp_path / "one")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    script = tmp_path / "late_second.py"
    script.write_text(LATE_SECOND)
    words = [script, "fit", "forecast", csv, *options, "--out", tmp_path / "two", "--json"]
    done = subprocess.run(
        [*launcher, *map(str, words)],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    two = json.loads(done.stdout)
    one = json.loads((tmp_path / "one" / "metrics.json").read_text())
    assert two["test"]["mae"] == pytest.approx(one["test"]["mae"], rel=1e-4)
    assert done.stderr.count("epoch 2/2") == 1
    assert len(tt.load(tmp_path / "two").predict(csv)) == 6

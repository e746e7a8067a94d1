"""Without a GPU the tests of the Triton kernels run in a process of their own, under Triton's interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from throughtime.kernels import triton as kernels

HERE = Path(__file__).parent


@pytest.mark.skipif(not kernels.version(), reason="triton is not installed")
@pytest.mark.skipif(torch.cuda.is_available(), reason="tests/kernels/triton runs by itself, on the GPU")
def test_the_kernels_under_the_interpreter() -> None:
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / "triton")]
    run = subprocess.run(
        command, env=environment, cwd=HERE.parents[1], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert " passed" in run.stdout


def test_triton_is_not_imported_before_it_is_asked_for() -> None:
    script = (
        "import sys, throughtime as tt, torch; tt.LSTM(2, 3)(torch.zeros(4, 1, 2)); "
        "print('triton' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


@pytest.mark.skipif(kernels.is_available(), reason="triton can run here")
def test_a_message_says_what_is_missing() -> None:
    from throughtime.nn import LSTM

    with pytest.raises(
        ValueError, match=r"backend='triton' cannot run here: .*; available here: 'reference'"
    ):
        LSTM(2, 3, backend="triton")


BENCHMARK = [sys.executable, str(HERE.parents[1] / "benchmarks" / "gpu.py")]


@pytest.mark.skipif(not kernels.version(), reason="triton is not installed")
def test_the_benchmark_runs_to_its_end(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    command = [*BENCHMARK, "--dry", "--minutes", "5", "--json", str(results)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-4000:]
    found = json.loads(results.read_text())
    assert found["left out"] == []
    assert {"LSTM", "LSTM peepholes", "RNN"} <= {row["what"] for row in found["rows"]}
    assert all(row["ours"] > 0 for row in found["rows"])
    exact = [row["errors"]["ours: y"] for row in found["rows"] if row["errors"] and row["dtype"] == "float32"]
    assert max(exact) < 1e-5


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_the_benchmark_says_that_there_is_no_gpu() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    run = subprocess.run(BENCHMARK, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith("no GPU here: ")
    assert run.stdout == ""

"""The benchmark on digits reads IDX files and runs; a few made-up digits stand in for MNIST."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks/sequential_mnist.py"


def write_idx(path: Path, values: np.ndarray) -> None:
    head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(head + values.astype(np.uint8).tobytes()))


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for part, count in (("train", 5_040), ("t10k", 20)):
        labels = rng.integers(0, 10, count)
        images = np.zeros((count, 28, 28))
        images[np.arange(count), 2 * labels, 5:20] = 255
        write_idx(tmp_path / f"{part}-images-idx3-ubyte.gz", images)
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte.gz", labels)
    return tmp_path


def ran(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(PROGRAM), "--threads", "1", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True)


def test_rows_are_learnt_and_mapped(digits: Path, tmp_path: Path) -> None:
    done = ran("--order", "rows", "--quick", "--json", "--data", digits, "--images", tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [one["cell"] for one in found] == ["LSTM", "simple RNN"]
    for one in found:
        assert one["epochs"] == len(one["losses"]) == 1
        assert 0 <= one["test"] <= 1
        assert 1 <= one["memory"] <= 27
    assert (tmp_path / "sequential-mnist-rows.png").stat().st_size > 10_000


def test_a_file_that_is_cut_off_is_named(digits: Path) -> None:
    path = digits / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-7]))
    done = ran("--order", "rows", "--quick", "--data", digits)
    assert done.returncode != 0
    assert "announces 5,040 bytes and holds 5,033" in done.stderr
    assert "Traceback" not in done.stderr

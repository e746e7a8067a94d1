import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from throughtime.training.distributed import Processes

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import together  # noqa: E402


def torchrun(script: Path, *arguments: str, processes: int = 2) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    return subprocess.run(
        [*command, str(script), *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What came out in one process, and in each of two."""
    path = tmp_path_factory.mktemp("together") / "outcome"
    ran = torchrun(HERE / "scripts" / "fit_together.py", str(path))
    assert ran.returncode == 0, ran.stderr
    return together.all_fits(), *(json.loads(Path(f"{path}.{rank}").read_text()) for rank in (0, 1))


NAMES = ["full", "short", "truncated", "carried", "other start", "spare", "patience"]


@pytest.mark.parametrize("name", NAMES)
def test_two_processes_do_what_one_does(outcomes, name):
    one, first, _ = (outcome[name] for outcome in outcomes)
    assert first["stopped"] == one["stopped"]
    assert first["best"] == one["best"]
    torch.testing.assert_close(
        torch.tensor(first["figures"]), torch.tensor(one["figures"]), rtol=1e-10, atol=1e-12
    )
    torch.testing.assert_close(
        torch.tensor(first["weights"]), torch.tensor(one["weights"]), rtol=1e-8, atol=1e-10
    )


@pytest.mark.parametrize("name", [*NAMES, "ragged"])
def test_all_processes_hold_the_same_and_only_the_first_displays(outcomes, name):
    _, first, second = (outcome[name] for outcome in outcomes)
    assert first["weights"] == second["weights"]
    assert first["figures"] == second["figures"]
    assert first["displayed"]
    assert not second["displayed_elsewhere"]


def test_a_checkpoint_never_holds_the_carried_state_of_one_process_of_two(outcomes):
    """Alone there is one at every border; of two, the one before the state was carried stays."""
    one, first, _ = (outcome["places"] for outcome in outcomes)
    assert one == [[e, b, b < 3] for e in (1, 2) for b in (1, 2, 3)]
    assert first == [[1, 0, False], [1, 0, False], [1, 3, False], [2, 0, False], [2, 0, False], [2, 3, False]]


def test_the_cases_are_what_they_claim(outcomes):
    one = outcomes[0]
    assert one["patience"]["stopped"] == "patience"
    assert len(one["patience"]["figures"]) < 8
    assert len(outcomes[1]["ragged"]["figures"]) == 4
    assert outcomes[1]["ragged"]["figures"] != one["ragged"]["figures"], "the parts have fewer steps"
    assert any(figures[3] == 1.0 for figures in one["spare"]["figures"]), "clipped by the common norm"


def test_a_nan_in_one_process_stops_all_with_one_message(outcomes):
    one, first, second = (outcome["nonfinite"] for outcome in outcomes)
    assert first == second
    assert "epoch 2, batch 1: the loss is nan" in first
    assert "time step 6 (sequence 1, feature 1" in first, "counted in that process's part"
    assert "time step 6 (sequence 3, feature 1" in one


def test_one_process_alone_needs_no_group():
    alone = Processes(torch.device("cpu"))
    assert (alone.first, alone.world) == (True, 1)
    assert alone.sum(1.5, 2.0) == [1.5, 2.0]
    assert alone.largest(3) == 3
    assert alone.agree_on("so") == "so"

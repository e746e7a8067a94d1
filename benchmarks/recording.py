"""What recording costs in time and memory, beside the same training step without it.

    python benchmarks/recording.py [--quick] [--threads N] [--json]

Time: a training step (forward, loss, backward, update) of an LSTM with a linear head at T, B, I, H = 576, 64,
5, 64. All candidates run in turn within one process; a ratio is the median over the rounds of (candidate's
time / that of the plain step) within the round. "off" is the step as it is, against one whose layers cannot
be watched at all. Memory: peak and final size of a process of its own (Linux), in multiples of the bytes of
the arrays that the recording returns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import throughtime as tt

SIZE = (576, 64, 5, 64)
QUICK = (60, 8, 5, 16)


class Network(nn.Module):
    """An LSTM and a linear head on every step."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.lstm = tt.LSTM(inputs, hidden)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (T, B, 1)."""
        return self.head(self.lstm(x)[0])


def make_step(size: tuple[int, ...]) -> tuple[Network, Callable[[], None]]:
    T, B, inputs, hidden = size
    torch.manual_seed(0)
    network = Network(inputs, hidden)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)
    x, target = torch.randn(T, B, inputs), torch.randn(T, B, 1)

    def step() -> None:
        optimizer.zero_grad()
        (network(x) - target).square().mean().backward()
        optimizer.step()

    return network, step


def time_ratios(size: tuple[int, ...], rounds: int) -> dict[str, float]:
    network, step = make_step(size)
    blind, blind_step = make_step(size)
    make_unwatchable(blind)

    def recorded(**arguments: object) -> Callable[[], None]:
        def run() -> None:
            with tt.record(network, **arguments):
                step()

        return run

    others = {
        "full": recorded(),
        "values only": recorded(errors=False),
        "f, c, d_c": recorded(values=["f", "c", "d_c"]),
    }
    taken = in_turn({"unwatchable": blind_step, "plain": step} | others, rounds)
    found = {"plain, milliseconds": statistics.median(taken["plain"]) * 1e3}
    found["off"] = ratio(taken, "plain", "unwatchable")
    found["off, 100 calls of one step"] = ratio(small_calls(rounds), "plain", "unwatchable")
    return found | {name: ratio(taken, name, "plain") for name in others}


def make_unwatchable(network: Network) -> None:
    """Let the layers run without asking whether they are watched."""
    for layer in network.lstm.layers:
        layer.__dict__["_run_or_be_watched"] = layer.run


def small_calls(rounds: int) -> dict[str, list[float]]:
    """100 calls with one time step of one sequence, without gradients: where a check would show most."""
    x = torch.randn(1, 1, 5)
    networks = {"unwatchable": Network(5, 8), "plain": Network(5, 8)}
    make_unwatchable(networks["unwatchable"])

    def calls(network: Network) -> Callable[[], None]:
        def run() -> None:
            with torch.no_grad():
                for _ in range(100):
                    network.lstm(x)

        return run

    return in_turn({name: calls(network) for name, network in networks.items()}, 10 * rounds)


def in_turn(candidates: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each candidate in each round; every round begins with another one."""
    for run in 2 * list(candidates.values()):
        run()
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    names = list(candidates)
    for k in range(rounds):
        for name in names[k % len(names) :] + names[: k % len(names)]:
            begin = time.perf_counter()
            candidates[name]()
            taken[name].append(time.perf_counter() - begin)
    return taken


def ratio(taken: dict[str, list[float]], name: str, other: str) -> float:
    return statistics.median(a / b for a, b in zip(taken[name], taken[other], strict=True))


def memory_of(size: tuple[int, ...], record: bool) -> dict[str, int]:
    """Sizes of this process around one step, in bytes. Linux."""
    network, step = make_step(size)
    make_step(QUICK)[1]()
    before = _status("VmRSS")
    if not record:
        step()
        return {"peak": _status("VmHWM") - before, "kept": 0, "arrays": 0}
    with tt.record(network) as rec:
        step()
    peak = _status("VmHWM")
    return {"peak": peak - before, "kept": _status("VmRSS") - before, "arrays": rec.nbytes}


def _status(key: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(key))
    return int(line.split()[1]) * 1024


def memory_ratios(quick: bool) -> dict[str, float]:
    def run(which: str) -> dict[str, int]:
        arguments = [sys.executable, __file__, "--memory", which, *(["--quick"] if quick else [])]
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
        found: dict[str, int] = json.loads(done.stdout)
        return found

    plain, recorded = run("plain"), run("recorded")
    arrays = recorded["arrays"]
    return {
        "arrays, MB": arrays / 1e6,
        "peak of the whole step": recorded["peak"] / arrays,
        "peak beyond the plain step's": (recorded["peak"] - plain["peak"]) / arrays,
        "kept after the step": recorded["kept"] / arrays,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--memory", choices=["plain", "recorded"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    size = QUICK if options.quick else SIZE
    if options.memory:
        print(json.dumps(memory_of(size, options.memory == "recorded")))
        return
    found = {"time": time_ratios(size, 3 if options.quick else 120)}
    if sys.platform == "linux":
        found["memory"] = memory_ratios(options.quick)
    if options.json:
        print(json.dumps({"size": size, "threads": torch.get_num_threads()} | found))
        return
    print(
        f"T, B, I, H = {', '.join(map(str, size))}; {torch.get_num_threads()} threads; times the plain step"
    )
    for part, rows in found.items():
        for name, value in rows.items():
            print(f"{part:8}{name:32}{value:9.3f}")


if __name__ == "__main__":
    main()

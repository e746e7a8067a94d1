"""How long M networks side by side take beside M calls, on the CPU.

    python benchmarks/networks.py [--quick] [--threads N] [--json] [--processor-time]

Forward and full backward of an LSTM with peepholes, float32, native kernels. Both candidates run in turn
within one process; a ratio is the median over the rounds of (time of M calls / time side by side) within the
round. Above 1, side by side is faster. On a busy machine --processor-time with --threads 1 counts the time of
the process instead of the clock's: then only what M calls cost beyond the kernels is saved.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import throughtime.nn as tt

# M, T, B, I, H
SHAPES = [
    (8, 100, 1, 5, 16),
    (64, 100, 1, 5, 16),
    (8, 100, 8, 5, 32),
    (64, 100, 8, 5, 32),
    (16, 200, 32, 5, 64),
]
QUICK = [(4, 20, 1, 3, 8)]


clock = time.perf_counter


def rounds(candidates: list[Callable[[], None]], budget: float) -> list[list[float]]:
    """Seconds of every candidate in every round, after one round that does not count."""
    times: list[list[float]] = [[] for _ in candidates]
    for run in candidates:
        run()
    end = time.perf_counter() + budget
    while time.perf_counter() < end or len(times[0]) < 3:
        for run, taken in zip(candidates, times, strict=True):
            begun = clock()
            run()
            taken.append(clock() - begun)
    return times


def measure(shape: tuple[int, ...], budget: float) -> dict[str, object]:
    M, T, B, inputs, H = shape
    alone = [tt.LSTM(inputs, H, peepholes=True) for _ in range(M)]
    together, x = tt.stack(alone), torch.randn(T, B, inputs)

    def by_calls() -> None:
        for network in alone:
            network.zero_grad(set_to_none=True)
            network(x)[0].sum().backward()

    def side_by_side() -> None:
        together.zero_grad(set_to_none=True)
        together(x)[0].sum().backward()

    calls, side = rounds([by_calls, side_by_side], budget)
    ratio = statistics.median(one / other for one, other in zip(calls, side, strict=True))
    times = [1e3 * statistics.median(taken) for taken in (calls, side)]
    return {"M, T, B, I, H": shape, "calls ms": times[0], "side by side ms": times[1], "ratio": ratio}


def main() -> None:
    parser = argparse.ArgumentParser(description="M networks side by side, beside M calls.")
    parser.add_argument("--quick", action="store_true", help="one tiny shape, a moment each")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--processor-time", action="store_true", help="of the process, not the clock's")
    arguments = parser.parse_args()
    global clock
    clock = time.process_time if arguments.processor_time else time.perf_counter
    torch.set_num_threads(arguments.threads)
    rows = []
    for shape in QUICK if arguments.quick else SHAPES:
        rows.append(measure(shape, 0.05 if arguments.quick else 4.0))
        if not arguments.json:
            row = rows[-1]
            beside = f"{row['calls ms']:9.2f} ms by calls {row['side by side ms']:9.2f} ms side by side"
            print(f"{shape!s:24} {beside}  {row['ratio']:.2f}", flush=True)
    if arguments.json:
        print(json.dumps({"threads": arguments.threads, "torch": str(torch.__version__), "rows": rows}))


if __name__ == "__main__":
    main()

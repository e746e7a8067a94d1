"""How long LSTM and RNN take beside torch.nn's and beside a peephole LSTM as a Python loop in torch.

    python benchmarks/modules.py [--quick] [--threads N] [--json]

All candidates of a row run in turn within one process, so that whatever else the machine does meets
them alike; a ratio is the median over the rounds of (other's time / ours) within the round. Above 1,
throughtime is faster. float32; "forward" without gradients, "both" forward and full backward.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import throughtime.nn as tt

SIZES = [
    (100, 1, 16, 32),
    (100, 1, 64, 128),
    (576, 32, 4, 32),
    (576, 64, 5, 64),
    (100, 32, 64, 128),
    (100, 64, 128, 256),
    (100, 64, 512, 512),
]
QUICK_SIZES = [(100, 1, 16, 32), (120, 32, 4, 32)]


class PeepholeLoop(nn.Module):
    """A peephole LSTM as people write it: input projection hoisted, `unbind`, autograd does the rest."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        bound = hidden_size**-0.5
        shapes = ((4 * hidden_size, input_size), (4 * hidden_size, hidden_size), (4 * hidden_size,))
        self.weights = nn.ParameterList(torch.empty(shape).uniform_(-bound, bound) for shape in shapes)
        self.peephole = nn.Parameter(torch.empty(3, hidden_size).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Outputs (T, B, H) and the last (y, c) for x (T, B, I)."""
        weight_ih, weight_hh, bias = self.weights
        p_i, p_f, p_o = self.peephole.unbind(0)
        y = c = x.new_zeros(x.shape[1], weight_hh.shape[1])
        recurrent, outputs = weight_hh.T, []
        for projected in (x @ weight_ih.T + bias).unbind(0):
            i, f, z, o = torch.addmm(projected, y, recurrent).chunk(4, dim=-1)
            c = torch.sigmoid(f + p_f * c) * c + torch.sigmoid(i + p_i * c) * torch.tanh(z)
            y = torch.sigmoid(o + p_o * c) * torch.tanh(c)
            outputs.append(y)
        return torch.stack(outputs), (y, c)


def candidates(size: tuple[int, ...], loop: bool) -> dict[str, nn.Module]:
    inputs, hidden = size[2:]
    made: dict[str, nn.Module] = {
        "tt.LSTM": tt.LSTM(inputs, hidden),
        "torch.nn.LSTM": nn.LSTM(inputs, hidden),
        "tt.LSTM peepholes": tt.LSTM(inputs, hidden, peepholes=True),
        "tt.RNN": tt.RNN(inputs, hidden),
        "torch.nn.RNN": nn.RNN(inputs, hidden),
    }
    return made | ({"peephole loop": PeepholeLoop(inputs, hidden)} if loop else {})


PAIRS = {
    "LSTM vs torch": ("tt.LSTM", "torch.nn.LSTM"),
    "peephole LSTM vs loop": ("tt.LSTM peepholes", "peephole loop"),
    "RNN vs torch": ("tt.RNN", "torch.nn.RNN"),
}


def forward(module: nn.Module, x: Tensor) -> None:
    with torch.no_grad():
        module(x)


def both(module: nn.Module, x: Tensor) -> None:
    module.zero_grad(set_to_none=True)
    module(x)[0].sum().backward()


def rounds(
    modules: dict[str, nn.Module], run: Callable[..., None], x: Tensor, budget: float
) -> dict[str, list[float]]:
    """Seconds of every candidate in every round, after one round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in modules}
    for module in modules.values():
        run(module, x)
    begun = time.perf_counter()
    while len(times["tt.LSTM"]) < 3 or time.perf_counter() - begun < budget:
        for name, module in modules.items():
            start = time.perf_counter()
            run(module, x)
            times[name].append(time.perf_counter() - start)
    return times


def measure(sizes: list[tuple[int, int, int, int]], budget: float) -> list[dict[str, object]]:
    rows = []
    for size in sizes:
        x = torch.randn(size[0], size[1], size[2])
        modules = candidates(size, loop=size[3] <= 256)
        for label, run in (("forward", forward), ("both", both)):
            times = rounds(modules, run, x, budget)
            rows.append(
                {
                    "T, B, I, H": size,
                    "pass": label,
                    "rounds": len(times["tt.LSTM"]),
                    "ms": {name: 1e3 * statistics.median(each) for name, each in times.items()},
                    "ratio": {
                        pair: statistics.median(b / a for a, b in zip(times[ours], times[other], strict=True))
                        for pair, (ours, other) in PAIRS.items()
                        if other in times
                    },
                }
            )
    return rows


def show(rows: list[dict[str, object]]) -> None:
    names = ["tt.LSTM", "torch.nn.LSTM", "tt.LSTM peepholes", "peephole loop", "tt.RNN", "torch.nn.RNN"]
    print(f"{'T, B, I, H':>20} {'pass':8}", *(f"{name:>18}" for name in names), *(f"{p:>22}" for p in PAIRS))
    for row in rows:
        size = ", ".join(str(n) for n in row["T, B, I, H"])
        cells = [f"{row['ms'][n]:15.2f} ms" if n in row["ms"] else f"{'-':>18}" for n in names]
        ratios = [f"{row['ratio'][p]:21.2f}x" if p in row["ratio"] else f"{'-':>22}" for p in PAIRS]
        print(f"{size:>20} {row['pass']:8}", *cells, *ratios)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two small sizes, a few seconds")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    rows = measure(QUICK_SIZES if arguments.quick else SIZES, 0.5 if arguments.quick else 4.0)
    machine = {
        "torch": torch.__version__,
        "threads": arguments.threads,
        "cpus": os.cpu_count(),
        "processor": platform.machine(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }
    if arguments.json:
        print(json.dumps({"machine": machine, "rows": rows}))
        return
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    show(rows)


if __name__ == "__main__":
    main()

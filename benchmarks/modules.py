"""How long LSTM and RNN take beside torch.nn's and beside a peephole LSTM as a Python loop in torch.

    python benchmarks/modules.py [--quick] [--threads N] [--json] [--up-to H] [--processor-time]
        [--part sizes|variants|regularised|padding|steps|all]

On a busy machine --processor-time with --threads 1 counts the time of the process instead of the clock's.

All candidates of a row run in turn, in changing order, within one process, so that whatever else the
machine does meets them alike; a ratio is the median over the rounds of (other's time / ours) within the
round. Above 1, throughtime is faster. float32; "forward" without gradients, "both" forward and full
backward, at H=1024 with the error of the input. The sizes are measured twice: with the C library's
allocator as it is, and told to keep its memory (MALLOC_*), from which torch gains. "variants" holds each
variant to vanilla, "regularised" layer normalisation to a Python loop in torch and, like zoneout and
recurrent dropout, to the plain LSTM, "padding" batches of several distributions of lengths to the batch cut
at their mean, which has as many true steps and no padding, and to torch.nn.LSTM on the same batch, packed
and padded, "steps" one live reading per call to torch.nn.LSTMCell and, where it is installed, onnxruntime,
and with layer normalisation and zoneout to the same network called with a sequence of one step.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import throughtime.nn as tt
from throughtime.kernels import native

SIZES = [
    (100, 1, 16, 32),
    (100, 1, 64, 128),
    (576, 32, 4, 32),
    (576, 64, 5, 64),
    (100, 32, 64, 128),
    (100, 64, 128, 256),
    (100, 64, 512, 512),
    (100, 128, 1024, 1024),
]
VARIANTS = ["vanilla", "NIG", "NFG", "NOG", "NIAF", "NOAF", "CIFG", "FGR"]
TUNED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40), "MALLOC_TOP_PAD_": str(64 << 20)}
QUICK_SIZES = [(100, 1, 16, 32), (120, 32, 4, 32)]
REGULARISED = [(120, 32, 4, 32), (576, 64, 5, 64), (100, 64, 128, 256), (100, 64, 512, 512)]


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


class NormLoop(nn.Module):
    """An LSTM with layer normalisation as people write it: W x at once, then a step at a time."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        bound = hidden_size**-0.5
        shapes = ((4 * hidden_size, input_size), (4 * hidden_size, hidden_size))
        self.weights = nn.ParameterList(torch.empty(shape).uniform_(-bound, bound) for shape in shapes)
        self.norm_x, self.norm_y, self.norm_c = map(
            nn.LayerNorm, (4 * hidden_size, 4 * hidden_size, hidden_size)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Outputs (T, B, H) and the last (y, c) for x (T, B, I)."""
        weight_ih, weight_hh = self.weights
        y = c = x.new_zeros(x.shape[1], weight_hh.shape[1])
        outputs = []
        for projected in self.norm_x(x @ weight_ih.T).unbind(0):
            i, f, z, o = (projected + self.norm_y(y @ weight_hh.T)).chunk(4, dim=-1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(z)
            y = torch.sigmoid(o) * torch.tanh(self.norm_c(c))
            outputs.append(y)
        return torch.stack(outputs), (y, c)


clock = time.perf_counter


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
    """Seconds of every candidate in every round, after one round that does not count.

    Every round has an order of its own: what ran before leaves caches and memory as it likes.
    """
    return in_turn({name: functools.partial(run, module, x) for name, module in modules.items()}, budget)


def in_turn(calls: dict[str, Callable[[], object]], budget: float) -> dict[str, list[float]]:
    """As `rounds`, of any calls."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    begun, order, chance = time.perf_counter(), list(calls.items()), random.Random(0)
    while any(len(each) < 3 for each in times.values()) or time.perf_counter() - begun < budget:
        chance.shuffle(order)
        for name, call in order:
            start = clock()
            call()
            times[name].append(clock() - start)
    return times


def measure(sizes: list[tuple[int, int, int, int]], budget: float) -> list[dict[str, object]]:
    rows = []
    for size in sizes:
        x = torch.randn(size[0], size[1], size[2], requires_grad=size[3] >= 1024)
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


def variants(size: tuple[int, ...], budget: float) -> dict[str, float]:
    """How long each variant takes beside vanilla with peepholes, forward and backward."""
    x = torch.randn(*size[:3])
    modules: dict[str, nn.Module] = {
        "tt.LSTM" if name == "vanilla" else name: tt.LSTM(size[2], size[3], peepholes=True, variant=name)
        for name in VARIANTS
    }
    modules["NP"] = tt.LSTM(size[2], size[3])
    times = rounds(modules, both, x, budget)
    vanilla = times.pop("tt.LSTM")
    return {
        name: statistics.median(b / a for a, b in zip(vanilla, each, strict=True))
        for name, each in times.items()
    }


LENGTHS = ["half", "uniform", "one long", "sentences"]
PADDED = [(100, 16, 64, 128), (576, 64, 5, 64), (100, 64, 128, 256)]
PADDED_QUICK = [(60, 16, 4, 32)]


def lengths_of(kind: str, T: int, B: int) -> Tensor:
    """Lengths (B,) up to T, in any order; "sentences" as the words of SST-2: 19 in the mean, 52 at most."""
    chance = torch.Generator().manual_seed(B)
    if kind == "half":
        return torch.full((B,), T // 2)
    if kind == "uniform":
        return torch.randint(1, T + 1, (B,), generator=chance)
    if kind == "one long":
        return torch.cat([torch.full((B - 1,), max(1, T // 10)), torch.tensor([T])])[
            torch.randperm(B, generator=chance)
        ]
    words = 19 + 9 * torch.randn(B, generator=chance)
    return (words.clamp(2, 52) * T / 52).round().long().clamp(1, T)


def with_lengths(module: nn.Module, x: Tensor, lengths: Tensor | None, both: bool) -> None:
    """One pass, of a module of torch packed where lengths are given."""
    module.zero_grad(set_to_none=True)
    with torch.set_grad_enabled(both):
        if lengths is None:
            output = module(x)[0]
        elif isinstance(module, nn.LSTM):
            packed = nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
            output = nn.utils.rnn.pad_packed_sequence(module(packed)[0], total_length=len(x))[0]
        else:
            output = module(x, lengths=lengths)[0]
        if both:
            output.sum().backward()


def padding(sizes: list[tuple[int, int, int, int]], budget: float) -> list[dict[str, object]]:
    """How long a padded batch takes beside its true steps without padding, and beside torch.nn.LSTM."""
    rows = []
    for (T, B, I, H), kind, both in itertools.product(sizes, LENGTHS, (False, True)):  # noqa: E741
        ours, theirs, x, lengths = tt.LSTM(I, H), nn.LSTM(I, H), torch.randn(T, B, I), lengths_of(kind, T, B)
        cut = x[: max(1, round(float(lengths.double().mean())))]
        calls: dict[str, Callable[[], object]] = {
            "true steps": functools.partial(with_lengths, ours, cut, None, both),
            "padded": functools.partial(with_lengths, ours, x, lengths, both),
            "torch packed": functools.partial(with_lengths, theirs, x, lengths, both),
            "torch padded": functools.partial(with_lengths, theirs, x, None, both),
        }
        times = in_turn(calls, budget)
        padded, before = times["padded"], native.steps_computed()
        calls["padded"]()
        rows.append(
            {
                "T, B, I, H": (T, B, I, H),
                "lengths": kind,
                "pass": "both" if both else "forward",
                "true share": int(lengths.sum()) / (T * B),
                "computed / true": (native.steps_computed() - before) / (int(lengths.sum()) * (1 + both)),
                "ms": {name: 1e3 * statistics.median(each) for name, each in times.items()},
                "padded / true steps": ratio(padded, times["true steps"]),
                "torch packed / padded": ratio(times["torch packed"], padded),
                "torch padded / padded": ratio(times["torch padded"], padded),
            }
        )
    return rows


def ratio(a: list[float], b: list[float]) -> float:
    return statistics.median(x / y for x, y in zip(a, b, strict=True))


def regularised(sizes: list[tuple[int, int, int, int]], budget: float) -> list[dict[str, object]]:
    """How many times faster than a Python loop layer normalisation is, and what each costs beside plain."""
    rows = []
    for size in sizes:
        x, shape = torch.randn(*size[:3]), size[2:]
        modules: dict[str, nn.Module] = {
            "tt.LSTM": tt.LSTM(*shape),
            "layer norm": tt.LSTM(*shape, layer_norm=True),
            "zoneout": tt.LSTM(*shape, zoneout=0.1),
            "recurrent dropout": tt.LSTM(*shape, recurrent_dropout=0.1),
            "layer norm loop": NormLoop(*shape),
        }
        for label, run in (("forward", forward), ("both", both)):
            times = rounds(modules, run, x, budget)
            normed, plain = times["layer norm"], times["tt.LSTM"]
            cost = {
                name: statistics.median(a / b for a, b in zip(times[name], plain, strict=True))
                for name in ("layer norm", "zoneout", "recurrent dropout")
            }
            rows.append(
                {
                    "T, B, I, H": size,
                    "pass": label,
                    "ms": {name: 1e3 * statistics.median(each) for name, each in times.items()},
                    "loop / native": statistics.median(
                        a / b for a, b in zip(times["layer norm loop"], normed, strict=True)
                    ),
                    "time / plain": cost,
                }
            )
    return rows


def steps(hidden: int, count: int) -> dict[str, float]:
    """Microseconds for one time step from Python, B=1, I=5, the best of several runs."""
    x = torch.randn(1, 5)
    stepper, cell = tt.LSTM(5, hidden).stream(), nn.LSTMCell(5, hidden)
    state = (torch.zeros(1, hidden), torch.zeros(1, hidden))
    normed = tt.LSTM(5, hidden, layer_norm=True, zoneout=0.1).eval()
    regularised, sequence = normed.stream(), x.unsqueeze(0)
    last = (state[0].unsqueeze(0), state[1].unsqueeze(0))
    calls: dict[str, Callable[[], object]] = {
        "tt stepper": lambda: stepper(x),
        "torch.nn.LSTMCell": lambda: cell(x, state),
        "tt stepper, layer norm and zoneout": lambda: regularised(x),
        "as a sequence of one step": lambda: normed(sequence, last),
    }
    if session := onnx_session(hidden):
        calls["onnxruntime"] = session
    best = dict.fromkeys(calls, float("inf"))
    with torch.no_grad():
        for _ in range(10):
            for name, call in calls.items():
                start = clock()
                for _ in range(count):
                    call()
                best[name] = min(best[name], (clock() - start) / count)
    return {name: 1e6 * seconds for name, seconds in best.items()}


def onnx_session(hidden: int) -> Callable[[], object] | None:
    """One step of an LSTM session, or None where onnx or onnxruntime is missing."""
    try:
        import numpy as np
        import onnx
        import onnxruntime
    except ImportError:
        return None
    helper, real = onnx.helper, onnx.TensorProto.FLOAT
    shapes = {"x": (1, 1, 5), "h": (1, 1, hidden), "c": (1, 1, hidden)}
    weights = {"W": (1, 4 * hidden, 5), "R": (1, 4 * hidden, hidden), "b": (1, 8 * hidden)}
    random = np.random.default_rng(0)
    made = {k: random.uniform(-0.1, 0.1, shape).astype(np.float32) for k, shape in weights.items()}
    node = helper.make_node(
        "LSTM", ["x", "W", "R", "b", "", "h", "c"], ["y", "h_n", "c_n"], hidden_size=hidden
    )
    graph = helper.make_graph(
        [node],
        "step",
        [helper.make_tensor_value_info(k, real, shape) for k, shape in shapes.items()],
        [helper.make_tensor_value_info(k, real, None) for k in ("y", "h_n", "c_n")],
        [onnx.numpy_helper.from_array(value, k) for k, value in made.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    feed = {k: np.zeros(shape, np.float32) for k, shape in shapes.items()}
    return lambda: session.run(None, feed)


def tuned(arguments: argparse.Namespace) -> list[dict[str, object]]:
    """The sizes again, in a process whose allocator keeps its memory."""
    command = [sys.executable, __file__, "--json", "--part", "sizes", "--threads", str(arguments.threads)]
    command += ["--up-to", str(arguments.up_to)]
    command += ["--quick"] if arguments.quick else []
    command += ["--processor-time"] if arguments.processor_time else []
    found = subprocess.run(
        command, env={**os.environ, **TUNED}, stdout=subprocess.PIPE, text=True, check=True
    )
    rows: list[dict[str, object]] = json.loads(found.stdout)["rows"]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two small sizes, a few seconds")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--up-to", type=int, default=1024, metavar="H", help="leave larger sizes out")
    parser.add_argument("--processor-time", action="store_true", help="see above; with --threads 1")
    parts = ["sizes", "variants", "regularised", "padding", "steps", "all"]
    parser.add_argument("--part", choices=parts, default="all")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    budget, sizes = (0.5, QUICK_SIZES) if arguments.quick else (4.0, SIZES)
    sizes = [size for size in sizes if size[3] <= arguments.up_to]
    if arguments.processor_time:
        if arguments.threads != 1:
            parser.error("--processor-time adds up the threads; use it with --threads 1")
        global clock
        clock = time.process_time
    report: dict[str, object] = {
        "machine": {
            "torch": torch.__version__,
            "threads": arguments.threads,
            "cpus": os.cpu_count(),
            "processor": platform.machine(),
            "kernels": native.instruction_set() or "reference",
            "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        }
    }
    if arguments.part in ("sizes", "all"):
        report["rows"] = measure(sizes, budget)
        if not TUNED.keys() & os.environ.keys():
            report["tuned rows"] = tuned(arguments)
    if arguments.part in ("variants", "all"):
        report["variants"] = variants(sizes[1 if arguments.quick else 3], 4 * budget)
    if arguments.part in ("padding", "all"):
        chosen = PADDED_QUICK if arguments.quick else [s for s in PADDED if s[3] <= arguments.up_to]
        report["padding"] = padding(chosen, budget / 2)
    if arguments.part in ("regularised", "all"):
        report["regularised"] = regularised([size for size in sizes if size in REGULARISED], budget)
    if arguments.part in ("steps", "all"):
        report["steps"] = {hidden: steps(hidden, 500) for hidden in (32, 64, 128, 256)}
    print(json.dumps(report)) if arguments.json else show_all(report)


def show_padding(rows: list[dict[str, object]]) -> None:
    ratios = ("padded / true steps", "torch packed / padded", "torch padded / padded")
    print(
        f"\n{'T, B, I, H':>18} {'lengths':10} {'true':>5} {'pass':8} {'padded':>10}",
        *(f"{r:>22}" for r in ratios),
    )
    for row in rows:
        size, ms = ", ".join(map(str, row["T, B, I, H"])), row["ms"]["padded"]
        start = f"{size:>18} {row['lengths']:10} {row['true share']:5.0%} {row['pass']:8} {ms:7.2f} ms"
        print(start, *(f"{row[each]:22.2f}" for each in ratios))


def show_all(report: dict[str, object]) -> None:
    print(", ".join(f"{name} {value}" for name, value in report["machine"].items()))
    for title in ("rows", "tuned rows"):
        if title in report:
            print("\nallocator as it is" if title == "rows" else "\nallocator told to keep its memory")
            show(report[title])
    if "variants" in report:
        print("\ntime of a variant / time of vanilla with peepholes, forward and backward")
        print("  ".join(f"{name} {ratio:.2f}" for name, ratio in report["variants"].items()))
    if "padding" in report:
        show_padding(report["padding"])
    for row in report.get("regularised", []):
        costs = "  ".join(f"{name} {ratio:.2f}" for name, ratio in row["time / plain"].items())
        print(
            f"T, B, I, H {row['T, B, I, H']}, {row['pass']}: layer norm as a loop in torch / native "
            f"{row['loop / native']:.2f}; time / plain LSTM: {costs}"
        )
    for hidden, row in report.get("steps", {}).items():
        print(f"one step, H={hidden}:", "  ".join(f"{name} {value:.2f} us" for name, value in row.items()))


if __name__ == "__main__":
    main()

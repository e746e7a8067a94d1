"""How long LSTM and RNN take on an NVIDIA GPU, beside cuDNN and beside a peephole LSTM as a loop in torch.

    python benchmarks/gpu.py [--minutes 8] [--json FILE] [--dry]

Needs torch with CUDA and triton. One table, the most important rows first; rows that the minutes do not
reach are named at the end. Times are medians by CUDA events after warming up, one call after the other.
"both" is forward and full backward without the error of the input, "forward" without gradients. float32 is
exact products (IEEE for cuDNN, three TF32 products for ours); tf32, what cuDNN does unless told otherwise,
one TF32 product for both.

cuDNN is torch.nn.LSTM or RNN with the same weights; "loop" a peephole LSTM as people write it, eager and
with its step compiled by torch.compile. Errors are the largest differences from the same network in float64,
of the outputs and, relative to its largest value, of the gradient of R. "networks" trains M networks of one
shape in one call, and says how many times the time of one that takes.

--dry runs tiny sizes under Triton's interpreter on the CPU: it shows that this script runs to its end, and
its times mean nothing. Without a GPU and without --dry the exit code is 2.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

if "--dry" in sys.argv:
    os.environ["TRITON_INTERPRET"] = "1"  # before triton is imported

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import throughtime.nn as tt
from modules import PeepholeLoop
from throughtime.kernels import triton as kernels

DTYPES = {"bf16": torch.bfloat16, "float32": torch.float32, "tf32": torch.float32}
MAIN = (576, 64, 5, 64)
SIZES = [
    (128, 16, 64, 128),
    (1024, 16, 768, 768),
    (128, 64, 256, 256),
    (128, 64, 512, 512),
    (128, 64, 1024, 1024),
    (576, 1, 32, 32),
    (576, 16, 32, 32),
    (1024, 256, 64, 64),
    (1024, 1, 128, 128),
    (128, 256, 128, 128),
    (128, 1, 512, 512),
    (1024, 1, 1024, 1024),
]
NETWORKS = (1, 132, 8, 32, 264, 512, 1024)
DRY = (3, 2, 2, 4)
ENOUGH, MOST = 0.4, 50  # seconds and repetitions of one measurement


class Row(NamedTuple):
    """One line of the table; times in milliseconds, None where there is nothing to measure."""

    what: str
    size: tuple[int, int, int, int]
    dtype: str
    passes: str
    ours: float
    others: dict[str, float | None]
    errors: dict[str, float]

    def text(self) -> str:
        """The line."""
        T, B, I, H = self.size  # noqa: E741
        beside = "  ".join(
            f"{name} {value:9.3f} ({value / self.ours:6.2f}x)" if value is not None else f"{name} left out"
            for name, value in self.others.items()
        )
        errors = "  ".join(f"{name} {value:.1e}" for name, value in self.errors.items())
        per_step = 1e3 * self.ours / T
        head = f"{self.what:22} T{T:<5}B{B:<4}I{I:<5}H{H:<5}{self.dtype:8}{self.passes:8}"
        return f"{head} ours {self.ours:9.3f} ({per_step:7.2f} us a step)  {beside}  {errors}"


class Clock:
    """Measures, and knows when the minutes are over."""

    def __init__(self, minutes: float, dry: bool) -> None:
        self.end, self.dry = time.perf_counter() + 60 * minutes, dry
        self.device = "cpu" if dry else "cuda"

    @property
    def left(self) -> float:
        """Seconds left."""
        return self.end - time.perf_counter()

    def milliseconds(self, run: Callable[[], object]) -> float:
        """Median time of a call."""
        for _ in range(1 if self.dry else 4):  # compile, capture, warm up
            run()
        times: list[float] = []
        begun = time.perf_counter()
        while len(times) < (1 if self.dry else 5) or time.perf_counter() - begun < ENOUGH * (not self.dry):
            times.append(self._once(run))
            if len(times) == MOST:
                break
        return statistics.median(times)

    def _once(self, run: Callable[[], object]) -> float:
        if self.dry:
            begun = time.perf_counter()
            run()
            return 1e3 * (time.perf_counter() - begun)
        first, last = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        first.record()
        run()
        last.record()
        last.synchronize()
        return first.elapsed_time(last)


class CompiledLoop(PeepholeLoop):
    """The loop with its step compiled: the whole of T steps would take longer to compile than to train."""

    def __init__(self, input_size: int, hidden_size: int, dry: bool) -> None:
        super().__init__(input_size, hidden_size)
        self.step = torch.compile(_step, dynamic=False, backend="eager" if dry else "inductor")

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Outputs (T, B, H) and the last (y, c)."""
        weight_ih, weight_hh, bias = self.weights
        y = c = x.new_zeros(x.shape[1], weight_hh.shape[1])
        outputs = []
        for projected in (x @ weight_ih.T + bias).unbind(0):
            y, c = self.step(projected, y, c, weight_hh, self.peephole)
            outputs.append(y)
        return torch.stack(outputs), (y, c)


def _step(
    projected: Tensor, y: Tensor, c: Tensor, weight_hh: Tensor, peephole: Tensor
) -> tuple[Tensor, Tensor]:
    p_i, p_f, p_o = peephole.unbind(0)
    i, f, z, o = torch.addmm(projected, y, weight_hh.T).chunk(4, dim=-1)
    c = torch.sigmoid(f + p_f * c) * c + torch.sigmoid(i + p_i * c) * torch.tanh(z)
    return torch.sigmoid(o + p_o * c) * torch.tanh(c), c


def forward(module: nn.Module, x: Tensor) -> Callable[[], object]:
    def run() -> None:
        with torch.no_grad():
            module(x)

    return run


def both(module: nn.Module, x: Tensor) -> Callable[[], object]:
    def run() -> None:
        module.zero_grad(set_to_none=True)
        module(x)[0].sum().backward()

    return run


PASSES = {"both": both, "forward": forward}


def exactness(dtype: str) -> None:
    chosen = "tf32" if dtype == "tf32" else "ieee"
    torch.backends.cuda.matmul.fp32_precision = chosen
    torch.backends.cudnn.rnn.fp32_precision = chosen


def errors_of(ours: nn.Module, other: nn.Module | None, x: Tensor) -> dict[str, float]:
    """Largest differences from float64; the reference loops compute there."""
    exact = tt.LSTM if isinstance(ours, tt.LSTM) else tt.RNN
    options: dict[str, Any] = {"peepholes": ours.peepholes} if isinstance(ours, tt.LSTM) else {}
    precise = exact(ours.input_size, ours.hidden_size, backend="reference", **options).to(
        x.device, torch.float64
    )
    precise.load_state_dict(ours.state_dict())
    expected, slope = _output_and_gradient(precise, x.double(), "layer0.weight_hh")
    found = {}
    for name, module, key in (("ours", ours, "layer0.weight_hh"), ("cuDNN", other, "weight_hh_l0")):
        if module is not None:
            y, d_R = _output_and_gradient(module, x, key)
            found[f"{name}: y"] = (y.double() - expected).abs().max().item()
            found[f"{name}: dR"] = ((d_R.double() - slope).abs().max() / slope.abs().max()).item()
    return found


def _output_and_gradient(module: nn.Module, x: Tensor, key: str) -> tuple[Tensor, Tensor]:
    module.zero_grad(set_to_none=True)
    y = module(x)[0]
    y.sum().backward()
    gradient = module.get_parameter(key).grad
    if gradient is None:
        raise AssertionError("every weight has a gradient after backward()")
    return y.detach(), gradient.detach()


def layer_row(clock: Clock, kind: str, size: tuple[int, int, int, int], dtype: str, passes: str) -> Row:
    """A layer beside cuDNN's."""
    exactness(dtype)
    T, B, inputs, H = size
    options: Any = {"device": clock.device, "dtype": DTYPES[dtype]}
    cudnn: nn.Module = nn.LSTM(inputs, H, **options) if kind == "LSTM" else nn.RNN(inputs, H, **options)
    ours: nn.Module = (tt.LSTM if kind == "LSTM" else tt.RNN)(inputs, H, backend="triton", **options)
    ours.load_state_dict(cudnn.state_dict())
    x = torch.randn(T, B, inputs, **options)
    times = {
        name: clock.milliseconds(PASSES[passes](module, x)) for name, module in (("o", ours), ("c", cudnn))
    }
    errors = errors_of(ours, cudnn, x) if passes == "both" else {}
    return Row(kind, size, dtype, passes, times["o"], {"cuDNN": times["c"]}, errors)


def peephole_row(clock: Clock, size: tuple[int, int, int, int], dtype: str, passes: str) -> Row:
    """A peephole LSTM beside cuDNN's plain LSTM and the loops."""
    exactness(dtype)
    T, B, inputs, H = size
    options: Any = {"device": clock.device, "dtype": DTYPES[dtype]}
    ours = tt.LSTM(inputs, H, peepholes=True, backend="triton", **options)
    x = torch.randn(T, B, inputs, **options)
    others: dict[str, nn.Module] = {
        "cuDNN without": nn.LSTM(inputs, H, **options),
        "loop": PeepholeLoop(inputs, H).to(**options),
    }
    if dtype != "tf32":  # compiling takes long
        others["compiled loop"] = CompiledLoop(inputs, H, clock.dry).to(**options)
    mine = clock.milliseconds(PASSES[passes](ours, x))
    beside: dict[str, float | None] = {
        name: clock.milliseconds(PASSES[passes](module, x)) for name, module in others.items()
    }
    return Row("LSTM peepholes", size, dtype, passes, mine, beside, errors_of(ours, None, x))


def networks_row(
    clock: Clock, count: int, size: tuple[int, int, int, int], dtype: str, of_one: dict[str, float]
) -> Row:
    """M networks at once; `of_one` remembers the time of a single one."""
    exactness(dtype)
    T, B, inputs, H = size
    options: Any = {"device": clock.device, "dtype": DTYPES[dtype]}
    networks = tt.stack(tt.LSTM(inputs, H, backend="triton", **options) for _ in range(count))
    x = torch.randn(T, B, inputs, **options)
    time_taken = clock.milliseconds(both(networks, x))
    if count == 1:
        of_one[dtype] = time_taken
    one = of_one.get(dtype)
    title = f"{count} networks ({time_taken / one:.2f}x one)" if one else f"{count} networks"
    return Row(title, size, dtype, "both", time_taken, {}, {})


def plan(clock: Clock) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Every row by name, the most important first."""
    main, sizes = (DRY, [DRY]) if clock.dry else (MAIN, SIZES)
    of_one: dict[str, float] = {}
    for dtype in ("bf16", "tf32", "float32"):
        yield f"LSTM {dtype} {main}", lambda d=dtype: layer_row(clock, "LSTM", main, d, "both")
        yield f"peepholes {dtype} {main}", lambda d=dtype: peephole_row(clock, main, d, "both")
    for count in (1, 2) if clock.dry else NETWORKS:
        for dtype in ("bf16", "float32"):
            yield (
                f"{count} networks {dtype} {main}",
                lambda m=count, d=dtype: networks_row(clock, m, main, d, of_one),
            )
    for passes in ("forward", "both"):
        yield f"RNN {main} {passes}", lambda p=passes: layer_row(clock, "RNN", main, "bf16", p)
    yield f"LSTM bf16 {main} forward", lambda: layer_row(clock, "LSTM", main, "bf16", "forward")
    for passes in ("both", "forward"):
        for dtype in ("bf16",) if clock.dry else ("bf16", "tf32", "float32"):
            for size in sizes:
                yield (
                    f"LSTM {dtype} {size} {passes}",
                    lambda s=size, d=dtype, p=passes: layer_row(clock, "LSTM", s, d, p),
                )


def measure(clock: Clock) -> tuple[list[Row], list[str]]:
    """Rows measured, and the names of those left out with the reason."""
    rows: list[Row] = []
    left_out: list[str] = []
    for name, make in plan(clock):
        if clock.left <= 0:
            left_out.append(f"{name}: the minutes were over")
            continue
        try:
            rows.append(make())
        except torch.cuda.OutOfMemoryError:
            left_out.append(f"{name}: more memory than this GPU has free")
        else:
            print(rows[-1].text(), flush=True)
        if not clock.dry:
            torch.cuda.empty_cache()
    return rows, left_out


def machine(dry: bool) -> dict[str, str]:
    return {
        "GPU": "none: a dry run, its times mean nothing" if dry else torch.cuda.get_device_name(),
        "torch": str(torch.__version__),
        "CUDA": str(torch.version.cuda),
        "cuDNN": str(torch.backends.cudnn.version()),
        "triton": kernels.version(),
        "Python": platform.python_version(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="LSTM and RNN on an NVIDIA GPU, beside cuDNN.")
    parser.add_argument("--minutes", type=float, default=8.0, help="no row begins later than this")
    parser.add_argument("--json", type=Path, help="write the results to this file too")
    parser.add_argument("--dry", action="store_true", help="tiny sizes under the interpreter, without a GPU")
    arguments = parser.parse_args()
    if not arguments.dry and (reason := kernels.why_not() or _no_gpu()):
        print(f"no GPU here: {reason}. --dry shows that this script runs to its end.", file=sys.stderr)
        return 2
    found = machine(arguments.dry)
    print("  ".join(f"{name} {value}" for name, value in found.items()), flush=True)
    with nullcontext() if arguments.dry else torch.cuda.device(0):
        rows, left_out = measure(Clock(arguments.minutes, arguments.dry))
    for name in left_out:
        print(f"left out  {name}")
    if arguments.json:
        record = {"machine": found, "rows": [row._asdict() for row in rows], "left out": left_out}
        arguments.json.write_text(json.dumps(record, indent=1), encoding="utf-8")
    return 0


def _no_gpu() -> str:
    return "" if torch.cuda.is_available() else "there is no CUDA device"


if __name__ == "__main__":
    sys.exit(main())

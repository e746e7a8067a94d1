"""What computes here, and how fast: for `throughtime doctor` and bug reports."""

from __future__ import annotations

import platform
import statistics
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from throughtime._version import __version__
from throughtime.kernels import native, triton
from throughtime.ops.backends import available, resolve
from throughtime.ops.eager import run_lstm

_T, _B, _I, _H = 200, 32, 5, 64


@dataclass(frozen=True)
class Diagnosis:
    """This installation on this machine.

    Attributes:
        throughtime: Version.
        torch: Version.
        python: Version.
        platform: Operating system and processor.
        backends: Those that can run here.
        chosen: The backend that "auto" takes for float32 on the CPU.
        instruction_sets: Those of the native kernels that this machine runs, the best one last.
        instruction_set: The one in use, empty without native kernels.
        why_no_kernels: Why the native kernels are missing, empty if they are not.
        triton: Version of triton, empty where it is not installed.
        gpu: Name of the CUDA device, empty where there is none.
        why_no_triton: Why the backend "triton" cannot run here, empty if it can.
        threads: torch.get_num_threads(), which the kernels follow.
        thread_pool: Whose threads the kernels use: "OpenMP" is the team of torch, "own" their own.
        milliseconds: One LSTM forward and backward, T=200, B=32, I=5, H=64, float32, median.
        torch_milliseconds: The same by torch.nn.LSTM.
    """

    throughtime: str
    torch: str
    python: str
    platform: str
    backends: tuple[str, ...]
    chosen: str
    instruction_sets: tuple[str, ...]
    instruction_set: str
    why_no_kernels: str
    triton: str
    gpu: str
    why_no_triton: str
    threads: int
    thread_pool: str
    milliseconds: float
    torch_milliseconds: float

    @property
    def ratio(self) -> float:
        """How many times faster than torch.nn.LSTM."""
        return self.torch_milliseconds / self.milliseconds

    def advice(self) -> str:
        """What to do, empty if all is well."""
        if self.why_no_kernels:
            return (
                f"The native kernels are missing ({self.why_no_kernels}). Install a wheel for this platform, "
                "or a C++20 compiler and then throughtime again."
            )
        return ""


def diagnose(seconds: float = 2.0) -> Diagnosis:
    """Look around, and time an LSTM beside torch's for about `seconds`."""
    ours, theirs = _time(seconds)
    return Diagnosis(
        throughtime=__version__,
        torch=str(torch.__version__),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        backends=available(),
        chosen=resolve("auto", torch.empty(0)),
        instruction_sets=native.instruction_sets(),
        instruction_set=native.instruction_set(),
        why_no_kernels=native.why_not(),
        triton=triton.version(),
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else "",
        why_no_triton=triton.why_not(),
        threads=torch.get_num_threads(),
        thread_pool=native.thread_pool(),
        milliseconds=1e3 * ours,
        torch_milliseconds=1e3 * theirs,
    )


def _time(seconds: float) -> tuple[float, float]:
    module = torch.nn.LSTM(_I, _H)
    w_ih, w_hh, b_ih, _ = (p.detach().clone().requires_grad_() for p in module.parameters())
    x, zeros = torch.randn(_T, _B, _I), torch.zeros(_B, _H)
    name = resolve("auto", x)

    def ours() -> Tensor:
        return run_lstm(x, zeros, zeros, None, w_ih, w_hh, b_ih, None, None, None, "NP", False, name)[0]

    def theirs() -> Tensor:
        found: Tensor = module(x)[0]
        return found

    times: tuple[list[float], list[float]] = ([], [])
    end = time.perf_counter() + seconds
    while len(times[0]) < 3 or time.perf_counter() < end:
        for run, taken in zip((ours, theirs), times, strict=True):
            begun = time.perf_counter()
            run().sum().backward()  # type: ignore[no-untyped-call]
            taken.append(time.perf_counter() - begun)
    return statistics.median(times[0][1:]), statistics.median(times[1][1:])

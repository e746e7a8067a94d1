"""The backend "native": LSTM and simple RNN on the CPU, in C++.

The kernels are in `csrc/`; `contract.hpp` there states every buffer. What can be set:

    THROUGHTIME_ISA      baseline, avx2 or avx512: use this instruction set instead of the best one.
    THROUGHTIME_KEEP_MB  Megabytes of memory that may be kept for later calls, 1024 if not given.
"""

from __future__ import annotations

import importlib
import os
from types import ModuleType
from typing import Any, Final

import torch

from throughtime.errors import MachineError

_native: ModuleType | None
try:
    _loaded = importlib.import_module("throughtime.kernels.native._native")
except ImportError as _reason:
    _native, _why_not = None, str(_reason)
else:
    _native, _why_not = _loaded, ""

DTYPES: Final = (torch.float32, torch.float64)

_isa = 0


def _begin() -> None:
    """Tell the module what a tensor is, and read the environment."""
    if _native is None:
        return
    _native.learn_torch(torch.Tensor, torch.nn.Parameter, torch.float32, torch.float64, torch.int64)
    use_instruction_set(os.environ.get("THROUGHTIME_ISA") or None)
    kept = os.environ.get("THROUGHTIME_KEEP_MB")
    if kept:
        if not kept.isdecimal():
            raise MachineError(f"THROUGHTIME_KEEP_MB={kept!r}, expected a whole number of megabytes.")
        _native.keep_at_most(int(kept) << 20)


def is_available() -> bool:
    """Whether this installation has the kernels."""
    return _native is not None


def why_not() -> str:
    """Why the kernels are missing, empty if they are not."""
    return _why_not


def module() -> Any:
    """The C++ module.

    Raises:
        MachineError: this installation has none.
    """
    if _native is None:
        raise MachineError(
            f"the native kernels are not in this installation ({_why_not}); install a wheel, or a C++20 "
            "compiler and then throughtime from source. Until then use backend='reference'."
        )
    return _native


def instruction_sets() -> tuple[str, ...]:
    """Instruction sets that this build has and this machine runs, the best one last."""
    return () if _native is None else tuple(_native.instruction_sets())


def instruction_set() -> str:
    """The instruction set in use, empty without kernels."""
    return instruction_sets()[_isa] if _native is not None else ""


def instruction_set_index() -> int:
    """Its place in `instruction_sets()`."""
    return _isa


def use_instruction_set(name: str | None) -> None:
    """Use this instruction set from now on, in the whole process; None for the best one.

    Raises:
        MachineError: the build or the machine does not have it.
    """
    global _isa
    names = instruction_sets()
    if name is not None and name not in names:
        here = ", ".join(repr(one) for one in names) or "none"
        raise MachineError(f"instruction set {name!r} is not available; available here: {here}.")
    _isa = names.index(name) if name is not None else max(len(names) - 1, 0)


def thread_pool() -> str:
    """Whose threads the kernels run on: "OpenMP" (the team of torch) or "own"; "" without kernels."""
    return "" if _native is None else str(_native.thread_pool())


def steps_computed() -> int:
    """Time steps that the kernels have computed in this process so far, 0 without kernels.

    A step of one sequence counts once forward and once backward, an error map's once for each of its losses
    that has begun; padded steps are not computed. Live readings are not counted.
    """
    return 0 if _native is None else int(_native.steps_computed())


def release_memory() -> None:
    """Give the memory that is kept for later calls back to the system."""
    if _native is not None:
        _native.release_kept()


_begin()

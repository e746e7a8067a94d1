"""How a call is put on the machine: which way, how large the blocks, how exact the products."""

from __future__ import annotations

import functools
from typing import Any, Final

import torch
import triton.language as tl
from torch import Tensor

from throughtime.cells import Variant
from throughtime.kernels.triton import interpreting

SEQUENCES: Final = 16  # of a program; tensor cores multiply at least so many rows
VALUES: Final = 256  # of a program of an elementwise step
LSTM_UNITS: Final = {torch.bfloat16: 128, torch.float32: 64, torch.float64: 0}  # largest H with R on chip
RNN_UNITS: Final = {torch.bfloat16: 256, torch.float32: 128, torch.float64: 0}
_OTHER_SHARED: Final = 24 << 10  # bytes beside R, generously: 18 KiB was seen
_FORGET: Final = {"own": 0, "coupled": 1, "none": 2}
_NONLINEARITIES: Final = {"tanh": 0, "relu": 1, "logistic": 2, "identity": 3}


def variant_flags(v: Variant) -> dict[str, Any]:
    """A variant as the kernels' compile-time arguments."""
    return {
        "INPUT_GATE": v.input_gate,
        "FORGET": _FORGET[v.forget_gate],
        "OUTPUT_GATE": v.output_gate,
        "TANH_IN": v.input_activation == "tanh",
        "TANH_OUT": v.output_activation == "tanh",
        "PEEPHOLES": v.peepholes and bool(v.gates),
    }


def nonlinearity_code(name: str) -> int:
    """A nonlinearity as the kernels know it."""
    return _NONLINEARITIES[name]


def state_dtype(like: Tensor) -> torch.dtype:
    """In which state and sums are kept."""
    return torch.float64 if like.dtype == torch.float64 else torch.float32


def state_flag(like: Tensor) -> Any:
    """The same as Triton names it."""
    return tl.float64 if like.dtype == torch.float64 else tl.float32


def is_fast(like: Tensor) -> bool:
    """Whether the hardware's own tanh is exact enough; the interpreter has none."""
    return like.dtype == torch.bfloat16 and not interpreting()


def precision(like: Tensor) -> str:
    """How products with R are computed; float32 follows torch.backends.cuda.matmul.fp32_precision."""
    if interpreting() and like.dtype == torch.bfloat16:
        return "widened"
    if like.dtype != torch.float32:
        return "ieee"
    return "tf32" if torch.backends.cuda.matmul.fp32_precision == "tf32" else "tf32x3"


def fits_on_chip(recurrent: Tensor, largest: dict[torch.dtype, int]) -> bool:
    """Whether one program can hold R (M, rows, H): by H, and by the shared memory it passes through."""
    H = recurrent.shape[-1]
    if interpreting():
        return H <= 128
    if largest[recurrent.dtype] < H:
        return False
    copies = 2 if recurrent.dtype == torch.float32 else 1  # tf32x3 holds a number as two
    blocks = recurrent.shape[1] // H
    needed = blocks * padded(H) ** 2 * recurrent.element_size() * copies + _OTHER_SHARED
    return needed <= _shared_memory(recurrent.get_device())


@functools.cache
def _shared_memory(device: int) -> int:
    properties: Any = torch.cuda.get_device_properties(device)
    return int(properties.shared_memory_per_block_optin)


def padded(H: int) -> int:
    """H as a program has it: a power of two, 16 at least."""
    return max(16, 1 << (H - 1).bit_length())


def warps(H: int, dtype: torch.dtype) -> int:
    """Warps of a program that holds R; so many that R fits into their registers."""
    columns = 16 if dtype == torch.bfloat16 else 8  # of each block in one warp
    return min(16, max(1, padded(H) // columns))


def resident_flags(recurrent: Tensor) -> dict[str, Any]:
    """Compile-time arguments and launch options of the kernels that hold R."""
    H = recurrent.shape[-1]
    return {
        "BLOCK_B": SEQUENCES,
        "BLOCK_H": padded(H),
        "STATE": state_flag(recurrent),
        "PRECISION": precision(recurrent),
        "num_warps": warps(H, recurrent.dtype),
        "enable_fp_fusion": True,
    }

"""The backend "triton": LSTM and simple RNN on a GPU, compiled by Triton when they are first called.

Nothing here imports triton before it is asked to compute. What can be set:

    TRITON_INTERPRET=1            Triton's own: its interpreter computes, on CPU tensors, slowly; for tests.
    THROUGHTIME_CUDA_GRAPHS=off   Larger layers launch every step anew, and no graph is captured.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
import os
from typing import Final

import torch

DTYPES: Final = (torch.float32, torch.bfloat16, torch.float64)


def interpreting() -> bool:
    """Whether Triton's interpreter computes, as the environment asks for."""
    return os.environ.get("TRITON_INTERPRET", "") in ("1", "true", "on", "yes", "y")


@functools.cache
def version() -> str:
    """Version of triton, empty where it is not installed."""
    if importlib.util.find_spec("triton") is None:
        return ""
    return importlib.metadata.version("triton")


def why_not() -> str:
    """Why this backend cannot run here, empty if it can."""
    if not version():
        return "triton is not installed"
    return "" if interpreting() else _why_not_on_gpu()


@functools.cache
def _why_not_on_gpu() -> str:
    if not torch.cuda.is_available():
        return "there is no CUDA device"
    if torch.version.cuda is None:
        return "it has not been made to run on GPUs other than NVIDIA's"
    major, minor = torch.cuda.get_device_capability()
    if major < 8:
        return f"the GPU has compute capability {major}.{minor}, and 8.0 is needed"
    return ""


def is_available() -> bool:
    """Whether this backend can run here."""
    return not why_not()

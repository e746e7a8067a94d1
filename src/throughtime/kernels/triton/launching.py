"""What every launch of a kernel needs: the device, and something for arguments that are not there."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor


def on_device(like: Tensor) -> AbstractContextManager[Any]:
    """Launches go to the current device: make it the one of `like`."""
    return torch.cuda.device(like.device) if like.is_cuda else contextlib.nullcontext()


def or_unused(value: Tensor | None, unused: Tensor) -> Tensor:
    """A pointer is asked for even where nothing is read or written through it."""
    return unused if value is None else value


def lengths_stride(lengths: Tensor | None) -> int:
    """Elements from one network's lengths to the next one's, 0 if all share them."""
    return 0 if lengths is None or lengths.dim() == 1 else lengths.shape[1]

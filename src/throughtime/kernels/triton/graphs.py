"""Sequences of small launches as CUDA graphs: captured when a shape comes for the second time, then replayed.

A graph reads and writes memory of its own, so arguments are copied in and results out. The first call of a
shape runs as it is: it compiles the kernels, and shapes that never return are never captured.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

import torch
from torch import Tensor

KEPT: Final = (
    16  # graphs, and the share of the GPU's memory for theirs; the one not used for longest goes first
)
SHARE: Final = 0.25

Run = Callable[..., tuple[Tensor, ...]]
_lock = threading.Lock()
_graphs: OrderedDict[Hashable, _Graph | None] = OrderedDict()


class _Graph:
    def __init__(self, run: Run, tensors: Sequence[Tensor | None]) -> None:
        self.inputs = [None if tensor is None else tensor.clone() for tensor in tensors]
        run(*self.inputs)  # compiles what these very addresses need, which must not happen while capturing
        self.graph = torch.cuda.CUDAGraph()
        # Other threads, such as the one that fills a DataLoader's pinned memory, may go on meanwhile.
        with torch.cuda.graph(self.graph, capture_error_mode="thread_local"):
            self.outputs = run(*self.inputs)
        self.bytes = _bytes(self.inputs) + _bytes(self.outputs)

    def replay(self, tensors: Sequence[Tensor | None]) -> tuple[Tensor, ...]:
        for mine, given in zip(self.inputs, tensors, strict=True):
            if mine is not None and given is not None:
                mine.copy_(given)
        self.graph.replay()
        return tuple(output.clone() for output in self.outputs)


def run_captured(key: Hashable, run: Run, tensors: Sequence[Tensor | None]) -> tuple[Tensor, ...]:
    """run(*tensors), by a graph where there is one.

    Args:
        key: All that decides what `run` launches, beside the shapes and dtypes of the tensors.
        run: May write to its arguments; what it returns is owned by the caller.
        tensors: Its arguments, on one device; their layout is given up.
    """
    like = next(tensor for tensor in tensors if tensor is not None)
    if not like.is_cuda or not _wanted() or torch.cuda.is_current_stream_capturing():
        return run(*tensors)
    with torch.cuda.device(like.device):
        stream = torch.cuda.current_stream()
        shapes = tuple(None if one is None else (one.shape, one.dtype, one.stride()) for one in tensors)
        exactness = torch.backends.cuda.matmul.fp32_precision
        key = (key, shapes, like.device, stream.cuda_stream, exactness)
        with _lock:
            return _run(key, run, tensors)


def _run(key: Hashable, run: Run, tensors: Sequence[Tensor | None]) -> tuple[Tensor, ...]:
    if key not in _graphs:
        _graphs[key] = None
        _forget_beyond(torch.cuda.get_device_properties().total_memory)
        return run(*tensors)
    graph, memory = _graphs[key], SHARE * torch.cuda.get_device_properties().total_memory
    if graph is None and 2 * _bytes(tensors) > memory:
        return run(*tensors)
    _graphs.move_to_end(key)
    if graph is None:
        _forget_beyond(memory - 2 * _bytes(tensors))
        graph = _graphs[key] = _Graph(run, tensors)
    return graph.replay(tensors)


def _forget_beyond(memory: float) -> None:
    """Drop graphs until at most KEPT are left and they hold at most so many bytes."""
    held = sum(graph.bytes for graph in _graphs.values() if graph is not None)
    while len(_graphs) > KEPT or (held > memory and len(_graphs) > 1):
        _, graph = _graphs.popitem(last=False)
        held -= 0 if graph is None else graph.bytes


def _bytes(tensors: Sequence[Tensor | None]) -> int:
    return sum(0 if one is None else one.numel() * one.element_size() for one in tensors)


def release_graphs() -> None:
    """Forget all graphs and give their memory back."""
    with _lock:
        _graphs.clear()


def _wanted() -> bool:
    value: Any = os.environ.get("THROUGHTIME_CUDA_GRAPHS", "on")
    return value.lower() not in ("off", "0", "no", "false")

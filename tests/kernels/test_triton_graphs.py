"""When a CUDA graph is captured, replayed and dropped; what a graph computes is tested on a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from throughtime.kernels.triton import graphs


class Pretended:
    """Counts instead of capturing."""

    captured = 0

    def __init__(self, run: Callable[..., tuple[Tensor, ...]], tensors: tuple[Tensor, ...]) -> None:
        Pretended.captured += 1
        self.bytes = 2 * graphs._bytes(tensors)

    def replay(self, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return ("replayed",)


@pytest.fixture(autouse=True)
def _pretended(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    Pretended.captured = 0
    monkeypatch.setattr(graphs, "_Graph", Pretended)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda *_: SimpleNamespace(total_memory=40_000), raising=True
    )
    graphs.release_graphs()
    yield
    graphs.release_graphs()


def call(key: str, numbers: int = 10) -> tuple[object, ...]:
    return graphs._run(key, lambda *_: ("run",), (torch.zeros(numbers),))


def test_the_second_call_captures_and_later_ones_replay() -> None:
    assert [call("a") for _ in range(4)] == [("run",), ("replayed",), ("replayed",), ("replayed",)]
    assert Pretended.captured == 1


def test_the_graph_not_used_for_longest_goes_first() -> None:
    for key in ("a", "b"):
        call(key)
        call(key)
    call("a")
    for k in range(graphs.KEPT - 1):
        call(f"other {k}")
    assert call("a") == ("replayed",)
    assert call("b") == ("run",)


def test_graphs_hold_a_share_of_the_memory_at_most() -> None:
    assert [call("too large", 2000) for _ in range(3)] == [("run",)] * 3  # 16,000 of 10,000 bytes
    for key in ("a", "b", "c"):
        call(key, 600)  # 4,800 bytes each
        call(key, 600)
    held = [graph.bytes for graph in graphs._graphs.values() if graph is not None]
    assert held == [4800, 4800]
    assert call("a", 600) == ("run",)


def test_on_a_cpu_nothing_is_captured() -> None:
    found = [graphs.run_captured("a", lambda *_: ("run",), (torch.zeros(3),)) for _ in range(3)]
    assert found == [("run",)] * 3

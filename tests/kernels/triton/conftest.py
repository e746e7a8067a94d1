"""On a GPU these tests run compiled; elsewhere under Triton's interpreter, which `test_triton_interpreted` starts.

Triton reads TRITON_INTERPRET when it is imported, so the interpreter needs a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from throughtime.kernels import triton as kernels

if not kernels.is_available():
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(autouse=True)
def _poisoned_memory() -> Iterator[None]:
    """Uninitialised memory holds NaN: nothing may read what was never written."""
    was = torch.are_deterministic_algorithms_enabled(), torch.utils.deterministic.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = True
    yield
    torch.use_deterministic_algorithms(was[0])
    torch.utils.deterministic.fill_uninitialized_memory = was[1]


@pytest.fixture(params=["on chip", "stepwise"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways through a sequence. On a GPU float64 goes step by step anyway."""
    from throughtime.kernels.triton import choose

    if request.param == "stepwise":
        monkeypatch.setattr(choose, "fits_on_chip", lambda *_: False)
    return str(request.param)

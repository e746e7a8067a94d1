"""On a GPU these tests run compiled; elsewhere `test_triton_interpreted` runs them in Triton's interpreter.

Triton reads TRITON_INTERPRET when it is imported, so the interpreter needs a process of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch

from throughtime.kernels import triton as kernels

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # deterministic algorithms ask for it

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

"""Scratch memory holds NaN in every test of this folder: nothing may read what was never written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from throughtime.kernels import native


@pytest.fixture(autouse=True)
def _poisoned_memory() -> Iterator[None]:
    was_deterministic = torch.are_deterministic_algorithms_enabled()
    was_filling = torch.utils.deterministic.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = True
    if native.is_available():
        native.module().poison_blocks(True)
    yield
    if native.is_available():
        native.module().poison_blocks(False)
    torch.use_deterministic_algorithms(was_deterministic)
    torch.utils.deterministic.fill_uninitialized_memory = was_filling


@pytest.fixture(params=["reference", *(["native"] if native.is_available() else [])])
def backend(request: pytest.FixtureRequest) -> str:
    """Every backend; instruction sets are told apart in tests/kernels."""
    name: str = request.param
    return name

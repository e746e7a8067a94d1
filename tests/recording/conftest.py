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
    yield
    torch.use_deterministic_algorithms(was_deterministic)
    torch.utils.deterministic.fill_uninitialized_memory = was_filling


@pytest.fixture(params=["reference", *(f"native-{name}" for name in native.instruction_sets())])
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every backend, the native one with each instruction set of this machine in turn."""
    name, _, instruction_set = request.param.partition("-")
    before = native.instruction_set()
    if instruction_set:
        native.use_instruction_set(instruction_set)
        native.module().poison_blocks(True)
    yield name
    if instruction_set:
        native.module().poison_blocks(False)
        native.use_instruction_set(before)

from __future__ import annotations

from collections.abc import Iterator

import pytest

from throughtime.kernels import native

if not native.is_available():
    collect_ignore_glob = ["test_native_*.py"]


@pytest.fixture(autouse=True)
def _poisoned_memory() -> Iterator[None]:
    """Memory of the kernels holds NaN before they write to it."""
    if not native.is_available():
        yield
        return
    native.module().poison_blocks(True)
    yield
    native.module().poison_blocks(False)


@pytest.fixture(params=native.instruction_sets())
def instruction_set(request: pytest.FixtureRequest) -> Iterator[str]:
    before = native.instruction_set()
    native.use_instruction_set(request.param)
    yield request.param
    native.use_instruction_set(before)

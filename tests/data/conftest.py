"""Files to read, and where the data sets are."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write text or bytes to a file and give its path."""

    def writer(content: str | bytes, name: str = "weather.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return writer


@pytest.fixture
def datasets() -> Path:
    folder = os.environ.get("THROUGHTIME_DATA")
    if not folder:
        pytest.skip("THROUGHTIME_DATA names no folder of data sets")
    return Path(folder)

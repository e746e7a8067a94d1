"""A small table and a small forecaster, fitted once."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from throughtime import Forecaster
from throughtime.training import QuietDisplay

SMALL: dict[str, Any] = {
    "target": "load",
    "history": "1d",
    "horizon": "6h",
    "hidden": 4,
    "epochs": 2,
    "batch_size": 64,
}


def small_table(rows: int = 900, seed: int = 3) -> pl.DataFrame:
    """Hourly values with a daily swing that a second column announces."""
    rng = np.random.default_rng(seed)
    hours = np.arange(rows)
    hint = np.convolve(rng.standard_normal(rows + 11), np.ones(12) / 4, mode="valid")
    load = 20 + 5 * np.sin(2 * np.pi * hours / 24) + np.roll(hint, 6) + 0.2 * rng.standard_normal(rows)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    return pl.DataFrame(
        {"time": [start + timedelta(hours=int(h)) for h in hours], "load": load, "hint": hint}
    )


@pytest.fixture(scope="session")
def table() -> pl.DataFrame:
    return small_table()


@pytest.fixture(scope="session")
def table_file(table: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "load.csv"
    table.write_csv(path)
    return path


@pytest.fixture(scope="session")
def fitted(table_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Forecaster, Path]:
    folder = tmp_path_factory.mktemp("models") / "load"
    return Forecaster(**SMALL).fit(table_file, folder=folder, display=QuietDisplay()), folder


@pytest.fixture
def fitted_folder(fitted: tuple[Forecaster, Path], tmp_path: Path) -> Path:
    """A copy of a model folder, free to be damaged."""
    return Path(shutil.copytree(fitted[1], tmp_path / "model"))

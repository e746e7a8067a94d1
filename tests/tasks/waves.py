"""Sequences of numbers whose class is how fast they swing, of different lengths."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

SMALL_NUMBERS: dict[str, Any] = {
    "hidden": 8,
    "members": 2,
    "epochs": 2,
    "batch_size": 32,
    "learning_rate": 0.02,
}
SPEEDS = {"slow": 0.3, "mid": 0.6, "fast": 1.2}  # radians per step


def waves(count: int = 120, seed: int = 0) -> tuple[list[np.ndarray], list[str]]:
    """Arrays (T, 2), T from 6 to 20, in units far from 1, and their labels."""
    rng = np.random.default_rng(seed)
    arrays, labels = [], []
    for number in range(count):
        label = list(SPEEDS)[number % 3]
        angle = SPEEDS[label] * np.arange(rng.integers(6, 21)) + rng.uniform(0, 6)
        noise = 0.1 * rng.standard_normal((len(angle), 2))
        arrays.append((np.stack([np.sin(angle), np.cos(angle)], axis=1) + noise) * (300, 0.02) + (1000, 0))
        labels.append(label)
    return arrays, labels


def wave_table(arrays: list[np.ndarray], labels: list[str] | None) -> pl.DataFrame:
    """One row for each step."""
    rows = []
    for number, values in enumerate(arrays):
        for step, (x, y) in enumerate(values.tolist()):
            row = {"sequence_id": f"w{number}", "step": step, "x": x, "y2": y}
            rows.append(row if labels is None else row | {"label": labels[number]})
    return pl.DataFrame(rows)


def write_lines(path: Path, arrays: list[np.ndarray], labels: list[str] | None) -> Path:
    """One JSON object for each sequence, missing values null."""
    lines = []
    for number, values in enumerate(arrays):
        held = [[None if np.isnan(cell) else cell for cell in row] for row in values.tolist()]
        lines.append(json.dumps({"values": held} | ({} if labels is None else {"label": labels[number]})))
    path.write_text("\n".join(lines) + "\n")
    return path

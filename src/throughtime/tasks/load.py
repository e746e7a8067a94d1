"""Reading any model folder back, whatever task it was trained for."""

from __future__ import annotations

from pathlib import Path

from throughtime.tasks.forecast import Forecaster


def load(folder: str | Path) -> Forecaster:
    """Read a model folder written by `throughtime fit` or by `save`.

    Args:
        folder: The folder with `model.json` in it.

    Returns:
        The fitted task; so far there is one, the `Forecaster`.

    Raises:
        ModelFolderError: a file is missing, damaged, edited, or of a later version.
    """
    return Forecaster.load(folder)

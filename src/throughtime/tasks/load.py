"""Reading any model folder back, whatever task it was trained for."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from throughtime.errors import ModelFolderError
from throughtime.tasks.model_folder import read_task

if TYPE_CHECKING:
    from throughtime.tasks.classify import Classifier
    from throughtime.tasks.forecast import Forecaster

_TASKS = {
    "classify": ("throughtime.tasks.classify", "Classifier"),
    "forecast": ("throughtime.tasks.forecast", "Forecaster"),
}


def load(folder: str | Path) -> Classifier | Forecaster:
    """Read a model folder written by `throughtime fit` or by `save`.

    Args:
        folder: The folder with `model.json` in it.

    Returns:
        The fitted task: a `Forecaster` or a `Classifier`.

    Raises:
        ModelFolderError: a file is missing, damaged, edited, or of a later version.
    """
    task = read_task(Path(folder))
    if task not in _TASKS:
        raise ModelFolderError(f"{folder}: holds a model for {task!r}; known here: {', '.join(_TASKS)}")
    module, name = _TASKS[task]
    loaded: Classifier | Forecaster = getattr(importlib.import_module(module), name).load(folder)
    return loaded

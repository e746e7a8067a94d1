"""Reading any model folder back, whatever task it was trained for."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Final

from throughtime.errors import ModelFolderError
from throughtime.tasks.model_folder import read_task

TASKS: Final = {
    "classify": ("throughtime.tasks.classify", "Classifier"),
    "generate-text": ("throughtime.tasks.generate_text", "TextGenerator"),
    "forecast": ("throughtime.tasks.forecast", "Forecaster"),
    "generate-music": ("throughtime.tasks.music", "Composer"),
    "tag": ("throughtime.tasks.tag", "Tagger"),
    "translate": ("throughtime.tasks.translate", "Translator"),
    "transcribe": ("throughtime.tasks.transcribe", "Transcriber"),
}
"""Module and class of the estimator of each task; `throughtime.cli` has a module of the task's name."""


def check_task(folder: str | Path) -> str:
    """Name of the task of a model folder.

    Raises:
        ModelFolderError: it is no model folder, is damaged, or holds a model for a task not known here.
    """
    task = read_task(Path(folder))
    if task not in TASKS:
        raise ModelFolderError(f"{folder}: holds a model for {task!r}; known here: {', '.join(TASKS)}")
    return task


def load(folder: str | Path) -> Any:
    """Read a model folder written by `throughtime fit` or by `save`.

    Args:
        folder: The folder with `model.json` in it.

    Returns:
        The fitted estimator of the task it was trained for, such as a `throughtime.Forecaster`.

    Raises:
        ModelFolderError: a file is missing, damaged, edited, or of a later version.
    """
    module, name = TASKS[check_task(folder)]
    return getattr(importlib.import_module(module), name).load(folder)

"""Commands for a trained model of any task: evaluate, predict, look."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from throughtime.cli.fitting import AsJson
from throughtime.page.open import open_in_browser
from throughtime.tasks.load import check_task
from throughtime.tasks.model_folder import REPORT, read_report

Folder = Annotated[Path, Parameter(help="Folder of a trained model.")]


def evaluate(
    folder: Folder,
    data: Annotated[str | None, Parameter(help="Other data; left away, the test part again.")] = None,
    /,
    *,
    json: AsJson = False,
) -> int:
    """Measure a trained model beside its baselines."""
    measured: int = _commands(folder).evaluate_model(folder, data, as_json=json)
    return measured


def predict(
    folder: Folder,
    data: Annotated[
        str | None, Parameter(help="What to answer; for a classifier, left away, each line of stdin.")
    ] = None,
    /,
    *,
    out: Annotated[Path | None, Parameter(help="File to write; left away, stdout.")] = None,
    json: AsJson = False,
) -> int:
    """Use a trained model on new data.

    A forecast is what comes after the last row of a table, with intervals, as CSV. A classifier gives one
    line for each line of a file or of standard input: label and probability, or with --json every class.
    A transcriber takes a sound file, a folder of them, or paths line by line, and gives text and probability.
    """
    done: int = _commands(folder).predict_with(folder, data, out=out, as_json=json)
    return done


def look(folder: Folder, /) -> int:
    """Open the report of a trained model in the browser."""
    read_report(folder)
    page = (folder / REPORT).resolve()
    if open_in_browser(page):
        print(f"Opened {page}")
    return 0


def _commands(folder: Path) -> Any:
    """The module with the commands of the task that a model was trained for."""
    return importlib.import_module(f"throughtime.cli.{check_task(folder).replace('-', '_')}")

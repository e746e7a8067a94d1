"""Commands for a trained model of any task: evaluate, predict, look."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from throughtime.cli.fitting import AsJson
from throughtime.errors import SettingsError
from throughtime.page.open import open_in_browser
from throughtime.tasks.load import check_task
from throughtime.tasks.model_folder import REPORT, read_report

STDIN = "-"
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
        str | None,
        Parameter(
            help="What to answer; where lines are answered, - or nothing is standard input.",
            allow_leading_hyphen=True,
        ),
    ] = None,
    /,
    *,
    out: Annotated[Path | None, Parameter(help="File to write; left away, stdout.")] = None,
    json: AsJson = False,
) -> int:
    """Use a trained model on new data.

    A forecast is what comes after the last row of a table, with intervals, as CSV. The other tasks answer
    each line of a file or of standard input with one line: a class with its probability, a sentence with
    its tags, a translation, nats per character. A transcriber takes recordings. --json says more.
    """
    given = None if data == STDIN else data
    if given is not None and given.startswith("-"):
        raise SettingsError(f"predict: no option {given}; a file of that name is ./{given}")
    done: int = _commands(folder).predict_with(folder, given, out=out, as_json=json)
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

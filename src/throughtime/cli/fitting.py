"""What the `fit` commands of all tasks share: options, the folder for the model, how a fit ends."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
from cyclopts import Group, Parameter
from rich.console import Console
from rich.table import Table as RichTable

from throughtime.cli.codes import INTERRUPTED
from throughtime.cli.options import parse_options
from throughtime.errors import OutputError, SettingsError
from throughtime.tasks.model_folder import CHECKPOINTS, MODEL_JSON, RUN_JSON, resume_command
from throughtime.tasks.task_settings import TaskSettings
from throughtime.training import Display, FitResult, QuietDisplay
from throughtime.training.distributed import is_first, join

JSON = "Print one JSON object on stdout and nothing else."

AsJson = Annotated[bool, Parameter(name="--json", help=JSON, negative=())]
Quiet = Annotated[bool, Parameter(help="Show no progress.", negative=())]
Out = Annotated[Path | None, Parameter(help="Folder for the model; must be new.")]
Resume = Annotated[Path | None, Parameter(help="Continue the fit that was stopped in this folder.")]


def network_groups(first: int) -> tuple[Group, Group]:
    """Headings in the help for the options of `NetworkSettings`, from place `first` on."""
    return Group("Network", sort_key=first), Group("Training", sort_key=first + 1)


def run_fit(
    task: str,
    estimator: type[Any],
    data: str | None,
    options: dict[str, Any],
    *,
    out: Path | None,
    resume: Path | None,
    as_json: bool,
    quiet: bool,
    expected: str,
    show: Callable[[Any], None],
    partner: str | None = None,
) -> int:
    """Fit, or go on with a fit that was stopped; print the figures and say where the model is.

    Args:
        task: As in `throughtime fit TASK`.
        estimator: Class of the task's estimator.
        data: Place of the training data; None only with `resume`.
        options: Settings as typed.
        out: Folder for the model; None chooses a name.
        resume: Folder of the fit to go on with.
        as_json: Print the figures as one JSON object.
        quiet: Show no progress.
        expected: What the command needs, for the message when it is missing.
        show: Prints the figures for people.
        partner: A second place that belongs to `data`, where a task has one.

    Returns:
        The exit code.

    Raises:
        SettingsError: data or a required setting is missing, or settings stand beside --resume.
    """
    settings: type[TaskSettings] = estimator.settings_class
    given = parse_options(settings, options)
    places = (data,) if partner is None else (data, partner)
    if resume is not None:
        check_resume(out, given)
        fitted = estimator.resume(resume, *places, display=display_of(quiet))
        return finish_fit(task, fitted, resume, as_json=as_json, show=show)
    if data is None or set(settings.names()) - set(settings.defaults()) - set(given):
        raise SettingsError(f"fit {task}: expected {expected}")
    folder = shared_folder(out, f"{stem(data)}-{task}")
    fitted = estimator(**given).fit(*places, folder=folder, display=display_of(quiet))
    return finish_fit(task, fitted, folder, as_json=as_json, show=show)


def finish_fit(task: str, fitted: Any, folder: Path, *, as_json: bool, show: Callable[[Any], None]) -> int:
    """Print the figures, in the first process alone, and say where the model is; the exit code."""
    if not is_first():
        return 0
    print_metrics(fitted.metrics_, as_json=as_json, show=show)
    return say_where(folder, fitted.fit_result_, task)


def print_metrics(metrics: Any, *, as_json: bool, show: Callable[[Any], None]) -> None:
    """Print figures as one JSON object; or for people, with the baselines that were left out, and why."""
    if as_json:
        print(metrics.model_dump_json())
        return
    show(metrics)
    for label, reason in metrics.left_out.items():
        print(f"Left out: {label}: {reason}.")


def print_scores(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print methods beside each other.

    Args:
        title: Over the table.
        columns: Name of each figure.
        rows: Of each method its name, its figures and a note; the network's comes first.
    """
    table = RichTable(title=title)
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    table.add_column("")
    for number, row in enumerate(rows):
        table.add_row(*row, style=None if number else "bold")
    Console(highlight=False).print(table)


def check_resume(out: Path | None, given: dict[str, Any]) -> None:
    """Refuse settings beside --resume. Raises `SettingsError`."""
    if out is not None or given:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in [*(["out"] if out else []), *given])
        raise SettingsError(f"--resume continues with the settings it began with; leave away {names}")


def say_where(folder: Path, result: FitResult, task: str) -> int:
    """Tell where the model is, and how to go on after Ctrl-C; the exit code."""
    console = Console(stderr=True, highlight=False)
    console.print(f"Model and report: {folder}   Look at it: throughtime look {folder}", soft_wrap=True)
    if result.stopped == "interrupted":
        console.print(
            f"Interrupted: this is the best model so far. Go on: {resume_command(folder, task)}",
            soft_wrap=True,
        )
        return INTERRUPTED
    return 0


def display_of(quiet: bool) -> Display | None:
    """What shows the progress; None leaves the choice to the fit."""
    return QuietDisplay() if quiet else None


def shared_folder(wanted: Path | None, name: str) -> Path:
    """The folder that the first process chose: to a later one it may look taken, by the first."""
    processes = join(torch.device("cpu"))
    chosen = str(_free_folder(wanted, name)) if processes.first else ""
    return Path(processes.agree_on(chosen))


def _free_folder(wanted: Path | None, name: str) -> Path:
    """The folder asked for, if nothing of ours is in it; else the first free name."""
    if wanted is not None:
        if (wanted / MODEL_JSON).exists():
            raise OutputError(f"{wanted}: holds a model already; choose another --out")
        if (wanted / CHECKPOINTS / RUN_JSON).exists():
            raise OutputError(
                f"{wanted}: holds a fit that was not finished; go on with --resume {wanted}, "
                "or choose another --out"
            )
        return wanted
    candidates = (Path(name if n == 1 else f"{name}-{n}") for n in itertools.count(1))
    return next(folder for folder in candidates if not folder.exists())


def stem(data: str) -> str:
    """Name of a data file without its endings."""
    return Path(data.rpartition(":")[2]).name.split(".")[0] or "table"

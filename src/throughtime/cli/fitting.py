"""What the `fit` commands of all tasks share: options, the folder for the model, how a fit ends."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Annotated, Any

import torch
from cyclopts import Group, Parameter
from rich.console import Console

from throughtime.cli.codes import INTERRUPTED
from throughtime.errors import OutputError, SettingsError
from throughtime.tasks.model_folder import CHECKPOINTS, MODEL_JSON, RUN_JSON, resume_command
from throughtime.training import Display, FitResult, QuietDisplay
from throughtime.training.distributed import join

JSON = "Print one JSON object on stdout and nothing else."

AsJson = Annotated[bool, Parameter(name="--json", help=JSON, negative=())]
Quiet = Annotated[bool, Parameter(help="Show no progress.", negative=())]
Out = Annotated[Path | None, Parameter(help="Folder for the model; must be new.")]
Resume = Annotated[Path | None, Parameter(help="Continue the fit that was stopped in this folder.")]


def network_groups(first: int) -> tuple[Group, Group]:
    """Headings in the help for the options of `NetworkSettings`, from place `first` on."""
    return Group("Network", sort_key=first), Group("Training", sort_key=first + 1)


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

"""How a fit of any task goes: say what was repaired, remember what was asked for, train, keep the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from torch import nn

from throughtime._version import __version__
from throughtime.tasks.model_folder import CHECKPOINTS, RUN_JSON, Run, resume_command, write_sealed
from throughtime.training import Display, FitResult, QuietDisplay, fit
from throughtime.training.display import automatic_display
from throughtime.training.distributed import is_first
from throughtime.training.loop import Note
from throughtime.training.objective import Batches, Objective

RunT = TypeVar("RunT", bound=Run)
DataT = TypeVar("DataT")
NetworkT = TypeVar("NetworkT", bound=nn.Module)
EvaluationT = TypeVar("EvaluationT")


class SaidRepair(Protocol):
    """A change made to the data, in words."""

    @property
    def text(self) -> str:
        """A sentence."""


@dataclass(frozen=True)
class Fitted(Generic[RunT, DataT, NetworkT, EvaluationT]):
    """What training left in memory.

    Attributes:
        run: What was asked for.
        data: What was read.
        network: With the best weights.
        result: How training went.
        evaluation: What was measured.
        seconds: From reading to measuring.
    """

    run: RunT
    data: DataT
    network: NetworkT
    result: FitResult
    evaluation: EvaluationT
    seconds: float

    @property
    def parameters(self) -> int:
        """Numbers the network has learnt."""
        return sum(parameter.numel() for parameter in self.network.parameters())


def begin(
    run: Run,
    folder: Path | None,
    repairs: Sequence[SaidRepair],
    display: Display | None,
    *,
    resume: bool,
) -> Display:
    """Say what was repaired, and write down what was asked for, so that a killed fit can be continued.

    Args:
        run: What was asked for.
        folder: Where the model will be; None keeps nothing.
        repairs: What was changed or left out.
        display: As given to `fit`.
        resume: Whether the fit goes on; then it is written down already.

    Returns:
        What shows the progress: a quiet one in every process but the first.
    """
    shown = (display or automatic_display()) if is_first() else QuietDisplay()
    for repair in repairs:
        shown.message(repair.text)
    if folder is not None and not resume and is_first():
        write_sealed(folder / CHECKPOINTS / RUN_JSON, run)
    return shown


def train(
    network: nn.Module,
    batches: tuple[Batches, Batches],
    objective: Objective,
    run: Run,
    folder: Path | None,
    shown: Display,
    *,
    resume: bool,
    updates: int | None = None,
    watch: bool = False,
    note: Note | None = None,
) -> FitResult:
    """Train `network` as the settings say; it then holds the best weights so far.

    Args:
        network: With fresh weights.
        batches: Of training and of validation.
        objective: Loss of the task.
        run: What was asked for.
        folder: Checkpoints go in there; None writes none.
        shown: What `begin` gave.
        resume: Go on from the checkpoint.
        updates: How often the weights change in an epoch; None: once for each batch.
        watch: Look at gradients, gates and memory after each epoch.
        note: A word on the network after each epoch.
    """
    learnt, judged = batches
    return fit(
        network,
        learnt,
        judged,
        objective,
        run.settings.fit_settings(len(learnt) if updates is None else updates),
        checkpoints=None if folder is None else folder / CHECKPOINTS,
        resume=resume,
        display=shown,
        how_to_go_on="fit again" if folder is None else resume_command(folder, run.task),
        watch=watch,
        note=note,
    )


def shared_card(fitted: Fitted[Any, Any, Any, Any]) -> dict[str, Any]:
    """The fields that the model cards of all tasks share; `files` is filled in when a card is written."""
    return {
        **dict(fitted.run),
        "throughtime_version": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "parameters": fitted.parameters,
        "stopped": fitted.result.stopped,
        "best_epoch": fitted.result.best_epoch,
        "files": {},
    }

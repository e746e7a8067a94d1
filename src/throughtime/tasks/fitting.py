"""How a fit of any task goes: say what was repaired, remember what was asked for, train, keep the record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from torch import nn

from throughtime._version import __version__
from throughtime.tasks.model_folder import CHECKPOINTS, RUN_JSON, Run, read_run, resume_command, write_sealed
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
        seconds: Of the fit, measuring included.
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


class Fitting(Generic[RunT]):
    """A fit on its way: what was asked for, where it is kept and what shows it.

    Args:
        run: What was asked for.
        folder: Where the model will be; None keeps nothing.
        display: As given to `fit`; None chooses by where stderr goes. Quiet in every process but the first.
        resume: Whether a fit that was stopped goes on; then it is written down already.

    Attributes:
        run: What was asked for.
        folder: Where the model will be, or None.
        shown: What shows the progress.
    """

    def __init__(
        self, run: RunT, folder: str | Path | None, display: Display | None, *, resume: bool = False
    ) -> None:
        self.run, self.folder = run, None if folder is None else Path(folder)
        self.shown = (display or automatic_display()) if is_first() else QuietDisplay()
        self._resume, self._started = resume, time.perf_counter()

    @classmethod
    def again(cls, folder: str | Path, run: type[RunT], display: Display | None) -> Fitting[RunT]:
        """The fit that was stopped in `folder`, `run` being the task's.

        Raises:
            ModelFolderError: there is nothing to continue, or it is damaged.
        """
        return cls(read_run(Path(folder), run), folder, display, resume=True)

    def begin(self, repairs: Sequence[SaidRepair]) -> None:
        """Say what was repaired, and write down what was asked for, so that a killed fit can be continued.

        Args:
            repairs: What was changed or left out.
        """
        for repair in repairs:
            self.shown.message(repair.text)
        if self.folder is not None and not self._resume and is_first():
            write_sealed(self.folder / CHECKPOINTS / RUN_JSON, self.run)

    def train(
        self,
        network: nn.Module,
        batches: tuple[Batches, Batches],
        objective: Objective,
        *,
        updates: int | None = None,
        watch: bool = False,
        note: Note | None = None,
    ) -> FitResult:
        """Train `network` as the settings say, so that it holds the best weights; say that measuring follows.

        Args:
            network: With fresh weights.
            batches: Of training and of validation.
            objective: Loss of the task.
            updates: How often the weights change in an epoch; None: once for each batch.
            watch: Look at gradients, gates and memory after each epoch.
            note: A word on the network after each epoch.
        """
        learnt, judged = batches
        kept = self.folder
        result = fit(
            network,
            learnt,
            judged,
            objective,
            self.run.settings.fit_settings(len(learnt) if updates is None else updates),
            checkpoints=None if kept is None else kept / CHECKPOINTS,
            resume=self._resume,
            display=self.shown,
            how_to_go_on="fit again" if kept is None else resume_command(kept, self.run.task),
            watch=watch,
            note=note,
        )
        self.shown.message("Measuring the network and its baselines")
        return result

    def measured(
        self, data: DataT, network: NetworkT, result: FitResult, evaluation: EvaluationT
    ) -> Fitted[RunT, DataT, NetworkT, EvaluationT]:
        """What the fit left, now that it is measured."""
        seconds = time.perf_counter() - self._started
        return Fitted(self.run, data, network, result, evaluation, seconds)


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

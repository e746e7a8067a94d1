"""The fit loop: one for every task."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from throughtime.training import carried, distributed
from throughtime.training import checkpoints as stored
from throughtime.training.display import Display, QuietDisplay, Tick, automatic_display
from throughtime.training.history import FitResult, Progress
from throughtime.training.interrupts import Interrupts
from throughtime.training.objective import Batches, BatchLike, Objective
from throughtime.training.optimizers import make_optimizer
from throughtime.training.probe import Probe
from throughtime.training.schedules import learning_rate
from throughtime.training.settings import FitSettings
from throughtime.training.updates import Updates
from throughtime.training.validation import validation_loss

Note = Callable[[nn.Module], str]

SAME_PRESS = 1.0  # seconds within which torchrun passes on a Ctrl-C that the terminal sent as well


def fit(
    model: nn.Module,
    train: Batches,
    validation: Batches,
    objective: Objective,
    settings: FitSettings,
    *,
    checkpoints: str | os.PathLike[str] | None = None,
    resume: bool = False,
    display: Display | None = None,
    checkpoint_seconds: float = 60.0,
    how_to_go_on: str = "fit(..., resume=True)",
    watch: bool = False,
    note: Note | None = None,
) -> FitResult:
    """Train `model`. When this returns or raises, it holds the best weights so far.

    Runs unchanged under torchrun: each process then takes its part of every batch.

    Args:
        model: Any module. Its weights are changed in place.
        train: Batches to learn from, asked for as epochs 1, 2, …
        validation: Batches to judge by, asked for as epoch 0 after each epoch of training.
        objective: Loss of the task.
        settings: How to train.
        checkpoints: Folder for `last.safetensors` and `best.safetensors`; None writes nothing.
        resume: Go on from `last.safetensors`, bit for bit as if never stopped.
        display: What to show; None: a moving bar on a terminal, else a line per epoch, on stderr.
        checkpoint_seconds: Within an epoch a checkpoint is written this often.
        how_to_go_on: What the user is told to do after Ctrl-C.
        watch: Write down each epoch's gradient norm by parameter, and, of each throughtime layer on a fixed
            probe batch, its memory length and the share of its gates that are saturated; see `Epoch.watched`.
        note: Called with the model in eval mode after each epoch; what it returns is kept as `Epoch.note`.

    Raises:
        ValueError: the arguments do not fit together.
        NonFiniteError: a loss or gradient is not finite; that update is not made.
        ModelFolderError: the checkpoint to resume is missing, damaged, or of another model.
        SettingsError: it was made with other settings or data.
        OutputError: a checkpoint could not be written; the one before stays.
    """
    for name, batches in (("train", train), ("validation", validation)):
        if len(batches) < 1:
            raise ValueError(f"fit: {name} has no batch; give at least one.")
    if resume and checkpoints is None:
        raise ValueError("fit: resume=True needs checkpoints=FOLDER, the folder of the run to go on with.")
    device = next(model.parameters(), torch.empty(0)).device
    processes = distributed.join(device)
    shown = (display or automatic_display()) if processes.first else QuietDisplay()
    with Interrupts(SAME_PRESS if processes.world > 1 else 0.0) as interrupts:
        run = _Fit(model, train, validation, objective, settings, processes, interrupts, shown, watch)
        run.note = note
        if checkpoints is not None:
            run.keep_in(Path(checkpoints), checkpoint_seconds, resume)
        return run.whole(how_to_go_on)


class _Fit:
    """A fit under way.

    Between two batches, weights, optimizer, `best`, `progress` and the state carried on are all there is.
    """

    def __init__(
        self,
        model: nn.Module,
        train: Batches,
        validation: Batches,
        objective: Objective,
        settings: FitSettings,
        processes: distributed.Processes,
        interrupts: Interrupts,
        display: Display,
        watch: bool,
    ) -> None:
        self.model, self.train, self.validation, self.objective = model, train, validation, objective
        self.settings, self.processes = settings, processes
        self.interrupts, self.display = interrupts, display
        trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.names = list(trained)
        self.optimizer = make_optimizer(settings, list(trained.values()))
        self.updates = Updates(model, objective, settings, self.optimizer, processes, watch=watch)
        self.probe = Probe(model) if watch else None
        self.note: Note | None = None
        self.batches = len(train)
        self.progress = Progress()
        self.best: dict[str, Tensor] = {}
        self.folder: Path | None = None
        self.checkpoint_seconds = math.inf
        self.saved_at = self.clock = time.monotonic()

    def whole(self, how_to_go_on: str) -> FitResult:
        """Run what is left of the fit."""
        was_training = self.model.training
        self.display.start(self.settings.epochs, self.batches, self._batches_behind())
        try:
            while self.progress.epoch <= self.settings.epochs and not self._out_of_patience():
                self._epoch()
            return self._result("patience" if self._out_of_patience() else "finished")
        except KeyboardInterrupt:
            if self.interrupts.insisted:
                raise
            self.display.message(self._farewell(how_to_go_on))
            return self._result("interrupted")
        finally:
            self.display.stop()
            if self.best:
                self.model.load_state_dict(self.best)
            self.model.train(was_training)

    def _epoch(self) -> None:
        self.clock = time.monotonic()
        self.model.train()
        progress = self.progress
        for batch in self._batches_left():
            number = progress.batches_done + 1
            self.updates.batch(batch, progress.epoch, number, self._rate, progress.meter, self._asked)
            progress.batches_done = number
            self._batch_border()
        self._read_clock()
        self.model.eval()
        with contextlib.nullcontext() if self.probe is None else self.probe.catching():
            loss = self._validate()
        layers = None if self.probe is None else self.probe.look()
        note = self.note(self.model) if self.note is not None and self.processes.first else ""
        entry = progress.meter.close(progress.epoch, loss, time.monotonic() - self.clock, layers, note)
        self.clock = time.monotonic()
        better = progress.finish_epoch(entry)
        if better:
            self.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        self.display.epoch(entry, better)
        self._save(better)

    def _batches_left(self) -> Iterator[BatchLike | None]:
        """The batches of this epoch not done yet; None where this process has no part of one."""
        epoch, done = self.progress.epoch, self.progress.batches_done
        source = self.train.epoch(epoch, (self.processes.rank, self.processes.world))
        source = islice(source, done, None)
        for number in range(done, self.batches):
            batch = next(source, None)
            if batch is None and self.processes.world == 1:
                raise ValueError(
                    f"fit: train has len {self.batches} but gave only {number} batches in epoch {epoch}."
                )
            yield batch if batch is not None and batch.inputs.numel() else None
        if next(source, None) is not None:
            raise ValueError(f"fit: train has len {self.batches} but gave more batches in epoch {epoch}.")

    def _batch_border(self) -> None:
        progress, meter = self.progress, self.progress.meter
        alone = self.processes.world == 1
        if self.updates.stop_asked or (alone and self._asked()):
            self._save()
            raise KeyboardInterrupt
        if time.monotonic() - self.saved_at >= self.checkpoint_seconds:
            self._save()
        norm = self.updates.gradient_norm
        self.display.tick(Tick(progress.epoch, progress.batches_done, meter.loss, norm, meter.updates))

    def _validate(self) -> float:
        place = (self.settings.seed, self.progress.epoch)
        loss = validation_loss(
            self.model, self.validation, self.objective, self.processes, place, self._asked
        )
        if loss is None:
            self._save()
            raise KeyboardInterrupt
        return loss

    def _rate(self, share_of_batch: float) -> float:
        done = (self._batches_behind() + share_of_batch) / (self.settings.epochs * self.batches)
        return learning_rate(self.settings, done, self.progress.validation_losses)

    def _batches_behind(self) -> int:
        return (self.progress.epoch - 1) * self.batches + self.progress.batches_done

    def _asked(self) -> bool:
        return self.interrupts.requested

    def _out_of_patience(self) -> bool:
        return self.progress.out_of_patience(self.settings.patience)

    def _read_clock(self) -> None:
        now = time.monotonic()
        self.progress.meter.seconds += now - self.clock
        self.clock = now

    def _result(self, stopped: Literal["finished", "patience", "interrupted"]) -> FitResult:
        progress = self.progress
        return FitResult(history=progress.history, best_epoch=progress.best_epoch, stopped=stopped)

    def _farewell(self, how_to_go_on: str) -> str:
        best = f"the best model, of epoch {self.progress.best_epoch}, is kept"
        kept = best if self.best else "no epoch was finished"
        go_on = "" if self.folder is None else f" To go on: {how_to_go_on}"
        return f"Stopped in epoch {self.progress.epoch}; {kept}.{go_on}"

    def keep_in(self, folder: Path, seconds: float, resume: bool) -> None:
        """Write checkpoints to `folder`, within an epoch every `seconds`; first read it if `resume`."""
        self.folder, self.checkpoint_seconds = folder, seconds
        if resume:
            self._restore(folder / stored.LAST)
        elif self.processes.world > 1:
            self._save()  # while a state is carried on there will be no other; see there

    def _restore(self, path: Path) -> None:
        header, tensors = stored.read(path)
        stored.check_same_fit(path, header, self.settings, self.batches)
        stored.load_model(path, self.model, stored.part(tensors, "model"))
        stored.load_optimizer(path, self.optimizer, self.names, stored.part(tensors, "optimizer"))
        self.best = stored.part(tensors, "best")
        self.updates.carried = carried.nested(stored.part(tensors, "carried"))
        self.progress = header.progress
        if header.world != self.processes.world:
            self.display.message(
                f"The run began with {header.world} processes and goes on with {self.processes.world}: "
                "the losses agree up to rounding, not bit for bit."
            )

    def _save(self, better: bool = False) -> None:
        """Write the checkpoints, at a batch border, in the first process alone.

        Of several processes each carries a state of its own, which the first cannot write: while they do, the
        checkpoint before stays, and a fit that is resumed repeats what came after it.
        """
        self.saved_at = time.monotonic()
        if self.folder is None or not self.processes.first:
            return
        if self.updates.carried is not None and self.processes.world > 1:
            return
        self._read_clock()
        header = stored.Header(
            settings=self.settings, batches=self.batches, world=self.processes.world, progress=self.progress
        )
        if better:
            stored.write(self.folder / stored.BEST, header, stored.under("model", self.best))
        state = stored.optimizer_tensors(self.optimizer, self.names)
        tensors = stored.under("model", self.model.state_dict()) | stored.under("optimizer", state)
        tensors |= stored.under("carried", carried.flat(self.updates.carried))
        stored.write(self.folder / stored.LAST, header, tensors | stored.under("best", self.best))

"""What a fit did, epoch by epoch, and how far it is: plain numbers, all of it JSON."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from throughtime.training.watched import SPIKE, LayerWatch, Watched


class Epoch(BaseModel):
    """One finished epoch.

    Attributes:
        epoch: Counted from 1.
        train_loss: Mean over all terms, as met while training (dropout on, weights moving).
        validation_loss: Mean over all terms after the epoch, dropout off.
        gradient_norm: Mean over the updates of the length of all gradients together, before clipping.
        gradient_norm_max: The largest of these.
        clipped: Share of the updates whose gradients were clipped, in [0, 1].
        learning_rate: Of the last update.
        seconds: Wall time, validation included.
        steps_per_second: Updates per second of training, validation left out.
        watched: What `fit(..., watch=True)` saw, otherwise None.
        note: What `fit(..., note=...)` said of the model after the epoch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: int
    train_loss: float
    validation_loss: float
    gradient_norm: float
    gradient_norm_max: float
    clipped: float
    learning_rate: float
    seconds: float
    steps_per_second: float
    watched: Watched | None = None
    note: str = ""

    @property
    def exploded(self) -> str:
        """What exploded in this epoch, in words; empty if nothing did."""
        if self.gradient_norm > 0 and self.gradient_norm_max >= SPIKE * self.gradient_norm:
            ratio = self.gradient_norm_max / self.gradient_norm
            return f"one gradient was {ratio:.0f} times as long as the epoch's mean"
        for path, layer in (self.watched.layers if self.watched else {}).items():
            if layer.verdict == "explode":
                return f"errors of {path} grew more than tenfold on their way back"
        return ""


class FitResult(BaseModel):
    """What `fit` hands back; the model itself then holds the weights of `best_epoch`.

    Attributes:
        history: One entry per finished epoch.
        best_epoch: The epoch with the lowest validation loss; 0 if none was finished.
        stopped: "finished" all epochs, out of "patience", or "interrupted" by Ctrl-C.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    history: list[Epoch]
    best_epoch: int
    stopped: Literal["finished", "patience", "interrupted"]


class Meter(BaseModel):
    """Running sums over the updates of an unfinished epoch."""

    model_config = ConfigDict(extra="forbid")

    loss_sum: float = 0.0
    count: float = 0.0
    updates: int = 0
    norm_sum: float = 0.0
    norm_max: float = 0.0
    clipped: int = 0
    learning_rate: float = 0.0
    seconds: float = 0.0
    parameter_norms: dict[str, float] = Field(default_factory=dict)
    watched_updates: int = 0

    def add_norms(self, norms: dict[str, float]) -> None:
        """Count the length of each parameter's gradient in one update."""
        for name, norm in norms.items():
            self.parameter_norms[name] = self.parameter_norms.get(name, 0.0) + norm
        self.watched_updates += 1

    def add(self, loss: float, count: float, norm: float, clipped: bool, rate: float) -> None:
        """Count one update: its mean loss over `count` terms, its gradients' length, its rate."""
        self.loss_sum += loss * count
        self.count += count
        self.updates += 1
        self.norm_sum += norm
        self.norm_max = max(self.norm_max, norm)
        self.clipped += clipped
        self.learning_rate = rate

    @property
    def loss(self) -> float:
        """Mean over all terms so far; 0 before the first."""
        return self.loss_sum / self.count if self.count else 0.0

    def close(
        self,
        epoch: int,
        validation_loss: float,
        validation_seconds: float,
        layers: dict[str, LayerWatch] | None = None,
        note: str = "",
    ) -> Epoch:
        """Make the entry of the finished epoch; `layers` as the probe saw them, None: not watched."""
        updates = max(self.updates, 1)
        watched = None
        if layers is not None:
            counted = max(self.watched_updates, 1)
            means = {name: total / counted for name, total in self.parameter_norms.items()}
            watched = Watched(gradient_norms=means, layers=layers)
        return Epoch(
            epoch=epoch,
            train_loss=self.loss,
            validation_loss=validation_loss,
            gradient_norm=self.norm_sum / updates,
            gradient_norm_max=self.norm_max,
            clipped=self.clipped / updates,
            learning_rate=self.learning_rate,
            seconds=self.seconds + validation_seconds,
            steps_per_second=self.updates / self.seconds if self.seconds > 0 else 0.0,
            watched=watched,
            note=note,
        )


class Progress(BaseModel):
    """Where a fit is, at a batch border.

    Attributes:
        epoch: The epoch under way, or next, from 1.
        batches_done: Of that epoch.
        meter: Running sums of that epoch.
        history: The epochs before.
        best_epoch: Epoch with the lowest validation loss so far; 0 before the first.
    """

    model_config = ConfigDict(extra="forbid")

    epoch: int = 1
    batches_done: int = 0
    meter: Meter = Field(default_factory=Meter)
    history: list[Epoch] = Field(default_factory=list)
    best_epoch: int = 0

    @property
    def best_loss(self) -> float:
        """Lowest validation loss so far; infinite before the first."""
        return self.history[self.best_epoch - 1].validation_loss if self.best_epoch else float("inf")

    @property
    def validation_losses(self) -> list[float]:
        """One per finished epoch."""
        return [epoch.validation_loss for epoch in self.history]

    def finish_epoch(self, entry: Epoch) -> bool:
        """Take the finished epoch in and turn to the next. Says whether it is the best so far."""
        better = entry.validation_loss < self.best_loss
        self.history.append(entry)
        if better:
            self.best_epoch = entry.epoch
        self.epoch, self.batches_done, self.meter = entry.epoch + 1, 0, Meter()
        return better

    def out_of_patience(self, patience: int | None) -> bool:
        """Whether `patience` epochs have passed since the best."""
        return patience is not None and len(self.history) - self.best_epoch >= patience

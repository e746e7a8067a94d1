"""What a fit shows while it runs. Anything with the methods of `Display` will do."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from throughtime.training.history import Epoch

REDRAW_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Tick:
    """A batch border.

    Attributes:
        epoch: From 1.
        batch: Batches done in this epoch.
        loss: Mean over the epoch so far.
        gradient_norm: Of the last update, before clipping.
        updates: Done in this epoch.
    """

    epoch: int
    batch: int
    loss: float
    gradient_norm: float
    updates: int


class Display(Protocol):
    """What the loop tells whoever shows it. Called by the first process alone."""

    def start(self, epochs: int, batches: int, done: int) -> None:
        """The fit begins: epochs in all, batches in each, batches done before (of all epochs)."""

    def tick(self, tick: Tick) -> None:
        """A batch is done. Called for each, so it must be quick."""

    def epoch(self, epoch: Epoch, best: bool) -> None:
        """An epoch is done; `best` if its validation loss is the lowest so far."""

    def message(self, text: str) -> None:
        """A word to the user."""

    def stop(self) -> None:
        """The fit is over, well or not."""


class QuietDisplay:
    """Shows nothing."""

    def start(self, epochs: int, batches: int, done: int) -> None:
        """Show nothing."""

    def tick(self, tick: Tick) -> None:
        """Show nothing."""

    def epoch(self, epoch: Epoch, best: bool) -> None:
        """Show nothing."""

    def message(self, text: str) -> None:
        """Show nothing."""

    def stop(self) -> None:
        """Show nothing."""


class PlainDisplay(QuietDisplay):
    """One plain line per epoch: for log files and pipes."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._epochs = 0

    def start(self, epochs: int, batches: int, done: int) -> None:
        """Remember how many epochs there are."""
        self._epochs = epochs

    def epoch(self, epoch: Epoch, best: bool) -> None:
        """Print the epoch's line."""
        self.message(epoch_line(epoch, self._epochs, best))

    def message(self, text: str) -> None:
        """Print the text."""
        print(text, file=self._stream or sys.stderr, flush=True)


class TerminalDisplay:
    """A bar that moves, with the figures of the epoch under way; a line stays for each epoch done."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._epochs = self._batches = 0
        self._redrawn = self._epoch_began = 0.0
        self._validation = "–"
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def start(self, epochs: int, batches: int, done: int) -> None:
        """Draw the bar."""
        self._epochs, self._batches = epochs, batches
        self._epoch_began = time.monotonic()
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[figures]}"),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=False),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task(
            "", total=epochs * batches, completed=done, epoch=f"–/{epochs}", figures=""
        )
        self._bar.start()

    def tick(self, tick: Tick) -> None:
        """Move the bar, ten times a second at most."""
        now = time.monotonic()
        if self._bar is None or (now - self._redrawn < REDRAW_SECONDS and tick.batch < self._batches):
            return
        self._redrawn = now
        pace = tick.updates / max(now - self._epoch_began, 1e-9)
        figures = (
            f"batch {tick.batch}/{self._batches}  loss {tick.loss:.4g}  validation {self._validation}  "
            f"gradient norm {tick.gradient_norm:.3g}  {pace:.3g} steps/s"
        )
        done = (tick.epoch - 1) * self._batches + tick.batch
        self._bar.update(self._task, completed=done, epoch=f"{tick.epoch}/{self._epochs}", figures=figures)

    def epoch(self, epoch: Epoch, best: bool) -> None:
        """Leave a line for the epoch."""
        self._epoch_began = time.monotonic()
        self._validation = f"{epoch.validation_loss:.4g}"
        self.message(epoch_line(epoch, self._epochs, best))

    def message(self, text: str) -> None:
        """Print above the bar."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def automatic_display() -> Display:
    """A moving bar if stderr is a terminal, else plain lines."""
    return TerminalDisplay() if sys.stderr.isatty() else PlainDisplay()


def epoch_line(epoch: Epoch, epochs: int, best: bool) -> str:
    """One epoch in one line."""
    return (
        f"epoch {epoch.epoch}/{epochs}  loss {epoch.train_loss:.5g}  "
        f"validation {epoch.validation_loss:.5g}{' (best)' if best else ''}  "
        f"gradient norm {epoch.gradient_norm:.3g} (largest {epoch.gradient_norm_max:.3g}, "
        f"clipped {epoch.clipped:.0%})  rate {epoch.learning_rate:.2e}  "
        f"{epoch.steps_per_second:.3g} steps/s  {epoch.seconds:.1f} s{_watched(epoch)}"
    )


def _watched(epoch: Epoch) -> str:
    """What was watched, and what exploded."""
    told = [epoch.watched.summary() if epoch.watched else "", epoch.exploded if epoch.watched else ""]
    return "".join(f"  {text}" for text in told if text)

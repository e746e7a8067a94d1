"""One batch: forward, backward, clip, step; as often as truncation asks for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from throughtime.errors import NonFiniteError
from throughtime.training import distributed
from throughtime.training.bptt import Stretch, hand_on, run_stretch, stretches
from throughtime.training.clipping import clip, gradient_norm
from throughtime.training.history import Meter
from throughtime.training.nonfinite import find_origin
from throughtime.training.objective import BatchLike, Objective, Outcome, State
from throughtime.training.optimizers import set_learning_rate
from throughtime.training.randomness import seed_everything
from throughtime.training.settings import FitSettings

Run = Callable[[nn.Module], Outcome]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an update is: epoch and batch counted from 1, update of that batch from 0."""

    epoch: int
    batch: int
    update: int = 0

    def __str__(self) -> str:
        return f"epoch {self.epoch}, batch {self.batch}"


class Updates:
    """Updates the weights of a model, batch by batch.

    Attributes:
        stop_asked: Some process wants to stop, as of the last batch; the same in all of them.
        gradient_norm: Of the last update, before clipping.
        carried: The state that the next batch begins from; None: its own beginning.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        settings: FitSettings,
        optimizer: torch.optim.Optimizer,
        processes: distributed.Processes,
        *,
        watch: bool = False,
    ) -> None:
        self._model, self._objective, self._settings = model, objective, settings
        self._optimizer, self._processes = optimizer, processes
        named = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self._names, self._parameters, self._watch = list(named), list(named.values()), watch
        self._shared = distributed.share(model, processes.world)
        self.stop_asked = False
        self.gradient_norm = 0.0
        self.carried: State = None

    def batch(
        self,
        batch: BatchLike | None,
        epoch: int,
        number: int,
        rate: Callable[[float], float],
        meter: Meter,
        asked: Callable[[], bool],
    ) -> None:
        """Learn from one batch.

        Args:
            batch: This process's part of it; None if that is empty.
            epoch: From 1.
            number: Of the batch within the epoch, from 1.
            rate: Learning rate by the share of this batch that is behind.
            meter: Takes the figures of each update.
            asked: Whether this process wants to stop after the batch.

        Raises:
            NonFiniteError: a loss or gradient is not finite; that update is not made.
        """
        self.stop_asked = False
        state = self.carried
        plan = self._plan(batch)
        for update, stretch in enumerate(plan):
            place = Place(epoch, number, update)
            self._seed(place)
            set_learning_rate(self._optimizer, rate(update / len(plan)))
            run = self._run(batch, stretch, state)
            outcome = self._update(run, meter, asked, place, batch, stretch)
            state = None if outcome is None else outcome.state
        self.carried = state if batch is not None and batch.continued else None

    def _plan(self, batch: BatchLike | None) -> list[Stretch | None]:
        """The stretches of a batch, the same in all processes; [None] for full BPTT."""
        if self._settings.truncate is None:
            return [None]
        if batch is not None and not batch.aligned:
            raise ValueError(
                "fit: truncate=(k1, k2) needs targets that run along time, and this batch has aligned=False; "
                "fit with truncate=None."
            )
        steps = self._processes.largest(0 if batch is None else batch.inputs.shape[0])
        return [*stretches(steps, *self._settings.truncate)]

    def _run(self, batch: BatchLike | None, stretch: Stretch | None, state: State) -> Run | None:
        """What is to be done with the model; None where this process has nothing to do."""
        if batch is None or (stretch is not None and stretch.new >= batch.inputs.shape[0]):
            return None
        if stretch is None:
            return partial(_run_whole, self._objective, batch, state)
        return partial(_run_stretch, self._objective, batch, stretch, state)

    def _update(
        self,
        run: Run | None,
        meter: Meter,
        asked: Callable[[], bool],
        place: Place,
        batch: BatchLike | None,
        stretch: Stretch | None,
    ) -> Outcome | None:
        self._optimizer.zero_grad()
        outcome, loss = self._forward(run)
        count = 0.0 if outcome is None else float(outcome.count)
        total, asking = self._processes.sum(count, float(asked()))
        self.stop_asked |= asking > 0
        if total == 0:
            return outcome
        distributed.scaled(loss, count, total, self._processes.world).backward()  # type: ignore[no-untyped-call]
        norm = gradient_norm(self._parameters)
        own_loss, self.gradient_norm = torch.stack((loss.detach().double(), norm.double())).tolist()
        (loss_sum,) = self._processes.sum(own_loss * count)
        if not math.isfinite(loss_sum) or not math.isfinite(self.gradient_norm):
            self._give_up(loss_sum / total, run, place, batch, stretch)
        if self._watch:
            meter.add_norms(self._norms())
        clipped = clip(self._parameters, norm, self._settings.clip_norm, self._settings.clip_value)
        self._optimizer.step()
        meter.add(loss_sum / total, total, self.gradient_norm, clipped, self._optimizer.param_groups[0]["lr"])
        return outcome

    def _norms(self) -> dict[str, float]:
        """The length of each parameter's gradient."""
        known = [
            (name, p.grad)
            for name, p in zip(self._names, self._parameters, strict=True)
            if p.grad is not None
        ]
        lengths = torch.stack(torch._foreach_norm([gradient for _, gradient in known])).tolist()
        return dict(zip([name for name, _ in known], lengths, strict=True))

    def _forward(self, run: Run | None) -> tuple[Outcome | None, Tensor]:
        outcome: Outcome | None
        loss: Tensor
        outcome, loss = self._shared(run)
        if outcome is not None and outcome.count and (loss.dim() or not loss.requires_grad):
            raise ValueError(
                f"fit: the objective must return a scalar loss that depends on the model; got shape "
                f"{tuple(loss.shape)} with requires_grad={loss.requires_grad}."
            )
        return outcome, loss

    def _give_up(
        self,
        loss: float,
        run: Run | None,
        place: Place,
        batch: BatchLike | None,
        stretch: Stretch | None,
    ) -> None:
        """Run the failed update again, watched, and raise what was found."""
        self._seed(place)
        found = ""
        if run is not None and batch is not None:
            offset = 0 if stretch is None else stretch.start
            read = batch if stretch is None else batch.steps(stretch.start, stretch.stop)
            found = find_origin(self._model, read, partial(run, self._model), offset=offset)
        self._optimizer.zero_grad()
        what = f"the gradient norm is {self.gradient_norm}" if math.isfinite(loss) else f"the loss is {loss}"
        raise NonFiniteError(explain(place, what, self._processes.agree_on(found)))

    def _seed(self, place: Place) -> None:
        seed_everything(self._settings.seed, place.epoch, place.batch, place.update, self._processes.rank)


def explain(place: Place | str, what: str, found: str) -> str:
    """The message of a NonFiniteError."""
    origin = found or (
        "Running the update again did not show where it began; "
        "try a smaller learning_rate and look at the loss."
    )
    return f"fit: {place}: {what}. {origin} The update was not made; the best model so far is kept."


def _run_whole(objective: Objective, batch: BatchLike, state: State, model: nn.Module) -> Outcome:
    outcome = objective(model, batch, state)
    return Outcome(outcome.loss, outcome.count, hand_on(batch, outcome))


def _run_stretch(
    objective: Objective, batch: BatchLike, stretch: Stretch, state: State, model: nn.Module
) -> Outcome:
    return run_stretch(model, objective, batch, stretch, state)

"""The validation loss: the mean over all terms of all batches, without dropout or gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from throughtime.errors import NonFiniteError
from throughtime.training.bptt import hand_on
from throughtime.training.distributed import Processes
from throughtime.training.nonfinite import find_origin
from throughtime.training.objective import Batches, BatchLike, Objective, Outcome, State
from throughtime.training.randomness import seed_everything
from throughtime.training.updates import explain


def validation_loss(
    model: nn.Module,
    batches: Batches,
    objective: Objective,
    processes: Processes,
    place: tuple[int, int],
    asked: Callable[[], bool],
) -> float | None:
    """Judge `model`, in eval mode, by `batches`.

    Args:
        model: Network.
        batches: Asked for as epoch 0.
        objective: Loss of the task.
        processes: Each judges its part.
        place: (seed, epoch), for objectives that draw.
        asked: Whether this process wants to stop.

    Returns:
        Mean loss, the same in all processes; None if one of them asked to stop.

    Raises:
        NonFiniteError: the loss of a batch is not finite.
        ValueError: there is no loss term, or the source gave another number of batches than its length.
    """
    loss_sum = count = 0.0
    source = batches.epoch(0, (processes.rank, processes.world))
    state: State = None
    for number in range(1, len(batches) + 1):
        batch = next(source, None)
        if batch is None and processes.world == 1:
            raise ValueError(f"fit: validation has len {len(batches)} but gave only {number - 1} batches.")
        seed_everything(*place, -number, 0, processes.rank)
        before = state
        own_loss, own_count, state = _judge(model, objective, batch, before)
        loss, terms, stop = processes.sum(own_loss, own_count, float(asked()))
        if not math.isfinite(loss):
            run = partial(objective, model, batch, before)
            _give_up(model, run, batch, processes, f"epoch {place[1]}, validation batch {number}", loss)
        loss_sum, count = loss_sum + loss, count + terms
        if stop:
            return None
    if next(source, None) is not None:
        raise ValueError(f"fit: validation has len {len(batches)} but gave more batches.")
    if not count:
        raise ValueError("fit: the validation batches have no loss term (every count is 0).")
    return loss_sum / count


def _judge(
    model: nn.Module, objective: Objective, batch: BatchLike | None, state: State
) -> tuple[float, float, State]:
    """Sum of a batch's loss terms, their count, and the state that the next batch begins from."""
    if batch is None or not batch.inputs.numel():
        return 0.0, 0.0, None
    with torch.no_grad():
        outcome = objective(model, batch, state)
    loss_sum = float(outcome.loss) * outcome.count if outcome.count else 0.0
    return loss_sum, float(outcome.count), hand_on(batch, outcome)


def _give_up(
    model: nn.Module,
    run: Callable[[], Outcome],
    batch: BatchLike | None,
    processes: Processes,
    place: str,
    loss: float,
) -> None:
    found = ""
    if batch is not None and batch.inputs.numel():
        found = find_origin(model, batch, run, backward=False)
    raise NonFiniteError(explain(place, f"the loss is {loss}", processes.agree_on(found)))

"""Where a loss or gradient stopped being finite: the failed update is run again and watched.

Forward, the first time step at which something is not finite is the origin. Backward, errors run
from the last step to the first, so the *latest* such step is. What is watched are the inputs, the
output of every module, and the errors that leave each recurrent module at its input x(t): they are
Wᵀδ(t), so they stop being finite where δ(t) does.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from throughtime.training.objective import BatchLike, Outcome
from throughtime.training.watching import Call, watching

RATE = "a smaller learning_rate"
CLIP = "clip_norm, or a smaller one, so that no earlier update throws the weights this far"


def find_origin(
    model: nn.Module, batch: BatchLike, run: Callable[[], Outcome], *, offset: int = 0, backward: bool = True
) -> str:
    """Say where a value that is not finite begins, and what to try.

    Args:
        model: The network; its gradients are overwritten.
        batch: What it read.
        run: Runs the update again, forward.
        offset: Time step of the sequence at which `batch` starts.
        backward: Whether to look at the gradients as well.

    Returns:
        A few sentences; "" if everything is finite.
    """
    found = _in_inputs(batch, offset) or _in_weights(model)
    if found:
        return found
    model.zero_grad()
    with torch.set_grad_enabled(backward), watching(model, batch.inputs.shape[0]) as calls:
        outcome = run()
        found = _in_forward(calls, offset)
        if found or not outcome.count:
            return found
        if not torch.isfinite(outcome.loss):
            return _in_loss(batch, offset)
        if not backward:
            return ""
        outcome.loss.backward()  # type: ignore[no-untyped-call]
    return _in_backward(model, calls, offset)


def _in_inputs(batch: BatchLike, offset: int) -> str:
    bad = ~torch.isfinite(batch.inputs) & _real(batch.inputs, batch)
    if not bad.any():
        return ""
    step, sequence, *feature = bad.nonzero()[0].tolist()
    column = f", feature {feature[0]}" if feature else ""
    return (
        f"It began in the data: the input is {batch.inputs[(step, sequence, *feature)].item()} at time step "
        f"{offset + step} (sequence {sequence}{column}; all counted from 0). Look at the data there."
    )


def _in_weights(model: nn.Module) -> str:
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if not torch.isfinite(tensor).all():
            return (
                f"It began before this update: {name!r} already holds values that are not finite. "
                f"Build the model anew, and try {RATE}."
            )
    return ""


def _in_forward(calls: list[Call], offset: int) -> str:
    for call in calls:
        if call.output is None or torch.isfinite(call.output).all():
            continue
        along_time = "" if call.steps is None else f" at time step {offset + call.bad_steps(call.output)[0]}"
        return (
            f"It began in the forward pass: the output of {call.name} stops being finite{along_time}, from "
            f"finite inputs and weights, so the values themselves grow too far. Try {RATE}, {CLIP}, "
            "or a bounded nonlinearity (tanh)."
        )
    return ""


def _in_loss(batch: BatchLike, offset: int) -> str:
    mask = _real(batch.targets, batch) if batch.aligned else torch.ones_like(batch.targets, dtype=torch.bool)
    bad = ~torch.isfinite(batch.targets) & mask
    if bad.any():
        place = bad.nonzero()[0].tolist()
        where = f"time step {offset + place[0]}" if batch.aligned else f"index {tuple(place)}"
        return (
            f"It began in the data: the target is {batch.targets[tuple(place)].item()} at {where}, "
            "counted from 0. Look at the data there."
        )
    return (
        "It began in the loss itself: what every module puts out is finite. "
        f"Look at the loss, and try {RATE}."
    )


def _in_backward(model: nn.Module, calls: list[Call], offset: int) -> str:
    parameter = _first_bad_gradient(model)
    if not parameter:
        return ""
    named = f"The first parameter whose gradient is not finite is {parameter!r}."
    for call in reversed([call for call in calls if call.recurrent]):
        if not _finite(call.errors_at_output):
            break
        if not _finite(call.errors_at_input):
            return (
                "It began in the backward pass, with finite values in the forward pass: the error that runs "
                f"back through {call.name} stops being finite at {_reached(call, offset)}. {named} "
                f"Try {RATE}, {CLIP}, or truncate=(k1, k2), which lets errors run over fewer steps."
            )
    return (
        "It began in the backward pass, not in the errors that run back through time in a recurrent module. "
        f"{named} Look at the loss and at the layer of that parameter, and try {RATE}."
    )


def _first_bad_gradient(model: nn.Module) -> str:
    for name, parameter in model.named_parameters():
        if parameter.grad is not None and not torch.isfinite(parameter.grad).all():
            return name
    return ""


def _reached(call: Call, offset: int) -> str:
    steps = sorted({step for error in call.errors_at_input for step in call.bad_steps(error)})
    if call.both_ways:
        return f"time steps {offset + steps[0]} to {offset + steps[-1]} (it runs both ways)"
    return f"time step {offset + steps[-1]}"


def _finite(tensors: list[Tensor]) -> bool:
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)


def _real(tensor: Tensor, batch: BatchLike) -> Tensor:
    """True at the steps within each sequence's length; shaped to go with `tensor`, (T, B, ...)."""
    steps, sequences = tensor.shape[:2]
    lengths = torch.full((sequences,), steps) if batch.lengths is None else torch.as_tensor(batch.lengths)
    real = torch.arange(steps)[:, None] < lengths.cpu()
    return real.reshape(steps, sequences, *[1] * (tensor.dim() - 2)).to(tensor.device)

"""From the losses of single steps to the errors they send into a network's output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor

_ROUNDINGS: Final = 1e3  # how many eps two ways to the same gradient may differ by


def start_of(loss_at_each_step: Callable[[Any], Tensor] | Tensor, output: Any, top: Tensor) -> Tensor:
    """∂J(t)/∂y(t) at the network's output `top` (T, B, D·H), for every t.

    Args:
        loss_at_each_step: Losses of the model's output, (T,) or (T, B); or these errors themselves.
        output: What the model returned, computed from `top`.
        top: A leaf.

    Raises:
        TypeError: the losses are no tensor of floats.
        ValueError: a shape does not fit, no loss depends on `top`, or some J(t) depends on another step.
    """
    if isinstance(loss_at_each_step, Tensor):
        return _given(loss_at_each_step, top)
    losses = loss_at_each_step(output)
    _check_shape(losses, top)
    gradient = _gradient(losses.sum(), top)
    weights = torch.rand(losses.shape, generator=torch.Generator().manual_seed(0)).to(losses) + 0.5
    weighted = _gradient((weights * losses).sum(), top)
    by_step = weights.view(*weights.shape, *(1,) * (3 - weights.dim()))
    off = (weighted - by_step * gradient).flatten(1).abs().amax(1)
    bound = _ROUNDINGS * torch.finfo(top.dtype).eps * gradient.abs().max()
    if bool((off > bound).any()):
        raise ValueError(
            f"error_map: the output of step {int(off.argmax())} enters the losses of other steps or "
            "sequences too; each J(t) may read the network's output at its own step alone. For a model whose "
            "head reads the last step only, give the recurrent network as model and apply the head in "
            "loss_at_each_step."
        )
    return gradient


def _given(errors: Tensor, top: Tensor) -> Tensor:
    try:
        return errors.detach().to(device=top.device, dtype=top.dtype).expand(top.shape)
    except RuntimeError:
        raise ValueError(
            f"error_map: loss_at_each_step is a tensor of shape {tuple(errors.shape)}; as errors "
            f"of the output it must broadcast to {tuple(top.shape)}, read as (T, B, D·H)."
        ) from None


def _check_shape(losses: Any, top: Tensor) -> None:
    if not isinstance(losses, Tensor) or not losses.is_floating_point():
        raise TypeError(f"error_map: loss_at_each_step must return a tensor of floats, got {losses!r:.80}.")
    T, B = top.shape[:2]
    if tuple(losses.shape) not in ((T,), (T, B)):
        raise ValueError(
            f"error_map: loss_at_each_step returned shape {tuple(losses.shape)}, expected one loss "
            f"for each step, ({T},), or for each step and sequence, ({T}, {B})."
        )


def _gradient(total: Tensor, top: Tensor) -> Tensor:
    found = None
    if total.requires_grad:
        (found,) = torch.autograd.grad(total, top, retain_graph=True, allow_unused=True)
    if found is None:
        raise ValueError("error_map: no loss depends on the output of the recurrent network.")
    return found

"""Gradient clipping: by value, elementwise, and by norm, over all parameters together."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_value_, clip_grads_with_norm_, get_total_norm


def gradients(parameters: Iterable[nn.Parameter]) -> list[Tensor]:
    """The gradients that exist."""
    return [p.grad for p in parameters if p.grad is not None]


def gradient_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Euclidean length of all gradients together, a scalar; inf or NaN only if a gradient is.

    Squares of large but finite gradients overflow (float32 from about 1e19 on); then the gradients
    are measured against their largest element.
    """
    grads = gradients(parameters)
    norm = get_total_norm(grads)
    if torch.isfinite(norm):
        return norm
    largest = get_total_norm(grads, norm_type=float("inf")).double()
    if not torch.isfinite(largest):
        return norm.double()
    return largest * get_total_norm([grad.double() / largest for grad in grads])


def clip_by_norm(parameters: Iterable[nn.Parameter], threshold: float, norm: Tensor | None = None) -> Tensor:
    """Scale all gradients by threshold / norm where norm > threshold.

    Args:
        parameters: Whose gradients are scaled in place.
        threshold: Largest length they may have together.
        norm: Their length, where it is known already.

    Returns:
        The length before.
    """
    parameters = list(parameters)
    norm = gradient_norm(parameters) if norm is None else norm
    clip_grads_with_norm_(parameters, threshold, norm)
    return norm


def clip_by_value(parameters: Iterable[nn.Parameter], threshold: float) -> bool:
    """Hold each gradient element within ±threshold. Says whether any was outside."""
    parameters = list(parameters)
    outside = bool(get_total_norm(gradients(parameters), norm_type=float("inf")) > threshold)
    if outside:
        clip_grad_value_(parameters, threshold)
    return outside


def clip(
    parameters: Iterable[nn.Parameter], norm: Tensor, by_norm: float | None, by_value: float | None
) -> bool:
    """Clip by value, then by norm, each if asked for.

    Args:
        parameters: Whose gradients are clipped in place; all finite.
        norm: Their length before.
        by_norm: Threshold or None.
        by_value: Threshold or None.

    Returns:
        Whether anything was clipped.
    """
    parameters = list(parameters)
    clipped = by_value is not None and clip_by_value(parameters, by_value)
    if by_norm is None:
        return clipped
    if clipped:
        norm = gradient_norm(parameters)
    if norm <= by_norm:
        return clipped
    clip_by_norm(parameters, by_norm, norm)
    return True

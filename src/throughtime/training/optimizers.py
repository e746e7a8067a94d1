"""The optimizers a fit can ask for, over plain torch.optim."""

from __future__ import annotations

import torch
from torch import nn

from throughtime.training.settings import FitSettings

MOMENTUM = 0.9


def make_optimizer(settings: FitSettings, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """Build the optimizer of `settings`. The fused kernels are used where torch has them.

    Raises:
        ValueError: there is no parameter to train.
    """
    if not parameters:
        raise ValueError("fit: the model has no parameter with requires_grad=True, so nothing can be learnt.")
    fused = all(p.device.type in ("cpu", "cuda") and p.is_floating_point() for p in parameters)
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=MOMENTUM, weight_decay=decay, fused=fused)
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay, fused=fused)
    return torch.optim.Adam(parameters, lr=rate, weight_decay=decay, fused=fused)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Use `rate` from the next step on."""
    for group in optimizer.param_groups:
        group["lr"] = rate

"""Activation functions, each with its derivative written in terms of its own output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import torch
from torch import Tensor


class Activation(NamedTuple):
    """An elementwise function g and its derivative.

    Attributes:
        value: g, from the value before the activation to the value after it.
        slope: g'(a) as a function of g(a), which is what a step has kept.
    """

    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]


ACTIVATIONS: Final[dict[str, Activation]] = {
    "tanh": Activation(torch.tanh, lambda out: 1 - out * out),
    "relu": Activation(torch.relu, lambda out: (out > 0).to(out.dtype)),
    "logistic": Activation(torch.sigmoid, lambda out: out * (1 - out)),
    "identity": Activation(lambda a: a, torch.ones_like),
}


def activation(name: str) -> Activation:
    """Look an activation up by name.

    Raises:
        ValueError: no activation has this name.
    """
    if name not in ACTIVATIONS:
        known = ", ".join(repr(key) for key in ACTIVATIONS)
        raise ValueError(f"activation {name!r} is unknown; available: {known}.")
    return ACTIVATIONS[name]

"""Layer normalisation of a row, and its derivative.

    â = (a - μ) / √(σ² + ε),    μ and σ² over the H values of one row

Source: Ba, Kiros and Hinton, Layer Normalization (2016), equations 2 and 3.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

EPSILON: Final = 1e-5
"""ε, as in torch.nn.LayerNorm."""


def normalised(a: Tensor) -> tuple[Tensor, Tensor]:
    """Each row (..., H) with mean 0 and variance 1, and the factor (..., 1) it was multiplied by."""
    centred = a - a.mean(-1, keepdim=True)
    scale = torch.rsqrt(centred.square().mean(-1, keepdim=True) + EPSILON)
    return centred * scale, scale


def normalised_backward(d_hat: Tensor, hat: Tensor, scale: Tensor) -> Tensor:
    """δa from δâ and what `normalised` gave.

    δa = scale · (δâ - mean(δâ) - â · mean(δâ ⊙ â)): what moves a row's mean or its spread is taken out.
    """
    return scale * (d_hat - d_hat.mean(-1, keepdim=True) - hat * (d_hat * hat).mean(-1, keepdim=True))

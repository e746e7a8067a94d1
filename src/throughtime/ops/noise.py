"""Zoneout and recurrent dropout: what chance does to a state on its way from step to step.

    y(t-1) ⊙ m                          what the recurrent weights read; m (B, H) is the same at every step
    c(t) = k_c ⊙ c̃(t) + (1 - k_c) ⊙ c(t-1)
    y(t) = k_y ⊙ ỹ(t) + (1 - k_y) ⊙ y(t-1)      c̃, ỹ: what the cell found

The entries of m are 0 with probability p and otherwise 1/(1 - p). Those of k_c and k_y are 0 with probability
p_c and p_y and otherwise 1, drawn anew at every step; in evaluation they are their means 1 - p_c and 1 - p_y.

No k is stored. Each is a function of a seed and its place (t, b, j), so that backward, kernels and threads
find the same one: a counter, mixed by the finaliser of SplitMix64, the upper 32 bits for c, the lower for y.

Sources: Krueger et al., Zoneout (2017); Gal and Ghahramani, A Theoretically Grounded Application of Dropout
in Recurrent Neural Networks (2016); Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators
(2014).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

_STEP: Final = 0x9E3779B97F4A7C15 - (1 << 64)  # as signed numbers: torch's int64 wraps around
_FIRST: Final = 0xBF58476D1CE4E5B9 - (1 << 64)
_SECOND: Final = 0x94D049BB133111EB - (1 << 64)
_LOW: Final = 0xFFFFFFFF


class Noise(NamedTuple):
    """What chance does to one layer in one direction.

    Attributes:
        mask: m, (B, H), or None without recurrent dropout.
        zoneout: (p_c, p_y); of a simple RNN p_y alone counts.
        seed: Of k_c and k_y, a single int64; None for their means.
    """

    mask: Tensor | None = None
    zoneout: tuple[float, float] = (0.0, 0.0)
    seed: Tensor | None = None


NO_NOISE: Final = Noise()


def draw(zoneout: tuple[float, float], recurrent_dropout: float, training: bool, state: Tensor) -> Noise:
    """Noise for one pass, from torch's generators; `state` (B, H) gives size, dtype and device."""
    mask = seed = None
    if training and recurrent_dropout > 0:
        mask = functional.dropout(torch.ones_like(state), recurrent_dropout)
    if training and any(zoneout):
        seed = torch.randint(-(1 << 62), 1 << 62, ())
    return Noise(mask, zoneout, seed)


def kept(noise: Noise, t: int, like: Tensor) -> tuple[Tensor | float, Tensor | float]:
    """k_c(t) and k_y(t), each (B, H) as `like` or one number."""
    if not any(noise.zoneout):
        return 1.0, 1.0
    if noise.seed is None:
        return 1 - noise.zoneout[0], 1 - noise.zoneout[1]
    bits = _bits(noise.seed.to(like.device), t, like)
    drawn = ((bits >> 32) & _LOW, bits & _LOW)
    for_c, for_y = (
        (value >= threshold(share)).to(like.dtype) for value, share in zip(drawn, noise.zoneout, strict=True)
    )
    return for_c, for_y


def threshold(share: float) -> int:
    """A state stays where its 32 bits are below this number."""
    return int(share * (1 << 32))


def _bits(seed: Tensor, t: int, like: Tensor) -> Tensor:
    """64 random bits for each entry of step t, (B, H)."""
    places = torch.arange(like.numel(), device=like.device).view(like.shape)
    z = seed + (places + (t * like.numel() + 1)) * _STEP
    z = (z ^ _shifted(z, 30)) * _FIRST
    z = (z ^ _shifted(z, 27)) * _SECOND
    return z ^ _shifted(z, 31)


def _shifted(z: Tensor, places: int) -> Tensor:
    """Bits shifted right, zeros coming in: torch's own shift brings in the sign."""
    return (z >> places) & ((1 << (64 - places)) - 1)


def through(found: Tensor, before: Tensor, share: Tensor | float) -> Tensor:
    """What zoneout makes of a state: k ⊙ found + (1 - k) ⊙ before."""
    if isinstance(share, float) and share == 1:
        return found
    return share * found + (1 - share) * before

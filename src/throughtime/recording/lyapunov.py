"""Lyapunov exponents of a network along the way it goes for given inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from throughtime.ops.padding import direction
from throughtime.recording.jacobians import step_jacobian
from throughtime.recording.passes import run, watching


@dataclass(frozen=True)
class LyapunovExponents:
    """How fast small changes of the state grow along one way through time.

    Attributes:
        path: The layer.
        values: (B, count), nats per step, falling; NaN for a sequence without a step.
        T: Steps of the batch.
    """

    path: str
    values: Tensor
    T: int

    @property
    def largest(self) -> float:
        """The largest exponent, mean over the batch."""
        return float(self.values[:, 0].nanmean())

    def summary(self) -> str:
        """Whether changes grow or fade, in words."""
        largest = self.largest
        if math.isnan(largest):
            return f"{self.path}: no sequence has a step, so there is no exponent."
        if largest == -math.inf:
            return f"{self.path}: a small change of the state is gone after one step."
        if abs(largest) < 1e-3:
            return (
                f"{self.path}: largest Lyapunov exponent {largest:+.3g} per step over {self.T} steps: "
                "a small change of the state neither grows nor fades."
            )
        word = "grows: the network is chaotic here" if largest > 0 else "fades"
        return (
            f"{self.path}: largest Lyapunov exponent {largest:+.3g} per step over {self.T} steps: a small "
            f"change of the state is multiplied by {math.exp(largest):.3g} in each step and {word}."
        )

    def __str__(self) -> str:
        return self.summary()


def lyapunov_exponents(
    model: nn.Module, x: Tensor, *, count: int | None = None, layer: str | None = None, **inputs: Any
) -> LyapunovExponents:
    """The exponents of one layer by repeated QR of the product of its steps' Jacobians, in float64.

    The state is (c, y) for an LSTM, under FGR with the own gates, and h for a simple RNN. The exponents are
    those of these T steps; how near they are to the limit of infinitely many depends on T.

    Args:
        model: Holds the network.
        x: What the model reads.
        count: How many exponents, the largest first; None: all, as many as the state has values.
        layer: Path of the layer; None: the first direction of the last layer.
        **inputs: More arguments for the model, such as lengths or state.

    Raises:
        ValueError: no such layer, or count is out of range.
    """
    with watching(model, layer, "lyapunov_exponents") as passes:
        run(model, x, inputs)
    path = layer or passes.top_path
    factors = passes.of(path).factors().double()
    T, B = factors.factors.shape[:2]
    size = step_jacobian(factors, 0).shape[-1]
    if count is None:
        count = size
    if not 1 <= count <= size:
        raise ValueError(f"lyapunov_exponents: count={count}, expected 1 to {size}, the values of the state.")
    real = factors.real()
    frame = torch.eye(size, count, dtype=torch.float64, device=real.device).repeat(B, 1, 1)
    total = frame.new_zeros(B, count)
    for t in direction(T, factors.reverse):
        turned, upper = torch.linalg.qr(step_jacobian(factors, t) @ frame)
        grown = upper.diagonal(dim1=-2, dim2=-1).abs().log()
        there = real[t].unsqueeze(-1)
        total = torch.where(there, total + grown, total)
        frame = torch.where(there.unsqueeze(-1), turned, frame)
    mean = total / real.sum(0).unsqueeze(-1)
    return LyapunovExponents(path, mean.sort(dim=-1, descending=True).values, T)

"""Sequences of different lengths in one batch.

One rule: at a step at or past a sequence's end its state stays as it is, its output is zero, and no
error arises there; an error of the state passes through unchanged. From it follow a reverse direction
that begins at each sequence's true end, a returned state that is the one of the true last step, and
the initial state for a sequence of length 0. What a batch holds at padded places never matters, NaN
included.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Padding(NamedTuple):
    """Where a batch is padded.

    Attributes:
        real: (T, B, 1) bool, true at the steps that belong to a sequence.
        partial: For each step, whether some sequence of the batch is padded there.
    """

    real: Tensor
    partial: list[bool]


def check_lengths(lengths: Tensor, T: int, B: int, who: str) -> None:
    """Hold lengths to what they must be: B integers from 0 to T.

    Raises:
        TypeError: they are not integers.
        ValueError: another number of them, or one out of range.
    """
    if lengths.dtype == torch.bool or lengths.is_floating_point() or lengths.is_complex():
        raise TypeError(f"{who}: lengths must be integers, one for each sequence; got {lengths.dtype}.")
    if lengths.shape != (B,):
        raise ValueError(
            f"{who}: lengths has shape {tuple(lengths.shape)}, expected ({B},), one for each sequence."
        )
    wrong = ((lengths < 0) | (lengths > T)).nonzero().flatten()
    if len(wrong):
        first = int(wrong[0])
        raise ValueError(
            f"{who}: lengths[{first}] is {int(lengths[first])}, expected 0 to T={T}"
            f"{f'; {len(wrong) - 1} more are out of range' if len(wrong) > 1 else ''}."
        )


def padding(lengths: Tensor | None, x: Tensor) -> Padding | None:
    """Where x (T, B, I) is padded; None if nowhere. `lengths` has been checked."""
    T, B = x.shape[0], x.shape[1]
    if lengths is None or B == 0:
        return None
    shortest = int(lengths.min())
    if shortest >= T:
        return None
    steps = torch.arange(T, device=x.device).unsqueeze(1)  # (T, 1)
    real = (steps < lengths.to(x.device)).unsqueeze(-1)
    return Padding(real, [t >= shortest for t in range(T)])


def cleared(values: Tensor, pad: Padding | None) -> Tensor:
    """`values` (T, B, ·) with zeros at padded steps, whatever stood there."""
    return values if pad is None else values.masked_fill(~pad.real, 0)


def before_each_step(values: Tensor, initial: Tensor, pad: Padding | None, reverse: bool) -> Tensor:
    """The state that each step read: `values` one step earlier, the initial state at the start.

    Args:
        values: A value of the state at every step, (T, B, ·).
        initial: The same before the first step, (B, ·).
        pad: Padded steps; in the reverse direction they come first and still hold the initial state.
        reverse: Whether the loop runs from T-1 to 0.

    Returns:
        (T, B, ·), newly allocated. At padded steps of the forward direction it means nothing.
    """
    if not reverse:
        return torch.cat([initial.unsqueeze(0), values[:-1]])
    if pad is not None:
        values = torch.where(pad.real, values, initial)
    return torch.cat([values[1:], initial.unsqueeze(0)])


def direction(T: int, reverse: bool) -> range:
    """Steps in the order in which the forward loop visits them."""
    return range(T - 1, -1, -1) if reverse else range(T)


def lengths_for_kernels(lengths: Tensor | None) -> Tensor | None:
    """Lengths (B,) as the native kernels take them: int64, on the CPU, dense; None as it is."""
    return None if lengths is None else lengths.to(device="cpu", dtype=torch.int64).contiguous()

"""The values of a step, brought to one scale: learnt from the training sequences, applied to all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from throughtime.data.sequences import Floats


class Channels(BaseModel):
    """Names and scale of the I values of a step: (value - mean) / std.

    A channel that never changes in training has std 0 and is passed on as 0.

    Attributes:
        names: I names.
        mean: Mean over all steps of the training sequences, in the channel's unit.
        std: Standard deviation over them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def learn(cls, sequences: Sequence[Floats], names: Sequence[str]) -> Channels:
        """Mean and standard deviation of each channel over the steps where it is known.

        Args:
            sequences: Each (T, I), NaN where missing.
            names: I of them.
        """
        steps = np.concatenate(list(sequences))
        mean, std = [], []
        for column in steps.T:
            held = column[np.isfinite(column)]
            constant = not len(held) or bool(held.min() == held.max())
            mean.append(float(held.mean()) if len(held) else 0.0)
            std.append(0.0 if constant else float(held.std()))
        return cls(names=tuple(names), mean=tuple(mean), std=tuple(std))

    def scale(self, sequences: Sequence[Floats]) -> list[Tensor]:
        """Each sequence filled (`fill_steps`) and scaled, (T, I) float32; a channel without a value is 0.

        Raises:
            ValueError: a sequence has another number of channels.
        """
        mean, std = np.array(self.mean), np.array(self.std)
        factor = np.divide(1.0, std, out=np.zeros_like(std), where=std > 0)
        made = []
        for number, one in enumerate(sequences):
            if one.ndim != 2 or one.shape[1] != len(mean):
                raise ValueError(
                    f"sequence number {number + 1} has shape {one.shape}, expected (T, {len(mean)})"
                )
            scaled = np.nan_to_num((fill_steps(one) - mean) * factor)
            made.append(torch.from_numpy(scaled.astype(np.float32)))
        return made


def fill_steps(values: Floats) -> Floats:
    """Missing and infinite values (T, I) replaced by the last one before, at the start by the first after.

    A channel without any value stays NaN.
    """
    known = np.isfinite(values)
    if known.all():
        return values
    steps = np.arange(len(values))[:, None]
    before = np.maximum.accumulate(np.where(known, steps, -1), axis=0)
    first = known.argmax(axis=0)
    filled: Floats = np.take_along_axis(values, np.where(before < 0, first, before), axis=0)
    return np.where(np.isfinite(filled), filled, np.nan)

"""How much of an error is left after so many steps, and what to call it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

EXPLODED: Final = 10.0  # an error that has grown tenfold on its way back is said to explode
LEFT: Final = 0.01  # an error of which 1 % is left is said to have vanished


@dataclass(frozen=True)
class Reach:
    """The share of an error that is left, by the number of steps it has gone back.

    Attributes:
        name: Whose error.
        shares: Median over losses and sequences of E[t, k] / E[t, t], by the distance of t and k, (T,); NaN
            where no loss has a step that far back.
    """

    name: str
    shares: Tensor

    @property
    def farthest(self) -> int:
        """The largest distance there is."""
        known = (~self.shares.isnan()).nonzero()
        return int(known[-1]) if len(known) else 0

    def steps_to(self, share: float) -> int | None:
        """Steps after which less than `share` is left for good; None if that does not happen."""
        more = (self.shares >= share).nonzero()
        last = int(more[-1]) if len(more) else -1
        return last + 1 if last < self.farthest else None

    def verdict(self) -> str:
        """One of "explode", "vanish", "keep", "unknown"."""
        known = self.shares[~self.shares.isnan()]
        if len(known) < 2:
            return "unknown"
        if not torch.isfinite(known).all() or float(known.max()) >= EXPLODED:
            return "explode"
        return "vanish" if self.steps_to(LEFT) is not None else "keep"

    def summary(self) -> str:
        """The verdict and the figures it rests on."""
        verdict, far = self.verdict(), self.farthest
        if verdict == "unknown":
            return f"Errors of {self.name}: no loss has a step before it, so nothing can be said."
        end = float(self.shares[far])
        if verdict == "explode":
            peak = int(torch.nan_to_num(self.shares, nan=-1.0, posinf=math.inf).argmax())
            return (
                f"Errors of {self.name} explode: {peak} steps back the median error is "
                f"{float(self.shares[peak]):.3g} times as large as at its own step, after {far} steps "
                f"{end:.3g} times."
            )
        if verdict == "vanish":
            rate = f", {end ** (1 / far):.3g} of it in each step" if end > 0 else ""
            return (
                f"Errors of {self.name} vanish: after {self.steps_to(LEFT)} steps less than {LEFT:.0%} of "
                f"the median error is left, after {far} steps {end:.3g}{rate}."
            )
        most = float(self.shares[~self.shares.isnan()].max())
        return (
            f"Errors of {self.name} neither vanish nor explode: after {far} steps {end:.3g} of the median "
            f"error is left, at most {most:.3g} on the way."
        )


def reach_of(norms: Tensor, at: Tensor, reverse: bool, lengths: Tensor | None, name: str) -> Reach:
    """The reach of errors from their norms (B, R, T) for losses at steps `at` (R,)."""
    B, _, T = norms.shape
    ends = at.to(norms.device)
    k = ends[:, None] + torch.arange(T, device=norms.device) * (1 if reverse else -1)  # (R, T)
    found = norms.gather(2, k.clamp(0, T - 1).expand(B, -1, -1))
    last = norms.new_full((B, 1, 1), T) if lengths is None else lengths.to(norms.device).view(B, 1, 1)
    there = (k >= 0) & (k < last) & (found[:, :, :1] > 0)  # a loss that no error comes from says nothing
    shares = (found / found[:, :, :1]).masked_fill(~there, torch.nan)
    return Reach(name, shares.flatten(0, 1).nanmedian(0).values)

"""What `fit(..., watch=True)` writes down of an epoch: plain numbers, all of it JSON."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

SHUT, OPEN = 0.1, 0.9  # a gate below or above is saturated, and so is an |h| above
TOLD = 0.05  # a smaller saturated share is not worth a word
SPIKE = 100.0  # a gradient so many times as long as the epoch's mean has exploded


class LayerWatch(BaseModel):
    """One recurrent layer in one direction, on the probe batch, after the epoch.

    Attributes:
        memory_steps: Steps after which less than 1 % of an error is left, of c or h; at least that many if
            not `memory_reached`.
        memory_reached: Whether so little was left anywhere.
        verdict: "vanish", "explode", "keep" or "unknown", of the same errors.
        saturated: By gate the share of its values below 0.1 (`f shut`) and above 0.9 (`f open`); of a simple
            RNN `h`, the share of |h| above 0.9.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    memory_steps: int
    memory_reached: bool
    verdict: str
    saturated: dict[str, float]


class Watched(BaseModel):
    """One epoch.

    Attributes:
        gradient_norms: Of each parameter, mean over the updates, before clipping.
        layers: By path, as "recurrent.layer0"; empty where the model has no throughtime layer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    gradient_norms: dict[str, float]
    layers: dict[str, LayerWatch]

    def summary(self) -> str:
        """The layers in one line; empty if there are none."""
        return "; ".join(f"{path}: {_told(layer)}" for path, layer in self.layers.items())


def _told(layer: LayerWatch) -> str:
    least = "" if layer.memory_reached else "at least "
    full = max(layer.saturated.items(), key=lambda item: item[1], default=None)
    saturated = f", {full[0]} {full[1]:.0%}" if full and full[1] >= TOLD else ""
    exploding = ", errors explode" if layer.verdict == "explode" else ""
    return f"memory {least}{layer.memory_steps} steps{saturated}{exploding}"

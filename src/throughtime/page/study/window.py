"""Which part of a recording a page holds, when all of it would be too much for a browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from throughtime.page.study.derived import derived
from throughtime.recording import LayerRecord, Recording

MARGIN = 1  # the step on the other side of the cut: its values and errors are read by the first shown


@dataclass(frozen=True)
class Window:
    """The last time steps of a layer, and its first sequences.

    Attributes:
        first: First time step shown, from 0.
        steps: T of the layer.
        batch: Sequences kept.
    """

    first: int
    steps: int
    batch: int

    @property
    def start(self) -> int:
        """First time step kept in the arrays."""
        return max(0, self.first - MARGIN)

    def cut(self, array: Tensor) -> Tensor:
        """The part of (T, B, ...) that is kept."""
        return array[self.start :, : self.batch]

    def sequences(self, array: Tensor) -> Tensor:
        """The part of (B, ...) that is kept."""
        return array[: self.batch]

    def lengths(self, lengths: Tensor) -> list[int]:
        """Lengths of the sequences that are kept."""
        return [int(length) for length in lengths[: self.batch]]

    def as_json(self) -> dict[str, Any]:
        """What the page reads."""
        return {
            "first": self.first,
            "start": self.start,
            "steps": self.steps,
            "batch": self.batch,
        }


@dataclass(frozen=True)
class Part:
    """What of a recording a page holds.

    Attributes:
        steps: Most time steps of a layer.
        batch: Most sequences.
        word: What was left out, for the reader; "" if nothing.
    """

    steps: int
    batch: int
    word: str = ""

    def window(self, layer: LayerRecord) -> Window:
        """The part of one layer."""
        return Window(max(0, layer.T - self.steps), layer.T, min(layer.B, self.batch))


def fitting(recording: Recording, limit: int) -> Part:
    """The most of a recording whose numbers take at most `limit` bytes in float32.

    Sequences are given up first, then the earliest time steps; the last step's errors stay exact.

    Raises:
        ValueError: the parameters alone, or one time step, take more.
    """
    layers = list(recording.layers.values())
    T, B = max(layer.T for layer in layers), max(layer.B for layer in layers)
    per_step, fixed = _weight(layers)
    room = limit - fixed
    if room < per_step * (1 + MARGIN):
        raise ValueError(
            f"Study: one time step of one sequence and the parameters take {fixed + 2 * per_step:,} bytes, "
            f"more than the {limit:,} a page may hold; record fewer layers or units, or raise the limit."
        )
    batch = min(B, max(1, room // (per_step * T)))
    steps = T if batch > 1 or room >= per_step * T else room // per_step - MARGIN
    left = []
    if batch < B:
        left.append(f"the first {batch} of {B} sequences" if batch > 1 else f"the first of {B} sequences")
    if steps < T:
        left.append(f"the last {steps} of {T} time steps")
    word = f"Too large for one page: it shows {' and '.join(left)}." if left else ""
    return Part(steps, batch, word)


def _weight(layers: list[LayerRecord]) -> tuple[int, int]:
    """Bytes of one time step of one sequence, and of what does not grow with either."""
    per_step = fixed = 0
    for layer in layers:
        tensors = [*layer.values.values(), *layer.errors.values()]
        tensors += list(derived(layer).values())
        per_step += sum(tensor.shape[-1] for tensor in tensors)
        fixed += 2 * sum(parameter.numel() for parameter in layer.parameters.values())
    return 4 * per_step, 4 * fixed

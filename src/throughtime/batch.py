"""A batch of sequences, as the loop and every objective read it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Sequences side by side, time first.

    Attributes:
        inputs: (T, B, I) float, or (T, B) long for symbols.
        targets: (T, B, ...) if `aligned`, else any shape the objective understands.
        lengths: True length of each sequence, (B,) long, or None if all have T steps.
        aligned: The targets run along time with the inputs.
        mask: True where a target counts, of the shape of `targets`; None counts all.
        continued: The next batch goes on where this one stops, so the state is handed on to it.
    """

    inputs: Tensor
    targets: Tensor
    lengths: Tensor | None = None
    aligned: bool = False
    mask: Tensor | None = None
    continued: bool = False

    def steps(self, start: int, stop: int) -> Batch:
        """Return time steps `start` to `stop` (exclusive), as views.

        Raises:
            ValueError: the targets do not run along time, so no step has a target of its own.
        """
        if not self.aligned:
            raise ValueError(
                "Batch: steps() needs targets that run along time (aligned=True); "
                f"targets.shape is {tuple(self.targets.shape)}, inputs.shape {tuple(self.inputs.shape)}."
            )
        lengths = None if self.lengths is None else (self.lengths - start).clamp(0, stop - start)
        return replace(
            self,
            inputs=self.inputs[start:stop],
            targets=self.targets[start:stop],
            lengths=lengths,
            mask=None if self.mask is None else self.mask[start:stop],
        )

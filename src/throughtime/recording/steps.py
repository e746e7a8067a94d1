"""One pass seen from a step: what stands there, one step later, and one step before.

Later and before are meant in the direction of the layer: for a reverse layer the step after t is t-1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from throughtime.recording.layer_record import LayerRecord
from throughtime.recording.names import MissingNameError


class Steps:
    """One step of a pass, or all of them at once.

    Args:
        record: A single pass.
        t: The step; None for all, which puts time in front of every shape below.
        purpose: What the arrays are wanted for, for messages.
    """

    def __init__(self, record: LayerRecord, t: int | None, purpose: str) -> None:
        self.record, self._t, self._purpose = record, t, purpose
        ends = torch.full((record.B,), record.T) if record.lengths is None else record.lengths
        steps = torch.arange(record.T).unsqueeze(1) if t is None else torch.tensor(t)
        lowest, highest = (steps == 0) & (ends > 0), steps == ends - 1
        self._first, self._last = (highest, lowest) if record.reverse else (lowest, highest)
        self._real = steps < ends  # each (B,), or (T, B)

    @property
    def has_last(self) -> bool:
        """Whether some sequence ends at one of these steps."""
        return bool(self._last.any())

    def now(self, name: str) -> Tensor:
        """A value or an error, (B, ·).

        Raises:
            KeyError: the recording does not keep it.
        """
        array = self._array(name)
        return array if self._t is None else array[self._t]

    def later(self, name: str) -> Tensor:
        """The same one step later, zero past the end and at padded steps."""
        there = self._shifted(name, -1 if self.record.reverse else 1)
        return _where(self._real, there, torch.zeros_like(there))

    def before(self, name: str) -> Tensor:
        """A value of the state one step before, the initial state at a sequence's first step."""
        there = self._shifted(name, 1 if self.record.reverse else -1)
        return _where(self._first, self.record.initial[name], there)

    def returned(self, name: str) -> Tensor:
        """The error that came to the returned state, at each sequence's last step; zero elsewhere."""
        error = self.record.final_errors[name]
        return _where(self._last, error, torch.zeros_like(error))

    def _shifted(self, name: str, by: int) -> Tensor:
        array = self._array(name)
        if self._t is not None:
            there = 0 <= self._t + by < self.record.T
            return array[self._t + by] if there else torch.zeros_like(array[0])
        nothing = torch.zeros_like(array[:1])
        return torch.cat([array[1:], nothing] if by == 1 else [nothing, array[:-1]])

    def _array(self, name: str) -> Tensor:
        record = self.record
        if name in record.errors:
            return record.errors[name]
        if name in record.values:
            return record.values[name]
        awaited = name.startswith("d_") and not record.errors
        reason = "no backward() has reached it" if awaited else "it was not kept"
        raise MissingNameError(
            f"{self._purpose} needs {record.path}.{name}, which is not in this recording: {reason}; "
            f"{record.path} has {', '.join(record.names()) or 'nothing'}."
        )


def _where(mask: Tensor, chosen: Tensor, otherwise: Tensor) -> Tensor:
    return torch.where(mask.unsqueeze(-1).to(chosen.device), chosen, otherwise)

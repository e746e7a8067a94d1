"""Live readings: one time step per call."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from throughtime.ops.stream import Stream


class Stepper:
    """A network in use, one time step per call; from `LSTM.stream` or `RNN.stream`.

    It computes without gradients and without dropout, with the weights as they were when it was made, on one
    thread. Each call returns a new tensor.

    Attributes:
        batch_size: B, sequences that advance together.
    """

    def __init__(self, stream: Stream, batch_size: int, single: bool) -> None:
        self.batch_size = batch_size
        self._stream = stream
        self._step = stream.step
        self._single = single  # whether the network's state is one tensor, as that of an RNN
        self._start = stream.states()

    def __call__(self, x: Tensor) -> Tensor:
        """The last layer's output (B, H) for the next x (B, I).

        Raises:
            TypeError: x is no tensor.
            ValueError: its shape, dtype or device does not fit.
        """
        return self._step(x)

    @property
    def state(self) -> Any:
        """A copy of the state, in the form that the network takes and returns."""
        parts = tuple(torch.stack(part) for part in zip(*self._stream.states(), strict=True))
        return parts[0] if self._single else parts

    def set_state(self, state: Any) -> None:
        """Go on from a state in that form, each tensor (num_layers, B, ·); from zeros for None.

        Raises:
            ValueError: a shape does not fit.
        """
        if state is None:
            self._stream.load(self._start)
            return
        parts = (state,) if isinstance(state, Tensor) else tuple(state)
        expected = [tuple(torch.stack(part).shape) for part in zip(*self._start, strict=True)]
        given = [tuple(part.shape) for part in parts]
        if given != expected:
            raise ValueError(f"stream: the state has shapes {given}, expected {expected}.")
        self._stream.load(list(zip(*(part.unbind(0) for part in parts), strict=True)))

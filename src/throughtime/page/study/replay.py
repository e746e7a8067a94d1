"""A network that can be run again with other inputs or weights, through the library itself."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from throughtime.recording import Recording

Run = Callable[[nn.Module, Tensor], Recording]


class Replay:
    """A model, its input, and how they are recorded.

    Args:
        model: The network; a copy is kept, so that changes stay here.
        x: Its input, (T, B, I).
        run: Records a forward and a backward pass: `run(model, x)` gives the recording.

    Attributes:
        model: The copy, as changed.
        x: The input, as changed.
    """

    def __init__(self, model: nn.Module, x: Tensor, run: Run) -> None:
        self._first = copy.deepcopy(model), x.detach().clone()
        self._run = run
        self.model, self.x = copy.deepcopy(model), x.detach().clone()

    def record(self) -> Recording:
        """Run the network as it is now."""
        self.model.zero_grad()
        return self._run(self.model, self.x)

    def change(self, wanted: Mapping[str, Any]) -> None:
        """Change one number.

        Args:
            wanted: kind "input" with t, b, j and value; "parameter" with layer, name, index (into the
                flattened parameter) and value; or "reset", which takes every change back.

        Raises:
            ValueError: there is no such number, or the value is not finite.
        """
        kind = wanted.get("kind")
        if kind == "reset":
            self.model, self.x = copy.deepcopy(self._first[0]), self._first[1].clone()
            return
        value = wanted.get("value")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"study: value={value!r}, expected a finite number.")
        with torch.no_grad():
            if kind == "input":
                place = tuple(
                    self._index(wanted, name, size)
                    for name, size in zip(("t", "b", "j"), self.x.shape, strict=True)
                )
                self.x[place] = value
            elif kind == "parameter":
                numbers = self._parameter(wanted).view(-1)
                numbers[self._index(wanted, "index", len(numbers))] = value
            else:
                raise ValueError(f"study: kind={kind!r}, expected 'input', 'parameter' or 'reset'.")

    def _parameter(self, wanted: Mapping[str, Any]) -> Tensor:
        path, name = wanted.get("layer"), wanted.get("name")
        found = dict(self.model.named_parameters()).get(f"{path}.{name}")
        if found is None:
            raise ValueError(f"study: the network has no parameter {path}.{name}.")
        return found.data

    @staticmethod
    def _index(wanted: Mapping[str, Any], name: str, size: int) -> int:
        index = wanted.get(name)
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < size:
            raise ValueError(f"study: {name}={index!r}, expected 0 to {size - 1}.")
        return index

"""The numbers of a line for one unit: products and sums of recorded numbers, as the page forms them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from throughtime.cells.activations import ACTIVATIONS
from throughtime.page.study.derived import derived
from throughtime.page.study.lines import Factor, Line, Term
from throughtime.recording import LayerRecord


@dataclass(frozen=True)
class Place:
    """Where one looks: time step, sequence, unit, all from 0."""

    t: int
    b: int
    k: int


class LayerNumbers:
    """One layer's numbers by name and time step, "before" and "after" in its own direction."""

    def __init__(self, layer: LayerRecord) -> None:
        self.layer = layer
        self._derived = derived(layer)

    def length(self, b: int) -> int:
        """Steps of sequence b."""
        return self.layer.T if self.layer.lengths is None else int(self.layer.lengths[b])

    def step(self, s: int, b: int) -> int:
        """Time step of the s-th step that the layer took."""
        return self.length(b) - 1 - s if self.layer.reverse else s

    def shifted(self, t: int, shift: int, b: int) -> int | None:
        """Step before or after; None beyond the sequence, or where truncated BPTT cut the chain."""
        at = t - shift if self.layer.reverse else t + shift
        if shift > 0 and (t if self.layer.reverse else t + 1) in self.layer.cuts:
            return None
        return at if 0 <= at < self.length(b) else None

    def vector(self, name: str, shift: int, t: int, b: int) -> Tensor:
        """A value or an error of one step, (H,) or (I,): the initial state before the first, then zero."""
        at = self.shifted(t, shift, b) if shift else t
        array = self._array(name)
        if at is not None:
            return array[at, b]
        if shift < 0 and name in self.layer.initial:
            return self.layer.initial[name][b]
        return torch.zeros_like(array[0, b])

    def is_last(self, t: int, b: int) -> bool:
        """Whether the layer ends here."""
        return t == self.step(self.length(b) - 1, b)

    def factor(self, factor: Factor, place: Place) -> float:
        """The number of one factor."""
        t, b, k = place.t, place.b, place.k
        H, layer = self.layer.hidden_size, self.layer
        if factor.kind == "one":
            return 1.0
        if factor.kind == "final":
            return float(layer.final_errors[factor.value.removeprefix("d_")][b, k])
        if factor.kind == "parameter":
            return float(layer.parameters[factor.parameter].reshape(-1)[factor.block * H + k])
        met = self.vector(factor.value, factor.time, t, b)
        if factor.kind == "value":
            return float(met[k])
        if factor.kind == "slope":
            return float(ACTIVATIONS[factor.slope].slope(met[k]))
        weight = layer.parameters[factor.parameter]
        rows = slice(factor.block * H, (factor.block + 1) * H)
        if factor.kind == "column":
            return float(weight[rows, factor.part * H + k] @ met)
        columns = slice(factor.part * H, factor.part * H + len(met))
        return float(weight[factor.block * H + k, columns] @ met)

    def term(self, term: Term, place: Place) -> float:
        """The number of one summand, with its sign."""
        product = 1.0
        for factor in term.factors:
            product *= self.factor(factor, place)
        return -product if term.minus else product

    def terms(self, line: Line, place: Place) -> tuple[Term, ...]:
        """The summands that exist at this step."""
        last = self.is_last(place.t, place.b)
        return tuple(term for term in line.terms if last or not term.last_only)

    def result(self, line: Line, place: Place) -> float:
        """What was recorded for the line's target."""
        return float(self.vector(line.target, 0, place.t, place.b)[place.k])

    def has(self, name: str) -> bool:
        """Whether the value was recorded or is formed from what was."""
        return name in self._derived or name in self.layer.errors or name in self.layer.values

    def _array(self, name: str) -> Tensor:
        for arrays in (self._derived, self.layer.errors, self.layer.values):
            if name in arrays:
                return arrays[name]
        raise KeyError(f"{self.layer.path} has no {name!r}.")

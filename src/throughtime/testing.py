"""For tests: hold a cell's hand-written backward to autograd and to finite differences.

    from throughtime.testing import check_cell
    check_cell(MyCell())

`MyCell` follows `throughtime.cells.Cell`: `name`, `state`, `shapes(I, H)`, `step`, `step_backward`. The
library's own cells stand the same list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import torch
from torch import Tensor

from throughtime.cells import Cell, Values
from throughtime.ops import unrolled

RELATIVE: Final = 1e-12
"""Bound of step_backward against autograd, times the largest autograd value of the same tensor."""

FINITE: Final = 1e-7
"""Bound against central differences of the loss, times the largest of the loss, the slope and 1."""

_NUDGES: Final = (1e-4, 1e-6)  # ε: truncation goes as ε⁴, rounding as 1e-16/ε; a steep loss needs the small


class Shape(NamedTuple):
    """Sizes of one case: T steps, B sequences, H cells, I inputs."""

    T: int
    B: int
    H: int
    I: int  # noqa: E741

    def __str__(self) -> str:
        return f"T{self.T}-B{self.B}-H{self.H}"


SHAPES: Final = (
    Shape(1, 1, 1, 1),
    Shape(2, 1, 3, 2),
    Shape(7, 3, 5, 4),
    Shape(12, 17, 9, 1),
    Shape(63, 2, 33, 6),
)


class CellCheck(NamedTuple):
    """What `check_cell` found.

    Attributes:
        compared: How many tensors were compared with autograd.
        largest: The largest relative difference among them.
        where: The value it belongs to.
    """

    compared: int
    largest: float
    where: str


class Case(NamedTuple):
    """A cell's arguments for one sequence, float64, and the errors that arrive from above."""

    x: Tensor
    initial: Values
    parameters: Values
    d_output: Tensor
    d_final: Values

    def leaves(self) -> Values:
        """Everything that can be differentiated by."""
        return {"x": self.x, **self.initial, **self.parameters}


def make_case(cell: Cell, shape: Shape, seed: int = 0) -> Case:
    """Random arguments from a nonzero initial state.

    Parameters are uniform in ±1/(2√H) with biases and all, so that no cell explodes within 63 steps.
    The state is in (0.1, 0.9), so that it may stand for gates; half of its signs are turned where its
    name is not that of a gate.
    """
    generator = torch.Generator().manual_seed(seed)

    def uniform(*size: int) -> Tensor:
        return torch.rand(*size, generator=generator, dtype=torch.float64)

    T, B, H, inputs = shape
    bound = 0.5 * H**-0.5
    parameters = {
        name: ((2 * uniform(*size) - 1) * bound).requires_grad_()
        for name, size in cell.shapes(inputs, H).items()
    }
    initial = {}
    for name in cell.state:
        value = 0.1 + 0.8 * uniform(B, H)
        if name not in ("i", "f", "o"):
            value = torch.where(uniform(B, H) < 0.5, -value, value)
        initial[name] = value.requires_grad_()
    x = (4 * uniform(T, B, inputs) - 2).requires_grad_()
    d_final = {name: 2 * uniform(B, H) - 1 for name in cell.state}
    return Case(x, initial, parameters, 2 * uniform(T, B, H) - 1, d_final)


def check_cell(cell: Cell, *, shapes: Iterable[Shape] = SHAPES, seed: int = 0) -> CellCheck:
    """Hold a cell's step_backward to autograd and to finite differences, in float64.

    For each shape a sequence is run from a nonzero initial state, with random errors at every output
    and at the final state. Compared are every `d_*` of every step, the errors of the initial state and
    of the input, and every parameter's gradient.

    Args:
        cell: An object that follows `throughtime.cells.Cell`.
        shapes: The sizes to try.
        seed: Of the random arguments.

    Returns:
        What was compared and the largest difference.

    Raises:
        AssertionError: a difference exceeds its bound, or an error is missing or belongs to no value;
            the message names cell, value, step, difference and bound.
    """
    found = [_check_shape(cell, shape, seed) for shape in shapes]
    worst = max(found, key=lambda check: check.largest)
    return worst._replace(compared=sum(check.compared for check in found))


def _check_shape(cell: Cell, shape: Shape, seed: int) -> CellCheck:
    case = make_case(cell, shape, seed)
    run = unrolled.forward(cell, case.x, case.initial, case.parameters)
    loss = _loss(case, run)
    hand = unrolled.backward(cell, case.x, run, case.parameters, case.d_output, case.d_final)
    differences = _Differences(f"{cell.name}, {shape}")
    by_autograd = _gradients(loss, case.leaves())
    by_hand = {"x": hand.x, **hand.initial, **hand.parameters}
    _check_names(cell, shape, case.parameters, hand.parameters, "gradient of")
    for name, gradient in by_autograd.items():
        label = f"d_{name}(0)" if name in case.initial else f"d_{name}"
        differences.compare(label, None, by_hand[name], gradient)
    for t, (values, step) in enumerate(zip(run.values, hand.steps, strict=True)):
        wanted = {name for name in values if name.endswith("_bar")} | {cell.state[0]}
        _check_names(cell, shape, {f"d_{name}": None for name in (*wanted, "x")}, step.errors, "error")
        named = {name: values[name[2:]] for name in step.errors if name[2:] in values}
        unknown = set(step.errors) - set(named) - {"d_x"}
        if unknown:
            raise AssertionError(
                f"{cell.name}, {shape}: step_backward returned {', '.join(sorted(unknown))}, "
                f"step has no such value; it has {', '.join(values)}."
            )
        for name, gradient in _gradients(loss, named).items():
            differences.compare(name, t, step.errors[name], gradient)
    _check_finite(cell, shape, case, by_hand, seed)
    return differences.check


def _check_names(
    cell: Cell, shape: Shape, expected: Mapping[str, object], found: Mapping[str, object], what: str
) -> None:
    missing = [name for name in expected if name not in found]
    if missing:
        raise AssertionError(
            f"{cell.name}, {shape}: step_backward returned no {what} {', '.join(sorted(missing))}; "
            f"it returned {', '.join(found) or 'nothing'}."
        )


def _loss(case: Case, run: unrolled.Forward) -> Tensor:
    """A loss whose errors at the outputs and at the final state are those of the case."""
    final = sum((error * run.final[name]).sum() for name, error in case.d_final.items())
    return (case.d_output * run.output).sum() + final


def _gradients(loss: Tensor, by: Mapping[str, Tensor]) -> Values:
    """Autograd's gradients by name; zero for a value that the loss does not depend on."""
    if not by:
        return {}
    wanted = {name: value for name, value in by.items() if value.requires_grad}
    found = torch.autograd.grad(loss, list(wanted.values()), retain_graph=True, allow_unused=True)
    return {
        name: torch.zeros_like(wanted[name]) if gradient is None else gradient
        for name, gradient in zip(wanted, found, strict=True)
    }


class _Differences:
    """Compares, remembers the worst, and fails with all that a reader needs to know."""

    def __init__(self, who: str) -> None:
        self.who = who
        self.check = CellCheck(0, 0.0, "")

    def compare(self, name: str, t: int | None, hand: Tensor, autograd: Tensor) -> None:
        where = name if t is None else f"{name} at t={t}"
        if hand.shape != autograd.shape:
            raise AssertionError(
                f"{self.who}: {where} has shape {tuple(hand.shape)}, expected {tuple(autograd.shape)}."
            )
        difference = (hand - autograd).abs().max().item()
        scale = autograd.abs().max().item()
        if not difference <= RELATIVE * scale:
            place = tuple(torch.unravel_index((hand - autograd).abs().argmax(), hand.shape))
            raise AssertionError(
                f"{self.who}: {where}: step_backward and autograd differ by {difference:.3g} at "
                f"{[int(k) for k in place]}, bound {RELATIVE * scale:.3g} (relative {RELATIVE:.0e})."
            )
        relative = difference / scale if scale > 0 else 0.0
        worst = self.check
        if relative >= worst.largest:
            worst = CellCheck(0, relative, f"{self.who}: {where}")
        self.check = worst._replace(compared=self.check.compared + 1)


@torch.no_grad()
def _check_finite(cell: Cell, shape: Shape, case: Case, by_hand: Mapping[str, Tensor], seed: int) -> None:
    """Central differences of the loss along a random direction of each leaf."""
    generator = torch.Generator().manual_seed(seed + 1)
    for name, leaf in case.leaves().items():
        direction = torch.randn(leaf.shape, generator=generator, dtype=leaf.dtype)
        direction /= direction.norm()
        slope = (by_hand[name] * direction).sum().item()
        for nudge in _NUDGES:
            by_nudging, loss = _nudged(cell, case, name, direction, nudge)
            difference, bound = abs(by_nudging - slope), FINITE * max(1.0, abs(slope), abs(loss))
            if difference <= bound:
                break
        else:
            raise AssertionError(
                f"{cell.name}, {shape}: d_{name} over all steps: step_backward and finite differences "
                f"differ by {difference:.3g} along a random direction, bound {bound:.3g}."
            )


def _nudged(cell: Cell, case: Case, name: str, direction: Tensor, nudge: float) -> tuple[float, float]:
    """The loss's slope along a direction by four-point central differences, and the loss."""
    leaf = case.leaves()[name]
    at = {k: _loss_at(cell, case, name, leaf + k * nudge * direction) for k in (-2, -1, 1, 2)}
    return (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * nudge), at[1]


def _loss_at(cell: Cell, case: Case, name: str, value: Tensor) -> float:
    def replaced(values: Values) -> Values:
        return {key: value if key == name else old for key, old in values.items()}

    nudged = case._replace(initial=replaced(case.initial), parameters=replaced(case.parameters))
    if name == "x":
        nudged = nudged._replace(x=value)
    return _loss(nudged, unrolled.forward(cell, nudged.x, nudged.initial, nudged.parameters)).item()

"""check_cell finds what is wrong, and says where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from throughtime.cells import LSTMCell, SimpleRNNCell, StepErrors, Values
from throughtime.testing import SHAPES, Shape, check_cell, make_case

Change = Callable[[StepErrors], StepErrors]
SMALL = [Shape(3, 2, 4, 3)]


@dataclass(frozen=True)
class Broken(LSTMCell):
    """An LSTM whose backward is changed after the fact."""

    change: Change = lambda step: step

    def step_backward(
        self,
        x: Tensor,
        state: Mapping[str, Tensor],
        p: Mapping[str, Tensor],
        values: Mapping[str, Tensor],
        errors: Mapping[str, Tensor],
    ) -> StepErrors:
        return self.change(super().step_backward(x, state, p, values, errors))


def scaled(part: str, name: str) -> Change:
    def change(step: StepErrors) -> StepErrors:
        values = {**getattr(step, part), name: getattr(step, part)[name] * (1 + 1e-9)}
        return step._replace(**{part: values})

    return change


@pytest.mark.parametrize(
    ("part", "name"),
    [("errors", f"d_{name}") for name in ("y", "o_bar", "c", "f_bar", "i_bar", "z_bar", "x")]
    + [("state", name) for name in ("y", "c")]
    + [("parameters", name) for name in ("weight_ih", "weight_hh", "bias", "peephole")],
)
def test_a_change_in_the_ninth_digit_is_found(part: str, name: str) -> None:
    with pytest.raises(AssertionError, match=r"LSTM vanilla, T3-B2-H4: d_\w+"):
        check_cell(Broken(change=scaled(part, name)), shapes=SMALL)


def test_the_message_names_cell_value_step_difference_and_bound() -> None:
    message = (
        r"^LSTM vanilla, T3-B2-H4: d_o_bar at t=0: step_backward and autograd differ by \d\.\d+e-1\d "
        r"at \[\d, \d\], bound \d.*e-1\d \(relative 1e-12\)\.$"
    )
    with pytest.raises(AssertionError, match=message):
        check_cell(Broken(change=scaled("errors", "d_o_bar")), shapes=SMALL)


def test_a_missing_error_and_an_unknown_one_are_found() -> None:
    def without(step: StepErrors) -> StepErrors:
        return step._replace(errors={k: v for k, v in step.errors.items() if k != "d_i_bar"})

    def extra(step: StepErrors) -> StepErrors:
        return step._replace(errors={**step.errors, "d_q": step.errors["d_y"]})

    with pytest.raises(AssertionError, match="step_backward returned no error d_i_bar"):
        check_cell(Broken(change=without), shapes=SMALL)
    with pytest.raises(AssertionError, match="step_backward returned d_q, step has no such value"):
        check_cell(Broken(change=extra), shapes=SMALL)


class Detached(SimpleRNNCell):
    """Autograd cannot see through its step, so only finite differences know better."""

    def step(self, x: Tensor, state: Mapping[str, Tensor], p: Mapping[str, Tensor]) -> Values:
        values = super().step(x, state, p)
        seen = x @ p["weight_ih"].T + (state["h"] @ p["weight_hh"].T).detach() + p["bias"]
        return {"a": seen, "h": torch.tanh(seen) + 0 * values["h"].detach()}

    def step_backward(
        self,
        x: Tensor,
        state: Mapping[str, Tensor],
        p: Mapping[str, Tensor],
        values: Mapping[str, Tensor],
        errors: Mapping[str, Tensor],
    ) -> StepErrors:
        found = super().step_backward(x, state, p, values, errors)
        nothing = {"h": torch.zeros_like(found.state["h"])}
        no_gradient = {**found.parameters, "weight_hh": torch.zeros_like(p["weight_hh"])}
        return found._replace(state=nothing, parameters=no_gradient)


def test_finite_differences_are_the_referee() -> None:
    cell = Detached()
    values = cell.step(*_first_step(cell))
    assert values["h"].requires_grad
    with pytest.raises(
        AssertionError, match=r"d_.* over all steps: step_backward and finite differences differ"
    ):
        check_cell(cell, shapes=SMALL)


def _first_step(cell: SimpleRNNCell) -> tuple[Tensor, Values, Values]:
    case = make_case(cell, SMALL[0])
    return case.x[0], case.initial, case.parameters


def test_the_list_of_shapes_is_not_all_powers_of_two() -> None:
    names = [str(shape) for shape in SHAPES]
    assert {"T1-B1-H1", "T7-B3-H5", "T63-B2-H33"} <= set(names)


def test_initial_state_is_nonzero() -> None:
    case = make_case(LSTMCell(), SMALL[0])
    assert all((value != 0).all() for value in case.initial.values())

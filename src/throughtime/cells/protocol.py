"""What a cell is: one time step forward, and the same step backward.

A cell holds no parameters; it is a description. Parameters, state and values travel as dictionaries
from a name to a tensor, under the letters of the equations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from torch import Tensor

Values = dict[str, Tensor]


class StepErrors(NamedTuple):
    """Everything a step's backward finds. J is whatever loss the incoming errors belong to.

    Attributes:
        errors: `d_<value>` = ∂J/∂value at this step, the total error, for every value before an
            activation (`d_i_bar`, ...), for `d_x` and for the values of the state that the step forms.
        state: The part of the error of each value of the state at t-1 that comes through this step.
        parameters: This step's share of each parameter's gradient, summed over the batch.
    """

    errors: Values
    state: Values
    parameters: Values


class Cell(Protocol):
    """The small protocol that `throughtime.testing.check_cell` and the unrolled loop work with."""

    @property
    def name(self) -> str:
        """What error messages call the cell."""
        ...

    @property
    def state(self) -> tuple[str, ...]:
        """Names of the values that go from step to step; the first is the cell's output."""
        ...

    def shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Each parameter's shape by name."""
        ...

    def step(self, x: Tensor, state: Mapping[str, Tensor], p: Mapping[str, Tensor]) -> Values:
        """One step.

        Args:
            x: Input, (B, I).
            state: Values of the step before, each (B, H), under the names of `state`.
            p: Parameters by name.

        Returns:
            The step's values by name, each (B, H), among them every name of `state`. They are the very
            tensors that were computed with, so that autograd can be asked for their gradients.
        """
        ...

    def step_backward(
        self,
        x: Tensor,
        state: Mapping[str, Tensor],
        p: Mapping[str, Tensor],
        values: Mapping[str, Tensor],
        errors: Mapping[str, Tensor],
    ) -> StepErrors:
        """The same step backward, by hand and without autograd.

        Args:
            x: As given to `step`, like `state` and `p`.
            state: Values of the step before.
            p: Parameters by name.
            values: What `step` returned.
            errors: For each name of `state`, the error that reaches this step's value from above and
                from t+1, (B, H).

        Returns:
            The step's errors, what goes to t-1, and the share in the parameters' gradients.
        """
        ...


def check_step(
    name: str,
    x: Tensor,
    state: Mapping[str, Tensor],
    p: Mapping[str, Tensor],
    shapes: Mapping[str, tuple[int, ...]],
) -> None:
    """Hold a step's arguments to the cell's own list of shapes.

    Raises:
        ValueError: a parameter is missing or has another shape, or x or the state does not fit them.
    """
    for key, shape in shapes.items():
        if key not in p:
            raise ValueError(f"{name}: parameter {key!r} is missing; expected {', '.join(shapes)}.")
        if tuple(p[key].shape) != shape:
            raise ValueError(f"{name}: {key} has shape {tuple(p[key].shape)}, expected {shape}.")
    hidden, inputs = p["weight_hh"].shape[1], p["weight_ih"].shape[1]
    if x.shape[-1] != inputs:
        raise ValueError(
            f"{name}: x has last dimension {x.shape[-1]}, expected {inputs} as in weight_ih; "
            f"x.shape is {tuple(x.shape)}, read as (B, I)."
        )
    for key, value in state.items():
        if value.shape[-1] != hidden:
            raise ValueError(
                f"{name}: {key} has last dimension {value.shape[-1]}, expected {hidden} as in weight_hh; "
                f"{key}.shape is {tuple(value.shape)}, read as (B, H)."
            )

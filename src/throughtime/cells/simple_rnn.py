"""The simple RNN, one time step.

    a(t) = b + W h(t-1) + U x(t)        h(t) = g(a(t))

The output layer (V, c) of the textbook belongs to a head. In the parameters' names U is `weight_ih`
and W is `weight_hh`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from throughtime.cells.activations import ACTIVATIONS, activation
from throughtime.cells.protocol import StepErrors, Values, check_step


@dataclass(frozen=True)
class SimpleRNNCell:
    """Simple RNN.

    Attributes:
        nonlinearity: g, one of tanh, relu, logistic, identity.
        bias: whether there is a b.

    Raises:
        ValueError: no nonlinearity has this name.
    """

    nonlinearity: str = "tanh"
    bias: bool = True

    def __post_init__(self) -> None:
        if self.nonlinearity not in ACTIVATIONS:
            known = ", ".join(repr(key) for key in ACTIVATIONS)
            raise ValueError(f"RNN: nonlinearity={self.nonlinearity!r} is unknown; available: {known}.")

    @property
    def name(self) -> str:
        """`RNN tanh` and so on."""
        return f"RNN {self.nonlinearity}"

    @property
    def state(self) -> tuple[str, ...]:
        """The hidden value alone."""
        return ("h",)

    def shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """weight_ih (H, I), weight_hh (H, H), bias (H,)."""
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (hidden_size, input_size),
            "weight_hh": (hidden_size, hidden_size),
        }
        if self.bias:
            shapes["bias"] = (hidden_size,)
        return shapes

    def step(self, x: Tensor, state: Mapping[str, Tensor], p: Mapping[str, Tensor]) -> Values:
        """One time step.

        Args:
            x: Input, (B, I).
            state: h of the step before, (B, H).
            p: Parameters, see `shapes`.

        Returns:
            a and h, each (B, H).

        Raises:
            ValueError: x, the state or a parameter has a shape that does not fit.
        """
        check_step(self.name, x, state, p, self.shapes(p["weight_ih"].shape[1], p["weight_hh"].shape[1]))
        a = x @ p["weight_ih"].T + state["h"] @ p["weight_hh"].T
        if self.bias:
            a = a + p["bias"]
        return {"a": a, "h": activation(self.nonlinearity).value(a)}

    def step_backward(
        self,
        x: Tensor,
        state: Mapping[str, Tensor],
        p: Mapping[str, Tensor],
        values: Mapping[str, Tensor],
        errors: Mapping[str, Tensor],
    ) -> StepErrors:
        """One time step back.

        δa(t) = g'(a(t)) ⊙ δh(t),  δx(t) = Uᵀ δa(t),  to t-1: Wᵀ δa(t).

        Args:
            x: Input, (B, I).
            state: h of the step before.
            p: Parameters.
            values: What `step` returned.
            errors: h: Vᵀδo(t) + Wᵀδa(t+1), (B, H).

        Returns:
            d_h, d_a, d_x; the share of δh(t-1); the step's gradients.
        """
        d_h = errors["h"]
        d_a = activation(self.nonlinearity).slope(values["h"]) * d_h
        gradients = {"weight_ih": d_a.T @ x, "weight_hh": d_a.T @ state["h"]}
        if self.bias:
            gradients["bias"] = d_a.sum(0)
        return StepErrors(
            {"d_h": d_h, "d_a": d_a, "d_x": d_a @ p["weight_ih"]}, {"h": d_a @ p["weight_hh"]}, gradients
        )

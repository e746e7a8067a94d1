"""The simple RNN, one time step.

    a(t) = b + W h(t-1) + U x(t)        h(t) = g(a(t))

With layer normalisation LN(a) = (a - mean(a)) / √(var(a) + ε) over a row,

    a(t) = b + g_h ⊙ LN(W h(t-1)) + g_x ⊙ LN(U x(t))

The output layer (V, c) of the textbook belongs to a head. In the parameters' names U is `weight_ih`
and W is `weight_hh`.

Source of the normalisation: Ba, Kiros and Hinton, Layer Normalization (2016); the two sums apart, as there
for the LSTM.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from throughtime.cells.activations import ACTIVATIONS, activation
from throughtime.cells.normalise import normalised, normalised_backward
from throughtime.cells.protocol import StepErrors, Values, check_step


@dataclass(frozen=True)
class SimpleRNNCell:
    """Simple RNN.

    Attributes:
        nonlinearity: g, one of tanh, relu, logistic, identity.
        bias: whether there is a b.
        layer_norm: whether U x and W h(t-1) are normalised.

    Raises:
        ValueError: no nonlinearity has this name.
    """

    nonlinearity: str = "tanh"
    bias: bool = True
    layer_norm: bool = False

    def __post_init__(self) -> None:
        if self.nonlinearity not in ACTIVATIONS:
            known = ", ".join(repr(key) for key in ACTIVATIONS)
            raise ValueError(f"RNN: nonlinearity={self.nonlinearity!r} is unknown; available: {known}.")

    @property
    def name(self) -> str:
        """`RNN tanh`, `RNN tanh with layer norm` and so on."""
        return f"RNN {self.nonlinearity}{' with layer norm' if self.layer_norm else ''}"

    @property
    def state(self) -> tuple[str, ...]:
        """The hidden value alone."""
        return ("h",)

    def shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """weight_ih (H, I), weight_hh (H, H), bias (H,); with layer normalisation gain_ih, gain_hh (H,)."""
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (hidden_size, input_size),
            "weight_hh": (hidden_size, hidden_size),
        }
        if self.bias:
            shapes["bias"] = (hidden_size,)
        if self.layer_norm:
            shapes |= {"gain_ih": (hidden_size,), "gain_hh": (hidden_size,)}
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
        from_input, recurrent = x @ p["weight_ih"].T, state["h"] @ p["weight_hh"].T
        if self.layer_norm:
            from_input = normalised(from_input)[0] * p["gain_ih"]
            recurrent = normalised(recurrent)[0] * p["gain_hh"]
        a = from_input + recurrent
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
        d_input = d_recurrent = d_a
        gradients = {}
        if self.layer_norm:
            input_hat, input_scale = normalised(x @ p["weight_ih"].T)
            recurrent_hat, recurrent_scale = normalised(state["h"] @ p["weight_hh"].T)
            d_input = normalised_backward(d_a * p["gain_ih"], input_hat, input_scale)
            d_recurrent = normalised_backward(d_a * p["gain_hh"], recurrent_hat, recurrent_scale)
            gradients["gain_ih"] = (d_a * input_hat).sum(0)
            gradients["gain_hh"] = (d_a * recurrent_hat).sum(0)
        gradients |= {"weight_ih": d_input.T @ x, "weight_hh": d_recurrent.T @ state["h"]}
        if self.bias:
            gradients["bias"] = d_a.sum(0)
        return StepErrors(
            {"d_h": d_h, "d_a": d_a, "d_x": d_input @ p["weight_ih"]},
            {"h": d_recurrent @ p["weight_hh"]},
            gradients,
        )

"""Densely connected network with three layers (input, hidden, output): the warm-up.

    a = W₁ x + b₁        h = g(a)
    o = W₂ h + b₂        ŷ = f(o)

It has no time, hence no state. Everything recurrent adds one thing to it: a way from t-1 to t.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from throughtime.cells.activations import activation
from throughtime.cells.protocol import StepErrors, Values

OUTPUTS = ("identity", "softmax")


@dataclass(frozen=True)
class DenseNetwork:
    """Three layers, densely connected.

    Attributes:
        hidden: g, one of tanh, relu, logistic, identity.
        output: f, identity (with ½ squared error) or softmax (with cross-entropy).

    Raises:
        ValueError: an activation has no such name.
    """

    hidden: str = "tanh"
    output: str = "identity"

    def __post_init__(self) -> None:
        activation(self.hidden)
        if self.output not in OUTPUTS:
            known = ", ".join(repr(key) for key in OUTPUTS)
            raise ValueError(f"DenseNetwork: output={self.output!r} is unknown; available: {known}.")

    def shapes(self, input_size: int, hidden_size: int, output_size: int) -> dict[str, tuple[int, ...]]:
        """Each parameter's shape: W1 (H, I), b1 (H,), W2 (K, H), b2 (K,)."""
        return {
            "W1": (hidden_size, input_size),
            "b1": (hidden_size,),
            "W2": (output_size, hidden_size),
            "b2": (output_size,),
        }

    def step(self, x: Tensor, p: Mapping[str, Tensor]) -> Values:
        """Forward.

        Args:
            x: Input, (B, I).
            p: Parameters by name, see `shapes`.

        Returns:
            a, h (B, H); o, y_hat (B, K).

        Raises:
            ValueError: the last dimension of x disagrees with W1.
        """
        if x.shape[-1] != p["W1"].shape[1]:
            raise ValueError(
                f"DenseNetwork: x has last dimension {x.shape[-1]}, expected {p['W1'].shape[1]} as in W1; "
                f"x.shape is {tuple(x.shape)}, read as (B, I)."
            )
        a = x @ p["W1"].T + p["b1"]
        h = activation(self.hidden).value(a)
        o = h @ p["W2"].T + p["b2"]
        y_hat = torch.softmax(o, dim=-1) if self.output == "softmax" else o
        return {"a": a, "h": h, "o": o, "y_hat": y_hat}

    def output_error(self, values: Mapping[str, Tensor], target: Tensor) -> Tensor:
        """δo = ŷ - y, (B, K), of the loss *summed* over the batch.

        Softmax with cross-entropy and identity with ½ squared error both give this difference.
        """
        return values["y_hat"] - target

    def step_backward(
        self, x: Tensor, p: Mapping[str, Tensor], values: Mapping[str, Tensor], d_o: Tensor
    ) -> StepErrors:
        """Backward, from δo (B, K) as `output_error` gives it.

        Returns:
            Errors d_o, d_h, d_a, d_x; an empty state; gradients of W1, b1, W2, b2.
        """
        d_h = d_o @ p["W2"]
        d_a = activation(self.hidden).slope(values["h"]) * d_h
        gradients = {
            "W1": d_a.T @ x,
            "b1": d_a.sum(0),
            "W2": d_o.T @ values["h"],
            "b2": d_o.sum(0),
        }
        return StepErrors({"d_o": d_o, "d_h": d_h, "d_a": d_a, "d_x": d_a @ p["W1"]}, {}, gradients)

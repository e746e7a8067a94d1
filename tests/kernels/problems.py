"""A sequence with everything the seam takes, for any backend."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from throughtime.cells import LSTMCell, SimpleRNNCell
from throughtime.ops.backends import Backend
from throughtime.ops.lstm_loop import LSTMParameters, LSTMState
from throughtime.ops.simple_rnn_loop import RNNParameters


class Problem(NamedTuple):
    """`initial`, `d_final` and `parameters` in the order of the seam; None: the cell has none."""

    cell: LSTMCell | SimpleRNNCell
    x: Tensor
    initial: list[Tensor | None]
    parameters: list[Tensor | None]
    d_output: Tensor
    d_final: list[Tensor | None]
    lengths: Tensor | None
    reverse: bool

    def to(self, dtype: torch.dtype) -> Problem:
        def cast(value: Tensor | None) -> Tensor | None:
            return None if value is None else value.to(dtype)

        return self._replace(
            x=cast(self.x),
            initial=[cast(v) for v in self.initial],
            parameters=[cast(v) for v in self.parameters],
            d_output=cast(self.d_output),
            d_final=[cast(v) for v in self.d_final],
        )


def make_problem(
    cell: LSTMCell | SimpleRNNCell,
    T: int,
    B: int,
    I: int,  # noqa: E741
    H: int,
    *,
    lengths: Tensor | None = None,
    reverse: bool = False,
    seed: int = 0,
) -> Problem:
    """Random and in float64; weights as a network begins with."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, dtype=torch.float64) * 2 - 1

    shapes = cell.shapes(I, H)
    names = ("weight_ih", "weight_hh", "bias", "peephole", "weight_gates")
    if isinstance(cell, SimpleRNNCell):
        names, states = names[:3], 1
    else:
        states = 3 if cell.variant.full_gate_recurrence else 2
    parameters = [random(*shapes[name]) * H**-0.5 if name in shapes else None for name in names]
    initial: list[Tensor | None] = [random(B, H) for _ in range(min(states, 2))]
    d_final: list[Tensor | None] = [random(B, H) for _ in range(min(states, 2))]
    if isinstance(cell, LSTMCell):
        own = len(cell.variant.gates) * H
        initial.append(random(B, own).abs() if states == 3 else None)
        d_final.append(random(B, own) if states == 3 else None)
    return Problem(cell, random(T, B, I), initial, parameters, random(T, B, H), d_final, lengths, reverse)


def run(backend: Backend, problem: Problem, input_error: bool = True) -> dict[str, Tensor]:
    """Everything that means something: results and gradients by name."""
    cell, x, initial, parameters, d_output, d_final, lengths, reverse = problem
    if isinstance(cell, SimpleRNNCell):
        p = RNNParameters(*parameters)
        rest = (cell.nonlinearity, reverse)
        made = backend.rnn_forward(x, initial[0], p, lengths, *rest)
        found = backend.rnn_backward(
            d_output, d_final[0], x, initial[0], p, lengths, made, *rest, input_error
        )
        return {**made._asdict(), **{f"d_{k}": v for k, v in found._asdict().items()}}
    p = LSTMParameters(*parameters)
    rest = (cell.variant, reverse)
    made = backend.lstm_forward(x, LSTMState(*initial), p, lengths, *rest)
    found = backend.lstm_backward(
        d_output, LSTMState(*d_final), x, LSTMState(*initial), p, lengths, made, *rest, input_error
    )
    results = {**made._asdict(), **{f"d_{k}": v for k, v in found._asdict().items()}}
    if lengths is not None:
        del results["gates"]  # unspecified at padded steps, all but the own gates under FGR
    return results

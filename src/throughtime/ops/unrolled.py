"""One sequence through any cell, step after step, in differentiable torch operations.

This is the recursion as the equations write it, a call of `step` or `step_backward` per step. The ops
use it for second derivatives; `throughtime.testing` and the tests hold the fast loops to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from throughtime.cells import Cell, StepErrors, Values
from throughtime.ops.noise import NO_NOISE, Noise, kept, through
from throughtime.ops.padding import Padding, cleared, direction, padding


class Forward(NamedTuple):
    """A sequence seen from inside.

    Attributes:
        output: The cell's output, (T, B, H), zero at padded steps.
        final: The state after the last step, by name.
        values: What `step` returned at each t.
        before: The state that each t read; after recurrent dropout.
        states: The state after each t, by name; after zoneout.
    """

    output: Tensor
    final: Values
    values: list[Values]
    before: list[Values]
    states: list[Values]


class Backward(NamedTuple):
    """Gradients of a sequence.

    Attributes:
        x: Errors of the input, (T, B, I).
        initial: Errors of the initial state, by name.
        parameters: Gradients of the parameters, summed over time and batch.
        steps: What `step_backward` returned at each t.
        arriving: The errors that reached the state after each t, by name; before zoneout.
    """

    x: Tensor
    initial: Values
    parameters: Values
    steps: list[StepErrors]
    arriving: list[Values]


def forward(
    cell: Cell,
    x: Tensor,
    initial: Mapping[str, Tensor],
    p: Mapping[str, Tensor],
    lengths: Tensor | None = None,
    reverse: bool = False,
    noise: Noise = NO_NOISE,
) -> Forward:
    """Run a cell over x (T, B, I) from an initial state, each value (B, H)."""
    pad, name = padding(lengths, x), cell.state[0]
    steps = cleared(x, pad).unbind(0)
    T, state = len(steps), dict(initial)
    values: list[Values] = [{} for _ in steps]
    before: list[Values] = [{} for _ in steps]
    states: list[Values] = [{} for _ in steps]
    outputs = list(steps)
    for t in direction(T, reverse):
        before[t] = state if noise.mask is None else {**state, name: state[name] * noise.mask}
        values[t] = cell.step(steps[t], before[t], p)
        shares = _shares(cell, noise, t, state[name])
        found = {k: through(values[t][k], state[k], shares.get(k, 1.0)) for k in cell.state}
        state = {k: _where(pad, t, found[k], state[k]) for k in cell.state}
        states[t], outputs[t] = state, state[name]
    output = torch.stack(outputs)
    return Forward(cleared(output, pad), state, values, before, states)


def backward(
    cell: Cell,
    x: Tensor,
    run: Forward,
    p: Mapping[str, Tensor],
    d_output: Tensor,
    d_final: Mapping[str, Tensor],
    lengths: Tensor | None = None,
    reverse: bool = False,
    noise: Noise = NO_NOISE,
) -> Backward:
    """Run a cell's `step_backward` back over the sequence.

    Args:
        cell: The cell.
        x: Input, (T, B, I).
        run: What `forward` returned for it.
        p: Parameters by name.
        d_output: Errors that reach the outputs from above, (T, B, H).
        d_final: Errors that reach the final state, by name, each (B, H).
        lengths: As in `forward`.
        reverse: As in `forward`.
        noise: As in `forward`.
    """
    pad = padding(lengths, x)
    steps, from_above = cleared(x, pad).unbind(0), cleared(d_output, pad).unbind(0)
    found: list[StepErrors | None] = [None] * len(steps)
    reached: list[Values] = [{} for _ in steps]
    carried: Values = dict(d_final)
    gradients: Values = {}
    for t in reversed(direction(len(steps), reverse)):
        arriving = {name: _where(pad, t, error, torch.zeros_like(error)) for name, error in carried.items()}
        arriving[cell.state[0]] = arriving[cell.state[0]] + from_above[t]
        reached[t] = arriving
        shares = _shares(cell, noise, t, arriving[cell.state[0]])
        to_cell = {**arriving, **{name: share * arriving[name] for name, share in shares.items()}}
        step = cell.step_backward(steps[t], run.before[t], p, run.values[t], to_cell)
        from_step = dict(step.state)
        if noise.mask is not None:
            from_step[cell.state[0]] = from_step[cell.state[0]] * noise.mask
        for name, share in shares.items():
            from_step[name] = from_step[name] + (1 - share) * arriving[name]
        carried = {name: _where(pad, t, from_step[name], carried[name]) for name in cell.state}
        gradients = {name: gradients.get(name, 0) + share for name, share in step.parameters.items()}
        found[t] = step
    complete = [step for step in found if step is not None]
    d_x = torch.stack([step.errors["d_x"] for step in complete])
    return Backward(d_x, carried, gradients, complete, reached)


def _shares(cell: Cell, noise: Noise, t: int, like: Tensor) -> dict[str, Tensor | float]:
    """What zoneout lets through of each value of the state; empty without zoneout."""
    if not any(noise.zoneout):
        return {}
    of_c, of_y = kept(noise, t, like)
    return {name: of_c if name == "c" else of_y for name in ("c", cell.state[0]) if name in cell.state}


def _where(pad: Padding | None, t: int, real: Tensor, padded: Tensor) -> Tensor:
    if pad is None or not pad.partial[t]:
        return real
    return torch.where(pad.real[t], real, padded)

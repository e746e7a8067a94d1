"""Networks step by step through their cells, with autograd's answer for every value."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import throughtime as tt
from throughtime.nn.recurrent import Layer, Recurrent
from throughtime.ops import unrolled
from throughtime.ops.padding import cleared, padding

from ..sequences import COMBINATIONS, NONLINEARITIES, VARIANTS

KINDS = [
    *(f"LSTM {name}" for name in VARIANTS + COMBINATIONS),
    *(f"LSTM {name} plain" for name in ("vanilla", "CIFG", "FGR", "NOG+FGR")),
    *(f"RNN {name}" for name in NONLINEARITIES),
]
T, B, I, H = 7, 3, 4, 5  # noqa: E741
LENGTHS = [4, 0, 7]


def make(kind: str, **arguments: Any) -> Recurrent:
    """A network in float64; "plain" is without peepholes."""
    torch.manual_seed(0)
    name, variant, *plain = kind.split()
    arguments = {"dtype": torch.float64} | arguments
    if name == "RNN":
        return tt.RNN(I, H, nonlinearity=variant, **arguments)
    v = tt.Variant.parse(variant)
    peepholes = not plain and v.peepholes and bool(v.gates)
    return tt.LSTM(I, H, variant=v.with_peepholes() if peepholes else v, peepholes=peepholes, **arguments)


def make_inputs(network: Recurrent, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Any]:
    """x (T, B, I) and a nonzero initial state, in (0.1, 0.9) where gates may stand."""
    torch.manual_seed(1)
    rows = network.num_layers * network.num_directions
    x = torch.randn(T, B, I, dtype=dtype, requires_grad=True)
    state = tuple(
        (0.1 + 0.8 * torch.rand(rows, B, size, dtype=dtype)).requires_grad_()
        for size in network.state_sizes.values()
    )
    return x, state if len(state) > 1 else state[0]


def loss_of(output: Tensor, final: Any) -> Tensor:
    """A loss that all outputs and returned states enter, not linear in them, the same in every dtype."""
    parts = [output, *((final,) if isinstance(final, Tensor) else final)]
    torch.manual_seed(2)
    return sum((part * torch.randn(part.shape).to(part.dtype)).sin().sum() for part in parts)


class Expected(NamedTuple):
    """Per layer: every value, every error, (T, B, ·), zero at padded steps; per parameter its gradients."""

    output: Tensor
    values: dict[str, Tensor]
    errors: dict[str, Tensor]
    initial_errors: dict[str, Tensor]
    gradients: dict[str, Tensor]


def expect(network: Recurrent, x: Tensor, state: Any, lengths: list[int] | None) -> Expected:
    """Run a network step by step through its cells, and ask autograd for every gradient of `loss_of`."""
    given = None if lengths is None else torch.tensor(lengths)
    parts = [state] if isinstance(state, Tensor) else list(state)
    layers = {name: module for name, module in network.named_modules() if isinstance(module, Layer)}
    runs, finals, inputs, below, row = {}, [], {}, x, 0
    for layer in network.layers:
        outputs = []
        for one in [layer, layer.reverse][: network.num_directions]:
            path = next(name for name, module in layers.items() if module is one)
            inputs[path] = below * 1
            initial = _by_name(network.cell.state, [part[row] for part in parts])
            initial = {name: value * 1 for name, value in initial.items()}
            p = dict(one.named_parameters(recurse=False))
            runs[path] = (
                initial,
                unrolled.forward(network.cell, inputs[path], initial, p, given, one.runs_in_reverse),
            )
            final = runs[path][1].final
            gates = [final[name] for name in network.cell.state[2:]]
            finals.append([*list(final.values())[:2], *([torch.cat(gates, -1)] if gates else [])])
            outputs.append(runs[path][1].output)
            row += 1
        below = torch.cat(outputs, dim=-1)
    states = [torch.stack(rows) for rows in zip(*finals, strict=True)]
    loss = loss_of(below, states if len(states) > 1 else states[0])
    return _ask_autograd(network, loss, below, inputs, runs, given, x)


def _ask_autograd(
    network: nn.Module,
    loss: Tensor,
    output: Tensor,
    inputs: dict[str, Tensor],
    runs: dict[str, Any],
    lengths: Tensor | None,
    x: Tensor,
) -> Expected:
    pad = padding(lengths, x)
    values, errors, initial_errors = {}, {}, {}
    for path, (initial, run) in runs.items():
        out = network.cell.state[0]
        values[f"{path}.x"] = cleared(inputs[path].detach(), pad)
        errors[f"{path}.d_x"] = cleared(_gradient(loss, inputs[path]), pad)
        errors[f"{path}.d_above"] = cleared(_gradient(loss, run.output), pad)
        for name in run.values[0]:
            steps = [value[name] for value in run.values]
            values[f"{path}.{name}"] = cleared(torch.stack(steps).detach(), pad)
            if name.endswith("_bar") or name in ("c", "a", out, "i", "f", "o", "z"):
                gradient = torch.stack([_gradient(loss, step) for step in steps])
                errors[f"{path}.d_{name}"] = cleared(gradient, pad)
        initial_errors |= {f"{path}.{name}": _gradient(loss, value) for name, value in initial.items()}
    named = dict(network.named_parameters())
    gradients = dict(
        zip(named, torch.autograd.grad(loss, list(named.values()), retain_graph=True), strict=True)
    )
    return Expected(output.detach(), values, errors, initial_errors, gradients)


def _gradient(loss: Tensor, by: Tensor) -> Tensor:
    if not by.requires_grad:
        return torch.zeros_like(by)
    (found,) = torch.autograd.grad(loss, by, retain_graph=True, allow_unused=True)
    return torch.zeros_like(by) if found is None else found


def _by_name(names: tuple[str, ...], state: list[Tensor]) -> dict[str, Tensor]:
    parts = [*state[:2], *(state[2].chunk(len(names) - 2, dim=-1) if len(state) > 2 else ())]
    return dict(zip(names, parts, strict=True))

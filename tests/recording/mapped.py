"""Networks of every kind, and their error maps by autograd through the unrolled cell."""

from __future__ import annotations

import torch
from torch import Tensor

import throughtime as tt
from throughtime.ops import unrolled

VARIANTS = ["vanilla", "NIG", "NFG", "NOG", "NIAF", "NOAF", "CIFG", "NP", "FGR", "CIFG+FGR", "NFG+NOG"]
KINDS = [*VARIANTS, "rnn-tanh", "rnn-relu", "rnn-logistic"]


def network(kind: str, I: int, H: int, **more: object) -> torch.nn.Module:  # noqa: E741
    """In float64 with large weights, so that nothing fades away and the peepholes count."""
    torch.manual_seed(1)
    if kind.startswith("rnn-"):
        made = tt.RNN(I, H, nonlinearity=kind.removeprefix("rnn-"), dtype=torch.float64, **more)
    else:
        peepholes = kind != "NP"
        made = tt.LSTM(I, H, variant=kind, peepholes=peepholes, dtype=torch.float64, **more)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(2.0).add_(0.1)
    return made


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def losses(y: Tensor) -> Tensor:
    """J(t) of each sequence, from an output (T, B, H)."""
    return (y @ random(y.shape[-1], seed=5)).tanh().square()


def unrolled_layers(
    model: torch.nn.Module, x: Tensor, lengths: Tensor | None = None
) -> list[unrolled.Forward]:
    """Every layer of a network of one direction, as a graph of single steps."""
    found = []
    for layer in model.layers:
        p = {name: value.detach() for name, value in layer.named_parameters(recurse=False)}
        B, H = x.shape[1], model.hidden_size
        state = {name: torch.zeros(B, H, dtype=x.dtype).requires_grad_() for name in layer.cell.state}
        found.append(unrolled.forward(layer.cell, x, state, p, lengths, layer.runs_in_reverse))
        x = found[-1].output
    return found


def map_by_autograd(run: unrolled.Forward, J: Tensor, name: str) -> Tensor:
    """‖∂J(t)/∂v(k)‖, (B, T, T), one backward pass for each t and sequence's own loss J (T, B)."""
    T, B = J.shape
    values = [step[name] for step in run.values]
    out = torch.zeros(B, T, T, dtype=torch.float64)
    for t in range(T):
        found = torch.autograd.grad(J[t].sum(), values, retain_graph=True, allow_unused=True)
        for k, gradient in enumerate(found):
            if gradient is not None:
                out[:, t, k] = gradient.norm(dim=-1)
    return out

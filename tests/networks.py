"""Networks side by side against each of them alone: what tests/nn and tests/kernels/triton ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from throughtime.nn import stack
from throughtime.nn.common_size import resized
from throughtime.nn.recurrent import Recurrent

from .tolerances import check_relative

ROW = "networks side by side, float64"
B = 3
NAMES = ("weight_ih", "weight_hh", "bias", "peephole", "weight_gates")


def check_networks_equal_themselves_alone(
    make: Callable[[int], Recurrent],
    sizes: Sequence[int],
    lengths: Any,
    *,
    shared: bool,
    device: str = "cpu",
    T: int = 5,
    alone: str | None = None,
) -> None:
    """Outputs, states, errors of inputs and initial states and every gradient, from nonzero states.

    Each network alone is computed by the backend `alone` if given, otherwise by the one of `make`.
    """
    networks = stack([make(size).to(device) for size in sizes])
    M, wide = len(sizes), {"dtype": torch.float64, "device": device}
    x = torch.randn(*([] if shared else [M]), T, B, networks.input_size, **wide).requires_grad_()
    state = tuple(torch.randn_like(part) for part in _as_tuple(networks(x.detach())[1]))
    state = tuple(part.requires_grad_() for part in state)
    output, final = networks(x, _as_given(state), lengths=lengths)
    d_output, d_final = torch.randn_like(output), [torch.randn_like(part) for part in _as_tuple(final)]
    _loss(output, final, d_output, d_final).backward()

    d_x = torch.zeros_like(x)
    for m, network in enumerate(networks.unstack()):
        for layer in network.layers if alone else ():
            for one in filter(None, (layer, layer.reverse)):
                one.backend = alone
        own_x = (x if shared else x[m]).detach().clone().requires_grad_()
        own = tuple(networks.split(part)[m].detach().clone().requires_grad_() for part in state)
        own_lengths = lengths[m] if lengths and isinstance(lengths[0], list) else lengths
        y, last = network(own_x, _as_given(own), lengths=own_lengths)
        of = lambda value, m=m: networks.split(value)[m]  # noqa: E731
        _loss(y, last, of(d_output), [of(part) for part in d_final]).backward()
        check_relative(ROW, f"network {m}: output", of(output), y)
        for k, part in enumerate(_as_tuple(last)):
            check_relative(ROW, f"network {m}: state {k}", of(_as_tuple(final)[k]), part)
            check_relative(ROW, f"network {m}: d_state {k}", of(state[k].grad), own[k].grad)
        (d_x if shared else d_x[m]).add_(own_x.grad)
        _check_gradients(networks, network, m)
    check_relative(ROW, "d_x", x.grad, d_x)


def _check_gradients(networks: Any, network: Any, m: int) -> None:
    """A network's gradients in its own place, and zero in every other."""
    pairs = []
    for mine, own in zip(networks.layers, network.layers, strict=True):
        pairs += [(mine, own), (mine.reverse, own.reverse)]
    for mine, own in pairs:
        for name in NAMES:
            if own is None or getattr(own, name) is None:
                continue
            expected = resized(
                getattr(own, name).grad, mine.axes[name], network.hidden_size, networks.hidden_size
            )
            check_relative(ROW, f"network {m}: d_{name}", getattr(mine, name).grad[m], expected)


def _loss(output: Tensor, final: Any, d_output: Tensor, d_final: list[Tensor]) -> Tensor:
    pairs = zip(_as_tuple(final), d_final, strict=True)
    return (output * d_output).sum() + sum((part * error).sum() for part, error in pairs)


def _as_tuple(state: Any) -> tuple[Tensor, ...]:
    return (state,) if isinstance(state, Tensor) else state


def _as_given(state: tuple[Tensor, ...]) -> Any:
    return state[0] if len(state) == 1 else state

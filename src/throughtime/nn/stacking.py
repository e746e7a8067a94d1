"""What networks side by side are made of: the layers, and the rules for what can stand beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from throughtime.nn.common_size import axes_of, resized
from throughtime.nn.recurrent import Layer, Recurrent

PARAMETERS = ("weight_ih", "weight_hh", "bias", "peephole", "weight_gates")
_ALIKE = ("input_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional", "backend")


class StackedLayer(nn.Module):
    """One layer and direction of all networks: each parameter with M in front.

    Args:
        layers: The layer of each network.
        hidden_sizes: Of each network.
        first: Whether it reads the input itself.
        directions: D.
    """

    weight_ih: Tensor
    weight_hh: Tensor

    def __init__(
        self, layers: Sequence[Layer], hidden_sizes: tuple[int, ...], first: bool, directions: int
    ) -> None:
        super().__init__()
        H = max(hidden_sizes)
        cell: Any = layers[0].cell
        self.axes = axes_of(cell, directions, first)
        self.ragged = len(set(hidden_sizes)) > 1
        for name in PARAMETERS:
            parts = [getattr(layer, name) for layer in layers]
            if parts[0] is None:
                self.register_parameter(name, None)
                continue
            grown = [
                resized(part.detach(), self.axes[name], h, H)
                for part, h in zip(parts, hidden_sizes, strict=True)
            ]
            self.register_parameter(name, nn.Parameter(torch.stack(grown), parts[0].requires_grad))
            if self.ragged:
                ones = (torch.ones_like(part, dtype=torch.bool) for part in parts)
                own = [resized(one, self.axes[name], h, H) for one, h in zip(ones, hidden_sizes, strict=True)]
                self.register_buffer(f"{name}_strange", ~torch.stack(own), persistent=False)
        self.reverse: StackedLayer | None = None

    def parameter(self, name: str) -> Any:
        """A parameter; what lies outside a network's own size counts as zero, whatever was written there."""
        value = getattr(self, name)
        if value is None or not self.ragged:
            return value
        return value.masked_fill(getattr(self, f"{name}_strange"), 0)

    @torch.no_grad()
    def copy_to(self, layer: Layer, network: int, h: int) -> None:
        """Write one network's weights into a layer of its own."""
        H = self.weight_hh.shape[-1]
        for name in PARAMETERS:
            value = getattr(self, name)
            if value is not None:
                getattr(layer, name).copy_(resized(value[network], self.axes[name], H, h))


def check_alike(networks: Sequence[Recurrent]) -> None:
    """Refuse what cannot stand side by side.

    Raises:
        TypeError: one is no recurrent network.
        ValueError: there is none, or two differ in more than weights and hidden_size.
    """
    if not networks:
        raise ValueError("stack: there is no network, expected at least one.")
    first = networks[0]
    for number, network in enumerate(networks):
        if not isinstance(network, Recurrent):
            raise TypeError(
                f"stack: networks[{number}] is a {type(network).__name__}, expected an LSTM or an RNN."
            )
        for name in _ALIKE:
            if getattr(network, name) != getattr(first, name):
                raise ValueError(
                    f"stack: networks[{number}] has {name}={getattr(network, name)!r}, networks[0] has "
                    f"{getattr(first, name)!r}; all must be alike but for weights and hidden_size."
                )
        if network.cell != first.cell:
            raise ValueError(
                f"stack: networks[{number}] is a {network.cell.name}, networks[0] a {first.cell.name}; all "
                "must be alike but for weights and hidden_size."
            )
        check_kind(f"networks[{number}]", network.layers[0].weight_ih, first.layers[0].weight_ih, "stack")
        _check_plain(number, network)


def _check_plain(number: int, network: Recurrent) -> None:
    more = network.regularisation.names()
    if network.merge != "concat":
        more.append(f"merge={network.merge!r}")
    if network.variational_dropout:
        more.append("variational dropout")
    if more:
        raise ValueError(
            f"stack: networks[{number}] has {', '.join(more)}, which networks side by side do not have yet; "
            "train it alone."
        )


def check_kind(name: str, value: Tensor, parameter: Tensor, who: str = "Networks") -> None:
    """Refuse another dtype or device than the parameters have."""
    if value.dtype != parameter.dtype or value.device != parameter.device:
        raise ValueError(
            f"{who}: {name} is {value.dtype} on {value.device}, expected {parameter.dtype} on "
            f"{parameter.device}."
        )


def length_tensor(lengths: Sequence[Any] | Tensor | None, like: Tensor) -> Tensor | None:
    """Lengths as a tensor; the op checks their range and shape."""
    if lengths is None:
        return None
    lengths = torch.as_tensor(lengths)
    if lengths.dtype == torch.bool or lengths.is_floating_point() or lengths.is_complex():
        raise TypeError(f"Networks: lengths must be integers, one for each sequence; got {lengths.dtype}.")
    return lengths.to(like.device)

"""A fixed probe batch on which the recurrent layers are looked at after each epoch.

The probe is what the layers read for the first sequences of the first validation batch, caught while
validation runs anyway. On it each layer is run again by itself, and the errors of losses with a fixed random
slope in its output are followed back. No random number of the training is used up: zoneout is looked at in
the mean.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

import torch
from torch import Tensor, nn

from throughtime.nn.recurrent import Layer, Recurrent
from throughtime.ops.lstm_loop import LSTMForward
from throughtime.ops.simple_rnn_loop import RNNForward
from throughtime.recording.error_map import map_of_stack
from throughtime.recording.memory import memory_length
from throughtime.recording.passes import LayerPass
from throughtime.training.watched import OPEN, SHUT, LayerWatch

SEQUENCES: Final = 4
LOSSES: Final = 16
_Arguments = tuple[Tensor, list[tuple[Tensor, ...]], Tensor | None]


class Probe:
    """The recurrent layers of a model, and what they last read."""

    def __init__(self, model: nn.Module) -> None:
        self._layers: dict[str, Layer] = {}
        for name, network in model.named_modules():
            if isinstance(network, Recurrent):
                for number, layer in enumerate(network.layers):
                    self._layers[f"{name}.layer{number}".lstrip(".")] = layer
        self._read: dict[str, _Arguments] = {}

    @contextlib.contextmanager
    def catching(self) -> Iterator[None]:
        """Keep what each layer reads the first time it runs in the block."""
        self._read = {}
        with contextlib.ExitStack() as stack:
            for path, layer in self._layers.items():
                hook = layer.register_forward_pre_hook(lambda _, args, path=path: self._catch(path, args))
                stack.callback(hook.remove)
            yield

    def _catch(self, path: str, arguments: tuple[Any, ...]) -> None:
        if path in self._read:
            return
        x, states, lengths = arguments
        few = slice(0, SEQUENCES)
        state = [tuple(part[few].detach().clone() for part in parts) for parts in states]
        kept = None if lengths is None else lengths[few].clone()
        self._read[path] = x[:, few].detach().clone(), state, kept

    def look(self) -> dict[str, LayerWatch]:
        """Every layer and direction that ran, by path."""
        found = {}
        for path, (x, states, lengths) in self._read.items():
            layer = self._layers[path]
            if x.shape[1] == 0:
                continue
            found[path] = look_at(LayerPass(path, layer, x, states[0], lengths))
            if layer.reverse is not None:
                back = f"{path}.reverse"
                found[back] = look_at(LayerPass(back, layer.reverse, x, states[1], lengths))
        return found


def look_at(one: LayerPass) -> LayerWatch:
    """Memory and saturation of a layer."""
    T, B, H = one.x.shape[0], one.x.shape[1], one.layer.weight_hh.shape[1]
    slope = torch.randn(H, generator=torch.Generator().manual_seed(0)).to(one.x)
    at = torch.linspace(T - 1, T // 2, LOSSES).long().tolist()
    if one.reverse:
        at = [T - 1 - t for t in at]
    saved = one.forward()
    errors = map_of_stack([one], slope.expand(T, B, H), at=at, saved=[saved])
    memory = memory_length(errors)
    return LayerWatch(
        memory_steps=memory.steps,
        memory_reached=memory.reached,
        verdict=memory.reach.verdict(),
        saturated=saturated(one, saved),
    )


def saturated(one: LayerPass, saved: LSTMForward | RNNForward) -> dict[str, float]:
    """Shares of saturated values at the steps that belong to a sequence."""
    real = torch.arange(one.x.shape[0], device=one.x.device).unsqueeze(1) < (
        one.x.shape[0] if one.lengths is None else one.lengths
    )
    real = real.expand(one.x.shape[:2])
    if isinstance(saved, RNNForward):
        return {"h": float((saved.h[real].abs() > OPEN).double().mean())}
    shares = {}
    for name, values in one.gates(saved).items():
        shares[f"{name} shut"] = float((values[real] < SHUT).double().mean())
        shares[f"{name} open"] = float((values[real] > OPEN).double().mean())
    return shares

"""One forward of a model, with what its recurrent layers read kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from throughtime.cells import LSTMCell, SimpleRNNCell
from throughtime.nn.lstm import LSTMLayer
from throughtime.nn.recurrent import Layer, Recurrent, State
from throughtime.nn.regularisation import cell_name, draw_noise, inputs_of, mean_noise, run_layer
from throughtime.nn.rnn import RNNLayer
from throughtime.nn.watching import watching as being_watched
from throughtime.ops.backends import backend, resolve
from throughtime.ops.local_factors import LocalFactors, lstm_factors, rnn_factors
from throughtime.ops.lstm_loop import LSTMForward, LSTMParameters, LSTMState
from throughtime.ops.noise import Noise
from throughtime.ops.regularised import BACKENDS, backend_for
from throughtime.ops.regularised_factors import regularised_factors
from throughtime.ops.regularised_loop import Inputs, Way
from throughtime.ops.simple_rnn_loop import RNNForward, RNNParameters


@dataclass(frozen=True)
class LayerPass:
    """One layer in one direction, and what it read.

    Attributes:
        path: Where it is in the model: "layer0", "layer0.reverse", "encoder.layer1".
        layer: The layer itself.
        x: (T, B, I), detached.
        state: The initial state, each (B, ·), detached.
        lengths: (B,) or None.
        noise: What chance did; None for what stands for it in evaluation.
    """

    path: str
    layer: Layer
    x: Tensor
    state: tuple[Tensor, ...]
    lengths: Tensor | None
    noise: Noise | None = None

    @property
    def kind(self) -> str:
        """LSTM or RNN."""
        return "LSTM" if isinstance(self.layer, LSTMLayer) else "RNN"

    @property
    def variant(self) -> str:
        """The LSTM's variant, "" for a simple RNN."""
        return self.layer.variant_name if isinstance(self.layer, LSTMLayer) else ""

    @property
    def reverse(self) -> bool:
        """Whether it runs from the end of a sequence."""
        return self.layer.runs_in_reverse

    @property
    def backend(self) -> str:
        """Who computes the forward."""
        like = self.layer.weight_hh
        return backend_for(self.layer.backend, like) if self._beside else resolve(self.layer.backend, like)

    @property
    def _beside(self) -> bool:
        """Whether the layer was no plain cell in this pass."""
        return self.layer.regularisation.always or (self.noise is not None and self.noise.mask is not None)

    def _regularised(self) -> tuple[Inputs, Way]:
        """What the layer read and how it ran, where it was no plain cell."""
        cell, noise = self.layer.cell, self.noise
        if not isinstance(cell, LSTMCell | SimpleRNNCell):
            raise TypeError(f"{self.path}: {type(cell).__name__} is the cell of neither an LSTM nor an RNN.")
        drawn = mean_noise(self.layer, self.state) if noise is None else noise
        inputs = Inputs._make(map(_detached, inputs_of(self.layer, self.x, self.state)))
        return inputs, Way(cell, drawn, self.lengths, self.reverse)

    @torch.no_grad()
    def forward(self) -> LSTMForward | RNNForward:
        """Run the layer again: its output and what its backward reads."""
        layer = self.layer
        if self._beside:
            inputs, way = self._regularised()
            bars = self.x.new_empty(*self.x.shape[:2], layer.weight_hh.shape[0])
            y, y_n, c_n, gates_n, kept = BACKENDS[self.backend].forward(inputs, way, True, bars=bars)
            if isinstance(layer, RNNLayer):
                return RNNForward(y, y_n)
            return LSTMForward(y, y_n, c_n, gates_n, kept.gates, kept.cells)
        if isinstance(layer, LSTMLayer):
            weights, v = _lstm_parameters(layer), layer.cell.variant
            return backend(self.backend).lstm_forward(
                self.x, self._lstm_state(), weights, self.lengths, v, self.reverse
            )
        if isinstance(layer, RNNLayer):
            p, g = _rnn_parameters(layer), layer.nonlinearity
            return backend(self.backend).rnn_forward(self.x, self.state[0], p, self.lengths, g, self.reverse)
        raise TypeError(f"{self.path}: {type(layer).__name__} is neither an LSTM's layer nor a simple RNN's.")

    @torch.no_grad()
    def factors(self, saved: LSTMForward | RNNForward | None = None) -> LocalFactors:
        """What each step does to errors; `saved` is what `forward` gave."""
        layer, saved = self.layer, self.forward() if saved is None else saved
        if self._beside:
            return regularised_factors(*self._regularised(), saved)
        if isinstance(layer, LSTMLayer) and isinstance(saved, LSTMForward):
            p, v = _lstm_parameters(layer), layer.cell.variant
            return lstm_factors(saved, self._lstm_state(), p, self.lengths, v, self.reverse)
        if isinstance(layer, RNNLayer) and isinstance(saved, RNNForward):
            return rnn_factors(saved, _rnn_parameters(layer), self.lengths, layer.nonlinearity, self.reverse)
        raise TypeError(f"{self.path}: {type(layer).__name__} is neither an LSTM's layer nor a simple RNN's.")

    def gates(self, saved: LSTMForward) -> dict[str, Tensor]:
        """The own gates by letter, each (T, B, H); at padded steps they mean nothing."""
        if not isinstance(self.layer, LSTMLayer):
            raise TypeError(f"{self.path}: a simple RNN has no gates.")
        v = self.layer.cell.variant
        named = zip(v.blocks, saved.gates.chunk(len(v.blocks), dim=-1), strict=True)
        return {name: values for name, values in named if name != "z"}

    def _lstm_state(self) -> LSTMState:
        return LSTMState(self.state[0], self.state[1], self.state[2] if len(self.state) == 3 else None)


def _detached(value: Tensor | None) -> Tensor | None:
    return None if value is None else value.detach()


def _lstm_parameters(layer: Layer) -> LSTMParameters:
    return LSTMParameters(
        layer.weight_ih.detach(),
        layer.weight_hh.detach(),
        *map(_detached, (layer.bias, layer.peephole, layer.weight_gates)),
    )


def _rnn_parameters(layer: Layer) -> RNNParameters:
    return RNNParameters(layer.weight_ih.detach(), layer.weight_hh.detach(), _detached(layer.bias))


class Passes:
    """The layers of one network while a model runs; filled by `watching`.

    Attributes:
        network: The recurrent network.
        prefix: Its path in the model, "" if it is the model.
        top: Output of its last layer, (T, B, D·H), once it has run: a leaf that what lies above reads.
    """

    def __init__(self, network: Recurrent, prefix: str) -> None:
        self.network, self.prefix = network, prefix
        self.top: Tensor | None = None
        self._read: dict[str, tuple[Tensor, list[Any], Tensor | None]] = {}
        self._noise: dict[Layer, Noise] = {}

    def paths(self) -> list[str]:
        """Every layer and direction, from the input upwards."""
        there = [(self._path(number), layer) for number, layer in enumerate(self.network.layers)]
        return [
            path
            for name, layer in there
            for path in ([name] if layer.reverse is None else [name, f"{name}.reverse"])
        ]

    @property
    def top_path(self) -> str:
        """The first direction of the last layer."""
        return self._path(self.network.num_layers - 1)

    def of(self, path: str) -> LayerPass:
        """What the layer at `path` read.

        Raises:
            ValueError: the model did not run this network.
        """
        name, number = path.removesuffix(".reverse"), self.number(path)
        if name not in self._read:
            raise ValueError(f"{path}: the model's forward did not run this layer.")
        layer: Layer = self.network.layers[number]
        x, states, lengths = self._read[name]
        state = states[1] if path != name else states[0]
        chosen = layer.reverse if path != name else layer
        if chosen is None:
            raise AssertionError("paths are checked when they come in")
        noise = self._noise.get(chosen)
        if noise is None and chosen.training and chosen.regularisation.chance:
            raise ValueError(
                f"{path}: what chance did in this pass is not known, as another block records the layer; "
                "leave that block first, or call model.eval()."
            )
        return LayerPass(path, chosen, x.detach(), tuple(part.detach() for part in state), lengths, noise)

    def watches(self, layer: Layer) -> bool:
        """Whether chance plays a part in a layer of the network; a `nn.watching.Watcher`."""
        own = any(layer is one or layer is one.reverse for one in self.network.layers)
        return own and layer.training and layer.regularisation.chance

    def run(self, layer: Layer, x: Tensor, state: State, lengths: Tensor | None) -> tuple[Tensor, State]:
        """Run one sequence through a layer, and keep what chance does."""
        self._noise[layer] = drawn = draw_noise(layer, state)
        return run_layer(layer, cell_name(layer), x, state, lengths, drawn)

    def number(self, path: str) -> int:
        """Which layer of the stack a path means, from 0 at the input."""
        return int(path.removesuffix(".reverse").rpartition("layer")[2])

    def _path(self, number: int) -> str:
        return f"{self.prefix}.layer{number}".lstrip(".")

    def _before(self, number: int, arguments: tuple[Any, ...]) -> None:
        path = self._path(number)
        if path in self._read:
            raise ValueError(
                f"{path} runs more than once in one forward of the model; an error map needs a single pass. "
                "Give the part of the model that runs it once."
            )
        self._read[path] = arguments[0], arguments[1], arguments[2]

    def _after(self, output: tuple[Tensor, list[Any]]) -> tuple[Tensor, list[Any]]:
        self.top = output[0].detach().requires_grad_()
        return self.top, output[1]


@contextlib.contextmanager
def watching(model: nn.Module, layer: str | None, who: str) -> Iterator[Passes]:
    """Keep what the layers of one recurrent network read while the block runs.

    Args:
        model: Holds the network.
        layer: Path of one of its layers; None where the model holds a single network.
        who: Whose message an error is.

    Raises:
        ValueError: there is no such layer, no network, or several to choose from.
    """
    passes = _find(model, layer, who)
    with contextlib.ExitStack() as stack:
        for number, one in enumerate(passes.network.layers):
            before = one.register_forward_pre_hook(lambda _, args, n=number: passes._before(n, args))
            stack.callback(before.remove)
        stack.enter_context(being_watched(passes))
        last = passes.network.layers[-1].register_forward_hook(lambda _, __, out: passes._after(out))
        stack.callback(last.remove)
        stack.enter_context(torch.enable_grad())
        yield passes


def _find(model: nn.Module, layer: str | None, who: str) -> Passes:
    if not isinstance(model, nn.Module):
        raise TypeError(f"{who}: model must be a torch.nn.Module, got {type(model).__name__}.")
    found = [Passes(m, name) for name, m in model.named_modules() if isinstance(m, Recurrent)]
    paths = [path for passes in found for path in passes.paths()]
    if not found:
        raise ValueError(f"{who}: {type(model).__name__} holds no throughtime.LSTM or RNN.")
    if layer is not None:
        for passes in found:
            if layer in passes.paths():
                return passes
        raise ValueError(f"{who}: layer={layer!r} is not in the model; there are {', '.join(paths)}.")
    if len(found) > 1:
        there = ", ".join(paths)
        raise ValueError(f"{who}: the model holds {len(found)} networks; say layer=, one of {there}.")
    return found[0]


def run(model: nn.Module, x: Any, inputs: dict[str, Any]) -> Any:
    """The model's output, the first of several."""
    output = model(x, **inputs)
    return output[0] if isinstance(output, tuple) else output

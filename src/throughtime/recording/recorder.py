"""`throughtime.record`: keep what happens in a network while a block lasts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from throughtime.nn.recurrent import Layer, Recurrent, State
from throughtime.nn.watching import watcher_of, watching
from throughtime.recording import capture
from throughtime.recording.layer_record import LayerRecord
from throughtime.recording.recording import Recording
from throughtime.recording.selection import MAX_BYTES, Selection, refuse_size


@contextlib.contextmanager
def record(
    model: nn.Module,
    values: Iterable[str] | None = None,
    errors: bool = True,
    *,
    max_bytes: int = MAX_BYTES,
    loss_reduction: str | None = None,
) -> Iterator[Recording]:
    """Keep every value and every error of a model's recurrent layers.

        with throughtime.record(model) as rec:
            loss = criterion(model(x), target)
            loss.backward()
        rec["layer0.f"], rec["layer0.d_c"]

    Forward passes within the block and within this thread are kept. Errors come with the user's own
    `backward()`, within the block or after it; those of several backward passes through the same forward pass
    are added up, as `.grad` is.

    Args:
        model: A module that contains `throughtime.RNN` or `throughtime.LSTM` anywhere.
        values: Names of the values and errors to keep, in all layers ("f", "d_c") or in one ("layer0.f").
            None keeps all.
        errors: Whether errors are kept.
        max_bytes: Largest size of all recorded arrays together, in bytes.
        loss_reduction: How the loss is reduced, for whoever reads the recording ("mean over T·B"): it sets
            the scale of every error.

    Yields:
        The recording, which fills as the block runs.

    Raises:
        TypeError: `model` is no module, or `values` no list of names.
        ValueError: the model has no recurrent layer of this library, `values` names what is not there, or an
            enclosing block records the same layer.
        NotImplementedError: the model is compiled or spread over devices by nn.DataParallel.
        RecordingError: on a forward pass: the recording would be larger than `max_bytes`.
    """
    recorder = Recorder(model, values, errors, max_bytes)
    recorder.recording.loss_reduction = loss_reduction
    recorder.refuse_enclosing_blocks()
    with watching(recorder):
        yield recorder.recording


class Recorder:
    """Runs the layers of a model and keeps their records; a `nn.watching.Watcher`."""

    def __init__(self, model: nn.Module, values: Iterable[str] | None, errors: bool, max_bytes: int) -> None:
        layers = find_layers(model)
        self._paths = {layer: path for path, layer in layers.items()}
        self._stacks = _stacks(model)
        self._selection = Selection(layers, values, errors)
        self._max_bytes, self._bytes = max_bytes, 0
        self.recording = Recording({path: [] for path in layers})

    def refuse_enclosing_blocks(self) -> None:
        """Refuse layers that an enclosing block of this thread records already. Raises ValueError."""
        for layer, path in self._paths.items():
            if watcher_of(layer) is not None:
                raise ValueError(
                    f"record: an enclosing block records {path} already; a pass is kept by one block only."
                )

    def watches(self, layer: Layer) -> bool:
        """Whether the layer belongs to the model."""
        return layer in self._paths

    def run(self, layer: Layer, x: Tensor, state: State, lengths: Tensor | None) -> tuple[Tensor, State]:
        """Run one sequence through the layer and keep it."""
        path = self._paths[layer]
        self._check_size(layer, path, x)
        names = self._selection.names[path]
        output, final, kept = capture.run_and_keep(layer, path, x, state, lengths, names)
        runs = self.recording.runs[path]
        if runs:
            _note_continuation(runs[-1], kept, state)
        runs.append(kept)
        return output, final

    def _check_size(self, layer: Layer, path: str, x: Tensor) -> None:
        """Refuse what is too large: at the first layer of a network for all its layers together."""
        T, B, _ = x.shape
        with_errors = torch.is_grad_enabled()
        sizes = {
            self._paths[one]: self._selection.bytes_of(self._paths[one], one, T, B, with_errors)
            for one in self._stacks.get(layer, [layer])
        }
        what = f"{', '.join(sizes)} over T={T} steps and B={B} sequences"
        refuse_size(sum(sizes.values()), self._bytes, self._max_bytes, what)
        self._bytes += sizes[path]


def _note_continuation(before: LayerRecord, kept: LayerRecord, state: State) -> None:
    """Whether a pass begins where the one before ended, and whether errors can flow back into that."""
    kept.continues = before.B == kept.B and all(
        torch.equal(kept.initial[name], before.final[name]) for name in kept.initial
    )
    kept.detached = not any(part.requires_grad for part in state)


def find_layers(model: nn.Module) -> dict[str, Layer]:
    """The recurrent layers of a model by path, from the input upwards.

    Raises:
        TypeError: `model` is no module.
        ValueError: there is none.
        NotImplementedError: the model is compiled or spread over devices.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(
            f"record: expected a torch.nn.Module, got {type(model).__name__}; of a throughtime.Forecaster "
            "record its network_."
        )
    for path, module in model.named_modules():
        if isinstance(module, nn.DataParallel) or type(module).__name__ == "OptimizedModule":
            raise NotImplementedError(
                f"record: {path or 'the model'} is a {type(module).__name__}, whose layers run as copies or "
                "compiled; record the module it wraps."
            )
    layers = {path: module for path, module in model.named_modules() if isinstance(module, Layer)}
    if not layers:
        others = [
            path or "the model itself" for path, m in model.named_modules() if isinstance(m, nn.RNNBase)
        ]
        hint = f"; {', '.join(others)} is torch's, see throughtime.from_torch" if others else ""
        raise ValueError(
            f"record: {type(model).__name__} contains no throughtime.RNN or throughtime.LSTM{hint}."
        )
    return layers


def _stacks(model: nn.Module) -> dict[Layer, list[Layer]]:
    """For the first layer of each network all layers that will run on as many steps and sequences."""
    stacks: dict[Layer, list[Layer]] = {}
    for network in model.modules():
        if isinstance(network, Recurrent):
            layers = [
                direction for layer in network.layers for direction in (layer, layer.reverse) if direction
            ]
            stacks[layers[0]] = [*layers]
    return stacks

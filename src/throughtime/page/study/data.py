"""From a recording to what the study page shows: plain records, and arrays beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from throughtime._version import __version__
from throughtime.cells import Variant
from throughtime.cells.activations import activation
from throughtime.page.study.arrays import Arrays
from throughtime.page.study.lines import Journey
from throughtime.page.study.lstm_lines import lstm_lines
from throughtime.page.study.rnn_lines import rnn_lines
from throughtime.page.study.window import Window


@dataclass(frozen=True)
class StudyData:
    """What one page holds.

    Attributes:
        fields: Everything but the numbers; JSON.
        arrays: The numbers, named in `fields` by id.
    """

    fields: dict[str, Any]
    arrays: Arrays


def study_data(recording: Any, window: Window | None = None) -> StudyData:
    """Gather a recording for a page.

    Args:
        recording: A `throughtime.recording.Recording`.
        window: Which time steps and sequences; None takes all.
    """
    window = window or Window.whole(recording)
    arrays = Arrays()
    fields = {
        "version": __version__,
        "title": recording.notes.get("title", "Recording"),
        "notes": dict(recording.notes),
        "input_names": _names(recording),
        "facts": _facts(recording),
        "window": window.as_json(),
        "cuts": list(recording.cuts),
        "attached": {
            name: arrays.add(window.cut(tensor))
            for name, tensor in recording.attached.items()
            if tuple(tensor.shape[:2]) == (recording.T, recording.B) and tensor.dim() <= 3
        },
        "layers": [_layer(layer, window, arrays) for layer in recording.layers.values()],
    }
    return StudyData(fields, arrays)


def _names(recording: Any) -> list[str]:
    text = recording.notes.get("input_names", "")
    return text.split("\n") if text else []


def _facts(recording: Any) -> list[str]:
    facts = [f"{recording.T} time steps", f"{recording.B} sequences" if recording.B > 1 else "1 sequence"]
    facts.append(str(recording.dtype).removeprefix("torch."))
    facts.append(f"computed by {recording.backend}")
    if recording.loss_reduction:
        facts.append(f"J is the {recording.loss_reduction}")
    return facts


def _layer(layer: Any, window: Window, arrays: Arrays) -> dict[str, Any]:
    values, errors = dict(layer.values), {f"{name}": value for name, value in layer.errors.items()}
    journey, extra = _equations(layer, values)
    lengths = torch.full((next(iter(values.values())).shape[1],), next(iter(values.values())).shape[0])
    if layer.lengths is not None:
        lengths = layer.lengths
    return {
        "path": layer.path,
        "kind": layer.kind,
        "variant": layer.variant,
        "name": layer_name(layer),
        "input_size": layer.input_size,
        "hidden_size": layer.hidden_size,
        "reverse": bool(layer.reverse),
        "lengths": window.lengths(lengths),
        "journey": journey.as_json(),
        **extra,
        "arrays": {name: arrays.add(window.cut(array)) for name, array in (values | errors).items()},
        "initial": {name: arrays.add(window.sequences(state)) for name, state in layer.initial.items()},
        "final": {
            f"d_{name}": arrays.add(window.sequences(state)) for name, state in layer.final_errors.items()
        },
        "scales": {name: _scale(name, array) for name, array in (values | errors).items()},
        "weight_scales": {name: _largest(parameter) for name, parameter in layer.parameters.items()},
        "parameters": {name: arrays.add(parameter) for name, parameter in layer.parameters.items()},
    }


def layer_name(layer: Any) -> str:
    """The layer in words, as "LSTM with peepholes"."""
    if layer.kind == "RNN":
        return f"simple RNN ({layer.nonlinearity})"
    variant = Variant.parse(layer.variant)
    if variant.name == "vanilla":
        return "LSTM with peepholes"
    return "LSTM" if variant.name == "NP" else f"LSTM {variant.name}"


def _equations(layer: Any, values: dict[str, Tensor]) -> tuple[Journey, dict[str, Any]]:
    """The lines of a layer; adds to `values` what they read beyond the recorded ones."""
    bias = "bias" in layer.parameters
    if layer.kind == "RNN":
        values["slope"] = activation(layer.nonlinearity).slope(values["h"])
        return rnn_lines(bias), {"nonlinearity": layer.nonlinearity, "state": ["h"]}
    variant = Variant.parse(layer.variant)
    values["h_c"] = activation(variant.output_activation).value(values["c"])
    lacks = {
        "i": not variant.input_gate,
        "f": variant.forget_gate == "none",
        "o": not variant.output_gate,
        "p": not (variant.peepholes and variant.gates),
        "g": variant.input_activation == "identity",
        "h": variant.output_activation == "identity",
    }
    extra = {
        "lacks": [name for name, missing in lacks.items() if missing],
        "coupled": variant.forget_gate == "coupled",
        "blocks": list(variant.blocks),
        "gates": list(variant.gates),
        "state": ["y", "c"],
    }
    return lstm_lines(variant, bias), extra


_BOUNDED = frozenset({"i", "f", "o", "y", "h", "z", "h_c"})


def _scale(name: str, array: Tensor) -> float:
    """The number that is drawn in the strongest colour: 1 for what an activation bounds."""
    largest = _largest(array)
    return 1.0 if name in _BOUNDED and largest <= 1 else largest


def _largest(array: Tensor) -> float:
    return float(f"{array.abs().max().item():.3g}") if array.numel() else 0.0

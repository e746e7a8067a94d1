"""From a recording to what the study page shows: plain records, and arrays beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from throughtime._version import __version__
from throughtime.page.study.arrays import Arrays
from throughtime.page.study.chapters import chapters
from throughtime.page.study.equations import equations, layer_name
from throughtime.page.study.evaluate import LayerNumbers
from throughtime.page.study.lines import Journey
from throughtime.page.study.maps import checks, layer_maps
from throughtime.page.study.tour import Scene
from throughtime.page.study.window import Part, Window, fitting
from throughtime.recording import LayerRecord, Recording

LIMIT = 48_000_000  # bytes of numbers; a third more as text
_BOUNDED = frozenset({"i", "f", "o", "y", "h", "z", "h_c"})


@dataclass(frozen=True)
class StudyData:
    """What one page holds.

    Attributes:
        fields: Everything but the numbers; JSON.
        arrays: The numbers, named in `fields` by id.
    """

    fields: dict[str, Any]
    arrays: Arrays


def study_data(
    recording: Recording, *, beside: Recording | None = None, limit: int = LIMIT, confirm: bool = True
) -> StudyData:
    """Gather a recording for a page.

    Args:
        recording: What to show.
        beside: Another one to compare it with, or None.
        limit: Bytes of numbers the page may hold; a larger recording is cut down.
        confirm: Whether errors are held to finite differences, which takes a second or two.

    Raises:
        ValueError: nothing was recorded, values were left out, a number is not finite, or not even one time
            step fits.
    """
    arrays = Arrays()
    recordings = [recording] if beside is None else [recording, beside]
    layers: list[dict[str, Any]] = []
    word = ""
    for one, group in zip(recordings, _groups(recordings), strict=True):
        part = fitting(one, limit // len(recordings))
        word = word or part.word
        layers += [
            _layer(one, layer, part, arrays, confirm)
            | {"group": group, "label": _label(one, layer, group), "input_names": names}
            for layer, names in _with_names(one)
        ]
    fields = {
        "version": __version__,
        "title": recording.notes.get("title", "Recording"),
        "notes": dict(recording.notes),
        "sequence_names": _lines(recording.notes.get("sequence_names", ""))[: layers[0]["window"]["batch"]],
        "facts": _facts(recording),
        "word": word,
        "layers": layers,
        "chapters": _chapters(recording, layers[0], beside is not None),
    }
    return StudyData(fields, arrays)


def _groups(recordings: list[Recording]) -> list[str]:
    """What to call each recording's layers; nothing where there is but one recording."""
    for recording in recordings:
        if not recording.layers:
            raise ValueError("Study: the recording is empty; run the model inside the block of record().")
    if len(recordings) == 1:
        return [""]
    first, second = (layer_name(next(iter(one.layers.values()))) for one in recordings)
    return [first, second] if first != second else [f"{first} A", f"{second} B"]


def _label(recording: Recording, layer: LayerRecord, group: str) -> str:
    """What a reader chooses the layer by."""
    if not group:
        return layer.path
    return group if len(recording.layers) == 1 else f"{group}, {layer.path}"


def _with_names(recording: Recording) -> list[tuple[LayerRecord, list[str]]]:
    """Each layer with the names of its inputs, where it reads the network's own."""
    names = _lines(recording.notes.get("input_names", ""))
    layers = list(recording.layers.values())
    own = layers[0].path.removesuffix(".reverse")
    return [
        (
            layer,
            names if layer.path.removesuffix(".reverse") == own and len(names) == layer.input_size else [],
        )
        for layer in layers
    ]


def _chapters(recording: Recording, fields: dict[str, Any], beside: bool) -> list[dict[str, Any]]:
    layer = next(iter(recording.layers.values()))
    journey, _ = equations(layer, dict(layer.values))
    first, with_map = fields["window"]["first"], "error_map" in fields["maps"]
    scene = Scene(recording, layer, journey, LayerNumbers(layer), first, with_map, beside)
    return [chapter.as_json() for chapter in chapters(scene)]


def _lines(text: str) -> list[str]:
    return text.split("\n") if text else []


def _facts(recording: Recording) -> list[str]:
    first = next(iter(recording.layers.values()))
    facts = [f"{first.T} time steps", f"{first.B} sequences" if first.B > 1 else "1 sequence"]
    facts.append(str(first.dtype).removeprefix("torch."))
    facts.append(f"computed by {first.backend}")
    if recording.loss_reduction:
        facts.append(f"J is the {recording.loss_reduction}")
    return facts


def _layer(
    recording: Recording, layer: LayerRecord, part: Part, arrays: Arrays, confirm: bool
) -> dict[str, Any]:
    window = part.window(layer)
    values, errors = dict(layer.values), dict(layer.errors)
    journey, extra = equations(layer, values)
    _check_complete(layer, journey, {*values, *errors})
    lengths = [layer.T] * layer.B if layer.lengths is None else layer.lengths.tolist()
    return {
        "path": layer.path,
        "kind": layer.kind,
        "name": layer_name(layer),
        "input_size": layer.input_size,
        "hidden_size": layer.hidden_size,
        "reverse": layer.reverse,
        "window": window.as_json(),
        "lengths": lengths[: window.batch],
        "cuts": list(layer.cuts),
        "journey": journey.as_json(),
        **extra,
        "arrays": {name: arrays.add(window.cut(array)) for name, array in (values | errors).items()},
        "initial": _states(layer.initial, "", window, arrays),
        "final": _states(layer.final_errors, "d_", window, arrays),
        "scales": {name: _scale(name, array) for name, array in (values | errors).items()},
        "weight_scales": {name: _largest(parameter) for name, parameter in layer.parameters.items()},
        "parameters": {name: arrays.add(parameter) for name, parameter in layer.parameters.items()},
        "attached": _attached(recording, layer, window, arrays),
        "maps": layer_maps(recording, layer, window, arrays),
        "checks": checks(recording, layer, window) if confirm else [],
    }


def _states(states: dict[str, Tensor], prefix: str, window: Window, arrays: Arrays) -> dict[str, Any]:
    return {f"{prefix}{name}": arrays.add(window.sequences(state)) for name, state in states.items()}


def _attached(recording: Recording, layer: LayerRecord, window: Window, arrays: Arrays) -> dict[str, Any]:
    """Attached tensors that run along this layer's time and batch."""
    return {
        name: arrays.add(window.cut(tensor))
        for name, tensor in recording.attached.items()
        if tensor.dim() in (2, 3) and tuple(tensor.shape[:2]) == (layer.T, layer.B)
    }


def _check_complete(layer: LayerRecord, journey: Journey, there: set[str]) -> None:
    moments = (*journey.forward, *journey.backward)
    needed = {line.target for moment in moments for line in moment.lines}
    if missing := sorted(needed - there):
        raise ValueError(
            f"Study: {layer.path} lacks {', '.join(missing)}, which its equations show; "
            "record with values=None, which keeps all."
        )


def _scale(name: str, array: Tensor) -> float:
    """The number that is drawn in the strongest colour: 1 for what an activation bounds."""
    largest = _largest(array)
    return 1.0 if name in _BOUNDED and largest <= 1 else largest


def _largest(array: Tensor) -> float:
    return float(f"{array.abs().max().item():.3g}") if array.numel() else 0.0

"""What the maps show beyond the recorded values: norms over time, error maps, confirmed errors."""

from __future__ import annotations

from typing import Any

import torch

from throughtime.page.study.arrays import Arrays
from throughtime.page.study.window import Window
from throughtime.recording import LayerRecord, Recording
from throughtime.recording.error_map import ErrorMap
from throughtime.recording.memory import memory_length

ERROR_MAP, MEMORY = "error_map", "memory"  # attached as "error_map/PATH", noted as "memory/PATH"
_CHECKED_STEPS = 12
_CHECK_WORK = 20_000  # time steps computed for all checks of a layer, about two seconds


def attach_error_map(recording: Recording, errors: ErrorMap) -> None:
    """Keep an error map with a recording, for the page: the median over the sequences, and its words."""
    norms = errors[errors.memory].median(dim=0).values  # (R, T)
    recording.attach(f"{ERROR_MAP}/{errors.path}", norms)
    memory = memory_length(errors)
    far = f"After {memory.steps} steps less than 1 % of an error of {errors.memory} is left."
    near = f"After all {memory.steps} steps more than 1 % of an error of {errors.memory} is left."
    recording.notes[f"{MEMORY}/{errors.path}"] = far if memory.reached else near


def layer_maps(recording: Recording, layer: LayerRecord, window: Window, arrays: Arrays) -> dict[str, Any]:
    """Norms of each step's gradient by parameter, the error map if there is one, and its words."""
    if not layer.errors:
        return {}
    parameters = [name for name in layer.parameters if layer.parameters[name].numel()]
    norms = {name: recording.step_gradient_norms(f"{layer.path}.{name}") for name in parameters}
    shown: dict[str, Any] = {
        "norms": {name: arrays.add(norm[window.start :]) for name, norm in norms.items()},
        "error_norms": arrays.add(window.cut(layer.errors[f"d_{layer.output}"].double().norm(dim=-1))),
    }
    found = recording.attached.get(f"{ERROR_MAP}/{layer.path}")
    if found is not None and found.dim() == 2 and found.shape[1] == layer.T:
        shown["error_map"] = arrays.add(found)
        shown["memory"] = recording.notes.get(f"{MEMORY}/{layer.path}", "")
    return shown


def checks(recording: Recording, layer: LayerRecord, window: Window) -> list[dict[str, Any]]:
    """Errors of the first sequence, where routes open, beside central differences in float64."""
    names = [name for name in ("d_y", "d_c", "d_h") if name in layer.errors]
    length = layer.T if layer.lengths is None else int(layer.lengths[0])
    count = length - window.first
    if not names or count < 1 or layer.cuts:
        return []
    units = min(layer.hidden_size, 8)
    per_step = len(names) * units * 6 * max(1, length // 2)
    steps = max(1, min(_CHECKED_STEPS, count, _CHECK_WORK // per_step))
    places = sorted(set(torch.linspace(window.first, length - 1, steps).round().long().tolist()))
    return [
        _check(recording, layer, name, t, unit) for name in names for t in places for unit in range(units)
    ]


def _check(recording: Recording, layer: LayerRecord, name: str, t: int, unit: int) -> dict[str, Any]:
    found = recording.check(f"{layer.path}.{name}", t, unit=unit, batch=0)
    return {
        "value": name,
        "t": t,
        "b": 0,
        "k": unit,
        "differences": found.by_differences,
        "apart": found.difference,
        "agrees": found.agrees,
    }

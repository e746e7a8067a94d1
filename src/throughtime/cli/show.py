"""`throughtime show`: what is in a recording."""

from __future__ import annotations

import json as json_module
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from torch import Tensor

from throughtime.errors import SettingsError
from throughtime.recording import Recording, load_recording
from throughtime.recording.summary import figures, summary


def show(
    file: Path,
    name: str | None = None,
    *,
    step: int | None = None,
    run: Annotated[int | None, Parameter(name="--pass")] = None,
    json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> int:
    """List the layers and arrays of a recording, or print one array.

    Args:
        file: A file that `Recording.save` wrote.
        name: An array, such as layer0.d_c: its figures at each time step.
        step: One time step of that array: every unit of every sequence.
        run: Which pass, where several do not follow each other.
        json: Print one JSON object.
    """
    rec = load_recording(file)
    if run is not None:
        rec = _one_pass(rec, run)
    if name is None:
        if step is not None:
            raise SettingsError("show: --step needs the NAME of an array, such as layer0.f")
        found = {"file": str(file)} | summary(rec)
        print(json_module.dumps(found)) if json else _print_summary(found)
        return 0
    array = _array(rec, name, step)
    if json:
        print(json_module.dumps({"name": name, "step": step, "values": array.tolist()}))
    elif step is None:
        _print_steps(name, array)
    else:
        _print_units(f"{name}, t={step}", array)
    return 0


def _one_pass(rec: Recording, run: int) -> Recording:
    passes = rec.passes
    if not 0 <= run < len(passes):
        raise SettingsError(f"show: --pass {run}, expected 0 to {len(passes) - 1}")
    return passes[run]


def _array(rec: Recording, name: str, step: int | None) -> Tensor:
    try:
        array = rec[name]
        if step is None:
            return array
        rec.layers[rec.find(name)[0]].pass_at(step)
    except (KeyError, ValueError) as error:
        raise SettingsError(f"show: {error}") from None
    return array[step]


def _print_summary(found: dict[str, Any]) -> None:
    print(f"{found['file']}; loss: {found['loss_reduction'] or 'reduction not stated'}")
    for name, text in found["notes"].items():
        print(f"{name}: {text}")
    for name, shape in found["attached"].items():
        print(f"attached {name} {tuple(shape)}")
    for k, one in enumerate(found["passes"]):
        if len(found["passes"]) > 1:
            print(f"\npass {k}")
        for path, layer in one["layers"].items():
            print(f"\n{_heading(path, layer)}")
            _print_table(("", "shape", *_FIGURES), _rows(layer["arrays"]))


_FIGURES = ("mean", "min", "max", "norm")


def _heading(path: str, layer: dict[str, Any]) -> str:
    kind = f"{layer['kind']} {layer['variant'] or layer['nonlinearity']}"
    parts = [
        kind + (" with peepholes" if layer["peepholes"] else ""),
        f"T={layer['T']}, B={layer['B']}, I={layer['input_size']}, H={layer['hidden_size']}",
        f"{layer['dtype']} by the backend {layer['backend']}",
        *(["from the end to the beginning"] if layer["reverse"] else []),
        *([f"lengths {layer['lengths']}"] if layer["lengths"] is not None else []),
        *([f"cut at t={layer['cuts']}"] if layer["cuts"] else []),
        *(["no backward yet"] if not layer["backward_passes"] else []),
    ]
    return f"{path}: {'; '.join(parts)}"


def _rows(arrays: dict[str, dict[str, Any]]) -> Iterable[tuple[str, ...]]:
    for name, array in arrays.items():
        yield name, str(tuple(array["shape"])), *(f"{array[key]:.4g}" for key in _FIGURES)


def _print_steps(name: str, array: Tensor) -> None:
    rows = ((str(t), *(f"{value:.4g}" for value in figures(row).values())) for t, row in enumerate(array))
    print(f"{name} {tuple(array.shape)}, over sequences and units at each t")
    _print_table(("t", *_FIGURES), rows)


def _print_units(title: str, array: Tensor) -> None:
    print(f"{title}: {tuple(array.shape)}, one line for each sequence")
    for row in array.tolist():
        print(" ".join(f"{value:.6g}" for value in row))


def _print_table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    table = Table(box=None, pad_edge=False)
    for k, column in enumerate(columns):
        table.add_column(column, justify="left" if k == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(highlight=False, markup=False).print(table)

"""The file of a recording: safetensors with a JSON header; no pickle.

Arrays stand under the names by which a recording is read, `layer0.f`; beside them `layer0.initial.c`,
`layer0.final.c`, `layer0.initial_errors.c`, `layer0.final_errors.c`, `layer0.parameters.weight_hh` and
`layer0.lengths`. The second and later passes have `pass1/`, `pass2/` … before each name, and what was
attached has `attached/`. All else is in the header, under the key `throughtime`. A gate that is fixed at 1
takes no place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from throughtime import files
from throughtime._version import __version__
from throughtime.cells import LSTMCell
from throughtime.errors import RecordingError
from throughtime.ops.padding import padding
from throughtime.recording.arrays import Array, Arrays
from throughtime.recording.layer_record import LayerRecord

SCHEMA_VERSION: Final = 1
_STATES: Final = ("initial", "final", "initial_errors", "final_errors", "parameters")


class Contents(NamedTuple):
    """What is in a file: the attributes of a `Recording`."""

    runs: Mapping[str, list[LayerRecord]]
    attached: Mapping[str, Tensor]
    notes: Mapping[str, str]
    loss_reduction: str | None


class LayerHeader(BaseModel):
    """One pass of one layer, without its arrays; see `LayerRecord`."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["LSTM", "RNN"]
    variant: str
    peepholes: bool
    nonlinearity: str
    T: int
    B: int
    input_size: int
    hidden_size: int
    reverse: bool
    backend: str
    dtype: str
    continues: bool
    detached: bool
    backward_passes: int
    values: list[str]
    errors: list[str]
    beside: tuple[str, ...] = ()


class Header(BaseModel):
    """The JSON part of a file."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["throughtime recording"] = "throughtime recording"
    schema_version: int = SCHEMA_VERSION
    throughtime: str = __version__
    loss_reduction: str | None = None
    notes: dict[str, str] = {}
    layers: dict[str, list[LayerHeader]]


def write(path: str | os.PathLike[str], contents: Contents) -> None:
    """Write a file. Raises `OutputError` as `files.replacing`; what stood there before then stays."""
    tensors = {f"attached/{name}": tensor for name, tensor in contents.attached.items()}
    layers: dict[str, list[LayerHeader]] = {}
    for layer, runs in contents.runs.items():
        layers[layer] = [_header(run) for run in runs]
        for k, run in enumerate(runs):
            tensors |= {_prefix(k) + f"{layer}.{name}": tensor for name, tensor in _tensors(run).items()}
    header = Header(loss_reduction=contents.loss_reduction, notes=dict(contents.notes), layers=layers)
    own = {name: _own(tensor) for name, tensor in tensors.items()}
    metadata = {"throughtime": header.model_dump_json()}
    files.write_with(path, lambda temporary: save_file(own, temporary, metadata))


def read(path: str | os.PathLike[str]) -> Contents:
    """Read a file.

    Raises:
        RecordingError: it is missing, no recording, damaged, or from a later version.
    """
    try:
        with safe_open(Path(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise RecordingError(
            f"{path}: there is no such file; a recording is written by rec.save(path)."
        ) from None
    except (SafetensorError, OSError) as error:
        raise RecordingError(
            f"{path}: cannot be read as a recording ({error}). It is damaged, cut short or another kind of "
            "file; restore it from a copy, or record again."
        ) from error
    header = _check_header(path, metadata)
    try:
        runs = {
            layer: [_record(layer, k, one, tensors) for k, one in enumerate(headers)]
            for layer, headers in header.layers.items()
        }
    except KeyError as error:
        raise RecordingError(
            f"{path}: its header names {error}, which is not in the file; the file was edited. Record again."
        ) from None
    attached = {
        name.removeprefix("attached/"): tensor
        for name, tensor in tensors.items()
        if name.startswith("attached/")
    }
    return Contents(runs, attached, header.notes, header.loss_reduction)


def _check_header(path: str | os.PathLike[str], metadata: Mapping[str, str]) -> Header:
    text = metadata.get("throughtime")
    if text is None:
        raise RecordingError(
            f"{path}: a safetensors file, but no recording; it has no header of throughtime."
        )
    try:
        version = _Version.model_validate_json(text)
        if (
            version.format == Header.model_fields["format"].default
            and version.schema_version > SCHEMA_VERSION
        ):
            raise RecordingError(
                f"{path}: written by a later version of throughtime (schema {version.schema_version}, this "
                f"one reads up to {SCHEMA_VERSION}); install that version."
            )
        return Header.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RecordingError(f"{path}: not a recording, or edited: {where}: {first['msg']}.") from None


class _Version(BaseModel):
    format: str
    schema_version: int


def _prefix(k: int) -> str:
    return f"pass{k}/" if k else ""


def _header(run: LayerRecord) -> LayerHeader:
    plain = {
        name: getattr(run, name) for name in LayerHeader.model_fields if name not in ("values", "errors")
    }
    plain["dtype"] = str(run.dtype).removeprefix("torch.")
    return LayerHeader(**plain, values=list(run.values), errors=list(run.errors))


def _tensors(run: LayerRecord) -> dict[str, Tensor]:
    """Everything of one pass that has a place in the file, by its name after the path."""
    fixed = _fixed_gates(run)
    found = {name: run.values[name] for name in run.values if name not in fixed} | dict(run.errors)
    for state in _STATES:
        found |= {f"{state}.{name}": tensor for name, tensor in getattr(run, state).items()}
    return found | ({} if run.lengths is None else {"lengths": run.lengths})


def _record(path: str, k: int, header: LayerHeader, tensors: Mapping[str, Tensor]) -> LayerRecord:
    begin = f"{_prefix(k)}{path}."
    own = {name.removeprefix(begin): tensor for name, tensor in tensors.items() if name.startswith(begin)}
    states = {
        state: {
            name.removeprefix(f"{state}."): tensor
            for name, tensor in own.items()
            if name.startswith(f"{state}.")
        }
        for state in _STATES
    }
    plain: dict[str, Any] = header.model_dump(exclude={"dtype", "values", "errors"})
    plain |= states | {"dtype": getattr(torch, header.dtype), "lengths": own.get("lengths")}
    run = LayerRecord(path=path, values={}, errors={}, **plain)
    one = torch.ones((), dtype=run.dtype).expand(run.T, run.B, run.hidden_size)
    fixed = _fixed_gates(run)
    pad = padding(run.lengths, one)
    run.values = Arrays({name: Array.of(one if name in fixed else own[name]) for name in header.values}, pad)
    run.errors = Arrays({name: Array.of(own[name]) for name in header.errors})
    return run


def _fixed_gates(run: LayerRecord) -> frozenset[str]:
    """Gates that are 1 at every step, so that only their padding is to be known."""
    cell = run.cell
    if not isinstance(cell, LSTMCell):
        return frozenset()
    coupled = {"f"} if cell.variant.forget_gate == "coupled" else set()
    return frozenset({"i", "f", "o"} - set(cell.variant.gates) - coupled)


def _own(tensor: Tensor) -> Tensor:
    """A tensor whose memory no other one shares, as the format wants it."""
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)

"""Checkpoints: one safetensors file each, whole or not there, with a digest over all of it; no pickle.

`last.safetensors` holds all that is needed to go on: the model, the optimizer's state by parameter
name, the best model so far, the state carried from batch to batch, and, as JSON in the file's metadata,
where the fit was and its settings.
`best.safetensors` holds the best model alone.

Tensor names: `model/<name>`, `optimizer/<parameter>/<value>`, `best/<name>`, `carried/<place>`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from throughtime import files
from throughtime.errors import ModelFolderError, SettingsError
from throughtime.training.history import Progress
from throughtime.training.settings import FitSettings

SCHEMA_VERSION = 1
LAST, BEST = "last.safetensors", "best.safetensors"
OPEN_ENDED = ("constant", "plateau")  # schedules that do not depend on how many epochs are to come


class Header(BaseModel):
    """The JSON part of a checkpoint.

    Attributes:
        settings: Of the fit.
        batches: Training batches per epoch.
        world: Processes that shared the fit.
        progress: Where it was.
    """

    model_config = ConfigDict(extra="forbid")

    format: Literal["throughtime checkpoint"] = "throughtime checkpoint"
    schema_version: int = SCHEMA_VERSION
    settings: FitSettings
    batches: int
    world: int
    progress: Progress


def write(path: Path, header: Header, tensors: Mapping[str, Tensor]) -> None:
    """Write a checkpoint. Raises `OutputError` as `files.replacing`; what stood there before then stays."""
    own = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    text = header.model_dump_json()
    files.write_bytes(path, save(own, {"throughtime": text, "sha256": _digest(text, own)}))


def read(path: Path) -> tuple[Header, dict[str, Tensor]]:
    """Read a checkpoint.

    Raises:
        ModelFolderError: it is missing, not a checkpoint, of a later version, damaged or edited.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise ModelFolderError(
            f"{path}: there is no such checkpoint; check the folder, or fit without resuming."
        ) from None
    except (SafetensorError, OSError) as error:
        raise ModelFolderError(
            f"{path}: cannot be read as a checkpoint ({error}). It is damaged, cut short or another kind of "
            "file; restore it from a copy, or fit without resuming."
        ) from error
    return _header(path, metadata, tensors), tensors


def part(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The tensors under `name/`, without that prefix."""
    prefix = name + "/"
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}


def under(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with `name/` before each name."""
    return {f"{name}/{key}": tensor for key, tensor in tensors.items()}


def load_best(folder: Path | str, model: nn.Module) -> Header:
    """Put the best model of a fit's folder into `model`. Raises `ModelFolderError`."""
    path = Path(folder) / BEST
    header, tensors = read(path)
    load_model(path, model, part(tensors, "model"))
    return header


def load_model(path: Path, model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put `tensors` into `model`.

    Raises:
        ModelFolderError: names, shapes or dtypes are not those of the model.
    """
    wanted = model.state_dict()
    for name in sorted(wanted.keys() | tensors.keys()):
        here, there = _describe(wanted.get(name)), _describe(tensors.get(name))
        if here != there:
            raise ModelFolderError(
                f"{path}: belongs to another model: tensor {name!r} is {there} in the file "
                f"and {here} in the model; build the model as it was, or choose its own folder."
            )
    model.load_state_dict(dict(tensors))


def optimizer_tensors(optimizer: torch.optim.Optimizer, names: list[str]) -> dict[str, Tensor]:
    """The optimizer's state as `<parameter>/<value>`, parameters in the order of `names`."""
    state = optimizer.state_dict()["state"]
    return {
        f"{names[index]}/{key}": value
        for index, values in state.items()
        for key, value in values.items()
        if value is not None
    }


def load_optimizer(
    path: Path, optimizer: torch.optim.Optimizer, names: list[str], tensors: Mapping[str, Tensor]
) -> None:
    """Put back what `optimizer_tensors` took out.

    Raises:
        ModelFolderError: the state is of a parameter that is not trained here.
    """
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        name, _, value = key.rpartition("/")
        if name not in names:
            raise ModelFolderError(
                f"{path}: trains a parameter {name!r} that is not trained here; "
                "build the model as it was, or fit without resuming."
            )
        state.setdefault(names.index(name), {})[value] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def check_same_fit(path: Path, header: Header, settings: FitSettings, batches: int) -> None:
    """See that a checkpoint continues under these settings.

    Raises:
        SettingsError: a setting differs, or the number of training batches. More epochs are fine
            with a schedule that does not depend on them ("constant", "plateau").
    """
    before, now = header.settings.model_dump(), settings.model_dump()
    different = [name for name in now if before[name] != now[name]]
    if different == ["epochs"] and settings.schedule in OPEN_ENDED and settings.epochs > before["epochs"]:
        different = []
    if different:
        listed = ", ".join(f"{name} was {before[name]!r} and is now {now[name]!r}" for name in different)
        hint = ""
        if "epochs" in different and settings.schedule not in OPEN_ENDED:
            hint = f" (schedule {settings.schedule!r} is laid out over all epochs, so they cannot change)"
        raise SettingsError(
            f"{path}: was made with other settings: {listed}{hint}; "
            "give the settings it was made with, or fit without resuming."
        )
    if header.batches != batches:
        raise SettingsError(
            f"{path}: was made with {header.batches} training batches per epoch, now there are {batches}; "
            "give the data and batch size it was made with, or fit without resuming."
        )


def _header(path: Path, metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> Header:
    text = metadata.get("throughtime")
    if text is None:
        raise ModelFolderError(f"{path}: is a safetensors file, but not a checkpoint of throughtime.")
    if metadata.get("sha256") != _digest(text, tensors):
        raise ModelFolderError(
            f"{path}: its content does not match its digest: it was damaged or edited; "
            "restore it from a copy, or fit without resuming."
        )
    version = _Version.model_validate_json(text).schema_version
    if version > SCHEMA_VERSION:
        raise ModelFolderError(
            f"{path}: has schema version {version}, this throughtime reads up to {SCHEMA_VERSION}; "
            "install a later throughtime."
        )
    try:
        return Header.model_validate_json(text)
    except ValidationError as error:
        raise ModelFolderError(
            f"{path}: its header is not one of schema version {version}: {error}"
        ) from error


class _Version(BaseModel):
    schema_version: int


def _describe(tensor: Tensor | None) -> str:
    return "missing" if tensor is None else f"{tuple(tensor.shape)} {tensor.dtype}"


def _digest(text: str, tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {_describe(tensor)} ".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()

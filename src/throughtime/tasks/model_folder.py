"""The folder a trained model lives in, and what makes it trustworthy when read back.

`model.json` (this schema) describes the model and carries the SHA-256 of every other file and of
itself, so that a truncated or edited file is named instead of giving a wrong forecast. Weights are
safetensors. There is no pickle and no training data in the folder.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
from pathlib import Path
from typing import Any, Literal, TypeVar

import safetensors.torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from torch import Tensor, nn

from throughtime import files
from throughtime.data import Recipe, Scaler
from throughtime.errors import ModelFolderError, OutputError
from throughtime.tasks.forecast_settings import ForecastSettings

SCHEMA_VERSION = 1
MODEL_JSON = "model.json"
WEIGHTS = "model.safetensors"
METRICS = "metrics.json"
HISTORY = "history.csv"
REPORT = "report.html"
CHECKPOINTS = "checkpoints"
RUN_JSON = "run.json"

ModelT = TypeVar("ModelT", bound=BaseModel)


class DataSource(BaseModel):
    """Where the data came from, so that a run can be repeated; the data itself is not kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    path: str | None
    fingerprint: str  # SHA-256


class Run(BaseModel):
    """What a fit was asked to do: enough to continue it after it was killed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = SCHEMA_VERSION
    task: Literal["forecast"] = "forecast"
    settings: ForecastSettings
    source: DataSource


class ModelCard(Run):
    """Everything but the weights that a saved forecaster needs."""

    throughtime_version: str
    created: str  # ISO 8601, UTC
    recipe: Recipe
    scaler: Scaler
    margins: dict[str, list[float]]  # coverage: conformal margin for each lead time, in the target's unit
    parameters: int
    stopped: str
    best_epoch: int | None
    files: dict[str, str]  # name: SHA-256


def write_model(folder: Path, card: ModelCard, weights: dict[str, Tensor], texts: dict[str, str]) -> None:
    """Write a model folder; `model.json` comes last, so a folder that has one is whole.

    Args:
        folder: Made if need be.
        card: Its `files` are filled in here.
        weights: State of the network.
        texts: Content of the other files by name.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    contents = {WEIGHTS: safetensors.torch.save({n: w.contiguous() for n, w in weights.items()})}
    contents |= {name: text.encode("utf-8") for name, text in texts.items()}
    for name, content in contents.items():
        files.write_bytes(folder / name, content)
    card = card.model_copy(update={"files": {name: _sha256(c) for name, c in contents.items()}})
    write_sealed(folder / MODEL_JSON, card)


def read_card(folder: Path) -> ModelCard:
    """Read and check `model.json`.

    Raises:
        ModelFolderError: there is no such folder or file, it is damaged or edited, or it was written by
            a later version.
    """
    if not folder.is_dir():
        raise ModelFolderError(f"{folder}: there is no such folder; expected a model folder")
    if not (folder / MODEL_JSON).exists():
        if (folder / CHECKPOINTS / RUN_JSON).exists():
            raise ModelFolderError(
                f"{folder}: this fit was not finished. Continue it with: {resume_command(folder)}"
            )
        raise ModelFolderError(f"{folder}: {MODEL_JSON} is missing, so this is not a model folder")
    return read_sealed(folder / MODEL_JSON, ModelCard)


def read_run(folder: Path) -> Run:
    """Read what an unfinished fit was asked to do. Raises `ModelFolderError`."""
    path = folder / CHECKPOINTS / RUN_JSON
    if not path.exists():
        finished = (folder / MODEL_JSON).exists()
        why = "this fit was finished" if finished else "no fit was begun in this folder"
        raise ModelFolderError(f"{folder}: {why}, so there is nothing to continue")
    return read_sealed(path, Run)


def read_weights_into(network: nn.Module, folder: Path, card: ModelCard) -> None:
    """Read the weights, check them against the card, and put them into `network`.

    Raises:
        ModelFolderError: they are missing, damaged, or do not fit the network that the card describes.
    """
    content = read_checked(folder, WEIGHTS, card)
    try:
        network.load_state_dict(safetensors.torch.load(content))
    except (SafetensorError, RuntimeError) as error:
        raise ModelFolderError(f"{folder / WEIGHTS}: does not fit {MODEL_JSON}: {error}") from error


def read_texts(folder: Path, card: ModelCard) -> dict[str, str]:
    """Read and check every file of the card but the weights, by name. Raises `ModelFolderError`."""
    return {name: read_checked(folder, name, card).decode("utf-8") for name in card.files if name != WEIGHTS}


def resume_command(folder: Path) -> str:
    """The command that continues a fit in `folder`."""
    return f"throughtime fit forecast --resume {shlex.quote(str(folder))}"


def remove_checkpoints(folder: Path) -> None:
    """Remove what only an unfinished fit needs."""
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)


def read_checked(folder: Path, name: str, card: ModelCard) -> bytes:
    """Read one file of the folder and check it against the card. Raises `ModelFolderError`."""
    try:
        content = (folder / name).read_bytes()
    except FileNotFoundError:
        raise ModelFolderError(
            f"{folder}: {name} is missing; copy the whole folder again, or fit the model anew"
        ) from None
    except OSError as error:
        raise ModelFolderError(f"{folder / name}: cannot be read: {error.strerror}") from error
    if name in card.files and _sha256(content) != card.files[name]:
        raise ModelFolderError(
            f"{folder / name}: {len(content):,} bytes that are not those written with {MODEL_JSON}: "
            "the file was truncated, edited or belongs to another model. Copy the whole folder again, or "
            "fit the model anew"
        )
    return content


def write_sealed(path: Path, model: BaseModel) -> None:
    """Write `model` as JSON that carries its own SHA-256. Raises `OutputError`."""
    body = model.model_dump(mode="json")
    files.write_text(path, json.dumps({"sha256": _seal(body), **body}, indent=2, allow_nan=False) + "\n")


def read_sealed(path: Path, model: type[ModelT]) -> ModelT:
    """Read what `write_sealed` wrote. Raises `ModelFolderError`."""
    try:
        body: dict[str, Any] = json.loads(path.read_bytes())
        seal = body.pop("sha256")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ModelFolderError(f"{path}: damaged: {error}. Copy it again, or fit the model anew") from error
    version = body.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise ModelFolderError(
            f"{path}: schema version {version}, this throughtime reads up to {SCHEMA_VERSION}. "
            "It was written by a later version: upgrade throughtime to read it"
        )
    if seal != _seal(body):
        raise ModelFolderError(
            f"{path}: changed since it was written (its checksum does not fit). Copy it again, or fit the "
            "model anew"
        )
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ModelFolderError(f"{path}: {place}: {first['msg']}") from error


def check_writable(folder: Path) -> None:
    """Find out before any work whether `folder` can be made and written. Raises `OutputError`."""
    probe = folder / ".probe"
    files.write_text(probe, "")
    try:
        probe.unlink()
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}") from error


def _seal(body: dict[str, Any]) -> str:
    return _sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode("utf-8"))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

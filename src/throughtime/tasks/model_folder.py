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
from typing import Any, Final, Literal, TypeVar

import safetensors.torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from torch import Tensor, nn

from throughtime import files
from throughtime.errors import ModelFolderError
from throughtime.tasks.task_settings import NetworkSettings

SCHEMA_VERSION: Final = 1
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
    """What a fit was asked to do: enough to continue it after it was killed. Each task has its settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = SCHEMA_VERSION
    task: str
    settings: NetworkSettings
    source: DataSource


class Card(BaseModel):
    """The part of a model card that all tasks share; a task's card is its run, this, and what it learnt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    throughtime_version: str
    created: str  # ISO 8601, UTC
    parameters: int
    stopped: str
    best_epoch: int | None
    files: dict[str, str]  # name: SHA-256


CardT = TypeVar("CardT", bound=Card)
RunT = TypeVar("RunT", bound=Run)


def write_model(folder: Path, card: Card, weights: dict[str, Tensor], texts: dict[str, str]) -> None:
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


def read_task(folder: Path) -> str:
    """Name of the task that a model folder was trained for. Raises `ModelFolderError` as `read_card`."""
    _check_model(folder)
    return str(_read_body(folder / MODEL_JSON).get("task"))


def read_report(folder: Path) -> str:
    """Read and check the page of a model of any task. Raises `ModelFolderError` as `read_card`."""
    _check_model(folder)
    files_of: dict[str, str] = _read_body(folder / MODEL_JSON)["files"]
    return read_checked(folder, REPORT, files_of).decode("utf-8")


def read_card(folder: Path, card: type[CardT]) -> CardT:
    """Read and check `model.json`.

    Raises:
        ModelFolderError: there is no such folder or file, it is damaged or edited, it was written by a
            later version, or the model is one of another task.
    """
    task, expected = read_task(folder), card.model_fields["task"].default
    if task != expected:
        raise ModelFolderError(
            f"{folder}: a model of the task {task!r}, expected one of the task {expected!r}; "
            "throughtime.load reads a model of any task"
        )
    return read_sealed(folder / MODEL_JSON, card)


def read_run(folder: Path, run: type[RunT]) -> RunT:
    """Read what an unfinished fit was asked to do. Raises `ModelFolderError`."""
    return read_sealed(_unfinished(folder), run)


def read_run_task(folder: Path) -> str:
    """Name of the task of an unfinished fit. Raises `ModelFolderError`."""
    return str(_read_body(_unfinished(folder)).get("task"))


def read_weights_into(network: nn.Module, folder: Path, card: Card) -> None:
    """Read the weights, check them against the card, and put them into `network`.

    Raises:
        ModelFolderError: they are missing, damaged, or do not fit the network that the card describes.
    """
    content = read_checked(folder, WEIGHTS, card.files)
    try:
        network.load_state_dict(safetensors.torch.load(content))
    except (SafetensorError, RuntimeError) as error:
        raise ModelFolderError(f"{folder / WEIGHTS}: does not fit {MODEL_JSON}: {error}") from error


def read_texts(folder: Path, card: Card) -> dict[str, str]:
    """Read and check every file of the card but the weights, by name. Raises `ModelFolderError`."""
    return {
        name: read_checked(folder, name, card.files).decode("utf-8") for name in card.files if name != WEIGHTS
    }


def resume_command(folder: Path, task: str) -> str:
    """The command that continues a fit in `folder`."""
    return f"throughtime fit {command_word(task)} --resume {shlex.quote(str(folder))}"


def command_word(task: str) -> str:
    """What stands after `throughtime fit`: several kinds may share a command, as generate-text "generate"."""
    return task.partition("-")[0]


def remove_checkpoints(folder: Path) -> None:
    """Remove what only an unfinished fit needs."""
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)


def read_checked(folder: Path, name: str, digests: dict[str, str]) -> bytes:
    """Read one file of the folder and check it against the card's digests. Raises `ModelFolderError`."""
    try:
        content = (folder / name).read_bytes()
    except FileNotFoundError:
        raise ModelFolderError(
            f"{folder}: {name} is missing; copy the whole folder again, or fit the model anew"
        ) from None
    except OSError as error:
        raise ModelFolderError(f"{folder / name}: cannot be read: {error.strerror}") from error
    if name in digests and _sha256(content) != digests[name]:
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
    body = _read_body(path)
    return parse(model, json.dumps(body), path)


def _unfinished(folder: Path) -> Path:
    path = folder / CHECKPOINTS / RUN_JSON
    if not path.exists():
        finished = (folder / MODEL_JSON).exists()
        why = "this fit was finished" if finished else "no fit was begun in this folder"
        raise ModelFolderError(f"{folder}: {why}, so there is nothing to continue")
    return path


def _check_model(folder: Path) -> None:
    if not folder.is_dir():
        raise ModelFolderError(f"{folder}: there is no such folder; expected a model folder")
    if not (folder / MODEL_JSON).exists():
        run = folder / CHECKPOINTS / RUN_JSON
        if run.exists():
            command = resume_command(folder, str(_read_body(run).get("task")))
            raise ModelFolderError(f"{folder}: this fit was not finished. Continue it with: {command}")
        raise ModelFolderError(f"{folder}: {MODEL_JSON} is missing, so this is not a model folder")


def _read_body(path: Path) -> dict[str, Any]:
    """Read sealed JSON and take its seal off. Raises `ModelFolderError`."""
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
    return body


def parse(model: type[ModelT], text: str, path: Path) -> ModelT:
    """Read JSON that fits `model`; `path` is named where it does not. Raises `ModelFolderError`."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ModelFolderError(
            f"{path}: {place}: {first['msg']}. It was written by another version of throughtime, or by "
            "another program; fit the model anew"
        ) from error


def _seal(body: dict[str, Any]) -> str:
    return _sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode("utf-8"))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

"""Commands that generate: `fit generate` and `generate`, for each kind of sequence.

A kind is a module such as `throughtime.cli.generate_text`, which holds what `Kind` lists. `fit generate`
finds the kind in what it is given to learn from, `generate` in the model folder; a new kind is a line in
`KINDS` and in `throughtime.tasks.load.TASKS`, as "generate-" and its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from cyclopts import Parameter
from pydantic import BaseModel

from throughtime.cli import generate_music, generate_text
from throughtime.cli.fitting import AsJson, Out, Quiet, Resume, network_groups, run_fit
from throughtime.cli.options import options_of, options_of_kinds
from throughtime.errors import ModelFolderError, SettingsError
from throughtime.tasks.load import check_task
from throughtime.tasks.model_folder import command_word, read_run_task
from throughtime.tasks.task_settings import NetworkSettings, TaskSettings

COMMAND = "generate"
MUSIC = (".json", ".mid", ".midi")  # endings of music, before .gz; so is a folder
NETWORK, TRAINING = network_groups(3)
GROUPS = {"network": NETWORK, "epochs": TRAINING}


class Kind(Protocol):
    """What the module of a kind holds."""

    @property
    def ESTIMATOR(self) -> type[Any]:  # noqa: N802
        """Learns from a source, as the estimator of any task."""

    @property
    def SAMPLING(self) -> type[TaskSettings]:  # noqa: N802
        """Options of `throughtime generate`."""

    @property
    def EXPECTED(self) -> str:  # noqa: N802
        """What `fit generate` needs, for the message when it is missing."""

    @property
    def show(self) -> Callable[[Any], None]:
        """Prints the figures for people."""

    @property
    def generate_with(self) -> Callable[..., int]:
        """Generates: (folder, options, *, out, as_json); options are fields of SAMPLING as typed."""


Kinds = Mapping[str, Kind]
KindName = Literal["auto", "text", "music"]

KINDS: Kinds = {"text": generate_text, "music": generate_music}


def fit_command(kinds: Kinds) -> Callable[..., int]:
    """`throughtime fit generate` with the options of these kinds."""
    settings: dict[str, type[BaseModel]] = {
        name: kind.ESTIMATOR.settings_class for name, kind in kinds.items()
    }

    @options_of_kinds(settings, NetworkSettings, GROUPS)
    def fit_generate(
        source: Annotated[
            str | None,
            Parameter(help="Text to learn from; or music: JSON, MIDI, or a folder of MIDI files."),
        ] = None,
        /,
        *,
        kind: Annotated[KindName, Parameter(help="What SOURCE is; auto goes by its name.")] = "auto",
        out: Out = None,
        resume: Resume = None,
        json: AsJson = False,
        quiet: Quiet = False,
        **options: Any,
    ) -> int:
        """Train a network that continues a text or a piece of music, and measure it beside baselines."""
        name = find_kind(kinds, kind, source, resume)
        chosen = kinds[name]
        return run_fit(
            COMMAND,
            chosen.ESTIMATOR,
            source,
            options_of(name, settings, options),
            out=out,
            resume=resume,
            as_json=json,
            quiet=quiet,
            expected=chosen.EXPECTED,
            show=chosen.show,
        )

    return fit_generate


def generate_command(kinds: Kinds) -> Callable[..., int]:
    """`throughtime generate` with the options of these kinds."""
    sampling: dict[str, type[BaseModel]] = {name: kind.SAMPLING for name, kind in kinds.items()}

    @options_of_kinds(sampling, TaskSettings, {})
    def generate(
        folder: Annotated[Path, Parameter(help="Folder of a model from `throughtime fit generate`.")],
        /,
        *,
        out: Annotated[Path | None, Parameter(help="File to write; left away, stdout for text.")] = None,
        json: AsJson = False,
        **options: Any,
    ) -> int:
        """Let a trained model go on: text as it comes, or music as a MIDI file."""
        command, _, name = check_task(folder).partition("-")
        if command != COMMAND or name not in kinds:
            raise ModelFolderError(
                f"{folder}: a model of the task {check_task(folder)!r}, which generates nothing; "
                "expected one that `throughtime fit generate` has made"
            )
        return kinds[name].generate_with(folder, options_of(name, sampling, options), out=out, as_json=json)

    return generate


def find_kind(kinds: Kinds, kind: KindName, source: str | None, resume: Path | None) -> str:
    """Which kind a fit is of: what --kind says, else what was begun in the folder, else what the source is.

    Raises:
        SettingsError: --kind is not that of the fit to go on with, or a kind that is not known here.
        ModelFolderError: there is nothing to go on with in `resume`.
    """
    found: str = kind
    if resume is not None:
        task = read_run_task(resume)
        found = task.removeprefix(f"{COMMAND}-")
        if command_word(task) != COMMAND or kind not in ("auto", found):
            raise SettingsError(
                f"{resume}: holds a fit of {task!r}; go on with: fit {command_word(task)} --resume"
            )
    elif kind == "auto":
        found = "music" if source is not None and is_music(Path(source)) else "text"
    if found not in kinds:
        raise SettingsError(
            f"{source or resume}: taken for {found}; known here: {', '.join(kinds)} (see --kind)"
        )
    return found


def is_music(source: Path) -> bool:
    """Whether a source is taken for music: a folder, or a JSON or MIDI file by its name."""
    return source.is_dir() or source.name.lower().removesuffix(".gz").endswith(MUSIC)


fit_generate = fit_command(KINDS)
generate = generate_command(KINDS)

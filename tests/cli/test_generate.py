"""How `fit generate` and `generate` find the kind of their source, with two kinds made up for it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cyclopts import App
from pydantic import BaseModel, Field

from throughtime.cli.generate import fit_command, generate_command, is_music
from throughtime.errors import ModelFolderError, SettingsError
from throughtime.tasks.model_folder import CHECKPOINTS, RUN_JSON, DataSource, Run, write_sealed
from throughtime.tasks.task_settings import NetworkSettings, Positive, TaskSettings
from throughtime.training import FitResult


class Text(NetworkSettings):
    hidden: Positive = Field(512, description="Hidden units.")
    lanes: Positive = Field(64, description="Streams.")
    mixed: int = Field(3, description="A whole number for text.")
    tied: bool = Field(False, description="A flag.")


class Music(NetworkSettings):
    hidden: Positive = Field(256, description="Hidden units.")
    transpose: bool = Field(False, description="Move up and down.")
    mixed: str = Field("three", description="A word for music.")


class TextSampling(TaskSettings):
    length: Positive = Field(500, description="Characters.")
    prompt: str = Field("", description="Beginning.")


class MusicSampling(TaskSettings):
    length: Positive = Field(64, description="Steps.")


class Metrics(BaseModel):
    kind: str
    left_out: dict[str, str] = {}


def kind(name: str, settings: type[NetworkSettings], sampling: type[TaskSettings], told: list[Any]) -> Any:
    class Fake:
        settings_class = settings
        fit_result_ = FitResult(history=[], best_epoch=0, stopped="finished")
        metrics_ = Metrics(kind=name)

        def __init__(self, **given: Any) -> None:
            told.append((name, given))

        def fit(self, data: Any, **_: Any) -> Any:
            return self

        @classmethod
        def resume(cls, folder: Path, data: Any, **_: Any) -> Any:
            told.append((name, "resumed"))
            return cls()

    def generate_with(folder: Path, options: dict[str, Any], *, out: Path | None, as_json: bool) -> int:
        told.append((name, options, out, as_json))
        return 0

    return SimpleNamespace(
        ESTIMATOR=Fake, SAMPLING=sampling, EXPECTED=f"some {name}", show=print, generate_with=generate_with
    )


@pytest.fixture
def told() -> list[Any]:
    return []


@pytest.fixture
def app(told: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.chdir(tmp_path)
    kinds = {
        "text": kind("text", Text, TextSampling, told),
        "music": kind("music", Music, MusicSampling, told),
    }
    app = App(result_action="return_value")
    app.command(fit_command(kinds), name="fit")
    app.command(generate_command(kinds), name="generate")
    return app


def call(app: App, *words: str) -> Any:
    return app(words, exit_on_error=False, print_error=False)


def test_what_is_taken_for_music(tmp_path: Path) -> None:
    names = ["a.json", "a.JSON.gz", "b.mid", "b.midi"]
    assert all(is_music(Path(name)) for name in [*names, str(tmp_path)])
    assert not any(is_music(Path(name)) for name in ["a.txt", "a.gz", "midi", "json.txt", "poem"])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["poem.txt"], ("text", {})),
        (["tunes.mid"], ("music", {})),
        (["chorales.json.gz", "--kind", "text"], ("text", {})),
        (["poem.txt", "--hidden", "8", "--clip-norm", "none"], ("text", {"hidden": 8, "clip_norm": None})),
        (["poem.txt", "--hidden", "512"], ("text", {})),
        (["tunes.mid", "--hidden", "512", "--transpose"], ("music", {"hidden": 512, "transpose": True})),
        (["poem.txt", "--mixed", "4"], ("text", {"mixed": "4"})),
        (["tunes.mid", "--mixed", "auto"], ("music", {"mixed": "auto"})),
        (["poem.txt", "--epochs", "auto", "--tied"], ("text", {"tied": True})),
    ],
)
def test_the_source_decides_and_each_kind_has_its_own_defaults(
    app: App, told: list[Any], words: list[str], expected: Any
) -> None:
    assert call(app, "fit", *words, "--quiet") == 0
    assert told == [expected]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["poem.txt", "--transpose"], "--transpose is an option for music, and this is text"),
        (["tunes.mid", "--lanes", "3"], "--lanes is an option for text, and this is music"),
        ([], "fit generate: expected some text"),
        (["--kind", "music"], "fit generate: expected some music"),
    ],
)
def test_what_does_not_fit_together(app: App, words: list[str], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        call(app, "fit", *words)


def test_a_fit_goes_on_as_the_kind_it_began_as(app: App, told: list[Any], tmp_path: Path) -> None:
    for task in ("generate-music", "forecast"):
        run = Run(task=task, source=DataSource(name="x", path=None, fingerprint=""), settings=Text())
        write_sealed(tmp_path / task / CHECKPOINTS / RUN_JSON, run)
    assert call(app, "fit", "--resume", "generate-music") == 0
    assert told[0] == ("music", "resumed")
    for words, says in (
        (["generate-music", "--kind", "text"], "holds a fit of 'generate-music'"),
        (["forecast"], "holds a fit of 'forecast'; go on with: fit forecast"),
    ):
        with pytest.raises(SettingsError, match=says):
            call(app, "fit", "--resume", *words)


def test_the_model_decides_what_is_generated(
    app: App, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = "generate-music"
    monkeypatch.setattr("throughtime.cli.generate.check_task", lambda folder: task)
    assert call(app, "generate", "model", "--length", "8", "--out", "tune.mid") == 0
    assert told == [("music", {"length": 8}, Path("tune.mid"), False)]
    with pytest.raises(SettingsError, match="--prompt is an option for text"):
        call(app, "generate", "model", "--prompt", "ROMEO:")
    task = "classify"
    with pytest.raises(ModelFolderError, match="'classify', which generates nothing"):
        call(app, "generate", "model")


def test_the_help_tells_the_kinds_apart(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    call(app, "fit", "--help")
    text = " ".join(capsys.readouterr().out.split())
    assert "text: 512; music: 256" in text
    assert all(heading in text for heading in ("For text ", "For music ", "For text and music ", "Network "))
    assert "--lanes INT Streams. [default: 64]" in text

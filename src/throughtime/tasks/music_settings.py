"""Everything a user may decide about a composer, with its default and what it means."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from throughtime.data.rolls import Grid
from throughtime.tasks.task_settings import NetworkSettings, Positive, SplitShares, TaskSettings


class MusicSettings(NetworkSettings):
    """Settings of one composer."""

    auto_updates: ClassVar[int] = 750
    auto_epochs: ClassVar[tuple[int, int]] = (10, 100)

    grid: Grid = Field("quarter", description="Length of a step; MIDI files are read on this grid.")
    split: SplitShares = Field(
        (0.8, 0.1, 0.1),
        description="Shares of training, validation and test pieces, where the data names no parts.",
    )
    transpose: int = Field(
        0,
        ge=0,
        le=60,
        description="Move each training piece by at most so many semitones, within the notes of training.",
    )

    hidden: Positive = Field(200, description="Hidden units of each layer.")
    dropout: float = Field(0.5, ge=0, lt=1, description="Share of block outputs dropped before the output.")
    input_dropout: float = Field(0.2, ge=0, lt=1, description="Share of the notes heard that are dropped.")
    epochs: Positive | Literal["auto"] = Field(
        "auto", description="Passes over the training part; auto: about 750 updates, in 10 to 100 passes."
    )
    batch_size: Positive = Field(8, description="Pieces in one update.")
    learning_rate: float = Field(1e-2, gt=0, description="Largest learning rate of the schedule.")


class MusicSampling(TaskSettings):
    """How `throughtime generate` makes music; see `Composer.compose`."""

    length: Positive = Field(64, description="Steps to make.")
    prompt: str | None = Field(None, description="File with a piece to go on from; it stands first.")
    temperature: float = Field(
        1.0, gt=0, allow_inf_nan=False, description="Below 1 surer and tamer, above 1 wilder."
    )
    most: Positive | None = Field(None, description="Let at most so many notes sound in a step.")
    threshold: float | None = Field(
        None, gt=0, lt=1, description="Instead of drawing, sound every note at least so likely."
    )
    seed: int | None = Field(None, ge=0, description="Seed of the draws; left away, another piece each time.")
    tempo: float | None = Field(
        None,
        ge=4,
        le=1000,
        description="Quarter notes a minute; left away, as the prompt or training.",
    )
    instrument: int = Field(
        0, ge=0, le=127, description="General MIDI program: 0 piano, 19 church organ, 52 choir."
    )
    one_track: bool = Field(False, description="All notes on one track instead of one for each voice.")

"""What a composer's run and model card hold beyond those of every task."""

from __future__ import annotations

from typing import Literal

from throughtime.tasks.model_folder import Card, Run
from throughtime.tasks.music_settings import MusicSettings

TASK: Literal["generate-music"] = "generate-music"


class MusicRun(Run):
    """What a composer's fit was asked to do.

    Attributes:
        settings: All of them.
    """

    task: Literal["generate-music"] = TASK
    settings: MusicSettings


class MusicCard(MusicRun, Card):
    """Everything but weights that a saved composer needs.

    Attributes:
        lowest: MIDI number of the first input and output.
        highest: Of the last.
        rates: How often each note sounds in training, from lowest to highest.
        tempo: Middle tempo of the training pieces, quarter notes a minute; None if they name none.
    """

    lowest: int
    highest: int
    rates: tuple[float, ...]
    tempo: float | None

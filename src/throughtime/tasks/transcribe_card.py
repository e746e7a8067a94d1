"""What a transcriber's run and model card hold beyond those of every task."""

from __future__ import annotations

from typing import Literal

from throughtime.tasks.model_folder import Card
from throughtime.tasks.sources import RunInParts
from throughtime.tasks.transcribe_settings import TranscribeSettings

TASK: Literal["transcribe"] = "transcribe"
SYMBOLS = "symbols.json"
LEXICON = "lexicon.json"


class TranscribeRun(RunInParts):
    """What a transcriber's fit was asked to do; `source` is the training data.

    Attributes:
        settings: All of them.
    """

    task: Literal["transcribe"] = TASK
    settings: TranscribeSettings


class TranscribeCard(TranscribeRun, Card):
    """Everything but weights and symbols that a saved transcriber needs.

    Attributes:
        sample_rate: Samples a second that sound is brought to.
        most_frequent: The transcript that training holds most of.
    """

    sample_rate: int
    most_frequent: str

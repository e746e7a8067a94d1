"""What a translator's run and model card hold beyond those of every task."""

from __future__ import annotations

from typing import Literal

from throughtime.tasks.model_folder import Card
from throughtime.tasks.sources import RunInParts
from throughtime.tasks.translate_settings import TranslateSettings

TASK: Literal["translate"] = "translate"
SOURCE_PIECES, TARGET_PIECES = "source_pieces.json", "target_pieces.json"


class TranslateRun(RunInParts):
    """What a translator's fit was asked to do; `source` is the training data.

    Attributes:
        settings: All of them.
        partners: File of the targets of each part (training, validation, test) that has one of its own.
    """

    task: Literal["translate"] = TASK
    settings: TranslateSettings
    partners: dict[str, str]


class TranslateCard(TranslateRun, Card):
    """Everything but weights and pieces that a saved translator needs."""

"""What the run and the model card of a generator of text hold beyond those of every task."""

from __future__ import annotations

from typing import Literal

from throughtime.tasks.generate_text_settings import TextSettings
from throughtime.tasks.model_folder import Card
from throughtime.tasks.sources import RunInParts

TASK: Literal["generate-text"] = "generate-text"
SYMBOLS = "symbols.json"


class TextRun(RunInParts):
    """What a fit was asked to do; `source` is the text.

    Attributes:
        settings: All of them.
    """

    task: Literal["generate-text"] = TASK
    settings: TextSettings


class TextCard(TextRun, Card):
    """Everything but weights and alphabet that a saved generator needs.

    Attributes:
        shares: Share of each character in the training part, in the order of the alphabet.
    """

    shares: tuple[float, ...]

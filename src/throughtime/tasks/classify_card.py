"""What a classifier's run and model card hold beyond those of every task."""

from __future__ import annotations

from typing import Literal

from throughtime.tasks.classify_encoders import Kind
from throughtime.tasks.classify_settings import ClassifySettings
from throughtime.tasks.model_folder import Card
from throughtime.tasks.sources import RunInParts

TASK: Literal["classify"] = "classify"


class ClassifyRun(RunInParts):
    """What a classifier's fit was asked to do; `source` is the training data.

    Attributes:
        settings: All of them.
        kind: What was found to be classed.
    """

    task: Literal["classify"] = TASK
    kind: Kind
    settings: ClassifySettings


class ClassifyCard(ClassifyRun, Card):
    """Everything but weights and encoder that a saved classifier needs.

    Attributes:
        classes: Labels in the order of the outputs.
        shares: Share of each class in the training part.
        temperature: What the logarithms of the probabilities are divided by.
    """

    classes: tuple[str, ...]
    shares: tuple[float, ...]
    temperature: float

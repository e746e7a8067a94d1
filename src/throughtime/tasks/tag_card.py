"""What a tagger's run and model card hold beyond those of every task."""

from __future__ import annotations

from typing import Literal

from throughtime.tasks.model_folder import Card, DataSource
from throughtime.tasks.sources import RunInParts
from throughtime.tasks.tag_settings import TagSettings

TASK: Literal["tag"] = "tag"
VOCABULARY = "vocabulary.json"


class TagRun(RunInParts):
    """What a tagger's fit was asked to do; `source` is the training data.

    Attributes:
        settings: All of them.
        vectors: Where pretrained word vectors came from, if any.
    """

    task: Literal["tag"] = TASK
    settings: TagSettings
    vectors: DataSource | None = None


class TagCard(TagRun, Card):
    """Everything but weights and vocabulary that a saved tagger needs.

    Attributes:
        classes: Of the spans; the tags are O, and B- and I- of each in this order.
        offset: What is added to the scores of every B-, found on the validation part.
        vector_size: Length of a pretrained vector; 0 where there are none.
    """

    classes: tuple[str, ...]
    offset: float
    vector_size: int

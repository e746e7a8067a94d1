"""What a classifier keeps of its training data: how a text or a sequence becomes what the network reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
from pydantic import ValidationError
from torch import Tensor

from throughtime.data import Channels, Repair, Words
from throughtime.data.sequences import Floats
from throughtime.data.table import counted
from throughtime.tasks.classify_settings import ClassifySettings

Kind = Literal["text", "numbers"]


class TextEncoder:
    """Texts as numbers of words.

    Args:
        words: The vocabulary.
    """

    kind: Kind = "text"
    noun = "text"
    file = "tokenizer.json"

    def __init__(self, words: Words) -> None:
        self.words = words

    @classmethod
    def learn(cls, texts: Sequence[str], settings: ClassifySettings) -> Self:
        """Know the words of the training texts."""
        return cls(
            Words.learn(
                texts,
                min_count=settings.min_count,
                most=settings.max_words,
                lower=not settings.keep_case,
            )
        )

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what `to_json` gave. Raises `ValueError`."""
        return cls(Words.read(text))

    def to_json(self) -> str:
        """The vocabulary."""
        return self.words.to_json()

    @property
    def known(self) -> str:
        """How much it knows, in words."""
        return counted(len(self.words), "word")

    def inputs(self, texts: Sequence[str]) -> list[Tensor]:
        """Numbers of the words of each text, (T,) long, T at least 1."""
        return self.words.number(texts)

    def repairs(self, texts: Sequence[str]) -> list[Repair]:
        """What `inputs` changes of these texts: nothing."""
        return []


class NumberEncoder:
    """Sequences of numbers, filled and scaled.

    Args:
        channels: Names and scale of the values of a step.
    """

    kind: Kind = "numbers"
    noun = "sequence"
    file = "channels.json"

    def __init__(self, channels: Channels) -> None:
        self.channels = channels

    @classmethod
    def learn(cls, sequences: Sequence[Floats], names: Sequence[str]) -> Self:
        """Know the scale of the training sequences, whose channels have these names."""
        return cls(Channels.learn(sequences, names))

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what `to_json` gave. Raises `ValueError`."""
        try:
            return cls(Channels.model_validate_json(text))
        except ValidationError as error:
            raise ValueError(f"not the channels of a classifier: {error.errors()[0]['msg']}") from error

    def to_json(self) -> str:
        """Names and scale."""
        return self.channels.model_dump_json(indent=2) + "\n"

    @property
    def known(self) -> str:
        """How much it knows, in words."""
        return counted(len(self.channels.names), "channel")

    def inputs(self, sequences: Sequence[Floats]) -> list[Tensor]:
        """Each sequence filled and scaled, (T, I) float32."""
        return self.channels.scale(sequences)

    @staticmethod
    def missing(sequence: Floats) -> int:
        """How many values of a sequence are missing or infinite."""
        return int((~np.isfinite(sequence)).sum())

    def repairs(self, sequences: Sequence[Floats]) -> list[Repair]:
        """What `inputs` fills in these sequences."""
        missing = [self.missing(one) for one in sequences]
        count, total = sum(missing), sum(one.size for one in sequences)
        found = []
        if count:
            text = (
                f"{counted(count, 'missing value')} of {total:,} in "
                f"{counted(sum(map(bool, missing)), 'sequence')} filled with the last one before, or the "
                "first after at a beginning; a channel without any value with its training mean."
            )
            found.append(Repair(kind="missing", count=count, text=text))
        flat = [n for n, std in zip(self.channels.names, self.channels.std, strict=True) if not std]
        if flat:
            text = f"Never changing in training, so of no use: {', '.join(flat)}."
            found.append(Repair(kind="constant", count=len(flat), text=text))
        return found


Encoder = TextEncoder | NumberEncoder

ENCODERS: dict[Kind, type[TextEncoder] | type[NumberEncoder]] = {
    "text": TextEncoder,
    "numbers": NumberEncoder,
}

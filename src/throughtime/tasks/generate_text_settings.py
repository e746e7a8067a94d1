"""Everything a user may decide about a generator of text, with its default and what it means."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from throughtime.data.byte_pieces import BYTES
from throughtime.tasks.task_settings import (
    NetworkSettings,
    Positive,
    SplitSharesTestOptional,
    TaskSettings,
)

Unit = Literal["character", "word", "bpe"]


class TextSettings(NetworkSettings):
    """Settings of one generator of text."""

    auto_updates: ClassVar[int] = 3_750
    auto_epochs: ClassVar[tuple[int, int]] = (2, 60)

    validation: str | None = Field(None, description="File to choose the best epoch on; else split off.")
    test: str | None = Field(None, description="File to measure on at the end; else split off.")
    split: SplitSharesTestOptional = Field(
        (0.9, 0.1, 0.0),
        description="Shares of training, validation and test, in the order of the text; test may be 0.",
    )

    unit: Unit = Field("character", description="What is read and foreseen in one step.")
    vocabulary: int | None = Field(
        None,
        gt=BYTES,
        description="Words or byte-pair pieces at most, the 256 bytes among them; none: 10,000 or 1,000.",
    )

    hidden: Positive = Field(384, description="Hidden units of each layer.")
    embedding: Positive = Field(64, description="Length of the vector of a character or piece.")
    tied: bool = Field(False, description="The head's weights are the vectors of the characters or pieces.")
    dropout: float = Field(0.3, ge=0, lt=1, description="Share of outputs dropped, after each layer.")
    input_dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of these vectors' entries dropped, the same all along a batch.",
    )
    epochs: Positive | Literal["auto"] = Field(
        "auto", description="Passes over the training part; auto: about 3,750 updates, in 2 to 60 passes."
    )
    batch_size: Positive = Field(32, description="Streams that the text is cut into, read side by side.")
    steps: Positive = Field(
        100,
        description="Units of a stream in one update; errors run back over them, the state runs on.",
    )
    learning_rate: float = Field(5e-3, gt=0, description="Largest learning rate of the schedule.")

    @model_validator(mode="after")
    def _vocabulary_is_of_pieces(self) -> Self:
        if self.vocabulary is not None and self.unit == "character":
            raise ValueError(
                "vocabulary belongs to unit 'word' or 'bpe'; every character of training is known"
            )
        return self


class TextSampling(TaskSettings):
    """How a text is continued."""

    prompt: str = Field(
        "",
        description="What to go on from; - reads standard input.",
        json_schema_extra={"hyphen": True},
    )
    length: Positive = Field(500, description="Characters to generate; a last piece is not cut.")
    temperature: float = Field(
        1.0,
        ge=0,
        allow_inf_nan=False,
        description="Below 1 likely characters become likelier; 0 always takes the likeliest.",
    )
    top_p: float | None = Field(
        None, gt=0, le=1, description="Draw only from the likeliest that make up this share."
    )
    top_k: Positive | None = Field(None, description="Draw only from so many of the likeliest.")
    seed: int = Field(0, ge=0, description="Seed of the draws.")

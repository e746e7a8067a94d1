"""Everything a user may decide about a translator, with its default and what it means."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from throughtime.tasks.task_settings import NetworkSettings, Positive, SplitShares


class TranslateSettings(NetworkSettings):
    """Settings of one translator."""

    auto_updates: ClassVar[int] = 2_700
    auto_epochs: ClassVar[tuple[int, int]] = (6, 60)

    source: str | None = Field(None, description="Column of the sources in a table; else the first of two.")
    target: str | None = Field(None, description="Column of the targets in a table; else the other of two.")
    validation: tuple[str, ...] | None = Field(
        None, description="Pairs to choose the best epoch on, SOURCE,TARGET or a table; else split off."
    )
    test: tuple[str, ...] | None = Field(
        None, description="Pairs to measure on, SOURCE,TARGET or a table; else split off."
    )
    split: SplitShares = Field(
        (0.9, 0.05, 0.05),
        description="Shares of training, validation and test pairs, where there is no file for them.",
    )
    source_pieces: int = Field(5_000, ge=8, description="Pieces of source words known at most.")
    target_pieces: int = Field(4_000, ge=8, description="Pieces of target words known at most.")
    longest: Positive = Field(100, description="Longer training sentences, in pieces, are left out.")

    attention: Literal["dot", "additive", "none"] = Field(
        "dot", description="How the decoder looks at the source; none: it has the last states alone."
    )
    hidden: Positive = Field(256, description="Hidden units of each layer, in the encoder of each direction.")
    embedding: Positive = Field(256, description="Length of a piece's vector.")
    dropout: float = Field(0.3, ge=0, lt=1, description="Share of vectors and outputs dropped in training.")
    word_dropout: float = Field(
        0.1, ge=0, lt=1, description="Share of pieces read as unknown in training, on both sides."
    )
    label_smoothing: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share of the target's probability given to all pieces alike in training.",
    )
    teacher_forcing: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Share of true pieces fed to the decoder in the last epoch; from 1 in equal steps.",
    )
    beam: Positive = Field(5, description="Translations followed side by side; 1: greedy.")
    length_penalty: float = Field(1.0, ge=0, description="How much longer translations are favoured.")
    epochs: Positive | Literal["auto"] = Field(
        "auto", description="Passes over the training part; auto: about 2,700 updates, in 6 to 60 passes."
    )
    batch_size: Positive = Field(64, description="Pairs in one update.")
    learning_rate: float = Field(2e-3, gt=0, description="Largest learning rate of the schedule.")

    @field_validator("validation", "test", mode="before")
    @classmethod
    def _places(cls, value: Any) -> Any:
        return tuple(value.split(",")) if isinstance(value, str) else value

    @field_validator("validation", "test")
    @classmethod
    def _one_or_two(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and len(value) not in (1, 2):
            raise ValueError(f"expected SOURCE,TARGET or one table, got {len(value)} places")
        return value

    def truth_by_epoch(self, epochs: int) -> tuple[float, ...]:
        """Share of true pieces fed to the decoder, by epoch: from 1 to `teacher_forcing` in equal steps."""
        steps = max(epochs - 1, 1)
        return tuple(1 - (1 - self.teacher_forcing) * step / steps for step in range(epochs))

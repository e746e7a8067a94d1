"""Everything a user may decide about a tagger, with its default and what it means."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from throughtime.tasks.task_settings import NetworkSettings, Positive, SplitShares

MOST_FOLDS = 3  # of the validation part


class TagSettings(NetworkSettings):
    """Settings of one tagger of sentences."""

    auto_updates: ClassVar[int] = 1_500
    auto_epochs: ClassVar[tuple[int, int]] = (4, 40)

    validation: str | None = Field(
        None,
        description="File to choose epoch and offset by, and to learn from (see members); else split off.",
    )
    test: str | None = Field(None, description="File to measure on; else split off.")
    split: SplitShares = Field(
        (0.8, 0.1, 0.1),
        description="Shares of training, validation and test sentences, where there is no file for them.",
    )
    token_column: int = Field(1, description="Column of the token, from 1; negative from the last.")
    tag_column: int = Field(-1, description="Column of the tag, from 1; negative from the last.")
    repair_tags: bool = Field(False, description="Read an I- without its B- as the B- that is missing.")
    cut_at: Literal["signs", "blanks"] = Field(
        "signs", description="How `predict` cuts a line into tokens: at signs too, or at blanks alone."
    )
    min_count: Positive = Field(2, description="Times a word must occur in training to be known.")
    max_words: Positive = Field(50_000, description="Words known at most, the most frequent first.")
    keep_case: bool = Field(False, description="Tell Good from good in word vectors, not in shapes alone.")
    vectors: str | None = Field(None, description="File of word vectors, as word2vec or GloVe write text.")
    more_vectors: int = Field(
        50_000, ge=0, description="Words kept from the beginning of that file beside those of the data."
    )

    hidden: Positive = Field(100, description="Hidden units of each layer and direction.")
    embedding: Positive = Field(50, description="Length of a word vector.")
    word_vectors: Literal["cooccurrence", "random"] = Field(
        "cooccurrence",
        description="What word vectors start from: the neighbours of a word, or chance.",
    )
    character_size: Positive = Field(25, description="Length of a character's vector.")
    character_filters: Positive = Field(50, description="Filters over three characters.")
    max_characters: int = Field(20, ge=2, description="Characters of a word that are read: both its ends.")
    members: Positive = Field(
        6,
        description="Networks that learn side by side and are averaged; each learns from the validation part "
        "too, but for the share it judges.",
    )
    dropout: float = Field(0.5, ge=0, lt=1, description="Share of recurrent outputs dropped.")
    input_dropout: float = Field(
        0.3,
        ge=0,
        lt=1,
        description="Share of the inputs' entries dropped, the same all along a sentence.",
    )
    word_dropout: float = Field(0.5, ge=0, lt=1, description="Share of words replaced by the unknown word.")
    character_dropout: float = Field(0.1, ge=0, lt=1, description="Share of the characters' values dropped.")
    epochs: Positive | Literal["auto"] = Field(
        "auto", description="Passes over the training part; auto: about 1,500 updates, in 4 to 40 passes."
    )
    batch_size: Positive = Field(32, description="Sentences in one update.")
    learning_rate: float = Field(6e-3, gt=0, description="Largest learning rate of the schedule.")

    @property
    def folds(self) -> int:
        """F, shares of the validation part: member m holds out share m mod F and learns from the others."""
        return min(self.members, MOST_FOLDS)

    @field_validator("token_column", "tag_column")
    @classmethod
    def _no_column_0(cls, column: int) -> int:
        if column == 0:
            raise ValueError("columns are counted from 1, or from the last with -1")
        return column

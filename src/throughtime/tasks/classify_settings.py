"""Everything a user may decide about a classifier, with its default and what it means."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from throughtime.tasks.task_settings import NetworkSettings, Positive, SplitShares


class ClassifySettings(NetworkSettings):
    """Settings of one classifier of texts or of sequences of numbers."""

    auto_updates: ClassVar[int] = 800
    auto_epochs: ClassVar[tuple[int, int]] = (4, 40)

    kind: Literal["auto", "text", "numbers"] = Field(
        "auto", description="Texts, or sequences of numbers; found out if left away."
    )
    label: str | None = Field(None, description="Column or key of the labels; found out if left away.")
    validation: str | None = Field(None, description="File to choose the best epoch on; else split off.")
    test: str | None = Field(None, description="File to measure on; else split off.")
    split: SplitShares = Field(
        (0.8, 0.1, 0.1),
        description="Shares of training, validation and test part, where there is no file for them.",
    )

    text: str | None = Field(None, description="Column or key of the texts; found out if left away.")
    layout: Literal["auto", "table", "jsonl", "label-first"] = Field(
        "auto", description="CSV or TSV with a header, JSON objects, or a label, a space and the text a line."
    )
    min_count: Positive = Field(2, description="Times a word must occur in training to be known.")
    max_words: Positive = Field(50_000, description="Words known at most, the most frequent first.")
    keep_case: bool = Field(False, description="Tell Good from good.")

    sequence: str | None = Field(
        None, description="Column that tells the sequences of a table apart; found out if left away."
    )
    step: str | None = Field(
        None,
        description="Column of steps or times to sort the rows of a sequence by; found out if left away.",
    )
    features: tuple[str, ...] | Literal["auto"] = Field(
        "auto", description="Columns or channels to read; auto: all that hold numbers."
    )

    hidden: Positive = Field(64, description="Hidden units of each layer and direction.")
    embedding: Positive = Field(100, description="Length of a word vector.")
    word_vectors: Literal["cooccurrence", "random"] = Field(
        "cooccurrence",
        description="What word vectors start from: the neighbours of a word, or chance.",
    )
    members: Positive = Field(5, description="Networks that learn side by side and are averaged.")
    dropout: float = Field(0.5, ge=0, lt=1, description="Share of pooled values dropped before the output.")
    input_dropout: Annotated[float, Field(ge=0, lt=1)] | Literal["auto"] = Field(
        "auto",
        description="Share of word vectors' entries, or of channels, dropped, the same ones all along; "
        "auto: 0.3 of texts, 0 of numbers.",
    )
    word_dropout: float = Field(0.2, ge=0, lt=1, description="Share of words replaced by the unknown word.")
    epochs: Positive | Literal["auto"] = Field(
        "auto", description="Passes over the training part; auto: about 800 updates, in 4 to 40 passes."
    )
    batch_size: Positive = Field(64, description="Texts or sequences in one update.")
    learning_rate: float = Field(2e-3, gt=0, description="Largest learning rate of the schedule.")

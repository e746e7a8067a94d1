"""Everything a user may decide about a transcriber, with its default and what it means."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from throughtime.data import Augmentation, LogMel
from throughtime.errors import SettingsError
from throughtime.tasks.task_settings import NetworkSettings, Positive, SplitShares


class TranscribeSettings(NetworkSettings):
    """Settings of one transcriber of speech."""

    auto_updates: ClassVar[int] = 1_600
    auto_epochs: ClassVar[tuple[int, int]] = (8, 60)

    file: str | None = Field(None, description="Column of the file names; found out if left away.")
    text: str | None = Field(None, description="Column of the transcripts; found out if left away.")
    validation: str | None = Field(
        None, description="Folder or table to choose the best epoch on; else split off."
    )
    test: str | None = Field(None, description="Folder or table to measure on; else split off.")
    split: SplitShares = Field(
        (0.8, 0.1, 0.1),
        description="Shares of training, validation and test recordings, where nothing is given for them.",
    )
    on_bad_audio: Literal["error", "leave-out"] = Field(
        "error", description="A recording that cannot be used: stop, or leave it out and count it."
    )
    unit: Literal["character", "word"] = Field("character", description="What is written one by one.")
    keep_case: bool = Field(False, description="Tell A from a.")

    rate: Positive | None = Field(
        None, description="Samples a second; left away, that of most training recordings."
    )
    bands: Positive = Field(40, description="Mel bands of a frame.")
    window: float = Field(25.0, gt=0, le=200, description="Milliseconds that a frame looks at.")
    hop: float = Field(10.0, gt=0, le=100, description="Milliseconds from frame to frame.")
    stack: Positive = Field(3, description="Frames put together to one step of the network.")
    tempo: float = Field(
        0.1, ge=0, lt=1, description="Learnt from up to this share longer or shorter, drawn anew each time."
    )
    time_mask: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Twice a stretch of at most this share of the time is hidden in training.",
    )
    band_mask: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Twice a group of at most this share of the bands is hidden in training.",
    )

    hidden: Positive = Field(128, description="Hidden units of each layer and direction.")
    layers: Positive = Field(2, description="Recurrent layers, one on top of the other.")
    dropout: float = Field(0.3, ge=0, lt=1, description="Share of the layers' outputs dropped in training.")
    decoder: Literal["auto", "words", "beam", "greedy"] = Field(
        "auto",
        description="How answers are found: by a search over texts of known words (words) or over any text "
        "(beam), whichever has fewer word errors on validation (auto); or symbol by symbol (greedy).",
    )
    lexicon: str | None = Field(
        None,
        description="File with the known words, one on each line; else those of the training transcripts.",
    )
    beam_width: Positive = Field(16, description="Beginnings that the beam search keeps.")
    epochs: Positive | Literal["auto"] = Field(
        "auto", description="Passes over the training part; auto: about 1,600 updates, in 8 to 60 passes."
    )
    batch_size: Positive = Field(32, description="Recordings in one update.")
    learning_rate: float = Field(4e-3, gt=0, description="Largest learning rate of the schedule.")

    @model_validator(mode="after")
    def _words_where_they_are_spelled(self) -> Self:
        asked = [
            name
            for name, given in (("decoder=words", self.decoder == "words"), ("lexicon", self.lexicon))
            if given
        ]
        if asked and self.unit == "word":
            raise ValueError(
                f"{asked[0]} needs unit=character; with unit=word no other words are ever answered"
            )
        if self.lexicon is not None and self.decoder in ("beam", "greedy"):
            raise ValueError(f"lexicon is not used with decoder={self.decoder}; leave away one of them")
        return self

    def features(self, rate: int) -> LogMel:
        """How sound at `rate` becomes features. Raises `SettingsError` if it cannot."""
        try:
            return LogMel(rate, bands=self.bands, window=self.window / 1000, hop=self.hop / 1000)
        except ValueError as error:
            raise SettingsError(str(error)) from error

    def augmentation(self) -> Augmentation:
        """How features are changed in training."""
        return Augmentation(tempo=self.tempo, time_share=self.time_mask, band_share=self.band_mask)

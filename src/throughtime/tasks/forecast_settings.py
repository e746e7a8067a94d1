"""Everything a user may decide about a forecast, with its default and what it means.

The command line shows these descriptions as its help; `Forecaster` takes the same names.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from throughtime.data import PrepareSettings, parse_duration
from throughtime.nn import LSTM, RNN
from throughtime.tasks.task_settings import Positive, TaskSettings
from throughtime.training import FitSettings

AUTO_UPDATES = 1_000
AUTO_EPOCHS = 8, 40  # at least, at most


class ForecastSettings(TaskSettings):
    """Settings of one forecast. Durations are text such as "5d", "24h", "10min"."""

    target: str = Field(description="Column to forecast.")
    unit: str | None = Field(None, description="Unit of the target; found in a name such as 'T (degC)'.")
    history: str = Field("5d", description="How far back the network looks, e.g. 5d.")
    horizon: str = Field("24h", description="How far ahead the forecast reaches, e.g. 24h.")
    every: str | None = Field(None, description="Time between rows; coarser than the data averages it.")
    steps: Literal["all", "last"] = Field(
        "all", description="Forecast the whole path up to the horizon, or only the value at its end."
    )
    split: tuple[float, float, float] = Field(
        (0.7, 0.15, 0.15), description="Shares of training, validation and test rows, in order of time."
    )

    time: str | None = Field(None, description="Time column; found out by itself if left away.")
    time_zone: str | None = Field(None, description="Zone of times written without one, e.g. Europe/Berlin.")
    where: dict[str, str] = Field(default_factory=dict, description="Keep only rows with COLUMN=VALUE.")
    columns: tuple[str, ...] | None = Field(None, description="Use only these columns as inputs.")
    ignore: tuple[str, ...] = Field((), description="Columns to leave out.")
    max_gap: str | None = Field(None, description="Longest gap that is filled, e.g. 6h; default 6 rows.")
    keep_sentinels: bool = Field(False, description="Believe values such as -9999.")
    on_bad_value: Literal["error", "missing"] = Field(
        "error", description="Text in a column of numbers: stop, or treat it as missing."
    )
    angles: tuple[str, ...] | Literal["auto"] = Field(
        "auto", description="Columns in degrees that become sine and cosine."
    )
    time_features: bool | Literal["auto"] = Field(
        "auto", description="Time of day and of year as sine and cosine."
    )

    network: Literal["lstm", "rnn"] = Field("lstm", description="Recurrent cell.")
    variant: str = Field("vanilla", description="LSTM variant: NIG NFG NOG NIAF NOAF CIFG NP FGR, or A+B.")
    peepholes: bool = Field(False, description="Let the gates see the cell.")
    nonlinearity: Literal["tanh", "relu", "logistic", "identity"] = Field(
        "tanh", description="Nonlinearity of the simple RNN."
    )
    hidden: Positive = Field(24, description="Hidden units of each layer.")
    layers: Positive = Field(1, description="Recurrent layers, one on top of the other.")
    dropout: float = Field(0.3, ge=0, lt=1, description="Share of hidden units dropped before the output.")
    backend: str = Field("auto", description="Kernel that runs the recurrent layers.")

    epochs: Positive | Literal["auto"] = Field(
        "auto", description="Passes over the training part; auto: about 1,000 updates, in 8 to 40 passes."
    )
    batch_size: Positive = Field(128, description="Windows in one update.")
    optimizer: Literal["adam", "adamw", "sgd"] = Field("adam", description="How gradients become updates.")
    learning_rate: float = Field(3e-3, gt=0, description="Largest learning rate of the schedule.")
    schedule: Literal["one-cycle", "constant", "cosine", "plateau"] = Field(
        "one-cycle", description="How the learning rate changes."
    )
    weight_decay: float = Field(0.0, ge=0, description="Pull of the weights towards zero.")
    clip_norm: float | None = Field(1.0, gt=0, description="Largest norm of the gradient.")
    clip_value: float | None = Field(None, gt=0, description="Largest size of one gradient entry.")
    patience: Positive | None = Field(None, description="Stop after this many epochs without improvement.")
    truncate: tuple[int, int] | None = Field(
        None, description="K1,K2: truncated BPTT on the series itself, update every K1 steps, back over K2."
    )
    lanes: Positive = Field(16, description="Stretches of the series that run side by side with truncate.")
    seed: int = Field(0, ge=0, description="Seed of weights, dropout and batch order.")

    @field_validator("split")
    @classmethod
    def _adds_up(cls, split: tuple[float, float, float]) -> tuple[float, float, float]:
        if min(split) <= 0 or abs(sum(split) - 1) > 1e-6:
            raise ValueError(f"expected three shares above 0 that add up to 1, got {split}")
        return split

    @field_validator("history", "horizon", "every", "max_gap")
    @classmethod
    def _is_duration(cls, text: str | None) -> str | None:
        if text is not None:
            parse_duration(text)
        return text

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.network == "rnn" and (self.peepholes or self.variant.lower() != "vanilla"):
            raise ValueError("peepholes and variants belong to network 'lstm'; the simple RNN has no gates")
        if self.network == "lstm" and self.nonlinearity != "tanh":
            raise ValueError("nonlinearity belongs to network 'rnn'; see variants NIAF and NOAF for the LSTM")
        if self.network == "lstm":
            LSTM(1, 1, variant=self.variant, peepholes=self.peepholes, backend=self.backend, device="meta")
        else:
            RNN(1, 1, nonlinearity=self.nonlinearity, backend=self.backend, device="meta")
        self.fit_settings(1)
        return self

    def prepare_settings(self) -> PrepareSettings:
        """The part that concerns the table."""
        return PrepareSettings(**{name: getattr(self, name) for name in PrepareSettings.model_fields})

    def fit_settings(self, batches: int) -> FitSettings:
        """The part that concerns the training loop, for `batches` updates in an epoch."""
        values = {name: getattr(self, name) for name in FitSettings.model_fields if hasattr(self, name)}
        if self.epochs == "auto":
            values["epochs"] = min(max(round(AUTO_UPDATES / batches), AUTO_EPOCHS[0]), AUTO_EPOCHS[1])
        return FitSettings(**values)

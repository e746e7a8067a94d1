"""Settings of a task: everything a user may decide, with its default and what it means.

The command line shows the descriptions as its help; the task's estimator takes the same names.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from throughtime.errors import SettingsError
from throughtime.nn import LSTM, RNN
from throughtime.training import FitSettings

Positive = Annotated[int, Field(ge=1)]


Shares = tuple[float, float, float]


def _add_up(split: Shares, *, test_may_be_0: bool = False) -> Shares:
    needed = split[:2] if test_may_be_0 else split
    if not (min(needed) > 0 and min(split) >= 0 and abs(sum(split) - 1) <= 1e-6):
        but = " (the last may be 0)" if test_may_be_0 else ""
        raise ValueError(f"expected three shares above 0{but} that add up to 1")
    return split


SplitShares = Annotated[Shares, AfterValidator(_add_up)]
"""Shares of training, validation and test part."""
SplitSharesTestOptional = Annotated[Shares, AfterValidator(partial(_add_up, test_may_be_0=True))]
"""The same where there need not be a test part."""


class TaskSettings(BaseModel):
    """What the settings of all tasks can do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def checked(cls, **values: Any) -> Self:
        """The settings with these values. Raises `SettingsError` naming the one at fault."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise SettingsError(_in_words(error)) from error

    @classmethod
    def names(cls) -> list[str]:
        """Every setting, those without a default first."""
        return sorted(cls.model_fields, key=lambda name: not cls.model_fields[name].is_required())

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """The default of each setting that has one."""
        return {
            name: field.get_default(call_default_factory=True)
            for name, field in cls.model_fields.items()
            if not field.is_required()
        }


class NetworkSettings(TaskSettings):
    """Settings of a task that trains recurrent layers: the layers, and how the loop trains them.

    A task adds its own, and may give another default to one of these.

    Attributes:
        auto_updates: About how many updates a fit makes with epochs="auto" ...
        auto_epochs: ... in how many epochs, at least and at most.
    """

    auto_updates: ClassVar[int] = 1_000
    auto_epochs: ClassVar[tuple[int, int]] = (8, 40)

    network: Literal["lstm", "rnn"] = Field("lstm", description="Recurrent cell.")
    variant: str = Field("vanilla", description="LSTM variant: NIG NFG NOG NIAF NOAF CIFG NP FGR, or A+B.")
    peepholes: bool = Field(False, description="Let the gates see the cell.")
    nonlinearity: Literal["tanh", "relu", "logistic", "identity"] = Field(
        "tanh", description="Nonlinearity of the simple RNN."
    )
    hidden: Positive = Field(24, description="Hidden units of each layer.")
    layers: Positive = Field(1, description="Recurrent layers, one on top of the other.")
    layer_norm: bool = Field(False, description="Normalise rows within the cell.")
    zoneout: float = Field(0.0, ge=0, le=1, description="Probability with which a state stays for a step.")
    recurrent_dropout: float = Field(
        0.0, ge=0, lt=1, description="Share of y(t-1) hidden from the recurrent weights, by sequence."
    )
    backend: str = Field("auto", description="Kernel that runs the recurrent layers.")

    epochs: Positive | Literal["auto"] = Field(
        "auto", description="Passes over the training part; auto: about 1,000 updates, in 8 to 40 passes."
    )
    batch_size: Positive = Field(128, description="Sequences in one update.")
    optimizer: Literal["adam", "adamw", "sgd"] = Field("adam", description="How gradients become updates.")
    learning_rate: float = Field(3e-3, gt=0, description="Largest learning rate of the schedule.")
    schedule: Literal["one-cycle", "constant", "cosine", "plateau"] = Field(
        "one-cycle", description="How the learning rate changes."
    )
    weight_decay: float = Field(0.0, ge=0, description="Pull of the weights towards zero.")
    clip_norm: float | None = Field(1.0, gt=0, description="Largest norm of the gradient.")
    clip_value: float | None = Field(None, gt=0, description="Largest size of one gradient entry.")
    patience: Positive | None = Field(None, description="Stop after this many epochs without improvement.")
    seed: int = Field(0, ge=0, description="Seed of weights, dropout and batch order.")

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

    def fit_settings(self, batches: int) -> FitSettings:
        """The part that concerns the training loop, for `batches` updates in an epoch."""
        values = {name: getattr(self, name) for name in FitSettings.model_fields if hasattr(self, name)}
        if self.epochs == "auto":
            values["epochs"] = min(
                max(round(self.auto_updates / batches), self.auto_epochs[0]), self.auto_epochs[1]
            )
        return FitSettings(**values)


def _in_words(error: ValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{name}: {message} (got {first['input']!r})" if name else message

"""How to train: every choice of a fit that changes its result, in one frozen record."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Finite = Annotated[float, Field(allow_inf_nan=False)]


class FitSettings(BaseModel):
    """Settings of `throughtime.training.fit`.

    Attributes:
        epochs: Passes over the training batches, at least 1.
        optimizer: "adam", "adamw" (weight decay apart from the gradient) or "sgd" (momentum 0.9).
        learning_rate: Largest rate the schedule reaches.
        schedule: "one-cycle" and "cosine" move with every update and know the last epoch from the
            start; "constant"; "plateau" halves the rate when validation stops improving.
        weight_decay: Strength of the pull of every parameter towards zero.
        clip_norm: Gradients longer than this, over all parameters together, are scaled down to it;
            None for no limit.
        clip_value: Each gradient element is held within ± this, before `clip_norm`; None for no limit.
        patience: Stop after this many epochs without a better validation loss; None: never.
        truncate: (k1, k2) for truncated back-propagation through time; None runs back over all steps.
        seed: Of every random draw made while training.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = 12
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: Finite = 3e-3
    schedule: Literal["one-cycle", "constant", "cosine", "plateau"] = "one-cycle"
    weight_decay: Finite = 0.0
    clip_norm: Finite | None = 1.0
    clip_value: Finite | None = None
    patience: int | None = None
    truncate: tuple[int, int] | None = None
    seed: int = 0

    @field_validator("epochs", "patience")
    @classmethod
    def _at_least_one(cls, value: int | None) -> int | None:
        if value is not None and value < 1:
            raise ValueError(f"must be a whole number of at least 1, got {value}")
        return value

    @field_validator("learning_rate", "clip_norm", "clip_value")
    @classmethod
    def _above_zero(cls, value: float | None) -> float | None:
        if value is not None and value <= 0:
            raise ValueError(f"must be above 0, got {value}")
        return value

    @field_validator("weight_decay", "seed")
    @classmethod
    def _not_negative(cls, value: float) -> float:
        if value < 0:
            raise ValueError(f"must be 0 or more, got {value}")
        return value

    @field_validator("truncate")
    @classmethod
    def _reaches_back_far_enough(cls, value: tuple[int, int] | None) -> tuple[int, int] | None:
        if value is not None and not 1 <= value[0] <= value[1]:
            k1, k2 = value
            raise ValueError(
                f"(k1, k2) = ({k1}, {k2}): an update comes every k1 steps and runs back over the last k2, "
                "so k1 must be at least 1 and k2 at least k1"
            )
        return value

"""Bias and variance in words: what the errors on both parts say, beside a baseline, and what to try.

Two ratios decide, both rules of thumb and no proof:

- high bias: the error on the training part is at least `BIAS_FROM` × the baseline's error. Even what
  it learnt from, the network hardly knows better than the baseline.
- high variance: the error on the validation part is more than `VARIANCE_ABOVE` × the training
  part's. Part of what it learnt holds for the training part alone.
"""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict

BIAS_FROM = 0.95
VARIANCE_ABOVE = 1.15

Verdict = Literal["high bias", "high variance", "both", "balanced"]

_AGAINST_BIAS = (
    "a larger network: --hidden twice as large, or one more of --layers",
    "longer training: more --epochs, or another --learning-rate",
    "more to go by: a longer --history, or further input columns",
    "less restraint: a smaller --dropout and --weight-decay",
)
_AGAINST_VARIANCE = (
    "more restraint: a larger --dropout or --weight-decay",
    "a smaller network: half of --hidden",
    "more training data, or a shorter --history with fewer inputs to fit by chance",
    "fewer --epochs if the validation loss rose at the end",
)
_WHEN_BALANCED = (
    "a longer --history or a larger --hidden may still gain a little",
    "another --seed shows how much of a gain is chance",
)


class Diagnosis(BaseModel):
    """What two errors and a baseline say.

    Attributes:
        verdict: "high bias", "high variance", "both" or "balanced".
        text: Sentences with the figures.
        advice: What to try, the most promising first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Verdict
    text: str
    advice: tuple[str, ...]


def diagnose(
    train_error: float,
    validation_error: float,
    baseline_error: float,
    *,
    unit: str = "",
    name_of_baseline: str = "",
) -> Diagnosis:
    """Judge a fit by its errors, all of one kind and unit, lower is better.

    Args:
        train_error: On the training part, dropout off.
        validation_error: On the validation part.
        baseline_error: Of the baseline on the validation part.
        unit: Of the errors, such as "°C".
        name_of_baseline: Such as "persistence".

    Raises:
        ValueError: an error is negative or not finite.
    """
    errors = {
        "train_error": train_error,
        "validation_error": validation_error,
        "baseline_error": baseline_error,
    }
    for name, value in errors.items():
        if not math.isfinite(value) or value < 0:
            raise ValueError(f"diagnose: {name} is {value}; an error is a finite number of at least 0.")
    bias = train_error > 0 and train_error >= BIAS_FROM * baseline_error
    variance = validation_error > VARIANCE_ABOVE * train_error
    against = f"the baseline ({name_of_baseline})" if name_of_baseline else "the baseline"
    sentences = [
        _figures(train_error, validation_error, baseline_error, unit, against),
        _about_bias(bias, train_error, baseline_error, against),
        _about_variance(variance, train_error, validation_error),
    ]
    if validation_error >= baseline_error:
        sentences.append(f"On the validation part the network is no better than {against}.")
    return Diagnosis(
        verdict=_verdict(bias, variance), text=" ".join(sentences), advice=_advice(bias, variance)
    )


def _verdict(bias: bool, variance: bool) -> Verdict:
    if bias:
        return "both" if variance else "high bias"
    return "high variance" if variance else "balanced"


def _advice(bias: bool, variance: bool) -> tuple[str, ...]:
    if bias and variance:
        # Size and restraint pull these two apart; data and inputs help against either.
        return (
            "more training data and better inputs (further columns, another --history) help against both",
            "another --learning-rate or --clip-norm: the training itself may be what fails",
            "then one at a time: more --hidden or --epochs against bias, "
            "more --dropout or --weight-decay against variance",
        )
    if bias:
        return _AGAINST_BIAS
    return _AGAINST_VARIANCE if variance else _WHEN_BALANCED


def _figures(train: float, validation: float, baseline: float, unit: str, against: str) -> str:
    space = f" {unit}" if unit else ""
    return (
        f"The error is {train:.4g}{space} on the training part and {validation:.4g}{space} on the validation "
        f"part, where {against} has {baseline:.4g}{space}."
    )


def _about_bias(bias: bool, train: float, baseline: float, against: str) -> str:
    if baseline == 0:
        text = f"{against[0].upper()}{against[1:]} makes no error at all, so nothing can be better"
        return f"{text}: high bias." if bias else f"{text}."
    percent = f"{100 * train / baseline:.0f} %"
    if bias:
        return f"Even on the data it learnt from it has {percent} of the error of {against}: high bias."
    return f"On the data it learnt from it has {percent} of the error of {against}."


def _about_variance(variance: bool, train: float, validation: float) -> str:
    if train == 0:
        return "It knows the training part by heart: high variance." if variance else "It makes no error."
    percent = f"{100 * abs(validation / train - 1):.0f} %"
    if percent == "0 %":
        return "On unseen data the error is as large."
    if variance and validation >= 2 * train:
        return f"On unseen data the error is {validation / train:.1f} times as large: high variance."
    if variance:
        return f"On unseen data the error is {percent} larger: high variance."
    if validation < train:
        return f"On unseen data the error is even {percent} smaller: that part may be the easier one."
    return f"On unseen data the error is {percent} larger, which is little."

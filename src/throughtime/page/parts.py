"""What the pages of several tasks are made of: numbers, times, epochs, repairs, a diagnosis.

Sequences may be lists, tuples or arrays with `tolist`; a value that is NaN or infinite becomes None, a gap.
Times may be `datetime` or ISO 8601 text; those with an offset are turned to UTC.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def plain(values: Any) -> Any:
    """An array as a list; anything else as it is."""
    return values.tolist() if hasattr(values, "tolist") else values


def _gap(value: Any) -> Any:
    value = plain(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _gaps(values: Any) -> Any:
    values = plain(values)
    return [_gap(value) for value in values] if isinstance(values, (list, tuple)) else values


def _time_text(value: Any) -> Any:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
        return f"{value.isoformat(timespec=_resolution(value))}Z"
    return value.isoformat(timespec=_resolution(value))


def _resolution(value: datetime) -> str:
    if value.microsecond:
        return "milliseconds"
    return "seconds" if value.second else "minutes"


def _setting_text(value: Any) -> Any:
    value = _gap(value)
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return ", ".join(str(entry) for entry in value)
    return str(value)


def _settings(values: Any) -> Any:
    if not isinstance(values, dict):
        return values
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": entry for inner, entry in _settings(value).items()}
        else:
            flat[str(name)] = _setting_text(value)
    return flat


Number = Annotated[float, Field(allow_inf_nan=False)]
MaybeNumber = Annotated[float | None, BeforeValidator(_gap)]
Values = Annotated[tuple[float | None, ...], BeforeValidator(_gaps)]
TimeText = Annotated[str, BeforeValidator(_time_text)]
Setting = str | bool | int | float | None
Settings = Annotated[dict[str, Setting], BeforeValidator(_settings)]


class Part(BaseModel):
    """A part of a report."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class Repair(Part):
    """One kind of change made to the table: e.g. kind "duplicate times", column None, count 3, text."""

    kind: str
    column: str | None = None
    count: int
    text: str = ""


class Epoch(Part):
    """One pass over the training part. Losses as the report's `loss_name` says; seconds of wall clock."""

    epoch: int
    train_loss: MaybeNumber = None
    validation_loss: MaybeNumber = None
    gradient_norm: MaybeNumber = None
    learning_rate: MaybeNumber = None
    seconds: MaybeNumber = None


class Diagnosis(Part):
    """High bias, high variance or neither: a short verdict, why, and what to try."""

    verdict: str
    text: str = ""
    advice: tuple[str, ...] = ()

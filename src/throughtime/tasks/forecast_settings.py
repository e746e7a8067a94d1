"""Everything a user may decide about a forecast, with its default and what it means.

The command line shows these descriptions as its help; `Forecaster` takes the same names.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from throughtime.data import PrepareSettings, parse_duration
from throughtime.tasks.task_settings import NetworkSettings, Positive, SplitShares


class ForecastSettings(NetworkSettings):
    """Settings of one forecast. Durations are text such as "5d", "24h", "10min"."""

    target: str = Field(description="Column to forecast.")
    unit: str | None = Field(None, description="Unit of the target; found in a name such as 'T (degC)'.")
    history: str = Field("5d", description="How far back the network looks, e.g. 5d.")
    horizon: str = Field("24h", description="How far ahead the forecast reaches, e.g. 24h.")
    every: str | None = Field(None, description="Time between rows; coarser than the data averages it.")
    steps: Literal["all", "last"] = Field(
        "all", description="Forecast the whole path up to the horizon, or only the value at its end."
    )
    split: SplitShares = Field(
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

    dropout: float = Field(0.3, ge=0, lt=1, description="Share of hidden units dropped before the output.")

    batch_size: Positive = Field(128, description="Windows in one update.")
    truncate: tuple[int, int] | None = Field(
        None, description="K1,K2: truncated BPTT on the series itself, update every K1 steps, back over K2."
    )
    lanes: Positive = Field(16, description="Stretches of the series that run side by side with truncate.")

    @field_validator("history", "horizon", "every", "max_gap")
    @classmethod
    def _is_duration(cls, text: str | None) -> str | None:
        if text is not None:
            parse_duration(text)
        return text

    def prepare_settings(self) -> PrepareSettings:
        """The part that concerns the table."""
        return PrepareSettings(**{name: getattr(self, name) for name in PrepareSettings.model_fields})

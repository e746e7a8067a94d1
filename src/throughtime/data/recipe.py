"""What a person may set, what is learnt from a table, and the series that comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from throughtime.data.table import Repair
from throughtime.data.times import TimeStyle

DEFAULT_GAP_STEPS = 6
FeatureKind = Literal["number", "angle", "time", "indicator"]


class PrepareSettings(BaseModel):
    """How a table is to become a series.

    Attributes:
        target: Column to forecast.
        time: Column of the times; None finds it.
        every: Step of the grid, such as "1h"; None takes the data's own. A coarser one averages.
        max_gap: Longest gap that is filled, such as "6h"; None is 6 steps.
        time_zone: IANA name of the place. Times without an offset are read in it.
        keep_sentinels: Leave sentinels and outliers as they are.
        angles: Columns of directions in degrees; "auto" goes by name and range.
        time_features: Add sine and cosine of the time of day and year; "auto" where the data span them.
        columns: Take only these columns as inputs, besides the target.
        ignore: Leave these columns out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str
    time: str | None = None
    every: str | None = None
    max_gap: str | None = None
    time_zone: str | None = None
    keep_sentinels: bool = False
    angles: tuple[str, ...] | Literal["auto"] = "auto"
    time_features: bool | Literal["auto"] = "auto"
    columns: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()


class ColumnRule(BaseModel):
    """How one input column is cleaned and filled.

    Attributes:
        name: Column of the table.
        kind: "angle" becomes a sine and a cosine.
        sentinels: Values that mean missing.
        low: Values below mean missing, or None.
        high: Values above mean missing, or None.
        fill: Median of the training rows, for gaps longer than `max_gap`.
        indicator: There is a feature "<name> missing".
        calm_zero: An angle in which 0 means calm, not north.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Literal["number", "angle"] = "number"
    sentinels: tuple[float, ...] = ()
    low: float | None = None
    high: float | None = None
    fill: float = 0.0
    indicator: bool = False
    calm_zero: bool = False

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features it becomes."""
        return (f"{self.name} sine", f"{self.name} cosine") if self.kind == "angle" else (self.name,)


class Recipe(BaseModel):
    """Everything `apply` needs to treat new data as the training data were treated. JSON round trip.

    Attributes:
        target: Column to forecast.
        unit: Unit of the target, or "".
        time_columns: Column of the times, or those that make it up.
        time_style: How the times are written.
        time_zone: IANA name, or None.
        zoned: The times are UTC; else as written.
        step_seconds: Step of the grid.
        max_gap_steps: Longest gap that is filled, in steps.
        columns: Rules, in the order of the features.
        row_indicator: There is a feature "row missing".
        time_of_day: There are sine and cosine of the time of day.
        time_of_year: The same for the year.
    """

    model_config = ConfigDict(frozen=True)

    target: str
    unit: str
    time_columns: tuple[str, ...]
    time_style: TimeStyle
    time_zone: str | None
    zoned: bool
    step_seconds: float
    max_gap_steps: int
    columns: tuple[ColumnRule, ...]
    row_indicator: bool
    time_of_day: bool
    time_of_year: bool

    @property
    def step(self) -> timedelta:
        """Step of the grid."""
        return timedelta(seconds=self.step_seconds)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        names = [name for rule in self.columns for name in rule.features]
        names += [f"{rule.name} missing" for rule in self.columns if rule.indicator]
        names += ["row missing"] if self.row_indicator else []
        names += ["time of day sine", "time of day cosine"] if self.time_of_day else []
        names += ["time of year sine", "time of year cosine"] if self.time_of_year else []
        return tuple(names)

    @property
    def kinds(self) -> tuple[FeatureKind, ...]:
        """Kind of each feature: only "number" is scaled."""
        kinds: list[FeatureKind] = [rule.kind for rule in self.columns for _ in rule.features]
        kinds += ["indicator"] * (sum(rule.indicator for rule in self.columns) + self.row_indicator)
        kinds += ["time"] * (2 * self.time_of_day + 2 * self.time_of_year)
        return tuple(kinds)


@dataclass(frozen=True)
class Series:
    """A regular series without holes.

    Attributes:
        times: datetime64[us] (N,), one step apart; UTC where the zone is known, else as written.
        local_hours: Hour of the day at the place (N,), 0 to 23.
        values: Features (N, I), float32, unscaled, never NaN.
        names: Name of each feature.
        kinds: Kind of each feature: only "number" is scaled.
        target: What was observed (N,), float32, in `unit`; NaN where nothing was.
        target_column: Which feature the target is.
        broken: Rows (N,) that no window may touch.
        step: Length of one step.
        unit: Unit of the target, or "".
        repairs: What was found, changed and left out.
    """

    times: np.ndarray
    local_hours: np.ndarray
    values: np.ndarray
    names: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    target: np.ndarray
    target_column: int
    broken: np.ndarray
    step: timedelta
    unit: str
    repairs: list[Repair] = field(default_factory=list)

    def __len__(self) -> int:
        """Number of rows N."""
        return len(self.times)

"""What the page of a trained forecast network is made of, by name.

The task fills a `ForecastReport`; `throughtime.page.report.render_forecast_report` turns it into one
HTML file. Every part beyond the scores may be left empty: the page then leaves that section out.

Numbers are in the unit of the target (`ForecastReport.unit`) unless a field says otherwise. Sequences
may be lists, tuples or arrays with `tolist`; a value that is NaN or infinite becomes None, a gap.
Times may be `datetime` or ISO 8601 text; those with an offset are turned to UTC.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from throughtime.page.fit_report import FitReport
from throughtime.page.parts import (
    MaybeNumber,
    Number,
    Part,
    TimeText,
    Values,
    plain,
)

Times = Annotated[tuple[TimeText, ...], BeforeValidator(plain)]
MaeByScore = dict[str, MaybeNumber]


class SplitPart(Part):
    """One chronological part of the data. `from_` and `to` are its first and last time."""

    model_config = ConfigDict(populate_by_name=True)

    part: str  # "training", "validation", "test"
    from_: TimeText = Field(alias="from")
    to: TimeText
    windows: int


class Source(Part):
    """What was read: name of the file or frame, rows, features used, first and last time, step in words."""

    name: str
    rows: int
    columns: tuple[str, ...] = ()
    first: TimeText
    last: TimeText
    step: str = ""  # "1 h"
    split: tuple[SplitPart, ...] = ()


class Errors(Part):
    """Mean absolute error and root mean squared error over one part, in the unit of the target."""

    mae: Number
    rmse: Number


class Score(Part):
    """One method measured: `name` is its key everywhere, `label` what people read, `note` a few words."""

    name: str
    label: str
    kind: Literal["network", "baseline"]
    note: str = ""
    validation: Errors
    test: Errors


class Coverage(Part):
    """Share of values inside the intervals of one level (0.8 or 0.95); mean width in the target's unit."""

    level: Number
    validation: MaybeNumber = None
    test: MaybeNumber = None
    mean_width: MaybeNumber = None


class LeadError(Part):
    """Test MAE of every method at one lead time."""

    lead_text: str  # "6 h"
    lead_hours: Number
    mae: MaeByScore


class HourError(Part):
    """Test MAE of every method at one hour of the day, 0 to 23, of the time that is forecast."""

    hour: int = Field(ge=0, le=23)
    mae: MaeByScore


class _Forecasts(Part):
    """Forecast against truth, one entry per time; None is a gap."""

    times: Times
    truth: Values
    forecast: Values
    lower80: Values = ()
    upper80: Values = ()
    lower95: Values = ()
    upper95: Values = ()

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        expected = len(self.times)
        for name in ("truth", "forecast", "lower80", "upper80", "lower95", "upper95"):
            found = len(getattr(self, name))
            optional = name.startswith(("lower", "upper"))
            if found != expected and not (optional and found == 0):
                raise ValueError(f"{type(self).__name__}: {name} has {found} values for {expected} times")
        return self


class Series(_Forecasts):
    """The test part: at each time, the truth and the forecast made one horizon before."""


class Example(_Forecasts):
    """One single forecast: issued at `origin`, after `history_times`, for `times`."""

    origin: TimeText
    history_times: Times = ()
    history_values: Values = ()

    @model_validator(mode="after")
    def _same_history(self) -> Self:
        if len(self.history_times) != len(self.history_values):
            raise ValueError(
                f"Example: history_values has {len(self.history_values)} values "
                f"for {len(self.history_times)} history_times"
            )
        return self


class Raster(Part):
    """Values of units (rows) over time (columns), in percent of the way from `low` to `high`.

    `units` is how many there are; rows may be fewer, spread over them in rising order of their mean.
    """

    name: str
    low: Number
    high: Number
    units: int
    percent: tuple[tuple[Annotated[int, Field(ge=0, le=100)], ...], ...]


class Reach(Part):
    """How far back the errors of the forecast reach through the last recurrent layer.

    `left` is the share of an error that is left at each distance, in steps of `step_hours`; `map` holds log10
    of the share of the loss at `map_losses[row]` that is left at step `map_steps[column]`, None where that
    comes later. `memory` is the distance from which on less than 1 % is left, in words.
    """

    value: Literal["cell", "hidden value"]
    memory: str
    verdict: Literal["vanish", "explode", "keep", "unknown"]
    summary: str
    step_hours: Number
    left: Values
    map_losses: tuple[int, ...]
    map_steps: tuple[int, ...]
    map: tuple[Values, ...]
    rasters: tuple[Raster, ...] = ()
    exploded: str = ""

    @model_validator(mode="after")
    def _whole_map(self) -> Self:
        widths = {len(row) for row in self.map}
        if len(self.map) != len(self.map_losses) or widths - {len(self.map_steps)}:
            raise ValueError(
                f"Reach: map has {len(self.map)} rows of {sorted(widths)} values for {len(self.map_losses)} "
                f"losses and {len(self.map_steps)} steps"
            )
        return self


class ForecastReport(FitReport):
    """Everything the page shows; see the parts.

    Raises:
        pydantic.ValidationError: a required field is missing, an array has another length than its
            times, there is not exactly one score of kind "network", two scores share a name, or
            `by_lead`/`by_hour` name a score that is not there.
    """

    target: str
    unit: str = ""
    horizon: str  # "24 h"
    history_span: str  # "5 d"
    steps: Literal["all", "last"]
    time_zone: str = ""  # of the times shown, in words; empty: "UTC" if times had an offset, else nothing
    source: Source | None = None
    scores: tuple[Score, ...]
    coverage: tuple[Coverage, ...] = ()
    by_lead: tuple[LeadError, ...] = ()
    by_hour: tuple[HourError, ...] = ()
    series: Series | None = None
    examples: tuple[Example, ...] = ()
    reach: Reach | None = None

    @model_validator(mode="after")
    def _scores_agree(self) -> Self:
        names = [score.name for score in self.scores]
        if len(set(names)) != len(names):
            raise ValueError(f"ForecastReport: scores must have different names, got {names}")
        networks = sum(score.kind == "network" for score in self.scores)
        if networks != 1:
            raise ValueError(f"ForecastReport: expected one score of kind 'network', got {networks}")
        errors: tuple[LeadError | HourError, ...] = (*self.by_lead, *self.by_hour)
        for entry in errors:
            if unknown := set(entry.mae) - set(names):
                raise ValueError(
                    f"{type(entry).__name__}: no score named {sorted(unknown)}; there are {names}"
                )
        return self

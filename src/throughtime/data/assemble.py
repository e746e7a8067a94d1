"""The features of a series: cleaned columns on the grid, filled, with indicators and times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from throughtime.data.clean import Columns, check_size, clean_column
from throughtime.data.durations import format_duration
from throughtime.data.features import direction, time_of_day, time_of_year
from throughtime.data.fill import broken_rows, carry_forward, occupied, run_lengths, to_grid
from throughtime.data.lay import Laid
from throughtime.data.recipe import ColumnRule, Recipe, Series
from throughtime.data.table import Repair, counted


@dataclass(frozen=True)
class Filled:
    """Columns on the grid without holes.

    Attributes:
        features: Features of each rule, float64 (N,) each.
        missing: Cells of each rule that were imputed, bool (N,).
        present: Slots that a row fell into, bool (N,).
        target: Observed target, NaN elsewhere (N,).
        broken: Rows in a gap too long to fill (N,).
    """

    features: dict[str, tuple[np.ndarray, ...]]
    missing: dict[str, np.ndarray]
    present: np.ndarray
    target: np.ndarray
    broken: np.ndarray


def fill(recipe: Recipe, columns: Columns, laid: Laid) -> Filled:
    """Clean the columns, put them on the grid and fill their holes from the past."""
    cleaned = {rule.name: clean_column(columns.values[rule.name], rule) for rule in recipe.columns}
    check_size(Columns(cleaned, columns.rows, columns.table))
    features, missing, target = {}, {}, np.empty(0)
    for rule in recipe.columns:
        parts = _on_grid(cleaned[rule.name], rule, laid)
        missing[rule.name] = np.isnan(parts[0])
        if rule.name == recipe.target:
            target = parts[0]
        beyond = 0.0 if rule.kind == "angle" else rule.fill
        features[rule.name] = tuple(carry_forward(part, recipe.max_gap_steps, beyond) for part in parts)
    present = occupied(laid.grid)
    broken = broken_rows(present, ~missing[recipe.target], recipe.max_gap_steps)
    return Filled(features, missing, present, target, broken)


def _on_grid(values: np.ndarray, rule: ColumnRule, laid: Laid) -> tuple[np.ndarray, ...]:
    if rule.kind == "angle":
        return tuple(to_grid(part, laid.grid) for part in direction(values, rule.calm_zero))
    return (to_grid(values, laid.grid),)


def with_indicators(recipe: Recipe, filled: Filled) -> Recipe:
    """Add an indicator for each column with imputed cells, and one for imputed rows, if there are any."""
    usable = ~filled.broken
    rules = tuple(
        rule.model_copy(
            update={"indicator": bool((filled.missing[rule.name] & filled.present & usable).any())}
        )
        for rule in recipe.columns
    )
    rows = bool((~filled.present & usable).any())
    return recipe.model_copy(update={"columns": rules, "row_indicator": rows})


def assemble(recipe: Recipe, filled: Filled, laid: Laid, repairs: list[Repair]) -> Series:
    """Put the features of a recipe together in their order, float32 (N, I)."""
    times = laid.grid.times
    names = recipe.features
    values = np.empty((len(times), len(names)), dtype=np.float32)
    for column, feature in enumerate(_columns(recipe, filled, laid)):
        values[:, column] = feature
    local = times + laid.offsets(recipe.time_zone).astype("timedelta64[s]")
    hours = (local - local.astype("datetime64[D]")).astype("timedelta64[h]").astype(np.int64)
    return Series(
        times=times,
        local_hours=hours,
        values=values,
        names=names,
        kinds=recipe.kinds,
        target=filled.target.astype(np.float32),
        target_column=names.index(recipe.target),
        broken=filled.broken,
        step=recipe.step,
        unit=recipe.unit,
        repairs=[*repairs, *_gap_repairs(recipe, filled)],
    )


def _columns(recipe: Recipe, filled: Filled, laid: Laid) -> list[np.ndarray]:
    out = [part for rule in recipe.columns for part in filled.features[rule.name]]
    out += [filled.missing[rule.name] for rule in recipe.columns if rule.indicator]
    out += [~filled.present] if recipe.row_indicator else []
    times = laid.grid.times
    offset = laid.offsets(recipe.time_zone) if recipe.time_zone else np.zeros(len(times))
    out += time_of_day(times, offset) if recipe.time_of_day else ()
    out += time_of_year(times, offset) if recipe.time_of_year else ()
    return out


def _gap_repairs(recipe: Recipe, filled: Filled) -> list[Repair]:
    repairs = []
    gap = format_duration(recipe.max_gap_steps * recipe.step)
    rows = int((~filled.present).sum())
    if rows:
        longest = format_duration(int(run_lengths(~filled.present).max()) * recipe.step)
        text = (
            f"{counted(rows, 'step')} without a row (longest gap: {longest}); gaps up to {gap} carry the "
            "last values forward."
        )
        repairs.append(Repair(kind="missing rows", count=rows, text=text))
    for rule in recipe.columns:
        repairs += _column_gaps(rule, filled, recipe, gap)
    broken = int(filled.broken.sum())
    if broken:
        text = (
            f"{counted(broken, 'step')} in gaps longer than {gap}, or before the first value of "
            f"{recipe.target}; no window touches them (--max-gap)."
        )
        repairs.append(Repair(kind="long gaps", count=broken, text=text))
    return repairs


def _column_gaps(rule: ColumnRule, filled: Filled, recipe: Recipe, gap: str) -> list[Repair]:
    missing = filled.missing[rule.name] & filled.present
    count = int(missing.sum())
    if not count:
        return []
    longest: timedelta = int(run_lengths(missing).max()) * recipe.step
    if rule.name == recipe.target:
        how = f"up to {gap} the last value is carried forward, and never scored"
    else:
        after = "no direction" if rule.kind == "angle" else "the training median"
        how = f"the last value is carried forward up to {gap}, then {after}"
    mark = f"; '{rule.name} missing' marks them" if rule.indicator else ""
    run = format_duration(longest)
    text = f"{rule.name}: {counted(count, 'missing value')} (longest run: {run}); {how}{mark}."
    return [Repair(kind="missing values", column=rule.name, count=count, text=text)]

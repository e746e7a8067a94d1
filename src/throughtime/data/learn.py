"""What is learnt from a table: rules for its columns, and the recipe."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from throughtime.data.choose import angle_columns, follows_time, left_out, unit_of
from throughtime.data.clean import Columns, clean_column, learn_strays, report_strays
from throughtime.data.durations import parse_duration
from throughtime.data.features import direction
from throughtime.data.fill import occupied, to_grid
from throughtime.data.lay import Laid
from throughtime.data.recipe import DEFAULT_GAP_STEPS, ColumnRule, PrepareSettings, Recipe
from throughtime.data.strays import Strays
from throughtime.data.table import Repair, Table, counted
from throughtime.errors import DataError

_DAY = timedelta(days=1)
_YEAR = timedelta(days=365)


def learn_columns(
    columns: Columns, laid: Laid, settings: PrepareSettings, training_share: float
) -> tuple[list[ColumnRule], list[Repair]]:
    """A rule for each column that can teach something; a word on strays and on the others.

    Raises:
        DataError: the target is constant, or missing throughout the training rows.
    """
    strays = learn_strays(columns, skip=set())
    reports = report_strays(columns, strays, settings.keep_sentinels)
    bare = {} if settings.keep_sentinels else strays
    cleaned = {
        name: clean_column(values, _stray_rule(name, bare.get(name)))
        for name, values in columns.values.items()
    }
    angles = angle_columns(cleaned, settings)
    training = max(1, int(training_share * laid.grid.size))
    rules, why = [], dict[str, list[str]]()
    for name, values in cleaned.items():
        on_grid = to_grid(values, laid.grid)
        parts = direction(values, calm_zero=False) if name in angles else (values,)
        reasons = [_useless(to_grid(part, laid.grid), part, laid, training) for part in parts]
        reason = reasons[0] if all(reasons) else ""
        if name == settings.target:
            _check_target(name, on_grid[:training], reason, laid.table)
        elif reason:
            why.setdefault(reason, []).append(name)
            continue
        known = on_grid[:training][~np.isnan(on_grid[:training])]
        calm = bool(name in angles and (values == 0).any() and (values == 360).any())
        if calm:
            count = int((values == 0).sum())
            text = f"{name}: 0 stands for calm or variable wind ({counted(count, 'row')}), 360 for north."
            reports.append(Repair(kind="calm", column=name, count=count, text=text))
        rule = _stray_rule(name, bare.get(name)).model_copy(
            update={
                "kind": "angle" if name in angles else "number",
                "fill": float(np.median(known)),
                "calm_zero": calm,
            }
        )
        rules.append(rule)
    return rules, [*reports, *left_out(why)]


def _stray_rule(name: str, strays: Strays | None) -> ColumnRule:
    if strays is None:
        return ColumnRule(name=name)
    return ColumnRule(
        name=name,
        sentinels=(*strays.sentinels, *strays.outliers),
        low=strays.low if np.isfinite(strays.low) else None,
        high=strays.high if np.isfinite(strays.high) else None,
    )


def _useless(on_grid: np.ndarray, values: np.ndarray, laid: Laid, training: int) -> str:
    """Why a column teaches nothing, judged on the training rows; "" if it may."""
    rows = occupied(laid.grid)[:training]
    known = on_grid[:training][rows]
    known = known[~np.isnan(known)]
    if 2 * len(known) < rows.sum() or not len(known):
        return "more than half missing in the training rows"
    if known.min() == known.max():
        return "constant in the training rows"
    return "repeats the time" if follows_time(values, laid.times) else ""


def _check_target(name: str, on_grid: np.ndarray, reason: str, table: Table) -> None:
    known = on_grid[~np.isnan(on_grid)]
    if not len(known):
        raise DataError(f"{table.name}: column {name!r} (the target) has no value in the training rows.")
    if reason.startswith("constant"):
        raise DataError(
            f"{table.name}: column {name!r} (the target) is {known[0]:g} in all {len(known):,} training "
            "rows; there is nothing to forecast."
        )


def learn_recipe(
    laid: Laid, settings: PrepareSettings, rules: list[ColumnRule], training_share: float
) -> Recipe:
    """Put the rules and the settings into a recipe; which features mark missing cells is added later."""
    step = laid.grid.step
    gap = DEFAULT_GAP_STEPS * step if settings.max_gap is None else parse_duration(settings.max_gap)
    span = training_share * (laid.times[-1] - laid.times[0]).astype("timedelta64[us]").item()
    asked = settings.time_features
    return Recipe(
        target=settings.target,
        unit=unit_of(settings.target, laid.table),
        time_columns=laid.time.columns,
        time_style=laid.time.style,
        time_zone=settings.time_zone,
        zoned=laid.clock.zoned,
        step_seconds=step.total_seconds(),
        max_gap_steps=gap // step,
        columns=tuple(rules),
        row_indicator=False,
        time_of_day=step < _DAY and bool(span >= 2 * _DAY if asked == "auto" else asked),
        time_of_year=bool(span >= _YEAR if asked == "auto" else asked),
    )

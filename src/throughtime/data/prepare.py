"""From a table to a regular series: learn a recipe once, apply it to new data ever after."""

from __future__ import annotations

import numpy as np

from throughtime.data.assemble import assemble, fill, with_indicators
from throughtime.data.choose import candidates, check_columns, left_out, require_numeric
from throughtime.data.clean import Columns, clean_column, take_columns
from throughtime.data.durations import parse_duration
from throughtime.data.find_time import TimeColumns, find_time
from throughtime.data.lay import lay
from throughtime.data.learn import learn_columns, learn_recipe
from throughtime.data.recipe import ColumnRule, PrepareSettings, Recipe, Series
from throughtime.data.table import Repair, Table, counted
from throughtime.errors import DataError


def prepare(table: Table, settings: PrepareSettings, *, training_share: float = 0.5) -> tuple[Recipe, Series]:
    """Learn how to turn a table into a series, and do it.

    Medians, constant columns and the choice of time features are learnt from the first `training_share`
    of the rows; rules about what is no measurement (sentinels) look at all of them.

    Args:
        table: As read.
        settings: Target and choices.
        training_share: Part of the rows, from the start, that will be trained on, in (0, 1].

    Raises:
        DataError: the table cannot become a series; the message names the line or column.
        ValueError: `training_share` or a length of time in the settings makes no sense.
    """
    if not 0 < training_share <= 1:
        raise ValueError(f"training_share must be above 0 and at most 1, got {training_share}.")
    every = None if settings.every is None else parse_duration(settings.every)
    time, found = find_time(table, settings.time)
    check_columns(table, settings, time.columns)
    laid = lay(table, time, settings.time_zone, every, f"--every {settings.every}", found)
    names, words = candidates(table, settings, laid.time.columns)
    columns, infinite = take_columns(table, names, laid.rows)
    rules, reports = learn_columns(columns, laid, settings, training_share)
    recipe = learn_recipe(laid, settings, rules, training_share)
    filled = fill(recipe, columns, laid)
    recipe = with_indicators(recipe, filled)
    return recipe, assemble(recipe, filled, laid, [*laid.repairs, *words, *infinite, *reports])


def apply(recipe: Recipe, table: Table) -> Series:
    """Turn new data into a series exactly as the recipe says.

    Args:
        recipe: From `prepare`.
        table: New data with the same columns; further ones are ignored with a word.

    Raises:
        DataError: a column is missing or holds text now, times are written without the zone they had,
            or the rows are farther apart than the recipe's step.
    """
    table.require(list(recipe.time_columns), "the time column of the model")
    wanted = [rule.name for rule in recipe.columns]
    table.require(wanted, "an input of the model")
    require_numeric(table, wanted, "an input of the model")
    time = TimeColumns(recipe.time_columns, recipe.time_style)
    laid = lay(table, time, recipe.time_zone, recipe.step, "the model's step", [])
    if laid.clock.zoned != recipe.zoned:
        had, has = ("with", "without") if recipe.zoned else ("without", "with")
        raise DataError(
            f"{table.name}: column {time.name!r} has times {has} a zone, and the model was fitted on times "
            f"{had} one; write them the same way."
        )
    columns, infinite = take_columns(table, wanted, laid.rows)
    reports = [report for rule in recipe.columns for report in _report(columns, rule)]
    known = {*wanted, *recipe.time_columns}
    extra = [name for name in table.frame.columns if name not in known]
    words = left_out({"not used by the model": extra}) if extra else []
    filled = fill(recipe, columns, laid)
    return assemble(recipe, filled, laid, [*laid.repairs, *words, *infinite, *reports])


def _report(columns: Columns, rule: ColumnRule) -> list[Repair]:
    before = columns.values[rule.name]
    count = int((np.isnan(clean_column(before, rule)) & ~np.isnan(before)).sum())
    if not count:
        return []
    text = (
        f"{rule.name}: {counted(count, 'value')} treated as missing: known from training as no measurement, "
        "or impossible beside the training data."
    )
    return [Repair(kind="sentinel", column=rule.name, count=count, text=text)]

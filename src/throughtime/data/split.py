"""Training, validation and test parts, one after the other in time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from throughtime.data.recipe import Series
from throughtime.data.scaling import Scaler
from throughtime.data.windows import Windows, longest_stretch, make_windows, require_history
from throughtime.errors import DataError, SettingsError


@dataclass(frozen=True)
class Parts:
    """Windows of the three parts over one scaled table.

    Attributes:
        train: Windows whose targets lie in the training rows.
        validation: Windows whose targets lie in the validation rows; histories may begin before.
        test: The same for the test rows.
        scaler: Learnt from the training rows.
        borders: First rows of training, validation and test, and the end.
    """

    train: Windows
    validation: Windows
    test: Windows
    scaler: Scaler
    borders: tuple[int, int, int, int]


def split_windows(
    series: Series,
    scaler: Scaler | None = None,
    *,
    history: int,
    leads: tuple[int, ...],
    fractions: tuple[float, float, float] = (0.5, 0.25, 0.25),
) -> Parts:
    """Cut a series into three parts by rows, and give the windows of each.

    A window belongs to the part that holds all its target rows; one whose targets straddle a border
    belongs to none.

    Args:
        series: The series.
        scaler: Scaling to use; None learns it from the training rows.
        history: Rows of input T.
        leads: Rows from the last input to each target (K,).
        fractions: Share of the rows of each part; sum 1.

    Raises:
        SettingsError: the fractions are not three positive numbers that sum to 1.
        DataError: a window does not fit into the data, or a part holds none.
    """
    borders = part_borders(len(series), fractions)
    require_history(series, history, leads)
    scaler = scaler or Scaler.fit(series, borders[1])
    table = scaler.scale(series.values)
    parts = []
    for number, name in enumerate(("training", "validation", "test")):
        rows = (borders[number], borders[number + 1])
        windows = make_windows(series, scaler, history, leads, rows=rows, table=table)
        if not len(windows):
            raise DataError(_no_window(series, name, rows, history, leads))
        parts.append(windows)
    return Parts(parts[0], parts[1], parts[2], scaler, borders)


def part_borders(rows: int, fractions: tuple[float, float, float]) -> tuple[int, int, int, int]:
    """First rows of training, validation and test, and the end: `rows` cut by the fractions, rounded down."""
    if len(fractions) != 3 or min(fractions) <= 0 or not math.isclose(sum(fractions), 1, abs_tol=1e-6):
        raise SettingsError(
            f"the split must be three shares above 0 that sum to 1, such as 0.5,0.25,0.25; got {fractions}."
        )
    first = int(rows * fractions[0] + 1e-9)
    second = int(rows * (fractions[0] + fractions[1]) + 1e-9)
    return (0, first, second, rows)


def _no_window(series: Series, name: str, rows: tuple[int, int], history: int, leads: tuple[int, ...]) -> str:
    held, straddle = rows[1] - rows[0], max(leads) - min(leads) + 1
    needed = history + max(leads) if name == "training" else straddle
    return (
        f"the {name} part holds no window: it has {held:,} rows of {len(series):,}, a window needs "
        f"{needed:,} of them without a long gap (history {history:,}, horizon {max(leads):,}; the longest "
        f"stretch in the data is {longest_stretch(series):,}) and an observed target; choose a shorter "
        "--history, another --split or a longer --max-gap."
    )

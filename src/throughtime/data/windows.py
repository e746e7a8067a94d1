"""Windows of history with the values to forecast, as row numbers over one table.

A window that starts at row s reads rows s to s + T - 1; its targets stand `leads` rows after the last of
these. Nothing is copied until a batch is gathered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from throughtime.data.recipe import Series
from throughtime.data.scaling import Scaler
from throughtime.errors import DataError

Indices = slice | np.ndarray | torch.Tensor | list[int]
ALL = slice(None)


@dataclass(frozen=True)
class Windows:
    """Windows over a scaled table. `indices` number the windows 0 to M - 1; the default is all.

    Attributes:
        table: Scaled features (N, I), float32, shared by all windows of a series.
        series: The series they belong to; holds times and truth.
        scaler: How they were scaled.
        starts: First row of each window (M,), int64, ascending.
        history: Rows of input T.
        leads: How many rows after the last input each target stands (K,), ascending, from 1.
    """

    table: torch.Tensor
    series: Series
    scaler: Scaler
    starts: np.ndarray
    history: int
    leads: tuple[int, ...]

    def __len__(self) -> int:
        """Number of windows M."""
        return len(self.starts)

    def last_rows(self, indices: Indices = ALL) -> np.ndarray:
        """Row of the last input of each window (B,)."""
        return np.asarray(self.starts[_plain(indices)] + self.history - 1)

    def target_rows(self, indices: Indices = ALL) -> np.ndarray:
        """Rows of the targets (B, K); may lie beyond the table for windows without truth."""
        return np.asarray(self.last_rows(indices)[:, None] + np.asarray(self.leads))

    def inputs(self, indices: Indices = ALL) -> torch.Tensor:
        """Scaled features (T, B, I), contiguous."""
        starts = self.starts[_plain(indices)]
        rows = torch.from_numpy((np.arange(self.history)[:, None] + starts).reshape(-1))
        return self.table.index_select(0, rows).view(self.history, len(starts), self.table.shape[1])

    def targets(self, indices: Indices = ALL) -> torch.Tensor:
        """Targets (B, K), scaled like the target feature; NaN where nothing was observed."""
        return self.scaler.scale_target(torch.from_numpy(self.truth(indices)))

    def truth(self, indices: Indices = ALL) -> np.ndarray:
        """Targets (B, K), float32, in the target's unit; NaN where nothing was observed."""
        rows = self.target_rows(indices)
        beyond = rows >= len(self.series)
        found = self.series.target[np.where(beyond, 0, rows)]
        return np.where(beyond, np.float32(np.nan), found)

    def last_values(self, indices: Indices = ALL) -> torch.Tensor:
        """The target feature at the last input (B,), scaled."""
        return self.table[torch.from_numpy(self.last_rows(indices)), self.series.target_column]

    def known(self, offsets: np.ndarray | tuple[int, ...], indices: Indices = ALL) -> np.ndarray:
        """The target as known `offsets` rows from the last input (B, K), float32, in its unit.

        Missing values are as filled from the past; rows before the table or in a long gap are NaN.

        Args:
            offsets: Rows from the last input (K,), 0 or negative.
            indices: Windows.

        Raises:
            ValueError: an offset is above 0: that value is not known yet.
        """
        steps = np.asarray(offsets, dtype=np.int64)
        if (steps > 0).any():
            raise ValueError(
                f"Windows.known: offset {int(steps.max())} lies after the last input; use 0 or less."
            )
        rows = self.last_rows(indices)[:, None] + steps
        inside = np.where(rows < 0, 0, rows)
        values = self.series.values[inside, self.series.target_column]
        return np.where((rows < 0) | self.series.broken[inside], np.float32(np.nan), values)

    def last_times(self, indices: Indices = ALL) -> np.ndarray:
        """Time of the last input (B,), datetime64[us]."""
        return np.asarray(self.series.times[self.last_rows(indices)])

    def target_times(self, indices: Indices = ALL) -> np.ndarray:
        """Time of each target (B, K), datetime64[us]."""
        step = np.timedelta64(self.series.step)
        return np.asarray(self.last_times(indices)[:, None] + np.asarray(self.leads) * step)

    def target_hours(self, indices: Indices = ALL) -> np.ndarray:
        """Hour of the day at the place of each target (B, K), 0 to 23. Needs targets within the table."""
        return np.asarray(self.series.local_hours[self.target_rows(indices)])


def _plain(indices: Indices) -> slice | np.ndarray:
    if isinstance(indices, slice):
        return indices
    return np.asarray(indices, dtype=np.int64).reshape(-1)


def make_windows(
    series: Series,
    scaler: Scaler,
    history: int,
    leads: tuple[int, ...],
    *,
    rows: tuple[int, int] | None = None,
    need_truth: bool = True,
    table: torch.Tensor | None = None,
) -> Windows:
    """All windows of a series that touch no broken row.

    Args:
        series: The series.
        scaler: Scaling, learnt on training rows.
        history: Rows of input T.
        leads: Rows from the last input to each target (K,).
        rows: Keep windows whose targets all lie in these rows [first, last); None is all rows.
        need_truth: Leave out windows of which a target was not observed. Without it the windows reach to
            the last row, their targets beyond it: for forecasting.
        table: `series.values` already scaled, if there is one to share.

    Raises:
        ValueError: history or leads below 1.
    """
    leads = tuple(int(lead) for lead in leads)
    if history < 1 or not leads or min(leads) < 1:
        raise ValueError(f"make_windows: history={history} and leads={leads} must be 1 or more.")
    ends = np.arange(history - 1, len(series))
    reach = max(leads) if need_truth else 0
    ends = ends[ends + reach < len(series)]
    if rows is not None:
        ends = ends[(ends + min(leads) >= rows[0]) & (ends + max(leads) < rows[1])]
    broken = np.concatenate([[0], np.cumsum(series.broken)])
    ends = ends[broken[ends + reach + 1] == broken[ends - history + 1]]
    if need_truth:
        ends = ends[_all_observed(series, ends, leads)]
    if table is None:
        table = scaler.scale(series.values)
    return Windows(table, series, scaler, (ends - history + 1).astype(np.int64), history, leads)


def _all_observed(series: Series, ends: np.ndarray, leads: tuple[int, ...]) -> np.ndarray:
    observed = ~np.isnan(series.target)
    good = np.ones(len(ends), dtype=bool)
    for lead in leads:
        good &= observed[ends + lead]
    return good


def longest_stretch(series: Series) -> int:
    """Rows in the longest stretch without a broken row."""
    edges = np.flatnonzero(np.concatenate([[True], series.broken, [True]]))
    return int(np.diff(edges).max() - 1)


def require_history(series: Series, history: int, leads: tuple[int, ...]) -> None:
    """Raise `DataError` if not even one window fits."""
    needed, longest = history + max(leads), longest_stretch(series)
    if needed > len(series):
        raise DataError(
            f"a window needs {needed:,} rows (history {history:,} + horizon {max(leads):,}) and the data "
            f"have {len(series):,}; choose a shorter --history or bring more data."
        )
    if needed > longest:
        raise DataError(
            f"a window needs {needed:,} rows (history {history:,} + horizon {max(leads):,}) and the longest "
            f"stretch without a long gap has {longest:,} of {len(series):,}; choose a shorter --history or a "
            "longer --max-gap."
        )

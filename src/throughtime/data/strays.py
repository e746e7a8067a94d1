"""Values that stand for "missing" (sentinels such as -9999) and lone impossible ones.

A value is judged by the empty gap between it and all the others, against how far those spread, and for
values that are no usual code also against their tail: a quantity with a heavy tail (rain, prices) may well
reach far beyond its second largest value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

_CODE = re.compile(r"^-?(9{2,}(\.9+)?|0\.9{3,}|8{3,}|7{3,}|32767|3276[78]|65535|214748364[78]|200)$")
_REPEATED = 3  # a sentinel appears at least so often
_GROUP = 5  # so many distinct values may lie beyond one gap
_CODE_GAP = 0.5  # gap in ranges of the rest, for a usual code
_PLAIN_GAP = 2.0  # the same for any other value
_LONE_GAP, _LONE_IQR = 10.0, 20.0
_MAX_SHARE = 0.2  # a value more frequent than this that is no code is a state, not a sentinel
_DISTINCT = 10
_SHARED_GAP = 0.05
_TAIL = 1e-4
_MAX_TOP = 200  # so many of the largest distances tell how heavy a tail is


@dataclass(frozen=True)
class Strays:
    """What is to be treated as missing in a column.

    Attributes:
        sentinels: Value and how often it appears.
        outliers: Lone values, and how often (1 or 2 times).
        suspicious: Repeated zeros far from the rest; reported, never removed.
        low: Below this, new data are outliers.
        high: Above this, new data are outliers.
    """

    sentinels: dict[float, int] = field(default_factory=dict)
    outliers: dict[float, int] = field(default_factory=dict)
    suspicious: dict[float, int] = field(default_factory=dict)
    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True)
class _Bulk:
    """Distinct values, ascending, with their counts."""

    values: np.ndarray
    counts: np.ndarray

    @cached_property
    def _totals(self) -> np.ndarray:
        return np.cumsum(self.counts)

    def quantile(self, share: float) -> float:
        """The smallest value with at least `share` of the counts up to it."""
        total = self._totals
        return float(self.values[min(np.searchsorted(total, share * total[-1]), len(total) - 1)])

    @property
    def spread(self) -> float:
        """Range without the outermost thousandth on each side."""
        return self.quantile(0.999) - self.quantile(0.001)

    @property
    def iqr(self) -> float:
        return self.quantile(0.75) - self.quantile(0.25)

    def tail_exponent(self, upper: bool) -> tuple[float, float]:
        """Hill's estimate for the distances from the median on one side, and the largest distance."""
        median = self.quantile(0.5)
        first = int(np.searchsorted(self.values, median, side="right" if upper else "left"))
        values, counts = (
            side[first:] if upper else side[:first][::-1] for side in (self.values, self.counts)
        )
        top = int(np.clip(np.sqrt(counts.sum()), 10, _MAX_TOP))
        distances = np.abs(values[-top - 1 :] - median)
        largest = np.repeat(distances, np.minimum(counts[-top - 1 :], top + 1))[-top - 1 :]
        if len(largest) < 2:
            return np.inf, float(largest.max(initial=0.0))
        mean_log = float(np.log(largest[1:] / largest[0]).mean())
        return (1 / mean_log if mean_log > 0 else np.inf), float(largest[-1])

    def reach(self, upper: bool) -> float:
        """The distance from the median that the tail passes with a chance of 1e-4 at most."""
        exponent, largest = self.tail_exponent(upper)
        return largest * _TAIL ** (-1 / max(exponent, 0.1)) if np.isfinite(exponent) else largest


def is_code(value: float) -> bool:
    """Numbers that people use for "missing": -9999, 999.9, -200, 32767, 1e20 and beyond."""
    text = repr(float(value)).removesuffix(".0")
    return abs(value) >= 1e20 or (bool(_CODE.match(text)) and value != 200)


def find_strays(column: np.ndarray, shared: frozenset[float] = frozenset()) -> Strays:
    """Look for sentinels and lone impossible values in a column.

    Args:
        column: Values (M,), NaN where missing, no infinities.
        shared: Sentinels of other columns; here too they need a smaller gap.
    """
    values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    bulk = _Bulk(values, counts)
    sentinels: dict[float, int] = {}
    outliers: dict[float, int] = {}
    suspicious: dict[float, int] = {}
    while (found := _farthest(bulk, shared)) is not None:
        cut, upper = found
        keep = np.arange(len(bulk.values)) < cut if upper else np.arange(len(bulk.values)) >= cut
        for value, count in zip(bulk.values[~keep].tolist(), bulk.counts[~keep].tolist(), strict=True):
            kind = suspicious if value == 0 else sentinels if count >= _REPEATED else outliers
            kind[value] = count
        bulk = _Bulk(bulk.values[keep], bulk.counts[keep])
    low, high = _bounds(bulk) if not suspicious else (-np.inf, np.inf)
    return Strays(sentinels, outliers, suspicious, low, high)


def _farthest(bulk: _Bulk, shared: frozenset[float]) -> tuple[int, bool] | None:
    """The cut that leaves at most five distinct stray values beyond it, or None."""
    n = len(bulk.values)
    for upper in (True, False):
        for size in range(1, min(_GROUP, n - 3) + 1):
            cut = n - size if upper else size
            rest = slice(0, cut) if upper else slice(cut, n)
            far = slice(cut, n) if upper else slice(0, cut)
            remaining = _Bulk(bulk.values[rest], bulk.counts[rest])
            gap = float(bulk.values[cut] - bulk.values[cut - 1])
            pairs = zip(bulk.values[far].tolist(), bulk.counts[far].tolist(), strict=True)
            if all(_is_stray(value, count, remaining, gap, upper, shared) for value, count in pairs):
                return cut, upper
    return None


def _is_stray(
    value: float, count: int, rest: _Bulk, gap: float, upper: bool, shared: frozenset[float]
) -> bool:
    if count >= _REPEATED and value in shared and gap > _SHARED_GAP * rest.spread:
        return True
    if count >= _REPEATED and is_code(value):
        alone_below = value < 0 <= rest.values[0]
        return gap > _CODE_GAP * rest.spread or bool(alone_below)
    if count >= _REPEATED:
        wide = gap > _PLAIN_GAP * rest.spread and count <= _MAX_SHARE * int(rest.counts.sum())
    else:
        wide = gap > _LONE_GAP * rest.spread and gap > _LONE_IQR * rest.iqr
    return wide and len(rest.values) >= _DISTINCT and _beyond_tail(value, rest, upper)


def _beyond_tail(value: float, rest: _Bulk, upper: bool) -> bool:
    return abs(value - rest.quantile(0.5)) > rest.reach(upper)


def _bounds(rest: _Bulk) -> tuple[float, float]:
    """Beyond these a new value would be a lone outlier."""
    if len(rest.values) < _DISTINCT:
        return -np.inf, np.inf
    median, margin = rest.quantile(0.5), max(_LONE_GAP * rest.spread, _LONE_IQR * rest.iqr)
    low = min(float(rest.values[0]) - margin, median - rest.reach(upper=False))
    high = max(float(rest.values[-1]) + margin, median + rest.reach(upper=True))
    return low, high

"""Directions and times as points on a circle."""

from __future__ import annotations

import numpy as np

_DAY = 86_400.0
_YEAR = 365.2425 * _DAY


def direction(degrees: np.ndarray, calm_zero: bool) -> tuple[np.ndarray, np.ndarray]:
    """Sine and cosine of degrees (M,). With `calm_zero` 0 means no direction: (0, 0). NaN stays NaN."""
    radians = np.deg2rad(degrees)
    calm = calm_zero & (degrees == 0)
    return np.where(calm, 0.0, np.sin(radians)), np.where(calm, 0.0, np.cos(radians))


def time_of_day(times: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sine and cosine of the time of day; `offset` seconds from `times` to the clock that counts."""
    return _circle(times, offset, _DAY)


def time_of_year(times: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sine and cosine of the time of year, of 365.2425 days, counted from 1970."""
    return _circle(times, offset, _YEAR)


def _circle(times: np.ndarray, offset: np.ndarray, period: float) -> tuple[np.ndarray, np.ndarray]:
    seconds = times.astype("datetime64[us]").astype(np.int64) / 1e6 + offset
    phase = 2 * np.pi * (seconds % period) / period
    return np.sin(phase), np.cos(phase)

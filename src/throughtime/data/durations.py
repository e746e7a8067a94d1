"""Lengths of time as people write them: "24h", "10min", "2d12h"."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "min": timedelta(minutes=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_WORDS = [("d", "d"), ("h", "h"), ("min", "min"), ("s", "s"), ("ms", "ms")]
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(w|d|h|min|ms|m|s)", re.IGNORECASE)


def parse_duration(text: str | timedelta) -> timedelta:
    """Turn "5d", "24h", "1h", "10min", "15m", "30s", "1w" or "2d12h" into a `timedelta`.

    Args:
        text: Numbers with the units w, d, h, min (or m), s, ms, one after the other; or a `timedelta`.

    Raises:
        ValueError: anything else, or a length of zero or less.
    """
    length = text if isinstance(text, timedelta) else _parse(str(text))
    if length <= timedelta(0):
        raise ValueError(f"a length of time must be greater than zero, got {text!r}.")
    return length


def _parse(text: str) -> timedelta:
    compact = text.strip()
    length, position = timedelta(0), 0
    while position < len(compact):
        part = _PART.match(compact, position)
        if part is None:
            break
        try:
            length += float(part[1]) * _UNITS[part[2].lower()]
        except OverflowError:
            break
        position = part.end()
        while compact[position : position + 1] == " ":
            position += 1
    if not compact or position < len(compact):
        raise ValueError(
            f"{text!r} is not a length of time; write a number and a unit (w, d, h, min, s), "
            "such as '5d', '24h', '10min' or '2d12h'."
        )
    return length


def format_duration(length: timedelta) -> str:
    """Write a length of time in words: "1 h", "2 d 12 h", "10 min"."""
    if length < timedelta(0):
        return "-" + format_duration(-length)
    parts = []
    for unit, word in _WORDS:
        count, length = divmod(length, _UNITS[unit])
        if count:
            parts.append(f"{count} {word}")
    return " ".join(parts) or "0 s"


def steps_of(length: str | timedelta, step: timedelta, name: str) -> int:
    """Count the steps in a length of time.

    Args:
        length: What to count, as `parse_duration` reads it.
        step: Length of one step of the series.
        name: What `length` is called, for the message: "history", "horizon".

    Raises:
        ValueError: `length` is not a whole number of steps.
    """
    whole = parse_duration(length)
    count, rest = divmod(whole, step)
    if rest:
        raise ValueError(
            f"{name} {format_duration(whole)} is not a whole number of steps of {format_duration(step)}; "
            f"take {format_duration(max(count, 1) * step)} or {format_duration((count + 1) * step)}."
        )
    return count

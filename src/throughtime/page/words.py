"""Numbers and times as the pages print them, and what the sentence that stands first is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass

SPACE = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_UNITS = {"degC": "°C", "degF": "°F", "deg": "°", "percent": "%", "m2": "m²", "m3": "m³", "W/m2": "W/m²"}


@dataclass(frozen=True)
class Figure:
    """One key figure of the header: what it is, the value with its unit, a word beside it."""

    label: str
    value: str
    unit: str
    note: str


@dataclass(frozen=True)
class Verdict:
    """The result in one sentence, one more for the intervals ("" without), and the key figures."""

    headline: str
    detail: str
    figures: tuple[Figure, ...]


def unit_text(unit: str) -> str:
    """The unit as people write it: "degC" becomes "°C"; what is not known stays as it is."""
    return _UNITS.get(unit, unit)


def number(value: float, figures: int = 3) -> str:
    """`value` with that many significant figures, thousands grouped, a true minus sign."""
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(float(f"{value:.{figures - 1}e}"))))
    if not -4 <= exponent < 9:
        mantissa, _, power = f"{value:.{figures - 1}e}".partition("e")
        return f"{mantissa}×10{str(int(power)).translate(_RAISED)}".replace("-", _MINUS)
    return f"{value:,.{max(0, figures - 1 - exponent)}f}".replace("-", _MINUS)


def quantity(value: float, unit: str) -> str:
    """`number` and its unit, not parted at a line's end."""
    return f"{number(value)}{SPACE}{unit_text(unit)}" if unit else number(value)


def duration(seconds: float) -> str:
    """Seconds as people say them: "84 s", "7 min", "2 h 5 min"."""
    if seconds < 99.5:
        return f"{number(seconds, 2)}{SPACE}s" if seconds < 10 else f"{seconds:.0f}{SPACE}s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return f"{minutes}{SPACE}min"
    return f"{hours}{SPACE}h {minutes}{SPACE}min"

"""Numbers as the study page and the slides print them."""

from __future__ import annotations

from throughtime.page.words import number

_MINUS = "\N{MINUS SIGN}"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LEAST, _MOST = 1e-3, 1e5  # outside, powers of ten


def shown(value: float, figures: int = 3) -> str:
    """`value` with that many significant figures, in powers of ten where it is small or large."""
    if value == 0 or _LEAST <= abs(value) < _MOST:
        return number(value, figures)
    mantissa, _, power = f"{value:.{figures - 1}e}".partition("e")
    return f"{mantissa.replace('-', _MINUS)}×10{str(int(power)).translate(_RAISED)}"


def on_wire(value: float) -> str:
    """Short enough to stand on a wire: three digits, two for small numbers."""
    return shown(value, 2 if abs(value) < 0.01 else 3)

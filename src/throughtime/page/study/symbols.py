"""The letters of the equations, as data that a page sets in MathML and a slide in plain text."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

_BAR = "\N{COMBINING MACRON}"


@dataclass(frozen=True)
class Symbol:
    """One letter with everything that stands around it.

    Attributes:
        name: The letter, as i, c, W.
        bar: Value before the activation, as ī.
        error: ∂J/∂ of it, written δ.
        sub: What stands below, as the i of W_i.
        transposed: Written with ᵀ.
        time: Steps from t: -1, 0, 1; None for what does not depend on time.
        function: Name of a function around it, as σ or σ′; the time stands inside.
    """

    name: str
    bar: bool = False
    error: bool = False
    sub: str = ""
    transposed: bool = False
    time: int | None = None
    function: str = ""

    def as_json(self) -> dict[str, Any]:
        """Fields that are set."""
        return {
            key: value
            for key, value in asdict(self).items()
            if value is not None and value is not False and value != ""
        }

    def as_text(self) -> str:
        """In Unicode letters, as δī(t+1), Wᵢ, σ′(ō(t))."""
        text = ("δ" if self.error else "") + self.name + (_BAR if self.bar else "")
        if self.sub:
            text += "_" + self.sub
        if self.transposed:
            text += "ᵀ"
        if self.time is not None:
            text += {-1: "(t−1)", 0: "(t)", 1: "(t+1)"}[self.time]
        return f"{self.function}({text})" if self.function else text


def value_symbol(value: str, time: int | None = 0) -> Symbol:
    """The symbol of a recorded value, as d_i_bar or c.

    `d_above` is Δ, the error that comes to an output from outside its layer; `h_c` is h(c).
    """
    if value == "d_above":
        return Symbol("Δ", time=time)
    if value == "h_c":
        return Symbol("c", time=time, function="h")
    error = value.startswith("d_")
    letter = value.removeprefix("d_")
    return Symbol(letter.removesuffix("_bar"), bar=letter.endswith("_bar"), error=error, time=time)

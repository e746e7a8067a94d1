"""The letters of the equations, as data that a page sets in MathML and a slide in plain text."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

_BAR = "\N{COMBINING MACRON}"
_MARKS = {"hat": "\N{COMBINING CIRCUMFLEX ACCENT}", "tilde": "\N{COMBINING TILDE}"}
_MEANS = {"d_mean": "⟨δâ⟩", "d_spread": "⟨δâ⊙â⟩", "mean": "μ", "scale": "s"}


@dataclass(frozen=True)
class Symbol:
    """One letter with everything that stands around it.

    Attributes:
        name: The letter, as i, c, W.
        bar: Value before the activation, as ī.
        mark: "hat" for a normalised value, as ĉ, "tilde" for one before zoneout, as c̃.
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
    mark: str = ""

    def as_json(self) -> dict[str, Any]:
        """Fields that are set."""
        return {
            key: value
            for key, value in asdict(self).items()
            if value is not None and value is not False and value != ""
        }

    @property
    def above(self) -> str:
        """What stands above the letter, as a combining character."""
        return _BAR if self.bar else _MARKS.get(self.mark, "")

    def as_text(self) -> str:
        """In Unicode letters, as δī(t+1), Wᵢ, σ′(ō(t))."""
        text = ("δ" if self.error else "") + self.name + self.above
        if self.sub:
            text += "_" + self.sub
        if self.transposed:
            text += "ᵀ"
        if self.time is not None:
            text += {-1: "(t−1)", 0: "(t)", 1: "(t+1)"}[self.time]
        return f"{self.function}({text})" if self.function else text


def value_symbol(value: str, time: int | None = 0) -> Symbol:
    """The symbol of a recorded value, as d_i_bar or c.

    `d_above` is Δ, the error that comes to an output from outside its layer; `h_c` is h(c). What `derived`
    adds has letters of its own: μ and s of a row, ⟨⟩ for a mean over it, (m⊙y) for what dropout leaves of y.
    """
    if value == "d_above":
        return Symbol("Δ", time=time)
    if value == "h_c":
        return Symbol("c", time=time, function="h")
    error = value.startswith("d_")
    letter, _, rest = value.removeprefix("d_").partition("_")
    if rest in ("mean", "scale", "spread"):
        return Symbol(_MEANS[f"d_{rest}" if error else rest], sub=letter, time=time)
    if letter == "stay":
        return Symbol("(1−k)", sub=rest, time=time)
    if rest == "read":
        return Symbol(f"(m⊙{letter})", time=None if time is None else time - 1)
    mark = next((name for name in _MARKS if rest.endswith(name)), "")
    sub = rest.removesuffix(mark).removesuffix("_").removesuffix("bar")
    return Symbol(letter, bar=rest == "bar", mark=mark, error=error, sub=sub, time=time)


def reader_name(route: str) -> str:
    """A route's reader in letters: "i_bar(t+1)" as ī(t+1), "c_mean(t)" in words."""
    name, _, time = route.partition("(")
    if not time:
        return {"head": "the head", "state": "the returned state"}.get(route, route)
    what = name.partition("_")[2]
    if what in ("mean", "spread"):
        return f"the row’s {what}"
    return f"{value_symbol(name, None).as_text()}({time}"

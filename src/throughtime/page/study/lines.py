"""Lines of equations as data: which numbers are multiplied and added, and which wires they travel.

The page and the slides show the lines from this one declaration. `lstm_lines` and `rnn_lines` write the
equations of `cells/` in it; nothing is computed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from throughtime.page.study.symbols import Symbol, value_symbol

Kind = Literal["value", "final", "one", "parameter", "row", "column", "slope"]


@dataclass(frozen=True)
class Factor:
    """One factor of a product, for the unit in focus.

    Attributes:
        kind: "value": a recorded value of this unit. "final": the error of the returned state. "one": 1.
            "parameter": the unit's own entry of a vector. "row": a row of a matrix times a vector.
            "column": a column of a matrix times a vector of errors. "slope": derivative of an
            activation, from the activated value.
        symbols: How it is written.
        value: Name of the value; for row and column of the vector.
        time: Steps from t at which the value is read.
        parameter: Name of the parameter.
        block: Which block of rows of the parameter, counted in H.
        part: Which block of columns, counted in H.
        slope: "logistic", "tanh" or "identity".
    """

    kind: Kind
    symbols: tuple[Symbol, ...]
    value: str = ""
    time: int = 0
    parameter: str = ""
    block: int = 0
    part: int = 0
    slope: str = ""

    @property
    def is_error(self) -> bool:
        """Whether it is an error, and so what a route multiplies."""
        return self.value.startswith("d_")

    def as_json(self) -> dict[str, Any]:
        """What the page reads."""
        names = ("value", "time", "parameter", "block", "part", "slope")
        fields = {name: getattr(self, name) for name in names if getattr(self, name)}
        return {"kind": self.kind, "symbols": [s.as_json() for s in self.symbols], **fields}


@dataclass(frozen=True)
class Term:
    """One summand: a product of factors, with the wires that carry it.

    Attributes:
        factors: Their product is the term.
        wires: Wires that light up, by id.
        minus: Subtracted.
        route: Name of the reader through which an error arrives, for lines that are sums over routes.
        last_only: Exists at the last time step alone.
    """

    factors: tuple[Factor, ...]
    wires: tuple[str, ...]
    minus: bool = False
    route: str = ""
    last_only: bool = False

    def as_json(self) -> dict[str, Any]:
        """What the page reads."""
        return {
            "factors": [factor.as_json() for factor in self.factors],
            "wires": self.wires,
            "minus": self.minus,
            "route": self.route,
            "last_only": self.last_only,
        }


@dataclass(frozen=True)
class Line:
    """One equation: what becomes known, and from what.

    Attributes:
        target: Name of the value it defines.
        terms: Summands; none for a value that comes from outside.
        function: Name of the activation applied to the single term, as σ; "" for a sum.
        wires: Wires on which the result appears.
        routes: Whether its terms are the routes of an error.
    """

    target: str
    terms: tuple[Term, ...] = ()
    function: str = ""
    wires: tuple[str, ...] = ()
    routes: bool = False

    def as_json(self) -> dict[str, Any]:
        """What the page reads."""
        return {
            "target": self.target,
            "symbol": value_symbol(self.target).as_json(),
            "terms": [term.as_json() for term in self.terms],
            "function": self.function,
            "wires": self.wires,
            "routes": self.routes,
        }


@dataclass(frozen=True)
class Moment:
    """What changes at once when the journey moves on by one.

    Attributes:
        id: Unique within its phase.
        title: What just became known, in words.
        lines: Its equations, at most two.
    """

    id: str
    title: str
    lines: tuple[Line, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What the page reads."""
        return {"id": self.id, "title": self.title, "lines": [line.as_json() for line in self.lines]}


@dataclass(frozen=True)
class Share:
    """How one time step contributes to a parameter's gradient: an error times what the parameter met.

    Attributes:
        parameter: Name of the parameter.
        symbol: How this block of it is written.
        block: Which block of rows, counted in H.
        error: The error it takes.
        value: The value it met; "" for a bias.
        time: When that value was formed, in steps from t.
        part: Which block of columns, counted in H.
        matrix: Whether each entry of the vector `value` has its own weight.
    """

    parameter: str
    symbol: Symbol
    block: int
    error: str
    value: str = ""
    time: int = 0
    part: int = 0
    matrix: bool = False

    def as_json(self) -> dict[str, Any]:
        """What the page reads."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        value = {"value_symbol": value_symbol(self.value, self.time).as_json()} if self.value else {}
        return fields | {
            "symbol": self.symbol.as_json(),
            "error_symbol": value_symbol(self.error).as_json(),
            **value,
        }


@dataclass(frozen=True)
class Journey:
    """The moments of one time step, forward and backward, and the shares in the gradients."""

    forward: tuple[Moment, ...]
    backward: tuple[Moment, ...]
    shares: tuple[Share, ...]

    def as_json(self) -> dict[str, Any]:
        """What the page reads."""
        return {
            name: [entry.as_json() for entry in getattr(self, name)] for name in self.__dataclass_fields__
        }


def value(name: str, time: int = 0) -> Factor:
    """A recorded value of the unit in focus."""
    return Factor("value", (value_symbol(name, time),), name, time)


def row(parameter: str, letter: Symbol, block: int, name: str, time: int = 0, part: int = 0) -> Factor:
    """A row of a matrix times a vector, as W_i x(t)."""
    return Factor("row", (letter, value_symbol(name, time)), name, time, parameter, block, part)


def column(parameter: str, letter: Symbol, block: int, name: str, time: int = 0, part: int = 0) -> Factor:
    """A column of a matrix times a vector of errors, as R_iᵀ δī(t+1)."""
    return Factor("column", (letter, value_symbol(name, time)), name, time, parameter, block, part)


def entry(parameter: str, letter: Symbol, block: int) -> Factor:
    """The unit's own entry of a vector, as b_i or p_i."""
    return Factor("parameter", (letter,), parameter=parameter, block=block)


def slope(function: str, of: str, before: Symbol, kind: str) -> Factor:
    """Derivative of an activation at t, written at `before`, found from the activated value `of`."""
    symbol = Symbol(before.name, bar=before.bar, time=before.time, function=f"{function}′")
    return Factor("slope", (symbol,), of, slope=kind)

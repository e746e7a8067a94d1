"""Which steps the deck takes, and what is known at each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from throughtime.page.study.drawing import Read
from throughtime.page.study.evaluate import LayerNumbers, Place
from throughtime.page.study.lines import Journey, Line, Moment, Term


@dataclass(frozen=True)
class Step:
    """One slide of the journey.

    Attributes:
        phase: Whether values or errors become known.
        moment: The moment it belongs to.
        line: The line that becomes known, or None: an arrival, the loss, the shares.
        routes: Of a sum over routes how many are shown; None shows all and the result.
        known: Names that are known at t.
        place: Where one looks.
    """

    phase: Literal["forward", "backward"]
    moment: Moment
    line: Line | None
    routes: int | None
    known: frozenset[str]
    place: Place


def steps(journey: Journey, numbers: LayerNumbers, place: Place) -> Iterator[Step]:
    """The steps of one time step, forward and then backward; a route a slide where errors meet."""
    known: frozenset[str] = frozenset()
    for moment in journey.forward:
        for line in moment.lines:
            known |= {line.target} | ({"h_c"} if line.target in ("c", "c_tilde", "u") else set())
            yield Step("forward", moment, line, None, known, place)
    for moment in journey.backward:
        if not moment.lines:
            yield Step("backward", moment, None, None, known, place)
        for line in moment.lines:
            if line.routes:
                count = len(numbers.terms(line, place))
                yield from (Step("backward", moment, line, n, known, place) for n in range(1, count + 1))
            known |= {line.target}
            yield Step("backward", moment, line, None, known, place)


def shown_terms(step: Step, numbers: LayerNumbers) -> tuple[Term, ...]:
    """The terms of a step's line that the slide shows."""
    if step.line is None:
        return ()
    return numbers.terms(step.line, step.place)[: step.routes]


def lit_wires(step: Step, numbers: LayerNumbers) -> frozenset[str]:
    """Wires that light up: of a growing sum those of its newest route."""
    if step.line is None:
        return frozenset()
    terms = shown_terms(step, numbers)
    if step.routes is not None:
        return frozenset(terms[-1].wires)
    return frozenset(step.line.wires).union(*(term.wires for term in terms))


def read(step: Step, numbers: LayerNumbers, what: Read) -> float | None:
    """A number of the drawing, or None while it is not known."""
    if what.product:
        parts = [
            _one(step, numbers, name, time, False)
            for name, time in zip(what.product, what.times, strict=True)
        ]
        known = [part for part in parts if part is not None]
        return _product(known) if len(known) == len(parts) else None
    return _one(step, numbers, what.name, what.time, what.input)


def _product(parts: list[float]) -> float:
    product = 1.0
    for part in parts:
        product *= part
    return product


def _one(step: Step, numbers: LayerNumbers, name: str, time: int, entry: bool) -> float | None:
    t, b, k = step.place.t, step.place.b, step.place.k
    error = name.startswith("d_")
    if not numbers.has(name):
        return None if error else 1.0
    if error and step.phase == "forward":
        return None
    past = time < 0 if step.phase == "forward" else time > 0 or not error
    if not past and name not in step.known:
        return None
    if time > 0 and numbers.shifted(t, time, b) is None:
        return None
    return float(numbers.vector(name, time, t, b)[0 if entry else k])

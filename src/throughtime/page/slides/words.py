"""Equations on slides: symbols as runs of text with true subscripts, numbers beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pptx.dml.color import RGBColor
from pptx.util import Pt

from throughtime.page.study.evaluate import LayerNumbers, Place
from throughtime.page.study.lines import Line, Term
from throughtime.page.study.shown import shown
from throughtime.page.study.symbols import Symbol, value_symbol

_SUBSCRIPT = "-25000"  # of the letter's height, in thousandths of a percent
_TIMES = {None: "", -1: "(t−1)", 0: "(t)", 1: "(t+1)"}


@dataclass(frozen=True)
class Run:
    """A piece of text; a subscript or not."""

    text: str
    sub: bool = False


def symbol_runs(symbol: Symbol) -> list[Run]:
    """A symbol, its index set below."""
    head = f"{symbol.function}(" if symbol.function else ""
    runs = [Run(f"{head}{'δ' if symbol.error else ''}{symbol.name}{symbol.above}")]
    if symbol.sub:
        runs.append(Run(symbol.sub, sub=True))
    tail = f"{'ᵀ' if symbol.transposed else ''}{_TIMES[symbol.time]}{')' if symbol.function else ''}"
    return [*runs, Run(tail)] if tail else runs


def term_runs(term: Term) -> list[Run]:
    """The product of a term's factors."""
    runs: list[Run] = []
    for factor in term.factors:
        if runs:
            runs.append(Run(" ⊙ "))
        for place, symbol in enumerate(factor.symbols):
            runs += ([Run(" ")] if place else []) + symbol_runs(symbol)
    return runs


def line_runs(line: Line, terms: Iterable[Term]) -> list[Run]:
    """The whole equation in symbols."""
    runs = [*symbol_runs(value_symbol(line.target)), Run(" = ")]
    for place, term in enumerate(terms):
        sign = "− " if term.minus else "+ "
        runs += [Run(f" {sign}" if place else sign)] if place or term.minus else []
        body = term_runs(term)
        runs += [Run(f"{line.function}("), *body, Run(")")] if line.function else body
    return runs


def put_in(term: Term, numbers: LayerNumbers, place: Place) -> str:
    """The numbers of a term's factors; of a product with a vector how many summands it has."""
    parts = []
    for factor in term.factors:
        if factor.kind in ("row", "column"):
            parts.append(f"Σ of {len(numbers.vector(factor.value, factor.time, place.t, place.b))}")
        else:
            found = shown(numbers.factor(factor, place))
            parts.append(f"({found})" if parts and found.startswith("−") else found)
    return " · ".join(parts)


def write_runs(
    paragraph: Any, runs: Iterable[Run], size: float, ink: RGBColor, *, bold: bool = False
) -> None:
    """Put runs into a paragraph."""
    for piece in runs:
        run = paragraph.add_run()
        run.text = piece.text
        run.font.size, run.font.bold, run.font.color.rgb = Pt(size), bold, ink
        if piece.sub:
            run.font._rPr.set("baseline", _SUBSCRIPT)

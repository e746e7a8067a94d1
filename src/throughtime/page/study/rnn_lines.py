"""The equations of the simple RNN as lines; see `throughtime.cells.simple_rnn`."""

from __future__ import annotations

from throughtime.page.study.lines import (
    Factor,
    Journey,
    Line,
    Moment,
    Share,
    Term,
    column,
    entry,
    row,
    value,
)
from throughtime.page.study.symbols import Symbol

_U, _W, _B = Symbol("U"), Symbol("W"), Symbol("b")


def rnn_lines(bias: bool) -> Journey:
    """The journey through a simple RNN: a, h, J; then Δ, δh, δa and the gradients' shares."""
    return Journey(_forward(bias), _backward(), _shares(bias))


def _forward(bias: bool) -> tuple[Moment, ...]:
    terms = [
        Term((row("weight_hh", _W, 0, "h", -1),), ("h_prev", "h_a")),
        Term((row("weight_ih", _U, 0, "x"),), ("x_in", "x_a")),
    ]
    if bias:
        terms.insert(0, Term((entry("bias", _B, 0),), ("b_a",)))
    return (
        Moment("x", "the input arrives", (Line("x", wires=("x_in",)),)),
        Moment("a", "sum before the activation", (Line("a", tuple(terms), wires=("a_g",)),)),
        Moment(
            "h",
            "hidden value",
            (Line("h", (Term((value("a"),), ("a_g",)),), "g", ("h_out", "h_next")),),
        ),
        Moment("loss", "the output goes to the head", (Line("h", wires=("y_up",)),)),
    )


def _backward() -> tuple[Moment, ...]:
    transposed = Symbol("W", transposed=True)
    slope = Factor("value", (Symbol("a", time=0, function="g′"),), "slope")
    d_h = (
        Term((value("d_above"),), ("y_up",), route="head"),
        Term((column("weight_hh", transposed, 0, "d_a", 1),), ("h_next", "n_h_a"), route="a(t+1)"),
        Term(
            (Factor("final", (Symbol("h", error=True, sub="T"),), "d_h"),),
            ("h_next",),
            route="state",
            last_only=True,
        ),
    )
    return (
        Moment("d_above", "error from above", (Line("d_above", wires=("y_up",)),)),
        Moment("d_h", "error of the hidden value", (Line("d_h", d_h, wires=("h_out",), routes=True),)),
        Moment(
            "d_a",
            "error before the activation",
            (Line("d_a", (Term((value("d_h"), slope), ("h_out", "a_g")),), wires=("a_g",)),),
        ),
        Moment("share", "this step’s share of the gradients"),
    )


def _shares(bias: bool) -> tuple[Share, ...]:
    shares = (
        Share("weight_ih", _U, 0, "d_a", "x", matrix=True),
        Share("weight_hh", _W, 0, "d_a", "h", -1, matrix=True),
    )
    return (*shares, Share("bias", _B, 0, "d_a")) if bias else shares

"""The equations of the simple RNN as lines; see `throughtime.cells.simple_rnn`."""

from __future__ import annotations

from throughtime.page.study.lines import (
    Factor,
    Journey,
    Line,
    Moment,
    Share,
    Term,
    entry,
    row,
    value,
)
from throughtime.page.study.norm_lines import (
    PLAIN,
    Regular,
    after_zoneout,
    backward_rows,
    before_zoneout,
    forward_rows,
    gain_shares,
    gained,
    stayed,
)
from throughtime.page.study.symbols import Symbol

_U, _W, _B = Symbol("U"), Symbol("W"), Symbol("b")


def rnn_lines(bias: bool, regular: Regular = PLAIN) -> Journey:
    """The journey through a simple RNN: a, h, J; then Δ, δh, δa and the gradients' shares.

    Layer normalisation and zoneout bring lines of their own.
    """
    return Journey(_forward(bias, regular), _backward(regular), _shares(bias, regular))


def _forward(bias: bool, regular: Regular) -> tuple[Moment, ...]:
    terms = [
        Term((regular.recurrent("weight_hh", _W, 0, "h"),), ("h_prev", "h_a")),
        Term((row("weight_ih", _U, 0, "x"),), ("x_in", "x_a")),
    ]
    if regular.norm:
        terms = gained("a", 0)
    if bias:
        terms.insert(0, Term((entry("bias", _B, 0),), ("b_a",)))
    found, wires = regular.found("h"), ("h_out", "h_next")
    return (
        Moment("x", "the input arrives", (Line("x", wires=("x_in",)),)),
        *forward_rows(regular, {"a": (_U, _W)}, "h"),
        Moment("a", "sum before the activation", (Line("a", tuple(terms), wires=("a_g",)),)),
        Moment(
            found,
            "hidden value",
            (Line(found, (Term((value("a"),), ("a_g",)),), "g", wires),),
        ),
        *after_zoneout(regular, "h", "hidden value", wires, ("h_prev",)),
        Moment("loss", "the output goes to the head", (Line("h", wires=("y_up",)),)),
    )


def _backward(regular: Regular) -> tuple[Moment, ...]:
    transposed, reader, found = Symbol("W", transposed=True), regular.read_by("a")[1], regular.found("h")
    slope = Factor("value", (Symbol("a", time=0, function="g′"),), "slope")
    d_h = (
        Term((value("d_above"),), ("y_up",), route="head"),
        Term(
            regular.back("weight_hh", transposed, 0, f"d_{reader}"),
            ("h_next", "n_h_a"),
            route=f"{reader}(t+1)",
        ),
        *stayed(regular, "h", ("h_next",)),
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
        *before_zoneout(regular, "h", "the hidden value", ("h_out",)),
        Moment(
            "d_a",
            "error before the activation",
            (Line("d_a", (Term((value(f"d_{found}"), slope), ("h_out", "a_g")),), wires=("a_g",)),),
        ),
        *backward_rows(regular, {"a": 0}),
        Moment("share", "this step’s share of the gradients"),
    )


def _shares(bias: bool, regular: Regular) -> tuple[Share, ...]:
    of_x, of_h = regular.read_by("a")
    shares = (
        Share("weight_ih", _U, 0, f"d_{of_x}", "x", matrix=True),
        Share("weight_hh", _W, 0, f"d_{of_h}", *regular.met("h"), matrix=True),
        *gain_shares(regular, "a", 0),
    )
    return (*shares, Share("bias", _B, 0, "d_a")) if bias else shares

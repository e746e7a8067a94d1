"""The equations of the LSTM and its variants as lines; see `throughtime.cells.lstm`."""

from __future__ import annotations

from throughtime.cells import Variant
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
    slope,
    value,
)
from throughtime.page.study.symbols import Symbol, value_symbol

WORDS = {"i": "input gate", "f": "forget gate", "z": "block input", "o": "output gate"}
_ORDER_FORWARD = ("z", "i", "f")
_ORDER_BACKWARD = ("f", "i", "z")


def lstm_lines(variant: Variant, bias: bool) -> Journey:
    """The journey through an LSTM block: z, i, f, c, o, y, J; then Δ, δy, δō, δc, δf̄, δī, δz̄, shares.

    What a variant lacks has no line.
    """
    return Journey(_forward(variant, bias), _backward(variant), _shares(variant, bias))


def _forward(v: Variant, bias: bool) -> tuple[Moment, ...]:
    gates = [_gate(v, block, bias) for block in _ORDER_FORWARD if block in v.blocks]
    if v.forget_gate == "coupled":
        one = Term((Factor("one", (Symbol("1"),)),), ())
        minus = Term((value("i"),), ("i_f",), minus=True)
        gates.append(Moment("f", "forget gate, coupled", (Line("f", (one, minus), wires=("f_out",)),)))
    new = Term((value("z"), *_gates(v, "i")), ("z_out", "i_out", "c_new"))
    kept = Term((value("c", -1), *_gates(v, "f")), ("c_prev", "f_out", "c_kept"))
    out = Term((*_gates(v, "o"), value("h_c")), ("o_out", "c_tap", "h_out"))
    moments = [
        Moment("x", "the input arrives", (Line("x", wires=("x_in",)),)),
        *gates,
        Moment("c", "cell", (Line("c", (new, kept), wires=("c_rail", "c_next")),)),
    ]
    if v.output_gate:
        moments.append(_gate(v, "o", bias))
    moments.append(Moment("y", "block output", (Line("y", (out,), wires=("y_out", "y_next", "y_up")),)))
    moments.append(Moment("loss", "the output goes to the head", (Line("y", wires=("y_up",)),)))
    return tuple(moments)


def _gates(v: Variant, gate: str, time: int = 0) -> tuple[Factor, ...]:
    """The gate as a factor; nothing where it is fixed at 1."""
    fixed = {"i": not v.input_gate, "f": v.forget_gate == "none", "o": not v.output_gate}
    return () if fixed[gate] else (value(gate, time),)


def _gate(v: Variant, block: str, bias: bool) -> Moment:
    n = v.blocks.index(block)
    terms = [
        Term((row("weight_ih", Symbol("W", sub=block), n, "x"),), ("x_in", f"x_{block}")),
        Term((row("weight_hh", Symbol("R", sub=block), n, "y", -1),), ("y_prev", f"y_{block}")),
    ]
    if block in v.gates and v.full_gate_recurrence:
        m = v.gates.index(block)
        terms += [
            Term(
                (row("weight_gates", Symbol("R", sub=block + other), m, other, -1, v.gates.index(other)),),
                (f"g_{block}",),
            )
            for other in v.gates
        ]
    if block in v.gates and v.peepholes:
        met = value("c", 0 if block == "o" else -1)
        peephole = entry("peephole", Symbol("p", sub=block), v.gates.index(block))
        terms.append(Term((peephole, met), (f"p_{block}",)))
    if bias:
        terms.append(Term((entry("bias", Symbol("b", sub=block), n),), (f"b_{block}",)))
    function = "σ" if block != "z" else ("g" if v.input_activation == "tanh" else "id")
    bar = Line(f"{block}_bar", tuple(terms), wires=(f"{block}_gate",))
    activated = Line(
        block, (Term((value(f"{block}_bar"),), (f"{block}_gate",)),), function, (f"{block}_out",)
    )
    return Moment(block, WORDS[block], (bar, activated))


def _backward(v: Variant) -> tuple[Moment, ...]:
    moments = [
        Moment("d_above", "error from above", (Line("d_above", wires=("y_up",)),)),
        Moment(
            "d_y", "error of the block output", (Line("d_y", _routes_of_y(v), wires=("y_out",), routes=True),)
        ),
    ]
    if v.output_gate:
        moments.append(_error_before(v, "o"))
    moments.append(
        Moment("d_c", "error of the cell", (Line("d_c", _routes_of_c(v), wires=("c_rail",), routes=True),))
    )
    moments += [_error_before(v, block) for block in _ORDER_BACKWARD if block in v.blocks]
    moments.append(Moment("share", "this step’s share of the gradients"))
    return tuple(moments)


def _final(name: str) -> Term:
    symbol = Symbol(name, error=True, sub="T")
    wires = ("y_next",) if name == "y" else ("c_next",)
    return Term((Factor("final", (symbol,), f"d_{name}"),), wires, route="state", last_only=True)


def _routes_of_y(v: Variant) -> tuple[Term, ...]:
    terms = [Term((value("d_above"),), ("y_up",), route="head")]
    for block in (b for b in ("z", "i", "f", "o") if b in v.blocks):
        letter = Symbol("R", sub=block, transposed=True)
        factor = column("weight_hh", letter, v.blocks.index(block), f"d_{block}_bar", 1)
        terms.append(Term((factor,), ("y_next", f"n_y_{block}"), route=f"{block}_bar(t+1)"))
    return (*terms, _final("y"))


def _routes_of_c(v: Variant) -> tuple[Term, ...]:
    h_slope = slope("h", "h_c", value_symbol("c"), v.output_activation)
    through_y = (value("d_y"), *_gates(v, "o"), h_slope)
    terms = [Term(through_y, ("y_out", "h_out", "c_tap"), route="y(t)")]
    for gate in (g for g in ("o", "i", "f") if g in v.gates and v.peepholes):
        time = 0 if gate == "o" else 1
        factors = (
            entry("peephole", Symbol("p", sub=gate), v.gates.index(gate)),
            value(f"d_{gate}_bar", time),
        )
        wire, reader = ("p_o", "o_bar(t)") if gate == "o" else (f"n_c_{gate}", f"{gate}_bar(t+1)")
        terms.append(Term(factors, (wire,), route=reader))
    terms.append(Term((value("d_c", 1), *_gates(v, "f", 1)), ("c_next",), route="c(t+1)"))
    return (*terms, _final("c"))


def _error_before(v: Variant, block: str) -> Moment:
    error, wires = {
        "o": (("d_y", "h_c"), ("y_out", "o_out")),
        "f": (("d_c", "c"), ("c_kept", "f_out")),
        "i": (("d_c", "z"), ("c_new", "i_out")),
        "z": (("d_c", "i"), ("c_new", "z_out")),
    }[block]
    activation = v.input_activation if block == "z" else "logistic"
    before = slope("g" if block == "z" else "σ", block, value_symbol(f"{block}_bar"), activation)
    other = _gates(v, "i") if error[1] == "i" else (value(error[1], -1 if block == "f" else 0),)
    factors = (value(error[0]), *other, before)
    terms = [Term(factors, wires)]
    if block == "i" and v.forget_gate == "coupled":
        terms.append(Term((value("d_c"), value("c", -1), before), ("c_kept", "f_out", "i_f"), minus=True))
    if block in v.gates and v.full_gate_recurrence:
        terms += _through_gates(v, block, before)
    line = Line(f"d_{block}_bar", tuple(terms), wires=(f"{block}_gate",))
    return Moment(line.target, f"error of the {WORDS[block]}", (line,))


def _through_gates(v: Variant, gate: str, before: Factor) -> list[Term]:
    """FGR: each own gate of t+1 read this gate; and the error of the returned gate."""
    part = v.gates.index(gate)
    terms = [
        Term(
            (
                column(
                    "weight_gates",
                    Symbol("R", sub=other + gate, transposed=True),
                    v.gates.index(other),
                    f"d_{other}_bar",
                    1,
                    part,
                ),
                before,
            ),
            (f"n_g_{gate}",),
        )
        for other in v.gates
    ]
    final = Factor("final", (Symbol(gate, error=True, sub="T"),), f"d_{gate}")
    return [*terms, Term((final, before), (f"n_g_{gate}",), last_only=True)]


def _shares(v: Variant, bias: bool) -> tuple[Share, ...]:
    shares: list[Share] = []
    for n, block in enumerate(v.blocks):
        error = f"d_{block}_bar"
        shares.append(Share("weight_ih", Symbol("W", sub=block), n, error, "x", matrix=True))
        shares.append(Share("weight_hh", Symbol("R", sub=block), n, error, "y", -1, matrix=True))
        if block in v.gates and v.full_gate_recurrence:
            shares += [
                Share(
                    "weight_gates",
                    Symbol("R", sub=block + other),
                    v.gates.index(block),
                    error,
                    other,
                    -1,
                    v.gates.index(other),
                    matrix=True,
                )
                for other in v.gates
            ]
        if block in v.gates and v.peepholes:
            met = 0 if block == "o" else -1
            shares.append(Share("peephole", Symbol("p", sub=block), v.gates.index(block), error, "c", met))
        if bias:
            shares.append(Share("bias", Symbol("b", sub=block), n, error))
    return tuple(shares)

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
from throughtime.page.study.norm_lines import (
    PLAIN,
    Regular,
    after_zoneout,
    backward_rows,
    before_zoneout,
    forward_rows,
    gain_shares,
    gained,
    hat_terms,
    norm_routes,
    stayed,
)
from throughtime.page.study.symbols import Symbol, value_symbol

WORDS = {"i": "input gate", "f": "forget gate", "z": "block input", "o": "output gate"}
_ORDER_FORWARD = ("z", "i", "f")
_ORDER_BACKWARD = ("f", "i", "z")


def lstm_lines(variant: Variant, bias: bool, regular: Regular = PLAIN) -> Journey:
    """The journey through an LSTM block: z, i, f, c, o, y, J; then Δ, δy, δō, δc, δf̄, δī, δz̄, shares.

    What a variant lacks has no line. Layer normalisation and zoneout bring lines of their own.
    """
    forward = _forward(variant, bias, regular)
    return Journey(forward, _backward(variant, regular), _shares(variant, bias, regular))


def _forward(v: Variant, bias: bool, regular: Regular) -> tuple[Moment, ...]:
    gates = [_gate(v, block, bias, regular) for block in _ORDER_FORWARD if block in v.blocks]
    if v.forget_gate == "coupled":
        one = Term((Factor("one", (Symbol("1"),)),), ())
        minus = Term((value("i"),), ("i_f",), minus=True)
        gates.append(Moment("f", "forget gate, coupled", (Line("f", (one, minus), wires=("f_out",)),)))
    new = Term((value("z"), *_gates(v, "i")), ("z_out", "i_out", "c_new"))
    kept = Term((value("c", -1), *_gates(v, "f")), ("c_prev", "f_out", "c_kept"))
    out = Term((*_gates(v, "o"), value("h_c")), ("o_out", "c_tap", "h_out"))
    letters = {block: (Symbol("W", sub=block), Symbol("R", sub=block)) for block in v.blocks}
    c, y, rail = regular.found("c"), regular.found("y"), ("c_rail", "c_next")
    moments = [
        Moment("x", "the input arrives", (Line("x", wires=("x_in",)),)),
        *forward_rows(regular, letters, "y", {block: _across(v, block) for block in v.blocks}),
        *gates,
        Moment(c, "cell", (Line(c, (new, kept), wires=rail),)),
        *after_zoneout(regular, "c", "cell", rail, ("c_prev",)),
        *_seen_cell(regular, bias),
    ]
    if v.output_gate:
        moments.append(_gate(v, "o", bias, regular))
    out_wires = ("y_out", "y_next", "y_up")
    moments.append(Moment(y, "block output", (Line(y, (out,), wires=out_wires),)))
    moments += after_zoneout(regular, "y", "block output", out_wires, ("y_prev",))
    moments.append(Moment("loss", "the output goes to the head", (Line("y", wires=("y_up",)),)))
    return tuple(moments)


def _seen_cell(regular: Regular, bias: bool) -> list[Moment]:
    """Layer normalisation: what h sees of the cell."""
    if not regular.norm:
        return []
    wires = ("c_tap",)
    terms = [Term((entry("gain_c", Symbol("g", sub="c"), 0), value("c_hat")), wires)]
    terms += [Term((entry("bias_c", Symbol("b", sub="c"), 0),), wires)] if bias else []
    hat = Line("c_hat", hat_terms("c", regular.found("c"), wires), wires=wires)
    return [Moment("u", "the cell, normalised", (hat, Line("u", tuple(terms), wires=wires)))]


def _gates(v: Variant, gate: str, time: int = 0) -> tuple[Factor, ...]:
    """The gate as a factor; nothing where it is fixed at 1."""
    fixed = {"i": not v.input_gate, "f": v.forget_gate == "none", "o": not v.output_gate}
    return () if fixed[gate] else (value(gate, time),)


def _across(v: Variant, block: str) -> list[Term]:
    """FGR: what the own gates of t-1 add to a block."""
    if block not in v.gates or not v.full_gate_recurrence:
        return []
    m = v.gates.index(block)
    return [
        Term(
            (row("weight_gates", Symbol("R", sub=block + other), m, other, -1, v.gates.index(other)),),
            (f"g_{block}",),
        )
        for other in v.gates
    ]


def _gate(v: Variant, block: str, bias: bool, regular: Regular) -> Moment:
    n = v.blocks.index(block)
    recurrent = regular.recurrent("weight_hh", Symbol("R", sub=block), n, "y")
    terms = [
        Term((row("weight_ih", Symbol("W", sub=block), n, "x"),), ("x_in", f"x_{block}")),
        Term((recurrent,), ("y_prev", f"y_{block}")),
        *_across(v, block),
    ]
    if regular.norm:
        terms = gained(block, n)
    if block in v.gates and v.peepholes:
        met = value(regular.found("c")) if block == "o" else value("c", -1)
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


def _backward(v: Variant, regular: Regular) -> tuple[Moment, ...]:
    found = regular.found("c")
    to_y, to_c, to_found = _routes_of_y(v, regular), _routes_of_c(v, regular), _routes_of_found(v, regular)
    moments = [
        Moment("d_above", "error from above", (Line("d_above", wires=("y_up",)),)),
        Moment("d_y", "error of the block output", (Line("d_y", to_y, wires=("y_out",), routes=True),)),
        *before_zoneout(regular, "y", "the block output", ("y_out",)),
    ]
    if v.output_gate:
        moments.append(_error_before(v, "o", regular))
    moments += _error_of_seen(v, regular)
    if regular.zoneout:
        after = Line("d_c", to_c, wires=("c_next",), routes=True)
        moments.append(Moment("d_c", "error of the kept cell", (after,)))
        to_found = (*to_found, Term((value("k_c"), value("d_c")), ("c_rail",), route="c(t)"))
    else:
        to_found = (*to_found, *to_c)
    cell = Line(f"d_{found}", to_found, wires=("c_rail",), routes=True)
    moments.append(Moment(cell.target, "error of the cell", (cell,)))
    moments += [_error_before(v, block, regular) for block in _ORDER_BACKWARD if block in v.blocks]
    moments += backward_rows(regular, {block: n for n, block in enumerate(v.blocks)})
    moments.append(Moment("share", "this step’s share of the gradients"))
    return tuple(moments)


def _final(name: str) -> Term:
    symbol = Symbol(name, error=True, sub="T")
    wires = ("y_next",) if name == "y" else ("c_next",)
    return Term((Factor("final", (symbol,), f"d_{name}"),), wires, route="state", last_only=True)


def _routes_of_y(v: Variant, regular: Regular) -> tuple[Term, ...]:
    terms = [Term((value("d_above"),), ("y_up",), route="head")]
    for block in (b for b in ("z", "i", "f", "o") if b in v.blocks):
        letter = Symbol("R", sub=block, transposed=True)
        reader = regular.read_by(block)[1]
        factors = regular.back("weight_hh", letter, v.blocks.index(block), f"d_{reader}")
        terms.append(Term(factors, ("y_next", f"n_y_{block}"), route=f"{reader}(t+1)"))
    return (*terms, *stayed(regular, "y", ("y_next",)), _final("y"))


def _through_h(v: Variant, regular: Regular, route: str) -> Term:
    """From the block output to what h sees."""
    out, seen = regular.found("y"), "u" if regular.norm else regular.found("c")
    h_slope = slope("h", "h_c", value_symbol(seen), v.output_activation)
    return Term((value(f"d_{out}"), *_gates(v, "o"), h_slope), ("y_out", "h_out", "c_tap"), route=route)


def _error_of_seen(v: Variant, regular: Regular) -> list[Moment]:
    """Layer normalisation: errors of u and of the normalised cell."""
    if not regular.norm:
        return []
    wires = ("c_tap",)
    seen = Line("d_u", (_through_h(v, regular, ""),), wires=wires)
    gain = entry("gain_c", Symbol("g", sub="c"), 0)
    hat = Line("d_c_hat", (Term((gain, value("d_u")), wires),), wires=wires)
    return [Moment("d_u", "error of what h sees", (seen, hat))]


def _peephole(v: Variant, gate: str) -> list[Term]:
    """The route through a gate's peephole: o reads the new cell at t, i and f the old one at t+1."""
    if gate not in v.gates or not v.peepholes:
        return []
    time = 0 if gate == "o" else 1
    factors = (
        entry("peephole", Symbol("p", sub=gate), v.gates.index(gate)),
        value(f"d_{gate}_bar", time),
    )
    wire, reader = ("p_o", "o_bar(t)") if gate == "o" else (f"n_c_{gate}", f"{gate}_bar(t+1)")
    return [Term(factors, (wire,), route=reader)]


def _routes_of_found(v: Variant, regular: Regular) -> tuple[Term, ...]:
    """Routes at t to the cell as it was found."""
    terms: tuple[Term, ...] = (_through_h(v, regular, f"{regular.found('y')}(t)"),)
    if regular.norm:
        terms = norm_routes("c", "c_hat", ("c_tap",))
    return (*terms, *_peephole(v, "o"))


def _routes_of_c(v: Variant, regular: Regular) -> tuple[Term, ...]:
    """Routes from t+1 to the cell as it was read there."""
    found = regular.found("c")
    kept = Term((value(f"d_{found}", 1), *_gates(v, "f", 1)), ("c_next",), route=f"{found}(t+1)")
    later = (*_peephole(v, "i"), *_peephole(v, "f"), kept)
    return (*later, *stayed(regular, "c", ("c_next",)), _final("c"))


def _error_before(v: Variant, block: str, regular: Regular) -> Moment:
    d_c, d_y = f"d_{regular.found('c')}", f"d_{regular.found('y')}"
    error, wires = {
        "o": ((d_y, "h_c"), ("y_out", "o_out")),
        "f": ((d_c, "c"), ("c_kept", "f_out")),
        "i": ((d_c, "z"), ("c_new", "i_out")),
        "z": ((d_c, "i"), ("c_new", "z_out")),
    }[block]
    activation = v.input_activation if block == "z" else "logistic"
    before = slope("g" if block == "z" else "σ", block, value_symbol(f"{block}_bar"), activation)
    other = _gates(v, "i") if error[1] == "i" else (value(error[1], -1 if block == "f" else 0),)
    factors = (value(error[0]), *other, before)
    terms = [Term(factors, wires)]
    if block == "i" and v.forget_gate == "coupled":
        terms.append(Term((value(d_c), value("c", -1), before), ("c_kept", "f_out", "i_f"), minus=True))
    if block in v.gates and v.full_gate_recurrence:
        terms += _through_gates(v, block, before, regular)
    line = Line(f"d_{block}_bar", tuple(terms), wires=(f"{block}_gate",))
    return Moment(line.target, f"error of the {WORDS[block]}", (line,))


def _through_gates(v: Variant, gate: str, before: Factor, regular: Regular) -> list[Term]:
    """FGR: each own gate of t+1 read this gate; and the error of the returned gate."""
    part = v.gates.index(gate)
    terms = [
        Term(
            (
                column(
                    "weight_gates",
                    Symbol("R", sub=other + gate, transposed=True),
                    v.gates.index(other),
                    f"d_{regular.read_by(other)[1]}",
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


def _shares(v: Variant, bias: bool, regular: Regular) -> tuple[Share, ...]:
    shares: list[Share] = []
    for n, block in enumerate(v.blocks):
        error, (of_x, of_y) = f"d_{block}_bar", regular.read_by(block)
        shares.append(Share("weight_ih", Symbol("W", sub=block), n, f"d_{of_x}", "x", matrix=True))
        met_by_r = regular.met("y")
        shares.append(Share("weight_hh", Symbol("R", sub=block), n, f"d_{of_y}", *met_by_r, matrix=True))
        shares += gain_shares(regular, block, n)
        if block in v.gates and v.full_gate_recurrence:
            shares += [
                Share(
                    "weight_gates",
                    Symbol("R", sub=block + other),
                    v.gates.index(block),
                    f"d_{of_y}",
                    other,
                    -1,
                    v.gates.index(other),
                    matrix=True,
                )
                for other in v.gates
            ]
        if block in v.gates and v.peepholes:
            met = (regular.found("c"), 0) if block == "o" else ("c", -1)
            shares.append(Share("peephole", Symbol("p", sub=block), v.gates.index(block), error, *met))
        if bias:
            shares.append(Share("bias", Symbol("b", sub=block), n, error))
    if regular.norm:
        shares.append(Share("gain_c", Symbol("g", sub="c"), 0, "d_u", "c_hat"))
        shares += [Share("bias_c", Symbol("b", sub="c"), 0, "d_u")] if bias else []
    return tuple(shares)

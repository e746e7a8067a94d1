"""The elementwise part of one time step, where the product with R is a call of its own: larger layers, FGR.

Buffers of one step t, of all M·B sequences: rows lie `*_of_network` elements further for each network, B rows
each dense. A program takes BLOCK values of the (M·B, H) plane.

    row      the blocks of step t: W x + R y + b (and what FGR adds) in, values after the activation out
    before   FGR: the blocks of the step before, in a row of the same kind, z of no meaning
    carried  (M·B, H)  c between the steps, in the dtype of the state, in and out
    y_before what y was; y_t cells_t: (B, H) of each network, written; y holds the state at padded steps
    d_row    δ before the activation, out
    e_y e_c  (M·B, H)  what reaches y(t) and c(t) from t+1, in; what passes a padded step by and what goes to
             c(t-1), out: e_y in the dtype of the parameters, e_c in that of the state
    e_gates  (M·B, nH)  FGR: what reaches the gates from t+1, in; what passes a padded step by, out
"""

# Functions in Triton's language carry no Python types.
# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

import triton
import triton.language as tl

from throughtime.kernels.triton.activations import activate, slope
from throughtime.kernels.triton.blocks import read_blocks, write_blocks
from throughtime.kernels.triton.lstm_cell import cell_backward, cell_forward


@triton.jit
def _places(B, H, BLOCK: tl.constexpr):
    """For each value of this program: network, sequence, unit, and whether it exists."""
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    network = (tl.program_id(1) + 0 * place).to(tl.int64)
    return network, place // H, place % H, place < B * H


@triton.jit
def _peepholes(
    peephole, H, unit, inside, STATE: tl.constexpr,
    INPUT_GATE: tl.constexpr, FORGET: tl.constexpr, OUTPUT_GATE: tl.constexpr, PEEPHOLES: tl.constexpr,
):  # fmt: skip
    F: tl.constexpr = 1 if INPUT_GATE else 0
    O: tl.constexpr = F + (1 if FORGET == 0 else 0)  # noqa: E741
    p_i = (unit * 0).to(STATE)
    p_f = p_i
    p_o = p_i
    if PEEPHOLES:
        if INPUT_GATE:
            p_i = tl.load(peephole + unit, inside, 0.0).to(STATE)
        if FORGET == 0:
            p_f = tl.load(peephole + F * H + unit, inside, 0.0).to(STATE)
        if OUTPUT_GATE:
            p_o = tl.load(peephole + O * H + unit, inside, 0.0).to(STATE)
    return p_i, p_f, p_o


@triton.jit(do_not_specialize=["t"])
def lstm_step(
    row, before, peephole, carried, y_before, lengths, y_t, cells_t, bars,
    t, B, H, row_of_network, before_of_network, y_before_of_network, y_of_network, lengths_of_network,
    INPUT_GATE: tl.constexpr, FORGET: tl.constexpr, OUTPUT_GATE: tl.constexpr,
    TANH_IN: tl.constexpr, TANH_OUT: tl.constexpr, PEEPHOLES: tl.constexpr, FGR: tl.constexpr,
    LENGTHS: tl.constexpr, RECORD: tl.constexpr,
    BLOCK: tl.constexpr, STATE: tl.constexpr, FAST: tl.constexpr,
):  # fmt: skip
    """Forward."""
    N: tl.constexpr = 1 + (1 if INPUT_GATE else 0) + (1 if FORGET == 0 else 0) + (1 if OUTPUT_GATE else 0)
    network, b, unit, inside = _places(B, H, BLOCK)
    p_i, p_f, p_o = _peepholes(
        peephole + network * (N - 1) * H, H, unit, inside, STATE, INPUT_GATE, FORGET, OUTPUT_GATE, PEEPHOLES
    )
    in_row = b * N * H + unit
    in_plane = b * H + unit
    here = row + network * row_of_network + in_row
    i_in, f_in, z_in, o_in = read_blocks(here, H, inside, INPUT_GATE, FORGET, OUTPUT_GATE)
    c_before = tl.load(carried + network * B * H + in_plane, inside, 0.0)
    z_bar = z_in.to(STATE)
    i_bar, f_bar, o_bar, i, f, z, o, c, y = cell_forward(
        i_in.to(STATE), f_in.to(STATE), z_bar, o_in.to(STATE), c_before, p_i, p_f, p_o,
        INPUT_GATE, FORGET, OUTPUT_GATE, TANH_IN, TANH_OUT, PEEPHOLES, FAST,
    )  # fmt: skip
    if LENGTHS:
        real = t < tl.load(lengths + network * lengths_of_network + b, inside, 0)
        y_old = tl.load(y_before + network * y_before_of_network + in_plane, inside, 0.0)
        c = tl.where(real, c, c_before)
        y = tl.where(real, y, y_old.to(STATE))
        i_bar = tl.where(real, i_bar, 0.0)
        f_bar = tl.where(real, f_bar, 0.0)
        z_bar = tl.where(real, z_bar, 0.0)
        o_bar = tl.where(real, o_bar, 0.0)
        if FGR:
            i_old, f_old, z_old, o_old = read_blocks(
                before + network * before_of_network + in_row, H, inside, INPUT_GATE, FORGET, OUTPUT_GATE
            )
            i = tl.where(real, i, i_old.to(STATE))
            f = tl.where(real, f, f_old.to(STATE))
            z = tl.where(real, z, z_old.to(STATE))
            o = tl.where(real, o, o_old.to(STATE))
    tl.store(carried + network * B * H + in_plane, c, inside)
    tl.store(cells_t + network * y_of_network + in_plane, c, inside)
    tl.store(y_t + network * y_of_network + in_plane, y, inside)
    write_blocks(here, H, inside, i, f, z, o, INPUT_GATE, FORGET, OUTPUT_GATE)
    if RECORD:
        there = bars + network * row_of_network + in_row
        write_blocks(there, H, inside, i_bar, f_bar, z_bar, o_bar, INPUT_GATE, FORGET, OUTPUT_GATE)


@triton.jit(do_not_specialize=["t"])
def lstm_step_back(
    row, cells_t, c_before, peephole, above, lengths, d_row, e_y, e_c, e_gates, errors_c, errors_y,
    t, B, H, row_of_network, c_before_of_network, y_of_network, lengths_of_network,
    INPUT_GATE: tl.constexpr, FORGET: tl.constexpr, OUTPUT_GATE: tl.constexpr,
    TANH_IN: tl.constexpr, TANH_OUT: tl.constexpr, PEEPHOLES: tl.constexpr, FGR: tl.constexpr,
    LENGTHS: tl.constexpr, RECORD: tl.constexpr,
    BLOCK: tl.constexpr, STATE: tl.constexpr, FAST: tl.constexpr,
):  # fmt: skip
    """Backward."""
    N: tl.constexpr = 1 + (1 if INPUT_GATE else 0) + (1 if FORGET == 0 else 0) + (1 if OUTPUT_GATE else 0)
    network, b, unit, inside = _places(B, H, BLOCK)
    p_i, p_f, p_o = _peepholes(
        peephole + network * (N - 1) * H, H, unit, inside, STATE, INPUT_GATE, FORGET, OUTPUT_GATE, PEEPHOLES
    )
    in_row = b * N * H + unit
    in_plane = b * H + unit
    i, f, z, o = read_blocks(
        row + network * row_of_network + in_row, H, inside, INPUT_GATE, FORGET, OUTPUT_GATE
    )
    c = tl.load(cells_t + network * y_of_network + in_plane, inside, 0.0).to(STATE)
    c_old = tl.load(c_before + network * c_before_of_network + in_plane, inside, 0.0).to(STATE)
    passing = tl.load(e_y + network * B * H + in_plane, inside, 0.0).to(STATE)
    e_c_t = tl.load(e_c + network * B * H + in_plane, inside, 0.0)
    d_y_t = passing + tl.load(above + network * y_of_network + in_plane, inside, 0.0).to(STATE)
    none = (unit * 0).to(STATE)
    from_i = none
    from_f = none
    from_z = none
    from_o = none
    gates_here = e_gates + network * B * N * H + in_row
    if FGR:
        from_i, from_f, from_z, from_o = read_blocks(gates_here, H, inside, INPUT_GATE, FORGET, OUTPUT_GATE)
    d_i, d_f, d_z, d_o, d_c, keep = cell_backward(
        d_y_t, e_c_t, i.to(STATE), f.to(STATE), z.to(STATE), o.to(STATE), c, c_old,
        from_i.to(STATE), from_f.to(STATE), from_o.to(STATE), p_i, p_f, p_o,
        INPUT_GATE, FORGET, OUTPUT_GATE, TANH_IN, TANH_OUT, PEEPHOLES, FGR, FAST,
    )  # fmt: skip
    e_y_t = none
    if LENGTHS:
        real = t < tl.load(lengths + network * lengths_of_network + b, inside, 0)
        d_i = tl.where(real, d_i, 0.0)
        d_f = tl.where(real, d_f, 0.0)
        d_z = tl.where(real, d_z, 0.0)
        d_o = tl.where(real, d_o, 0.0)
        d_c = tl.where(real, d_c, 0.0)
        d_y_t = tl.where(real, d_y_t, 0.0)
        keep = tl.where(real, keep, e_c_t)
        e_y_t = tl.where(real, none, passing)
        from_i = tl.where(real, 0.0, from_i)
        from_f = tl.where(real, 0.0, from_f)
        from_z = tl.where(real, 0.0, from_z)
        from_o = tl.where(real, 0.0, from_o)
    else:
        from_i = none
        from_f = none
        from_z = none
        from_o = none
    tl.store(e_y + network * B * H + in_plane, e_y_t, inside)
    tl.store(e_c + network * B * H + in_plane, keep, inside)
    if FGR:
        write_blocks(gates_here, H, inside, from_i, from_f, from_z, from_o, INPUT_GATE, FORGET, OUTPUT_GATE)
    there = d_row + network * row_of_network + in_row
    write_blocks(there, H, inside, d_i, d_f, d_z, d_o, INPUT_GATE, FORGET, OUTPUT_GATE)
    if RECORD:
        tl.store(errors_c + network * y_of_network + in_plane, d_c, inside)
        tl.store(errors_y + network * y_of_network + in_plane, d_y_t, inside)


@triton.jit(do_not_specialize=["t"])
def rnn_step(
    h_t, h_before, lengths, bars,
    t, B, H, h_of_network, before_of_network, lengths_of_network,
    NONLINEARITY: tl.constexpr, LENGTHS: tl.constexpr, RECORD: tl.constexpr,
    BLOCK: tl.constexpr, STATE: tl.constexpr, FAST: tl.constexpr,
):  # fmt: skip
    """Forward of the simple RNN: a(t) in, h(t) out, in place; h holds the state at padded steps."""
    network, b, unit, inside = _places(B, H, BLOCK)
    in_plane = b * H + unit
    a = tl.load(h_t + network * h_of_network + in_plane, inside, 0.0).to(STATE)
    h = activate(a, NONLINEARITY, FAST)
    if LENGTHS:
        real = t < tl.load(lengths + network * lengths_of_network + b, inside, 0)
        old = tl.load(h_before + network * before_of_network + in_plane, inside, 0.0).to(STATE)
        h = tl.where(real, h, old)
        a = tl.where(real, a, 0.0)
    tl.store(h_t + network * h_of_network + in_plane, h, inside)
    if RECORD:
        tl.store(bars + network * h_of_network + in_plane, a, inside)


@triton.jit(do_not_specialize=["t"])
def rnn_step_back(
    h_t, above, lengths, d_row, error, errors_h,
    t, B, H, h_of_network, lengths_of_network,
    NONLINEARITY: tl.constexpr, LENGTHS: tl.constexpr, RECORD: tl.constexpr,
    BLOCK: tl.constexpr, STATE: tl.constexpr,
):  # fmt: skip
    """Backward of the simple RNN."""
    network, b, unit, inside = _places(B, H, BLOCK)
    in_plane = b * H + unit
    h = tl.load(h_t + network * h_of_network + in_plane, inside, 0.0).to(STATE)
    passing = tl.load(error + network * B * H + in_plane, inside, 0.0).to(STATE)
    d_h = passing + tl.load(above + network * h_of_network + in_plane, inside, 0.0).to(STATE)
    d_a = d_h * slope(h, NONLINEARITY)
    rest = d_a * 0.0
    if LENGTHS:
        real = t < tl.load(lengths + network * lengths_of_network + b, inside, 0)
        d_a = tl.where(real, d_a, 0.0)
        d_h = tl.where(real, d_h, 0.0)
        rest = tl.where(real, 0.0, passing)
    else:
        rest = tl.zeros_like(d_a)
    tl.store(error + network * B * H + in_plane, rest, inside)
    tl.store(d_row + network * h_of_network + in_plane, d_a, inside)
    if RECORD:
        tl.store(errors_h + network * h_of_network + in_plane, d_h, inside)

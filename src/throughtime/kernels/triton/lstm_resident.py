"""The LSTM with its recurrent weights on chip: one program walks a slice of a batch through all steps.

Notation: M networks, T steps, B sequences, H cells; n blocks in the order i, f, z, o and m own gates in the
order i, f, o, less those the variant does not have. Program (k, j) takes the k-th BLOCK_B sequences of
network j: it reads R once, keeps it, and y and c never leave the program. Every buffer is dense and owned by
the caller:

    projected (M, T, B, nH)  W x + b; may be NaN at padded steps
    recurrent (M, nH, H)     R
    peephole  (M, m, H)      read if PEEPHOLES
    y0 c0 y_n c_n (M, B, H)  state before the first and after the last step
    lengths   (B,) int64     with LENGTHS, `lengths_of_network` elements further for each network (0: shared)
    y cells   (M, T, B, H)   y zero at padded steps, c the state's
    gates     (M, T, B, nH)  blocks after the activation, unspecified at padded steps
    bars      (M, T, B, nH)  blocks before the activation, zero at padded steps; written if RECORD

    d_y       (M, T, B, H)   errors from above; of no effect at padded steps
    d_y_n d_c_n d_y0 d_c0    (M, B, H)
    d_bars    (M, T, B, nH)  errors before the activation, zero at padded steps
    d_peephole (slices of the batch, M, m, H)  each program's sum, in the dtype of the state
    errors_c errors_y (M, T, B, H)  δc(t) and δy(t), zero at padded steps; written if RECORD

State, sums and activations are float32 (float64 for float64). y(t-1) and the errors meet R in the dtype of
the parameters. Units past H are zero: their weights are read as zero, and nothing is written for them.
"""

# Functions in Triton's language carry no Python types.
# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

import triton
import triton.language as tl

from throughtime.kernels.triton.blocks import (
    product,
    read_blocks,
    read_peepholes,
    read_weights,
    write_blocks,
)
from throughtime.kernels.triton.lstm_cell import cell_backward, cell_forward


@triton.jit
def lstm_forward(
    projected, recurrent, peephole, y0, c0, lengths, y, y_n, c_n, gates, cells, bars,
    T, B, H, lengths_of_network,
    INPUT_GATE: tl.constexpr, FORGET: tl.constexpr, OUTPUT_GATE: tl.constexpr,
    TANH_IN: tl.constexpr, TANH_OUT: tl.constexpr, PEEPHOLES: tl.constexpr,
    LENGTHS: tl.constexpr, REVERSE: tl.constexpr, RECORD: tl.constexpr,
    BLOCK_B: tl.constexpr, BLOCK_H: tl.constexpr, STATE: tl.constexpr, PRECISION: tl.constexpr,
    FAST: tl.constexpr,
):  # fmt: skip
    """Forward over all steps."""
    N: tl.constexpr = 1 + (1 if INPUT_GATE else 0) + (1 if FORGET == 0 else 0) + (1 if OUTPUT_GATE else 0)
    network = tl.program_id(1).to(tl.int64)
    b = tl.program_id(0) * BLOCK_B + tl.arange(0, BLOCK_B)
    h = tl.arange(0, BLOCK_H)
    inside = (b < B)[:, None] & (h < H)[None, :]
    R_i, R_f, R_z, R_o = read_weights(
        recurrent + network * N * H * H, H, h, True, INPUT_GATE, FORGET, OUTPUT_GATE
    )
    p_i, p_f, p_o = read_peepholes(
        peephole + network * (N - 1) * H, H, h, STATE, INPUT_GATE, FORGET, OUTPUT_GATE, PEEPHOLES
    )
    state = (network * B + b)[:, None] * H + h[None, :]
    y_t = tl.load(y0 + state, inside, 0.0)
    c_t = tl.load(c0 + state, inside, 0.0).to(STATE)
    length = b * 0 + T
    end = length[:, None]
    if LENGTHS:
        length = tl.load(lengths + network * lengths_of_network + b, b < B, 0).to(tl.int32)
    first = T - 1 if REVERSE else 0
    onward = -B if REVERSE else B
    row = ((network * T + first) * B + b)[:, None]  # of (M, T, B)
    wide = row * (N * H) + h[None, :]
    x_i, x_f, x_z, x_o = read_blocks(projected + wide, H, inside, INPUT_GATE, FORGET, OUTPUT_GATE)
    for step in range(T):
        t = T - 1 - step if REVERSE else step
        narrow = row * H + h[None, :]
        row += onward
        wide_next = row * (N * H) + h[None, :]
        coming = inside & (step + 1 < end)  # asked for while this step computes
        next_i, next_f, next_z, next_o = read_blocks(
            projected + wide_next, H, coming, INPUT_GATE, FORGET, OUTPUT_GATE
        )
        z_bar = product(y_t, R_z, x_z.to(STATE), STATE, PRECISION)
        i_bar = z_bar
        f_bar = z_bar
        o_bar = z_bar
        if INPUT_GATE:
            i_bar = product(y_t, R_i, x_i.to(STATE), STATE, PRECISION)
        if FORGET == 0:
            f_bar = product(y_t, R_f, x_f.to(STATE), STATE, PRECISION)
        if OUTPUT_GATE:
            o_bar = product(y_t, R_o, x_o.to(STATE), STATE, PRECISION)
        i_bar, f_bar, o_bar, i, f, z, o, c_new, y_new = cell_forward(
            i_bar, f_bar, z_bar, o_bar, c_t, p_i, p_f, p_o,
            INPUT_GATE, FORGET, OUTPUT_GATE, TANH_IN, TANH_OUT, PEEPHOLES, FAST,
        )  # fmt: skip
        y_new = y_new.to(y_t.dtype)
        if LENGTHS:
            real = (t < length)[:, None]
            c_t = tl.where(real, c_new, c_t)
            y_t = tl.where(real, y_new, y_t)
            tl.store(y + narrow, tl.where(real, y_new, 0.0), inside)
            if RECORD:
                i_bar = tl.where(real, i_bar, 0.0)
                f_bar = tl.where(real, f_bar, 0.0)
                z_bar = tl.where(real, z_bar, 0.0)
                o_bar = tl.where(real, o_bar, 0.0)
        else:
            c_t = c_new
            y_t = y_new
            tl.store(y + narrow, y_new, inside)
        tl.store(cells + narrow, c_t, inside)
        write_blocks(gates + wide, H, inside, i, f, z, o, INPUT_GATE, FORGET, OUTPUT_GATE)
        if RECORD:
            write_blocks(bars + wide, H, inside, i_bar, f_bar, z_bar, o_bar, INPUT_GATE, FORGET, OUTPUT_GATE)
        wide = wide_next
        x_i = next_i
        x_f = next_f
        x_z = next_z
        x_o = next_o
    tl.store(y_n + state, y_t, inside)
    tl.store(c_n + state, c_t, inside)


@triton.jit
def lstm_backward(
    d_y, d_y_n, d_c_n, recurrent, peephole, c0, lengths, gates, cells,
    d_bars, d_y0, d_c0, d_peephole, errors_c, errors_y,
    T, B, H, lengths_of_network,
    INPUT_GATE: tl.constexpr, FORGET: tl.constexpr, OUTPUT_GATE: tl.constexpr,
    TANH_IN: tl.constexpr, TANH_OUT: tl.constexpr, PEEPHOLES: tl.constexpr,
    LENGTHS: tl.constexpr, REVERSE: tl.constexpr, RECORD: tl.constexpr,
    BLOCK_B: tl.constexpr, BLOCK_H: tl.constexpr, STATE: tl.constexpr, PRECISION: tl.constexpr,
    FAST: tl.constexpr,
):  # fmt: skip
    """Backward over all steps; the gradients of W, R and b are products of what it leaves in d_bars."""
    F: tl.constexpr = 1 if INPUT_GATE else 0
    O: tl.constexpr = F + (1 if FORGET == 0 else 0)  # noqa: E741 - its place among the own gates
    N: tl.constexpr = O + 1 + (1 if OUTPUT_GATE else 0)
    network = tl.program_id(1).to(tl.int64)
    b = tl.program_id(0) * BLOCK_B + tl.arange(0, BLOCK_B)
    h = tl.arange(0, BLOCK_H)
    inside = (b < B)[:, None] & (h < H)[None, :]
    R_i, R_f, R_z, R_o = read_weights(
        recurrent + network * N * H * H, H, h, False, INPUT_GATE, FORGET, OUTPUT_GATE
    )
    p_i, p_f, p_o = read_peepholes(
        peephole + network * (N - 1) * H, H, h, STATE, INPUT_GATE, FORGET, OUTPUT_GATE, PEEPHOLES
    )
    state = (network * B + b)[:, None] * H + h[None, :]
    e_y = tl.load(d_y_n + state, inside, 0.0).to(STATE)
    e_c = tl.load(d_c_n + state, inside, 0.0).to(STATE)
    c_first = tl.load(c0 + state, inside, 0.0).to(STATE)
    none = tl.zeros([BLOCK_B, BLOCK_H], STATE)
    sum_i = none
    sum_f = none
    sum_o = none
    length = b * 0 + T
    end = length[:, None]
    if LENGTHS:
        length = tl.load(lengths + network * lengths_of_network + b, b < B, 0).to(tl.int32)
    last = 0 if REVERSE else T - 1  # of the forward walk
    back = B if REVERSE else -B
    row = ((network * T + last) * B + b)[:, None]  # of (M, T, B)
    wide = row * (N * H) + h[None, :]
    narrow = row * H + h[None, :]
    i, f, z, o = read_blocks(gates + wide, H, inside, INPUT_GATE, FORGET, OUTPUT_GATE)
    c = tl.load(cells + narrow, inside, 0.0)
    above = tl.load(d_y + narrow, inside, 0.0)
    for step in range(T):
        t = step if REVERSE else T - 1 - step
        row += back
        wide_next = row * (N * H) + h[None, :]
        narrow_next = row * H + h[None, :]
        coming = inside & (step + 1 < end)  # asked for while this step computes
        i_next, f_next, z_next, o_next = read_blocks(
            gates + wide_next, H, coming, INPUT_GATE, FORGET, OUTPUT_GATE
        )
        c_next = tl.load(cells + narrow_next, coming, 0.0)
        above_next = tl.load(d_y + narrow_next, coming, 0.0)
        c_before = tl.where(step + 1 == end, c_first, c_next.to(STATE))
        d_y_t = e_y + above.to(STATE)
        d_i, d_f, d_z, d_o, d_c, keep = cell_backward(
            d_y_t, e_c, i.to(STATE), f.to(STATE), z.to(STATE), o.to(STATE), c.to(STATE), c_before,
            none, none, none, p_i, p_f, p_o,
            INPUT_GATE, FORGET, OUTPUT_GATE, TANH_IN, TANH_OUT, PEEPHOLES, False, FAST,
        )  # fmt: skip
        if LENGTHS:
            real = (t < length)[:, None]
            d_i = tl.where(real, d_i, 0.0)
            d_f = tl.where(real, d_f, 0.0)
            d_z = tl.where(real, d_z, 0.0)
            d_o = tl.where(real, d_o, 0.0)
            e_c = tl.where(real, keep, e_c)
            e_y = tl.where(real, 0.0, e_y)
            if RECORD:
                d_y_t = tl.where(real, d_y_t, 0.0)
                d_c = tl.where(real, d_c, 0.0)
        else:
            e_c = keep
            e_y = none
        if RECORD:
            tl.store(errors_y + narrow, d_y_t, inside)
            tl.store(errors_c + narrow, d_c, inside)
        e_y = product(d_z, R_z, e_y, STATE, PRECISION)
        if INPUT_GATE:
            e_y = product(d_i, R_i, e_y, STATE, PRECISION)
        if FORGET == 0:
            e_y = product(d_f, R_f, e_y, STATE, PRECISION)
        if OUTPUT_GATE:
            e_y = product(d_o, R_o, e_y, STATE, PRECISION)
        write_blocks(d_bars + wide, H, inside, d_i, d_f, d_z, d_o, INPUT_GATE, FORGET, OUTPUT_GATE)
        if PEEPHOLES:
            if INPUT_GATE:
                sum_i += d_i * c_before
            if FORGET == 0:
                sum_f += d_f * c_before
            if OUTPUT_GATE:
                sum_o += d_o * c.to(STATE)
        wide = wide_next
        narrow = narrow_next
        i = i_next
        f = f_next
        z = z_next
        o = o_next
        c = c_next
        above = above_next
    tl.store(d_y0 + state, e_y, inside)
    tl.store(d_c0 + state, e_c, inside)
    if PEEPHOLES:
        sums = d_peephole + (tl.program_id(0) * tl.num_programs(1) + network) * (N - 1) * H + h
        if INPUT_GATE:
            tl.store(sums, tl.sum(sum_i, 0), h < H)
        if FORGET == 0:
            tl.store(sums + F * H, tl.sum(sum_f, 0), h < H)
        if OUTPUT_GATE:
            tl.store(sums + O * H, tl.sum(sum_o, 0), h < H)

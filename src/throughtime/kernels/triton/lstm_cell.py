"""One time step of the LSTM inside Triton kernels, forward and backward: the lines of `cells/lstm.py`.

Blocks that a variant does not have come in as any value of the right shape and go out unused. FORGET is 0
for a forget gate of its own, 1 for a coupled one (CIFG), 2 for none (NFG).
"""

# Functions in Triton's language carry no Python types.
# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

import triton
import triton.language as tl

from throughtime.kernels.triton.activations import sigmoid, tanh


@triton.jit
def cell_forward(
    i, f, z, o, c_before, p_i, p_f, p_o,
    INPUT_GATE: tl.constexpr, FORGET: tl.constexpr, OUTPUT_GATE: tl.constexpr,
    TANH_IN: tl.constexpr, TANH_OUT: tl.constexpr, PEEPHOLES: tl.constexpr, FAST: tl.constexpr,
):  # fmt: skip
    """From W x + R y + b of each block to (ī, f̄, ō, i, f, z, o, c, y); z̄ is what came in."""
    if PEEPHOLES:
        if INPUT_GATE:
            i += p_i * c_before
        if FORGET == 0:
            f += p_f * c_before
    i_bar = i
    f_bar = f
    if INPUT_GATE:
        i = sigmoid(i, FAST)
    if TANH_IN:
        z = tanh(z, FAST)
    if FORGET == 0:
        f = sigmoid(f, FAST)
        c = c_before * f
        if INPUT_GATE:
            c += z * i
        else:
            c += z
    elif FORGET == 1:
        c = c_before + i * (z - c_before)
    else:
        c = c_before + (z * i if INPUT_GATE else z)
    if PEEPHOLES and OUTPUT_GATE:
        o += p_o * c
    o_bar = o
    y = c
    if TANH_OUT:
        y = tanh(c, FAST)
    if OUTPUT_GATE:
        o = sigmoid(o, FAST)
        y = o * y
    return i_bar, f_bar, o_bar, i, f, z, o, c, y


@triton.jit
def cell_backward(
    e_y, e_c, i, f, z, o, c, c_before, from_i, from_f, from_o, p_i, p_f, p_o,
    INPUT_GATE: tl.constexpr, FORGET: tl.constexpr, OUTPUT_GATE: tl.constexpr,
    TANH_IN: tl.constexpr, TANH_OUT: tl.constexpr, PEEPHOLES: tl.constexpr, FGR: tl.constexpr,
    FAST: tl.constexpr,
):  # fmt: skip
    """From δy(t) and what of δc(t) comes from t+1 to (δī, δf̄, δz̄, δō, δc, what of δc(t-1) comes from here).

    `from_*` are, under FGR, the errors that reach the gates from t+1.
    """
    squashed = c
    if TANH_OUT:
        squashed = tanh(c, FAST)
    d_c = e_y
    if OUTPUT_GATE:
        d_c = e_y * o
    if TANH_OUT:
        d_c = d_c * (1.0 - squashed * squashed)
    d_c += e_c
    d_o = e_y
    if OUTPUT_GATE:
        d_o = e_y * squashed
        if FGR:
            d_o += from_o
        d_o = d_o * o * (1.0 - o)
        if PEEPHOLES:
            d_c += p_o * d_o
    d_i = d_c
    d_f = d_c
    d_z = d_c
    keep = d_c
    if INPUT_GATE:
        d_z = d_c * i
        read = z
        if FORGET == 1:
            read = z - c_before
            keep = d_c * (1.0 - i)
        d_i = d_c * read
        if FGR:
            d_i += from_i
        d_i = d_i * i * (1.0 - i)
    if TANH_IN:
        d_z = d_z * (1.0 - z * z)
    if FORGET == 0:
        keep = d_c * f
        d_f = d_c * c_before
        if FGR:
            d_f += from_f
        d_f = d_f * f * (1.0 - f)
    if PEEPHOLES:
        if INPUT_GATE:
            keep += p_i * d_i
        if FORGET == 0:
            keep += p_f * d_f
    return d_i, d_f, d_z, d_o, d_c, keep

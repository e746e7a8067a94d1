"""The simple RNN with its recurrent weights on chip, as `lstm_resident`; what is named alike means the same.

projected (M, T, B, H)  U x + b
recurrent (M, H, H)     W
h h0 h_n                hidden values (M, T, B, H), zero at padded steps, and the states (M, B, H)
bars                    a(t), (M, T, B, H), zero at padded steps; written if RECORD
d_bars                  δa(t), (M, T, B, H), zero at padded steps
errors_h                δh(t), (M, T, B, H), zero at padded steps; written if RECORD
"""

# Functions in Triton's language carry no Python types.
# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

import triton
import triton.language as tl

from throughtime.kernels.triton.activations import activate, slope
from throughtime.kernels.triton.blocks import product


@triton.jit
def _read_weights(recurrent, H, h, TRANSPOSED: tl.constexpr):
    places = h[None, :] * H + h[:, None] if TRANSPOSED else h[:, None] * H + h[None, :]
    return tl.load(recurrent + places, (h < H)[:, None] & (h < H)[None, :], 0.0)


@triton.jit
def rnn_forward(
    projected, recurrent, h0, lengths, h_out, h_n, bars,
    T, B, H, lengths_of_network,
    NONLINEARITY: tl.constexpr, LENGTHS: tl.constexpr, REVERSE: tl.constexpr, RECORD: tl.constexpr,
    BLOCK_B: tl.constexpr, BLOCK_H: tl.constexpr, STATE: tl.constexpr, PRECISION: tl.constexpr,
    FAST: tl.constexpr,
):  # fmt: skip
    """Forward over all steps."""
    network = tl.program_id(1).to(tl.int64)
    b = tl.program_id(0) * BLOCK_B + tl.arange(0, BLOCK_B)
    unit = tl.arange(0, BLOCK_H)
    inside = (b < B)[:, None] & (unit < H)[None, :]
    W = _read_weights(recurrent + network * H * H, H, unit, True)
    state = (network * B + b)[:, None] * H + unit[None, :]
    h_t = tl.load(h0 + state, inside, 0.0)
    length = b * 0 + T
    end = length[:, None]
    if LENGTHS:
        length = tl.load(lengths + network * lengths_of_network + b, b < B, 0).to(tl.int32)
    first = T - 1 if REVERSE else 0
    onward = -B * H if REVERSE else B * H
    row = ((network * T + first) * B + b)[:, None] * H + unit[None, :]
    x_t = tl.load(projected + row, inside, 0.0)
    for step in range(T):
        t = T - 1 - step if REVERSE else step
        now = row
        row += onward
        x_next = tl.load(projected + row, inside & (step + 1 < end), 0.0)
        a = product(h_t, W, x_t.to(STATE), STATE, PRECISION)
        h_new = activate(a, NONLINEARITY, FAST).to(h_t.dtype)
        if LENGTHS:
            real = (t < length)[:, None]
            h_t = tl.where(real, h_new, h_t)
            h_new = tl.where(real, h_new, 0.0)
            a = tl.where(real, a, 0.0)
        else:
            h_t = h_new
        tl.store(h_out + now, h_new, inside)
        if RECORD:
            tl.store(bars + now, a, inside)
        x_t = x_next
    tl.store(h_n + state, h_t, inside)


@triton.jit
def rnn_backward(
    d_h, d_h_n, recurrent, lengths, h_out, d_bars, d_h0, errors_h,
    T, B, H, lengths_of_network,
    NONLINEARITY: tl.constexpr, LENGTHS: tl.constexpr, REVERSE: tl.constexpr, RECORD: tl.constexpr,
    BLOCK_B: tl.constexpr, BLOCK_H: tl.constexpr, STATE: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """Backward over all steps."""
    network = tl.program_id(1).to(tl.int64)
    b = tl.program_id(0) * BLOCK_B + tl.arange(0, BLOCK_B)
    unit = tl.arange(0, BLOCK_H)
    inside = (b < B)[:, None] & (unit < H)[None, :]
    W = _read_weights(recurrent + network * H * H, H, unit, False)
    state = (network * B + b)[:, None] * H + unit[None, :]
    error = tl.load(d_h_n + state, inside, 0.0).to(STATE)
    length = b * 0 + T
    end = length[:, None]
    if LENGTHS:
        length = tl.load(lengths + network * lengths_of_network + b, b < B, 0).to(tl.int32)
    last = 0 if REVERSE else T - 1  # of the forward walk
    back = B * H if REVERSE else -B * H
    row = ((network * T + last) * B + b)[:, None] * H + unit[None, :]
    h_t = tl.load(h_out + row, inside, 0.0)
    above = tl.load(d_h + row, inside, 0.0)
    for step in range(T):
        t = step if REVERSE else T - 1 - step
        now = row
        row += back
        coming = inside & (step + 1 < end)
        h_next = tl.load(h_out + row, coming, 0.0)
        above_next = tl.load(d_h + row, coming, 0.0)
        d_h_t = error + above.to(STATE)
        d_a = d_h_t * slope(h_t.to(STATE), NONLINEARITY)
        passing = tl.zeros([BLOCK_B, BLOCK_H], STATE)
        if LENGTHS:
            real = (t < length)[:, None]
            d_a = tl.where(real, d_a, 0.0)
            d_h_t = tl.where(real, d_h_t, 0.0)
            passing = tl.where(real, 0.0, error)
        tl.store(d_bars + now, d_a, inside)
        if RECORD:
            tl.store(errors_h + now, d_h_t, inside)
        error = product(d_a, W, passing, STATE, PRECISION)
        h_t = h_next
        above = above_next
    tl.store(d_h0 + state, error, inside)

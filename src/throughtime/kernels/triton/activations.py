"""Activations inside Triton kernels.

`FAST` takes the hardware's tanh, whose relative error of 2^-11 is below half a step of bfloat16 (2^-9).
"""

# Functions in Triton's language carry no Python types.
# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def _fast_tanh(a):
    return tl.inline_asm_elementwise(
        "tanh.approx.f32 $0, $1;", "=f,f", [a], dtype=tl.float32, is_pure=True, pack=1
    )


@triton.jit
def tanh(a, FAST: tl.constexpr):
    """The hyperbolic tangent in float32 or float64; near 0 its series, as 1 - exp(-2a) would lose digits."""
    if FAST:
        squashed = _fast_tanh(a)
    else:
        e = tl.exp(-2.0 * tl.abs(a))
        far = (1.0 - e) / (1.0 + e)
        squashed = tl.where(a < 0, -far, far)
        if a.dtype == tl.float32:
            s = a * a
            series = -1382.0 / 155925.0
            series = series * s + 62.0 / 2835.0
            series = series * s - 17.0 / 315.0
            series = series * s + 2.0 / 15.0
            series = series * s - 1.0 / 3.0
            squashed = tl.where(s < 0.09, a + a * s * series, squashed)
    return squashed


@triton.jit
def sigmoid(a, FAST: tl.constexpr):
    """1 / (1 + exp(-a)), in float32 or float64."""
    if FAST:
        squashed = 0.5 + 0.5 * _fast_tanh(0.5 * a)
    else:
        e = tl.exp(-tl.abs(a))
        squashed = tl.where(a < 0, e / (1.0 + e), 1.0 / (1.0 + e))
    return squashed


@triton.jit
def activate(a, NONLINEARITY: tl.constexpr, FAST: tl.constexpr):
    """g(a) of the simple RNN: 0 tanh, 1 relu, 2 logistic, 3 identity."""
    if NONLINEARITY == 0:
        a = tanh(a, FAST)
    elif NONLINEARITY == 1:
        a = tl.maximum(a, 0.0)
    elif NONLINEARITY == 2:
        a = sigmoid(a, FAST)
    return a


@triton.jit
def slope(h, NONLINEARITY: tl.constexpr):
    """g'(a) of the simple RNN from h = g(a)."""
    found = tl.full(h.shape, 1.0, h.dtype)
    if NONLINEARITY == 0:
        found = 1.0 - h * h
    elif NONLINEARITY == 1:
        found = tl.where(h > 0, 1.0, 0.0).to(h.dtype)
    elif NONLINEARITY == 2:
        found = h * (1.0 - h)
    return found

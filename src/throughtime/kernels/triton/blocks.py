"""How Triton kernels read and write the blocks i, f, z, o of a row, of R and of the peepholes.

A block that the variant does not have is read as another one, and not written.
"""

# Functions in Triton's language carry no Python types.
# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def read_blocks(
    rows, H, inside, INPUT_GATE: tl.constexpr, FORGET: tl.constexpr, OUTPUT_GATE: tl.constexpr
):  # fmt: skip
    """The blocks (i, f, z, o) whose first one stands at `rows`, zero where not `inside`."""
    F: tl.constexpr = 1 if INPUT_GATE else 0
    Z: tl.constexpr = F + (1 if FORGET == 0 else 0)
    z = tl.load(rows + Z * H, inside, 0.0)
    i = z
    f = z
    o = z
    if INPUT_GATE:
        i = tl.load(rows, inside, 0.0)
    if FORGET == 0:
        f = tl.load(rows + F * H, inside, 0.0)
    if OUTPUT_GATE:
        o = tl.load(rows + (Z + 1) * H, inside, 0.0)
    return i, f, z, o


@triton.jit
def write_blocks(
    rows, H, inside, i, f, z, o,
    INPUT_GATE: tl.constexpr, FORGET: tl.constexpr, OUTPUT_GATE: tl.constexpr,
):  # fmt: skip
    """The inverse of `read_blocks`."""
    F: tl.constexpr = 1 if INPUT_GATE else 0
    Z: tl.constexpr = F + (1 if FORGET == 0 else 0)
    tl.store(rows + Z * H, z, inside)
    if INPUT_GATE:
        tl.store(rows, i, inside)
    if FORGET == 0:
        tl.store(rows + F * H, f, inside)
    if OUTPUT_GATE:
        tl.store(rows + (Z + 1) * H, o, inside)


@triton.jit
def read_weights(
    recurrent, H, h, TRANSPOSED: tl.constexpr,
    INPUT_GATE: tl.constexpr, FORGET: tl.constexpr, OUTPUT_GATE: tl.constexpr,
):  # fmt: skip
    """R (nH, H) by blocks as right-hand sides of products with rows: Rᵀ if TRANSPOSED, else R."""
    inside = (h < H)[:, None] & (h < H)[None, :]
    places = h[None, :] * H + h[:, None] if TRANSPOSED else h[:, None] * H + h[None, :]
    return read_blocks(recurrent + places, H * H, inside, INPUT_GATE, FORGET, OUTPUT_GATE)


@triton.jit
def read_peepholes(
    peephole, H, h, STATE: tl.constexpr,
    INPUT_GATE: tl.constexpr, FORGET: tl.constexpr, OUTPUT_GATE: tl.constexpr, PEEPHOLES: tl.constexpr,
):  # fmt: skip
    """The peepholes (p_i, p_f, p_o) of units h, each [1, units]; zeros without."""
    F: tl.constexpr = 1 if INPUT_GATE else 0
    O: tl.constexpr = F + (1 if FORGET == 0 else 0)  # noqa: E741
    p_i = (h * 0).to(STATE)[None, :]
    p_f = p_i
    p_o = p_i
    if PEEPHOLES:
        rows = peephole + h[None, :]
        inside = (h < H)[None, :]
        if INPUT_GATE:
            p_i = tl.load(rows, inside, 0.0).to(STATE)
        if FORGET == 0:
            p_f = tl.load(rows + F * H, inside, 0.0).to(STATE)
        if OUTPUT_GATE:
            p_o = tl.load(rows + O * H, inside, 0.0).to(STATE)
    return p_i, p_f, p_o


@triton.jit
def product(left, right, total, STATE: tl.constexpr, PRECISION: tl.constexpr):
    """Left @ right + total, left taken to the dtype of right."""
    left = left.to(right.dtype)
    if PRECISION == "widened":  # Triton's interpreter would multiply the bits of bfloat16
        total = tl.dot(left.to(STATE), right.to(STATE), total, input_precision="ieee", out_dtype=STATE)
    else:
        total = tl.dot(left, right, total, input_precision=PRECISION, out_dtype=STATE)
    return total

"""Sequences step by step: the product with R by cuBLAS, the rest of the step in one kernel.

For layers whose R does not fit on one multiprocessor, for full gate recurrence (FGR) and for float64.
Tensors have the shapes of `lstm_resident` and `rnn_resident`; FGR adds, in rows of nH values with zeros or
anything for z, `wide` (M, nH, nH) and the gates before the first step (M, B, nH).
"""

from __future__ import annotations

import torch
from torch import Tensor

from throughtime.cells import Variant
from throughtime.kernels.triton import steps
from throughtime.kernels.triton.choose import (
    VALUES,
    is_fast,
    nonlinearity_code,
    state_dtype,
    state_flag,
    variant_flags,
)
from throughtime.kernels.triton.launching import lengths_stride, on_device, or_unused


def lstm_forward(
    projected: Tensor,
    recurrent: Tensor,
    wide: Tensor | None,
    peephole: Tensor | None,
    y0: Tensor,
    c0: Tensor,
    gates0: Tensor | None,
    lengths: Tensor | None,
    v: Variant,
    reverse: bool,
    bars: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Y (the state at padded steps), y_n, c_n, gates, cells. `projected` becomes the gates, in place."""
    M, T, B, _ = projected.shape
    H = recurrent.shape[-1]
    gates, y, cells = projected, projected.new_empty(M, T, B, H), projected.new_empty(M, T, B, H)
    carried = c0.to(state_dtype(y), copy=True)
    y_before, before = y0, or_unused(gates0, y0)
    with on_device(y):
        for t in _walk(T, reverse):
            row = gates[:, t]
            _add_product(row, y_before, recurrent.transpose(1, 2))
            if wide is not None:
                _add_product(row, before, wide.transpose(1, 2))
            steps.lstm_step[_grid(M, B, H)](
                row, before, or_unused(peephole, y), carried, y_before, or_unused(lengths, y),
                y[:, t], cells[:, t], row if bars is None else bars[:, t],
                t, B, H, row.stride(0), before.stride(0), y_before.stride(0), y.stride(0),
                lengths_stride(lengths),
                **variant_flags(v), FGR=wide is not None, LENGTHS=lengths is not None,
                RECORD=bars is not None, BLOCK=VALUES, STATE=state_flag(y), FAST=is_fast(y),
                enable_fp_fusion=True,
            )  # fmt: skip
            y_before, before = y[:, t], row
    return y, y_before.clone(), carried.to(y.dtype), gates, cells


def lstm_backward(
    d_y: Tensor,
    d_y_n: Tensor,
    d_c_n: Tensor,
    d_gates_n: Tensor | None,
    recurrent: Tensor,
    wide: Tensor | None,
    peephole: Tensor | None,
    c0: Tensor,
    lengths: Tensor | None,
    gates: Tensor,
    cells: Tensor,
    d_bars: Tensor,
    v: Variant,
    reverse: bool,
    errors: tuple[Tensor, Tensor] | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """d_y0, d_c0 and under FGR the error of gates0 in rows; fills d_bars, and `errors` (δc, δy) if given."""
    M, T, B, H = cells.shape
    e_y, e_c = d_y_n.clone(), d_c_n.to(state_dtype(cells), copy=True)
    e_gates = e_y if d_gates_n is None else d_gates_n.clone()
    with on_device(cells):
        for t in reversed(_walk(T, reverse)):
            earlier = t + 1 if reverse else t - 1
            c_before = cells[:, earlier] if 0 <= earlier < T else c0
            row, d_row = gates[:, t], d_bars[:, t]
            errors_c, errors_y = (part[:, t] for part in errors) if errors is not None else (d_row, d_row)
            steps.lstm_step_back[_grid(M, B, H)](
                row, cells[:, t], c_before, or_unused(peephole, cells), d_y[:, t], or_unused(lengths, cells),
                d_row, e_y, e_c, e_gates, errors_c, errors_y,
                t, B, H, row.stride(0), c_before.stride(0), cells.stride(0), lengths_stride(lengths),
                **variant_flags(v), FGR=wide is not None, LENGTHS=lengths is not None,
                RECORD=errors is not None, BLOCK=VALUES, STATE=state_flag(cells), FAST=is_fast(cells),
                enable_fp_fusion=True,
            )  # fmt: skip
            _add_product(e_y, d_row, recurrent)
            if wide is not None:
                _add_product(e_gates, d_row, wide)
    return e_y, e_c.to(cells.dtype), e_gates


def rnn_forward(
    projected: Tensor,
    recurrent: Tensor,
    h0: Tensor,
    lengths: Tensor | None,
    nonlinearity: str,
    reverse: bool,
    bars: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """H (the state at padded steps) and h_n. `projected` becomes h, in place."""
    M, T, B, H = projected.shape
    h, before = projected, h0
    with on_device(h):
        for t in _walk(T, reverse):
            _add_product(h[:, t], before, recurrent.transpose(1, 2))
            steps.rnn_step[_grid(M, B, H)](
                h[:, t], before, or_unused(lengths, h), h[:, t] if bars is None else bars[:, t],
                t, B, H, h.stride(0), before.stride(0), lengths_stride(lengths),
                NONLINEARITY=nonlinearity_code(nonlinearity), LENGTHS=lengths is not None,
                RECORD=bars is not None, BLOCK=VALUES, STATE=state_flag(h), FAST=is_fast(h),
                enable_fp_fusion=True,
            )  # fmt: skip
            before = h[:, t]
    return h, before.clone()


def rnn_backward(
    d_h: Tensor,
    d_h_n: Tensor,
    recurrent: Tensor,
    lengths: Tensor | None,
    h: Tensor,
    d_bars: Tensor,
    nonlinearity: str,
    reverse: bool,
    errors_h: Tensor | None,
) -> Tensor:
    """d_h0; fills d_bars, and errors_h if given."""
    M, T, B, H = h.shape
    error = d_h_n.clone()
    with on_device(h):
        for t in reversed(_walk(T, reverse)):
            d_row = d_bars[:, t]
            steps.rnn_step_back[_grid(M, B, H)](
                h[:, t], d_h[:, t], or_unused(lengths, h), d_row, error,
                d_row if errors_h is None else errors_h[:, t],
                t, B, H, h.stride(0), lengths_stride(lengths),
                NONLINEARITY=nonlinearity_code(nonlinearity), LENGTHS=lengths is not None,
                RECORD=errors_h is not None, BLOCK=VALUES, STATE=state_flag(h), enable_fp_fusion=True,
            )  # fmt: skip
            _add_product(error, d_row, recurrent)
    return error


def _walk(T: int, reverse: bool) -> range:
    return range(T - 1, -1, -1) if reverse else range(T)


def _grid(M: int, B: int, H: int) -> tuple[int, int]:
    return (-(-B * H // VALUES), M)


def _add_product(total: Tensor, left: Tensor, right: Tensor) -> None:
    """Total += left @ right, each (M, ·, ·)."""
    if total.shape[0] == 1:
        torch.addmm(total[0], left[0], right[0], out=total[0])
    else:
        torch.baddbmm(total, left, right, out=total)

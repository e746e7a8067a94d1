"""Launches of the kernels that hold R on chip; tensors as in `lstm_resident` and `rnn_resident`."""

from __future__ import annotations

import torch
from torch import Tensor

from throughtime.cells import Variant
from throughtime.kernels.triton import lstm_resident, rnn_resident
from throughtime.kernels.triton.choose import (
    SEQUENCES,
    is_fast,
    nonlinearity_code,
    resident_flags,
    state_dtype,
    variant_flags,
)
from throughtime.kernels.triton.launching import lengths_stride, on_device, or_unused


def lstm_forward(
    projected: Tensor,
    recurrent: Tensor,
    peephole: Tensor | None,
    y0: Tensor,
    c0: Tensor,
    lengths: Tensor | None,
    v: Variant,
    reverse: bool,
    bars: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """y, y_n, c_n, gates, cells."""
    M, T, B, _ = projected.shape
    H = recurrent.shape[-1]
    y, cells = projected.new_empty(M, T, B, H), projected.new_empty(M, T, B, H)
    y_n, c_n, gates = torch.empty_like(y0), torch.empty_like(c0), torch.empty_like(projected)
    with on_device(y):
        lstm_resident.lstm_forward[(_slices(B), M)](
            projected, recurrent, or_unused(peephole, y), y0, c0, or_unused(lengths, y),
            y, y_n, c_n, gates, cells, or_unused(bars, y),
            T, B, H, lengths_stride(lengths),
            **variant_flags(v), LENGTHS=lengths is not None, REVERSE=reverse, RECORD=bars is not None,
            FAST=is_fast(y), **resident_flags(recurrent),
        )  # fmt: skip
    return y, y_n, c_n, gates, cells


def lstm_backward(
    d_y: Tensor,
    d_y_n: Tensor,
    d_c_n: Tensor,
    recurrent: Tensor,
    peephole: Tensor | None,
    c0: Tensor,
    lengths: Tensor | None,
    gates: Tensor,
    cells: Tensor,
    d_bars: Tensor,
    v: Variant,
    reverse: bool,
    errors: tuple[Tensor, Tensor] | None,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """d_y0, d_c0 and the peepholes' gradient; fills d_bars, and `errors` (δc, δy) if given."""
    M, T, B, H = cells.shape
    d_y0, d_c0, sums = torch.empty_like(d_y_n), torch.empty_like(d_c_n), None
    if peephole is not None:
        sums = torch.empty(_slices(B), *peephole.shape, dtype=state_dtype(cells), device=cells.device)
    errors_c, errors_y = errors if errors is not None else (cells, cells)
    with on_device(cells):
        lstm_resident.lstm_backward[(_slices(B), M)](
            d_y, d_y_n, d_c_n, recurrent, or_unused(peephole, cells), c0, or_unused(lengths, cells),
            gates, cells, d_bars, d_y0, d_c0, or_unused(sums, cells), errors_c, errors_y,
            T, B, H, lengths_stride(lengths),
            **variant_flags(v), LENGTHS=lengths is not None, REVERSE=reverse, RECORD=errors is not None,
            FAST=is_fast(cells), **resident_flags(recurrent),
        )  # fmt: skip
    return d_y0, d_c0, None if sums is None else sums.sum(0).to(cells.dtype)


def rnn_forward(
    projected: Tensor,
    recurrent: Tensor,
    h0: Tensor,
    lengths: Tensor | None,
    nonlinearity: str,
    reverse: bool,
    bars: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """H and h_n."""
    M, T, B, H = projected.shape
    h, h_n = torch.empty_like(projected), torch.empty_like(h0)
    with on_device(h):
        rnn_resident.rnn_forward[(_slices(B), M)](
            projected, recurrent, h0, or_unused(lengths, h), h, h_n, or_unused(bars, h),
            T, B, H, lengths_stride(lengths),
            NONLINEARITY=nonlinearity_code(nonlinearity), LENGTHS=lengths is not None, REVERSE=reverse,
            RECORD=bars is not None, FAST=is_fast(h), **resident_flags(recurrent),
        )  # fmt: skip
    return h, h_n


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
    d_h0 = torch.empty_like(d_h_n)
    with on_device(h):
        rnn_resident.rnn_backward[(_slices(B), M)](
            d_h, d_h_n, recurrent, or_unused(lengths, h), h, d_bars, d_h0, or_unused(errors_h, h),
            T, B, H, lengths_stride(lengths),
            NONLINEARITY=nonlinearity_code(nonlinearity), LENGTHS=lengths is not None, REVERSE=reverse,
            RECORD=errors_h is not None, **resident_flags(recurrent),
        )  # fmt: skip
    return d_h0


def _slices(B: int) -> int:
    return -(-B // SEQUENCES)

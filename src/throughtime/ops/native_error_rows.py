"""`error_rows` of one layer by the native kernel."""

from __future__ import annotations

import torch
from torch import Tensor

from throughtime.kernels import native
from throughtime.ops.error_rows import RowNorms
from throughtime.ops.local_factors import PLAIN, LocalFactors
from throughtime.ops.native import empty
from throughtime.ops.padding import check_lengths, lengths_for_kernels


def can_compute(layer: LocalFactors) -> bool:
    """Whether the kernel knows this kind of layer, device and dtype.

    It knows neither FGR, which has a wider state, nor what a layer has beside its plain cell.
    """
    here = layer.factors.device.type == "cpu" and layer.factors.dtype in native.DTYPES
    return native.is_available() and here and layer.weight_gates is None and layer.beside is PLAIN


def error_rows(layer: LocalFactors, start: Tensor, at: Tensor) -> RowNorms:
    """As `error_rows.error_rows` of a single layer, which `can_compute` has accepted."""
    T, B, _ = start.shape
    if layer.lengths is not None:
        check_lengths(layer.lengths, T, B, "error_map")
    y = empty(torch.empty(0, dtype=torch.float64), (B, T, len(at)))
    c = None if layer.to_c is None else empty(y, (B, T, len(at)))
    native.module().error_map(
        native.instruction_set_index(),
        torch.get_num_threads(),
        layer.cell_blocks,
        layer.reverse,
        (
            layer.factors.contiguous(),
            None if layer.to_c is None else layer.to_c.contiguous(),
            None if layer.keep is None else layer.keep.contiguous(),
            start.contiguous(),
            layer.weight_hh.contiguous(),
            at.to(device="cpu", dtype=torch.int64).contiguous(),
            lengths_for_kernels(layer.lengths),
        ),
        (y, c),
    )
    return RowNorms(y.transpose(1, 2), None if c is None else c.transpose(1, 2))

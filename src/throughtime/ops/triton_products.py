"""Products over all time steps before and after the recurrence, for the backend "triton".

Here is most of the arithmetic, and one large product each is where cuBLAS is at its best. M networks stand in
front of every tensor.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from throughtime.cells import Variant


class InputGradients(NamedTuple):
    """Errors of x, (0,) if nobody wants them, and the gradients of W and b."""

    x: Tensor
    weight_ih: Tensor
    bias: Tensor


def project(x: Tensor, weight_ih: Tensor, bias: Tensor | None) -> Tensor:
    """W x + b for all steps in one product, (M, T, B, rows)."""
    M, T, B, _ = x.shape
    flat, W_T = x.flatten(1, 2), weight_ih.transpose(1, 2)
    product = torch.bmm(flat, W_T) if bias is None else torch.baddbmm(bias.unsqueeze(1), flat, W_T)
    return product.view(M, T, B, weight_ih.shape[1])


def input_gradients(
    d_bars: Tensor,
    x: Tensor,
    weight_ih: Tensor,
    bias: Tensor | None,
    lengths: Tensor | None,
    input_error: bool,
) -> InputGradients:
    """What follows from the errors before the activation alone."""
    flat = d_bars.flatten(1, 2)
    real_x = x if lengths is None else x.masked_fill(padded(x, lengths), 0)
    return InputGradients(
        torch.bmm(flat, weight_ih).view(x.shape) if input_error else x.new_empty(0),
        torch.bmm(flat.transpose(1, 2), real_x.flatten(1, 2)),
        flat.sum(1) if bias is not None else x.new_empty(0),
    )


def meets_before(
    d_bars: Tensor, values: Tensor, initial: Tensor, reverse: bool, cleared_by: Tensor | None = None
) -> Tensor:
    """Σ_t of d_bars(t) times what `values` were one step earlier, `initial` before the first, (M, ·, ·).

    With `cleared_by`, values are zero past these lengths instead of holding the state: in the reverse
    direction a sequence's first step then meets `initial` by itself.
    """
    T = d_bars.shape[1]
    later, earlier = (slice(0, T - 1), slice(1, T)) if reverse else (slice(1, T), slice(0, T - 1))
    first = d_bars[:, T - 1 if reverse else 0]  # (M, B, ·)
    if reverse and cleared_by is not None:
        at = (cleared_by - 1).clamp_min(0).expand(d_bars.shape[0], -1)  # zero errors at a length of 0
        first = d_bars.take_along_dim(at[:, None, :, None], 1).squeeze(1)
    total = torch.bmm(first.transpose(1, 2), initial)
    left, right = d_bars[:, later].flatten(1, 2), values[:, earlier].flatten(1, 2)
    return torch.baddbmm(total, left.transpose(1, 2), right)


def peephole_gradient(d_bars: Tensor, c0: Tensor, cells: Tensor, v: Variant, reverse: bool) -> Tensor:
    """Σ over time and batch of each own gate's error and the cell it saw, (M, m, H)."""
    blocks = dict(zip(v.blocks, d_bars.chunk(len(v.blocks), dim=-1), strict=True))
    start = c0.unsqueeze(1)
    before = torch.cat([cells[:, 1:], start] if reverse else [start, cells[:, :-1]], dim=1)
    seen = {"i": before, "f": before, "o": cells}
    wide = torch.promote_types(cells.dtype, torch.float32)
    sums = [(blocks[gate].to(wide) * seen[gate].to(wide)).sum((1, 2)) for gate in v.gates]
    return torch.stack(sums, dim=1).to(cells.dtype)


def padded(values: Tensor, lengths: Tensor) -> Tensor:
    """Where (M, T, B, ·) is padded, without asking the device for a number."""
    steps = torch.arange(values.shape[1], device=values.device).unsqueeze(1)
    return (steps >= lengths.unsqueeze(-2)).unsqueeze(-1)

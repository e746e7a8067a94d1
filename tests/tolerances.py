"""How far a computation may be from its reference: one row for each, one reason for each row.

Rows with `factor` follow the rule
    max|op - ref64| <= factor * max|plain PyTorch, same dtype - ref64| + eps(dtype) * max(1, max|ref64|)
where ref64 is the cell in float64. Rows with `relative` allow relative * max|reference| + absolute.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Row(NamedTuple):
    reason: str
    relative: float = 0.0
    factor: float = 0.0
    floors: float = 1.0  # how many times the eps term counts
    absolute: float = 0.0


TOLERANCES = {
    "op against cell, float64": Row(
        "same formulas, sums in another order: some hundred roundings of 1e-16", relative=1e-12
    ),
    "regularised op against cell, float64": Row(
        "as above; but a normalised row has lost the directions that change its mean or its spread, and an "
        "error along them is what rounding leaves of terms that cancel, with few inputs all of d_x: up to "
        "1.8e-14 was measured where the result itself is of that size",
        relative=1e-12,
        absolute=1e-13,
    ),
    "op against cell, float32": Row(
        "plain PyTorch in float32 shows what the dtype allows; another order of sums may double it", factor=2
    ),
    "weight gradient, float32": Row(
        "one product adds all T·B terms in a chain; the cell adds B, then T, which rounds less: up to 4.7 "
        "times the cell's error was measured over 270 cases, in d_weight_ih and d_weight_hh alone",
        factor=8,
    ),
    "native against reference, float32": Row(
        "2 and one eps hold for nearly all, but in very small cases plain PyTorch is at times right by "
        "chance, and sums that cancel leave more than one eps of their result: up to 8 eps was measured",
        factor=8,
        floors=16,
    ),
    "triton against reference, float32": Row(
        "as the native kernels, from which its sums differ as much", factor=8, floors=16
    ),
    "triton against reference, bfloat16": Row(
        "plain PyTorch rounds c and every product to bfloat16, the kernels only what they read and write; in "
        "small cases plain PyTorch is at times right by chance",
        factor=2,
        floors=2,
    ),
    "networks side by side, float64": Row(
        "the same sums in another order, with zeros among them where sizes differ", relative=1e-12
    ),
    "recording against autograd, float64": Row(
        "same formulas over two layers, with autograd's own order of sums", relative=1e-12
    ),
    "module against torch.nn, float64": Row(
        "another implementation of the same formulas over up to three layers", relative=1e-12
    ),
    "error map against autograd, float64": Row(
        "products of Jacobians over the steps in another order than autograd's", relative=1e-12
    ),
    "sequence cut in two": Row("the products over all steps are split in other places", relative=1e-12),
}


def check_relative(row: str, name: str, found: Tensor, expected: Tensor) -> None:
    bound = TOLERANCES[row].relative * expected.abs().max().item() if expected.numel() else 0.0
    bound += TOLERANCES[row].absolute
    _check(row, name, found, expected, bound)


def check_factor(row: str, name: str, found: Tensor, plain: Tensor, reference: Tensor) -> None:
    if not reference.numel():
        return
    floor = torch.finfo(found.dtype).eps * max(1.0, reference.abs().max().item())
    plainly = (plain.double() - reference).abs().max().item()
    _check(
        row,
        name,
        found.double(),
        reference,
        TOLERANCES[row].factor * plainly + TOLERANCES[row].floors * floor,
    )


def _check(row: str, name: str, found: Tensor, expected: Tensor, bound: float) -> None:
    assert found.shape == expected.shape, (
        f"{name}: shape {tuple(found.shape)}, expected {tuple(expected.shape)}"
    )
    difference = (found - expected).abs()
    largest = difference.max().item() if difference.numel() else 0.0
    if not largest <= bound:
        place = [int(k) for k in torch.unravel_index(difference.argmax(), difference.shape)]
        raise AssertionError(f"{name}: differs by {largest:.3g} at {place}, bound {bound:.3g} ({row})")

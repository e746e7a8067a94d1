"""Jacobians of single time steps, from a layer's local factors.

The state is (c, y) for an LSTM, under FGR followed by the own gates i, f, o, and h for a simple RNN. All
matrices are float64, rows: the value at t, columns: the value at t-1, whatever the direction calls "before".
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from throughtime.ops.error_rows import step_back
from throughtime.ops.local_factors import LocalFactors

CAROUSEL: Final = "carousel"
TERMS: Final = {"f": "forget gate", "i": "input gate", "z": "block input"}
"""The terms of ∂c(t)/∂c(t-1) beside the carousel, by the block they go through."""


def step_jacobian(f: LocalFactors, t: int) -> Tensor:
    """∂state(t) / ∂state(t-1), (B, n, n); n is H, 2H or (2 + m)H.

    Row r is what an error of 1 in the state's value r becomes one step before.
    """
    f = f.double()
    size = f.hidden_size * (1 if f.to_c is None else 2)
    size += 0 if f.weight_gates is None else f.weight_gates.shape[0]
    unit = torch.eye(size, dtype=torch.float64, device=f.factors.device)
    return step_back(f, t, unit.repeat(f.factors.shape[1], 1, 1))


def before(f: LocalFactors, t: int, b: int) -> int | None:
    """The step that sequence b came from to step t; None if t is its first one."""
    T = f.factors.shape[0]
    length = T if f.lengths is None else int(f.lengths[b])
    earlier = t + 1 if f.reverse else t - 1
    return earlier if 0 <= earlier < length else None


def cell_terms(f: LocalFactors, t: int) -> dict[str, Tensor]:
    """The terms of the total derivative ∂c(t)/∂c(t-1), where y(t-1) follows c(t-1): each (B, H, H).

    With zoneout the cell is what the layer found, c̃; what merely stayed, past c̃(t), is no part of it.

    Their sum says which way an error takes in *one* step. At a sequence's first step the initial y and c
    depend on nothing, so only the direct parts are there.

    Args:
        f: Of an LSTM.
        t: Time step.

    Returns:
        "carousel" and, as far as the variant has them, "forget gate", "input gate", "block input".
    """
    f = f.double()
    if f.to_c is None or f.forget is None:
        raise ValueError("cell_terms: a simple RNN has no cell.")
    B, H = f.factors.shape[1], f.hidden_size
    D, from_o = f.to_c.new_zeros(B, H, H), f.to_c.new_zeros(B, H)
    kept = torch.ones_like(from_o)  # what zoneout made c(t-1) of the cell that was found
    gates = [name for name in f.blocks if name != "z"]
    for b in range(B):
        earlier = before(f, t, b)
        if earlier is not None:
            D[b] = _output_by_cell(f, earlier, b)
            kept[b] = 1 if f.beside.k_c is None else f.beside.k_c[earlier, b]
            if f.slopes is not None and f.peephole is not None and "o" in gates:
                from_o[b] = f.block(f.slopes[earlier, b], "o") * f.peephole[-1]
    rows = _row_by_cell(f, t, D, from_o, gates)
    terms = {CAROUSEL: torch.diag_embed(f.forget[t] * kept)}
    for block in (name for name in ("f", "i", "z") if name in f.blocks):
        inner = f.block(rows.mT, block).mT
        if block in gates and f.peephole is not None:
            inner = inner + torch.diag_embed(f.peephole[gates.index(block)] * kept)
        terms[TERMS[block]] = f.block(f.factors[t], block).unsqueeze(-1) * inner
    return terms


def _output_by_cell(f: LocalFactors, t: int, b: int) -> Tensor:
    """∂y(t) / ∂ the cell found at t, of one sequence, (H, H)."""
    H, B = f.hidden_size, f.factors.shape[1]
    unit = torch.eye(H, dtype=torch.float64, device=f.factors.device).repeat(B, 1, 1)
    rows = f.to_cell(t, unit)[b]  # a row for each output
    return rows if f.beside.k_y is None else rows * f.beside.k_y[t, b].unsqueeze(-1)


def _row_by_cell(f: LocalFactors, t: int, D: Tensor, from_o: Tensor, gates: list[str]) -> Tensor:
    """∂(the recurrent row as it stands before the activation at t) / ∂c(t-1) by way of y(t-1), (B, nH, H)."""
    if f.beside.mask is not None:
        D = f.beside.mask.unsqueeze(-1) * D
    rows = f.weight_hh @ D
    if f.weight_gates is not None and "o" in gates:
        H = f.hidden_size
        for reader, gate in enumerate(gates):
            place = f.blocks.index(gate)
            part = f.weight_gates[reader * H : (reader + 1) * H, -H:] * from_o.unsqueeze(1)
            rows[:, place * H : (place + 1) * H] += part
    norm = f.beside.recurrent
    if norm is None:
        return rows
    unit = torch.eye(rows.shape[1], dtype=rows.dtype, device=rows.device).repeat(len(rows), 1, 1)
    return norm.back(t, unit) @ rows


def term_shares(f: LocalFactors) -> dict[str, Tensor]:
    """How large each term of ∂c(t)/∂c(t-1) is beside the others: Frobenius norms, divided by their sum.

    Returns:
        By name (T, B), float64; NaN at padded steps. At each step the shares add up to 1.
    """
    T = f.factors.shape[0]
    f = f.double()
    sizes: dict[str, list[Tensor]] = {}
    for t in range(T):
        for name, term in cell_terms(f, t).items():
            sizes.setdefault(name, []).append(torch.linalg.matrix_norm(term))
    found = {name: torch.stack(values) for name, values in sizes.items()}
    total = torch.stack(list(found.values())).sum(0)
    return {name: (size / total).masked_fill(~f.real(), torch.nan) for name, size in found.items()}

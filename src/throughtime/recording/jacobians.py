"""Jacobians of single time steps, from a layer's local factors.

The state is (c, y) for an LSTM, under FGR followed by the own gates i, f, o, and h for a simple RNN. All
matrices are float64, rows: the value at t, columns: the value at t-1, whatever the direction calls "before".
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from throughtime.ops.local_factors import LocalFactors

CAROUSEL: Final = "carousel"
TERMS: Final = {"f": "forget gate", "i": "input gate", "z": "block input"}
"""The terms of ∂c(t)/∂c(t-1) beside the carousel, by the block they go through."""


def step_jacobian(f: LocalFactors, t: int) -> Tensor:
    """∂state(t) / ∂state(t-1), (B, n, n); n is H, 2H or (2 + m)H."""
    f = f.double()
    if f.to_c is None or f.keep is None:
        return f.factors[t].unsqueeze(-1) * f.weight_hh
    gates = [name for name in f.blocks if name != "z"] if f.weight_gates is not None else []
    cell = _cell_row(f, t, gates)
    y = f.to_c[t].unsqueeze(-1) * cell
    if "o" in f.blocks:
        y = y + f.block(f.factors[t], "o").unsqueeze(-1) * _before_activation(f, "o", gates)
    rows = [cell, y]
    for gate in gates:
        inner = _before_activation(f, gate, gates)
        if f.peephole is not None:
            weight = f.peephole[gates.index(gate)]
            inner = inner + (weight.unsqueeze(-1) * cell if gate == "o" else _on_cell(f, weight, gates))
        rows.append(f.block(_slopes(f)[t], gate).unsqueeze(-1) * inner)
    return torch.cat(rows, dim=-2)


def _cell_row(f: LocalFactors, t: int, gates: list[str]) -> Tensor:
    """∂c(t) / ∂state(t-1), (B, H, n)."""
    if f.keep is None:
        raise AssertionError("only for layers with a cell")
    row = _on_cell(f, f.keep[t], gates)
    for block in f.blocks[: f.cell_blocks]:
        factor = f.block(f.factors[t], block).unsqueeze(-1)
        row = row + factor * _before_activation(f, block, gates)
    return row


def _before_activation(f: LocalFactors, block: str, gates: list[str]) -> Tensor:
    """∂(a block before its activation) / ∂state(t-1) without peepholes, (H, n)."""
    H = f.hidden_size
    place = f.blocks.index(block)
    y = f.weight_hh[place * H : (place + 1) * H]
    recurrent = y.new_zeros(H, len(gates) * H)
    if f.weight_gates is not None and block in gates:
        reader = gates.index(block)
        recurrent = f.weight_gates[reader * H : (reader + 1) * H]
    return torch.cat([torch.zeros_like(y), y, recurrent], dim=-1)


def _on_cell(f: LocalFactors, diagonal: Tensor, gates: list[str]) -> Tensor:
    """A diagonal over c(t-1) in a row of the whole state, (..., H, n)."""
    wide = torch.diag_embed(diagonal)
    return torch.nn.functional.pad(wide, (0, f.hidden_size * (1 + len(gates))))


def _slopes(f: LocalFactors) -> Tensor:
    if f.slopes is None:
        raise AssertionError("full gate recurrence keeps its slopes")
    return f.slopes


def before(f: LocalFactors, t: int, b: int) -> int | None:
    """The step that sequence b came from to step t; None if t is its first one."""
    T = f.factors.shape[0]
    length = T if f.lengths is None else int(f.lengths[b])
    earlier = t + 1 if f.reverse else t - 1
    return earlier if 0 <= earlier < length else None


def cell_terms(f: LocalFactors, t: int) -> dict[str, Tensor]:
    """The terms of the total derivative ∂c(t)/∂c(t-1), where y(t-1) follows c(t-1): each (B, H, H).

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
    B = f.factors.shape[1]
    D, from_o = f.to_c.new_zeros(B, f.hidden_size), f.to_c.new_zeros(B, f.hidden_size)
    gates = [name for name in f.blocks if name != "z"]
    for b in range(B):
        earlier = before(f, t, b)
        if earlier is not None:
            D[b] = f.to_c[earlier, b]
            if f.slopes is not None and f.peephole is not None and "o" in gates:
                from_o[b] = f.block(f.slopes[earlier, b], "o") * f.peephole[-1]
    terms = {CAROUSEL: torch.diag_embed(f.forget[t])}
    for block in (name for name in ("f", "i", "z") if name in f.blocks):
        inner = f.block(f.weight_hh.T, block).T * D.unsqueeze(1)
        if block in gates and f.peephole is not None:
            inner = inner + torch.diag_embed(f.peephole[gates.index(block)])
        if block in gates and f.weight_gates is not None and "o" in gates:
            H, reader = f.hidden_size, gates.index(block)
            inner = inner + f.weight_gates[reader * H : (reader + 1) * H, -H:] * from_o.unsqueeze(1)
        terms[TERMS[block]] = f.block(f.factors[t], block).unsqueeze(-1) * inner
    return terms


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

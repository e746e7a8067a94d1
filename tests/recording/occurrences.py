"""A layer unrolled so that every place where a value is read has a copy of its own.

Autograd's gradient of such a copy is what comes back through that reader alone: one route.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from throughtime.cells import LSTMCell, SimpleRNNCell
from throughtime.ops.padding import direction

G = {"tanh": torch.tanh, "relu": torch.relu, "logistic": torch.sigmoid, "identity": lambda a: a * 1}


class Reads:
    """Copies of values by (name, reader, step of the value)."""

    def __init__(self) -> None:
        self.copies: dict[tuple[str, str, int], Tensor] = {}

    def read(self, name: str, reader: str, at: int | None, value: Tensor) -> Tensor:
        if at is None:  # the initial state
            return value
        self.copies[name, reader, at] = value * 1
        return self.copies[name, reader, at]


def unroll(
    cell: Any,
    x: Tensor,
    state: dict[str, Tensor],
    p: dict[str, Tensor],
    lengths: list[int] | None,
    back: bool,
) -> tuple[Reads, Tensor, dict[str, Tensor]]:
    """Reads, outputs as the head reads them, and the returned state, one sequence after the other."""
    T, B = x.shape[:2]
    reads, heads, finals = [], torch.zeros(T, B, p["weight_hh"].shape[1], dtype=x.dtype), []
    rows: list[list[Tensor]] = [[heads[t, b] for b in range(B)] for t in range(T)]
    for b in range(B):
        one = Reads()
        now, at = {name: value[b] for name, value in state.items()}, None
        for t in direction(T if lengths is None else lengths[b], back):
            step = lstm_step if isinstance(cell, LSTMCell) else rnn_step
            now, rows[t][b] = step(cell, one, x[t, b], now, at, t, p)
            at = t
        finals.append({name: one.read(name, "returned state", at, value) for name, value in now.items()})
        reads.append(one)
    merged = Reads()
    merged.copies = {(*key, b): value for b, one in enumerate(reads) for key, value in one.copies.items()}
    final = {name: torch.stack([one[name] for one in finals]) for name in state}
    return merged, torch.stack([torch.stack(row) for row in rows]), final


def rnn_step(
    cell: SimpleRNNCell, reads: Reads, x: Tensor, now: Any, at: int | None, t: int, p: Any
) -> tuple[dict[str, Tensor], Tensor]:
    a = p["weight_ih"] @ reads.read("x", "a(t)", t, x)
    a = a + p["weight_hh"] @ reads.read("h", "a(t+1)", at, now["h"]) + p["bias"]
    h = G[cell.nonlinearity](reads.read("a", "h(t)", t, a))
    return {"h": h}, reads.read("h", "above(t)", t, h)


def lstm_step(
    cell: LSTMCell, reads: Reads, x: Tensor, now: Any, at: int | None, t: int, p: Any
) -> tuple[dict[str, Tensor], Tensor]:
    v, n = cell.variant, len(cell.variant.blocks)
    W, R, b = (
        dict(zip(v.blocks, p[key].chunk(n), strict=True)) for key in ("weight_ih", "weight_hh", "bias")
    )
    peephole = dict(zip(v.gates, p["peephole"], strict=True)) if "peephole" in p else {}
    c_before, one = now["c"], torch.ones_like(now["c"])

    def bar(block: str) -> Tensor:
        value = W[block] @ reads.read("x", f"{block}_bar(t)", t, x) + b[block]
        value = value + R[block] @ reads.read("y", f"{block}_bar(t+1)", at, now["y"])
        if block in peephole and block != "o":
            value = value + peephole[block] * reads.read("c", f"{block}_bar(t+1)", at, c_before)
        if v.full_gate_recurrence and block != "z":
            H, row = len(one), v.gates.index(block)
            for column, gate in enumerate(v.gates):
                matrix = p["weight_gates"][row * H : (row + 1) * H, column * H : (column + 1) * H]
                value = value + matrix @ reads.read(gate, f"{block}_bar(t+1)", at, now[gate])
        return value

    def gate(name: str, before: Tensor) -> Tensor:
        return torch.sigmoid(reads.read(f"{name}_bar", f"{name}(t)", t, before))

    i = gate("i", bar("i")) if v.input_gate else one
    f = one if v.forget_gate == "none" else None
    if v.forget_gate == "own":
        f = gate("f", bar("f"))
    if v.forget_gate == "coupled":
        f = 1 - reads.read("i", "f(t)", t, i)
    z = G[v.input_activation](reads.read("z_bar", "z(t)", t, bar("z")))
    c = reads.read("z", "c(t)", t, z) * reads.read("i", "c(t)", t, i)
    c = c + reads.read("c", "c(t+1)", at, c_before) * reads.read("f", "c(t)", t, f)
    o = one
    if v.output_gate:
        before = bar("o")
        if "o" in peephole:
            before = before + peephole["o"] * reads.read("c", "o_bar(t)", t, c)
        o = gate("o", before)
    y = reads.read("o", "y(t)", t, o) * G[v.output_activation](reads.read("c", "y(t)", t, c))
    state = {"y": y, "c": c} | {name: {"i": i, "f": f, "o": o}[name] for name in now if name in "ifo"}
    return state, reads.read("y", "above(t)", t, y)

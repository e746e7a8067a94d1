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
    """Copies of values by (name, reader, step of the value); `chance` has m and k by step, (T, B, H)."""

    def __init__(self, chance: dict[str, Tensor] | None = None, b: int = 0) -> None:
        self.copies: dict[tuple[str, str, int], Tensor] = {}
        self._chance, self._b = chance or {}, b

    def chance(self, name: str, t: int) -> Tensor | None:
        return self._chance[name][t, self._b] if name in self._chance else None

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
    chance: dict[str, Tensor] | None = None,
) -> tuple[Reads, Tensor, dict[str, Tensor]]:
    """Reads, outputs as the head reads them, and the returned state, one sequence after the other."""
    T, B = x.shape[:2]
    reads, heads, finals = [], torch.zeros(T, B, p["weight_hh"].shape[1], dtype=x.dtype), []
    rows: list[list[Tensor]] = [[heads[t, b] for b in range(B)] for t in range(T)]
    for b in range(B):
        one = Reads(chance, b)
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


def normal(
    reads: Reads, names: list[str], hats: list[str], label: str, t: int, parts: list[Tensor]
) -> list[Tensor]:
    """A row normalised by its definition, read for itself, for its mean and for its spread."""
    whole, for_mean, for_spread = (
        torch.cat(
            [reads.read(n, f"{reader}(t)", t, part) for n, reader, part in zip(names, by, parts, strict=True)]
        )
        for by in (hats, [f"{label}_mean"] * len(names), [f"{label}_spread"] * len(names))
    )
    variance = (for_spread - for_spread.mean()).square().mean()
    return list(((whole - for_mean.mean()) / (variance + 1e-5).sqrt()).chunk(len(names)))


def bars_of(
    reads: Reads, t: int, blocks: tuple[str, ...], from_x: list[Tensor], from_y: list[Tensor], p: Any
) -> list[Tensor]:
    """Values before the activation from both products of each block; with layer norm by their rows."""
    total = [x + y for x, y in zip(from_x, from_y, strict=True)]
    if "gain_ih" in p:
        total = [0.0] * len(blocks)
        for row, gain, parts in (("x", p["gain_ih"], from_x), ("r", p["gain_hh"], from_y)):
            names = [f"{block}_{row}" for block in blocks]
            hats = normal(reads, names, [f"{name}_hat" for name in names], row, t, parts)
            for k, (block, hat, g) in enumerate(zip(blocks, hats, gain.chunk(len(blocks)), strict=True)):
                bar = "a" if block == "a" else f"{block}_bar"
                total[k] = total[k] + g * reads.read(f"{block}_{row}_hat", f"{bar}(t)", t, hat)
    if "bias" not in p:
        return total
    return [part + b for part, b in zip(total, p["bias"].chunk(len(blocks)), strict=True)]


def after_zoneout(reads: Reads, name: str, at: int | None, t: int, found: Tensor, before: Tensor) -> Tensor:
    k = reads.chance(f"k_{name}", t)
    if k is None:
        return found
    before = reads.read(name, f"{name}(t+1)", at, before)
    return k * reads.read(f"{name}_tilde", f"{name}(t)", t, found) + (1 - k) * before


def rnn_step(
    cell: SimpleRNNCell, reads: Reads, x: Tensor, now: Any, at: int | None, t: int, p: Any
) -> tuple[dict[str, Tensor], Tensor]:
    m, norm = reads.chance("m", t), "gain_ih" in p
    from_x = p["weight_ih"] @ reads.read("x", "a_x(t)" if norm else "a(t)", t, x)
    h = reads.read("h", "a_r(t+1)" if norm else "a(t+1)", at, now["h"])
    (a,) = bars_of(reads, t, ("a",), [from_x], [p["weight_hh"] @ (h if m is None else h * m)], p)
    zoneout = reads.chance("k_h", t) is not None
    found = G[cell.nonlinearity](reads.read("a", "h_tilde(t)" if zoneout else "h(t)", t, a))
    h = after_zoneout(reads, "h", at, t, found, now["h"])
    return {"h": h}, reads.read("h", "above(t)", t, h)


def lstm_step(
    cell: LSTMCell, reads: Reads, x: Tensor, now: Any, at: int | None, t: int, p: Any
) -> tuple[dict[str, Tensor], Tensor]:
    v, n = cell.variant, len(cell.variant.blocks)
    W, R = (dict(zip(v.blocks, p[key].chunk(n), strict=True)) for key in ("weight_ih", "weight_hh"))
    peephole = dict(zip(v.gates, p["peephole"], strict=True)) if "peephole" in p else {}
    c_before, one, m = now["c"], torch.ones_like(now["c"]), reads.chance("m", t)
    norm, zoneout = "gain_ih" in p, reads.chance("k_c", t) is not None
    x_end, r_end = ("x", "r") if norm else ("bar", "bar")
    c_found, y_found = ("c_tilde", "y_tilde") if zoneout else ("c", "y")

    def recurrent(block: str) -> Tensor:
        y = reads.read("y", f"{block}_{r_end}(t+1)", at, now["y"])
        value = R[block] @ (y if m is None else y * m)
        if v.full_gate_recurrence and block != "z":
            H, row = len(one), v.gates.index(block)
            for column, gate in enumerate(v.gates):
                matrix = p["weight_gates"][row * H : (row + 1) * H, column * H : (column + 1) * H]
                value = value + matrix @ reads.read(gate, f"{block}_{r_end}(t+1)", at, now[gate])
        return value

    from_x = [W[block] @ reads.read("x", f"{block}_{x_end}(t)", t, x) for block in v.blocks]
    rows = bars_of(reads, t, v.blocks, from_x, [recurrent(block) for block in v.blocks], p)
    sums = dict(zip(v.blocks, rows, strict=True))

    def bar(block: str) -> Tensor:
        if block in peephole and block != "o":
            return sums[block] + peephole[block] * reads.read("c", f"{block}_bar(t+1)", at, c_before)
        return sums[block]

    def gate(name: str, before: Tensor) -> Tensor:
        return torch.sigmoid(reads.read(f"{name}_bar", f"{name}(t)", t, before))

    i = gate("i", bar("i")) if v.input_gate else one
    f = one if v.forget_gate == "none" else None
    if v.forget_gate == "own":
        f = gate("f", bar("f"))
    if v.forget_gate == "coupled":
        f = 1 - reads.read("i", "f(t)", t, i)
    z = G[v.input_activation](reads.read("z_bar", "z(t)", t, bar("z")))
    found = reads.read("z", f"{c_found}(t)", t, z) * reads.read("i", f"{c_found}(t)", t, i)
    found = found + reads.read("c", f"{c_found}(t+1)", at, c_before) * reads.read("f", f"{c_found}(t)", t, f)
    o = one
    if v.output_gate:
        before = bar("o")
        if "o" in peephole:
            before = before + peephole["o"] * reads.read(c_found, "o_bar(t)", t, found)
        o = gate("o", before)
    seen, name = found, c_found
    if norm:
        (hat,) = normal(reads, [c_found], ["c_hat"], "c", t, [found])
        seen = p["gain_c"] * reads.read("c_hat", "u(t)", t, hat) + p.get("bias_c", 0.0)
        name = "u"
    h = G[v.output_activation](reads.read(name, f"{y_found}(t)", t, seen))
    y = after_zoneout(reads, "y", at, t, reads.read("o", f"{y_found}(t)", t, o) * h, now["y"])
    c = after_zoneout(reads, "c", at, t, found, c_before)
    state = {"y": y, "c": c} | {name: {"i": i, "f": f, "o": o}[name] for name in now if name in "ifo"}
    return state, reads.read("y", "above(t)", t, y)

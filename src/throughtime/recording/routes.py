"""Routes: by which ways an error came to a value.

A value's error is the sum, over every value that reads it directly, of that reader's total error times the
local derivative of the reader's own line. The lines are those of `cells/`; a reader at t+1 is the next step
in the direction of the layer. At a sequence's last step there is one reader more, the returned state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import torch
from torch import Tensor

from throughtime.cells import LSTMCell
from throughtime.cells.activations import ACTIVATIONS
from throughtime.cells.normalise import normalised
from throughtime.ops.regularised_sight import ROWS
from throughtime.recording.layer_record import LayerRecord
from throughtime.recording.names import MissingNameError
from throughtime.recording.steps import Steps

RETURNED: Final = "returned state"
_sigmoid_slope = ACTIVATIONS["logistic"].slope


class Routes(Mapping[str, Tensor]):
    """The parts of one error by the reader through which they came, as {"y(t)": (B, H), "c(t+1)": ...}.

    Attributes:
        name: Of the error, as "layer0.d_c".
        t: The step, or None for all.
        total: The sum of the parts, (B, ·), or (T, B, ·) for all steps.
    """

    def __init__(self, name: str, t: int | None, parts: Mapping[str, Tensor]) -> None:
        self.name, self.t, self._parts = name, t, dict(parts)
        self.total = torch.stack(list(self._parts.values())).sum(0)

    def __getitem__(self, reader: str) -> Tensor:
        if reader not in self._parts:
            raise MissingNameError(
                f"no route {reader!r} to {self.name}; it comes through {', '.join(self._parts)}."
            )
        return self._parts[reader]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __repr__(self) -> str:
        step = "all t" if self.t is None else f"t={self.t}"
        norms = ", ".join(f"{reader} {part.norm():.3g}" for reader, part in self._parts.items())
        return f"Routes({self.name}, {step}; norms: {norms}; total {self.total.norm():.3g})"


def find_routes(record: LayerRecord, error: str, t: int | None) -> dict[str, Tensor]:
    """The parts of an error in a single pass, (B, ·), or (T, B, ·) for t=None.

    Raises:
        KeyError: the layer has no such error, or the recording does not keep what is needed.
    """
    table = _rnn_table(record) if record.kind == "RNN" else _lstm_table(record)
    if error not in table:
        raise MissingNameError(
            f"no routes for {record.path}.{error}; there are routes for {', '.join(table)}."
        )
    steps = Steps(record, t, f"routes of {record.path}.{error}")
    parts = {reader: part(steps) for reader, part in table[error].items()}
    state = error.removeprefix("d_")
    if state in record.final_errors and (t is None or steps.has_last):
        parts[RETURNED] = steps.returned(state)
    return parts


_Part = Callable[[Steps], Tensor]
_Table = dict[str, dict[str, _Part]]


def _rnn_table(record: LayerRecord) -> _Table:
    p, slope = record.parameters, ACTIVATIONS[record.nonlinearity].slope
    found, reader = ("h_tilde" if record.zoneout else "h"), ("a_r" if record.layer_norm else "a")
    masked = _masked(record)
    table: _Table = {
        "d_h": {
            "above(t)": lambda s: s.now("d_above"),
            f"{reader}(t+1)": lambda s: masked(s, s.later(f"d_{reader}") @ p["weight_hh"]),
        }
        | _staying(record, "h"),
        "d_a": {f"{found}(t)": lambda s: s.now(f"d_{found}") * slope(s.now(found))},
    }
    if record.zoneout:
        table["d_h_tilde"] = _let_through("h")
    table |= _rows(record, ("a",))
    at = "a_x" if record.layer_norm else "a"
    return table | {"d_x": {f"{at}(t)": lambda s: s.now(f"d_{at}") @ p["weight_ih"]}}


def _lstm_table(record: LayerRecord) -> _Table:
    cell = record.lstm_cell
    table: _Table = {"d_y": _to_y(record, cell)} | _to_c(record, cell)
    if record.zoneout:
        table["d_y_tilde"] = _let_through("y")
    table |= _to_gates(record, cell)
    for block in cell.variant.blocks:
        table[f"d_{block}_bar"] = {f"{block}(t)": _through_activation(cell, block, table[f"d_{block}"])}
    table |= _rows(record, cell.variant.blocks)
    table["d_x"] = _products(record, record.parameters["weight_ih"], cell.variant.blocks, "t")
    return table


def _to_y(record: LayerRecord, cell: LSTMCell) -> dict[str, _Part]:
    readers = _products(record, record.parameters["weight_hh"], cell.variant.blocks, "t+1")
    return {"above(t)": lambda s: s.now("d_above")} | readers | _staying(record, "y")


def _products(record: LayerRecord, weight: Tensor, blocks: tuple[str, ...], at: str) -> dict[str, _Part]:
    """Routes through the products with x(t) or y(t), each by its block of the weight; z first.

    With layer normalisation the product is a line of its own, otherwise a part of the value before the
    activation.
    """
    end = ("x" if at == "t" else "r") if record.layer_norm else "bar"
    rows, masked = dict(zip(blocks, weight.chunk(len(blocks)), strict=True)), _masked(record)

    def through(block: str) -> _Part:
        name = f"d_{block}_{end}"
        if at == "t":
            return lambda s: s.now(name) @ rows[block]
        return lambda s: masked(s, s.later(name) @ rows[block])

    return {f"{block}_{end}({at})": through(block) for block in ("z", "i", "f", "o") if block in blocks}


def _masked(record: LayerRecord) -> Callable[[Steps, Tensor], Tensor]:
    """What comes back through recurrent dropout; its mask is the same at every step of a pass."""
    if not record.recurrent_dropout:
        return lambda _, error: error
    return lambda s, error: error * s.now("m")


def _staying(record: LayerRecord, name: str) -> dict[str, _Part]:
    """Zoneout: what of a value of the state stays for another step."""
    if not record.zoneout:
        return {}
    return {f"{name}(t+1)": lambda s: s.later(f"d_{name}") * (1 - s.later(f"k_{name}"))}


def _let_through(name: str) -> dict[str, _Part]:
    """Zoneout: what of that which the cell found becomes the state."""
    return {f"{name}(t)": lambda s: s.now(f"d_{name}") * s.now(f"k_{name}")}


def _rows(record: LayerRecord, blocks: tuple[str, ...]) -> _Table:
    """Layer normalisation: routes to both products of a step, and to what becomes of them."""
    table: _Table = {}
    for row, parameter in ROWS.items() if record.layer_norm else ():
        gains = record.parameters[f"gain_{parameter}"].chunk(len(blocks))
        for k, (block, gain) in enumerate(zip(blocks, gains, strict=True)):
            table[f"d_{block}_{row}_hat"] = {f"{_bar(block)}(t)": _times(f"d_{_bar(block)}", gain)}
            names = tuple(f"{name}_{row}" for name in blocks)
            table[f"d_{block}_{row}"] = _through_norm(names, tuple(f"{name}_hat" for name in names), k, row)
    return table


def _bar(block: str) -> str:
    return block if block == "a" else f"{block}_bar"


def _times(name: str, gain: Tensor) -> _Part:
    return lambda s: s.now(name) * gain


def _through_norm(row: tuple[str, ...], hats: tuple[str, ...], k: int, label: str) -> dict[str, _Part]:
    """Routes to part k of a row that is normalised as a whole, â = (a - μ) · s.

    An entry of the row is read by its own â, and by the mean μ and the spread, hence the factor s, that all
    entries share; through the last two its error meets the errors of all others.
    """

    def whole(s: Steps, names: tuple[str, ...], before: str = "") -> Tensor:
        return torch.cat([s.now(f"{before}{name}") for name in names], dim=-1)

    def scale(s: Steps) -> Tensor:
        return normalised(whole(s, row))[1]

    def mean(s: Steps) -> Tensor:
        shared = -scale(s) * whole(s, hats, "d_").mean(-1, keepdim=True)
        return shared.expand_as(s.now(row[k]))

    def spread(s: Steps) -> Tensor:
        along = (whole(s, hats, "d_") * whole(s, hats)).mean(-1, keepdim=True)
        return -scale(s) * s.now(hats[k]) * along

    return {
        f"{hats[k]}(t)": lambda s: scale(s) * s.now(f"d_{hats[k]}"),
        f"{label}_mean(t)": mean,
        f"{label}_spread(t)": spread,
    }


def _to_c(record: LayerRecord, cell: LSTMCell) -> _Table:
    """Routes to the cell: with zoneout to c̃ that was found and c that it became; with layer norm to u, ĉ."""
    v, h, p = cell.variant, ACTIVATIONS[cell.variant.output_activation], record.parameters
    found, seen = ("c_tilde" if record.zoneout else "c"), ("u" if record.layer_norm else "")
    out, seen = ("y_tilde" if record.zoneout else "y"), seen or found
    to_seen: dict[str, _Part] = {
        f"{out}(t)": lambda s: s.now(f"d_{out}") * s.now("o") * h.slope(h.value(s.now(seen)))
    }
    peephole = dict(zip(v.gates, p["peephole"].unbind(0), strict=True)) if "peephole" in p else {}
    table: _Table = {}
    now = to_seen
    if record.layer_norm:
        table = {"d_u": to_seen, "d_c_hat": {"u(t)": _times("d_u", p["gain_c"])}}
        now = _through_norm((found,), ("c_hat",), 0, "c")
    if "o" in peephole:
        now = now | {"o_bar(t)": _times("d_o_bar", peephole["o"])}
    later: dict[str, _Part] = {}
    if "i" in peephole:
        later["i_bar(t+1)"] = lambda s: s.later("d_i_bar") * peephole["i"]
    if "f" in peephole:
        later["f_bar(t+1)"] = lambda s: s.later("d_f_bar") * peephole["f"]
    later[f"{found}(t+1)"] = lambda s: s.later(f"d_{found}") * s.later("f")
    if not record.zoneout:
        return table | {"d_c": now | later}
    return table | {"d_c_tilde": now | _let_through("c"), "d_c": later | _staying(record, "c")}


def _to_gates(record: LayerRecord, cell: LSTMCell) -> _Table:
    """Routes to the values after the activation; under FGR the own gates are read at t+1 too."""
    v, h = cell.variant, ACTIVATIONS[cell.variant.output_activation]
    c, y = ("c_tilde", "y_tilde") if record.zoneout else ("c", "y")
    seen = "u" if record.layer_norm else c
    table: _Table = {"d_z": {f"{c}(t)": lambda s: s.now(f"d_{c}") * s.now("i")}}
    if v.input_gate:
        table["d_i"] = {f"{c}(t)": lambda s: s.now(f"d_{c}") * s.now("z")}
    if v.forget_gate == "coupled":
        table["d_i"]["f(t)"] = lambda s: -s.now(f"d_{c}") * s.before("c")
    if v.forget_gate != "none":
        table["d_f"] = {f"{c}(t)": lambda s: s.now(f"d_{c}") * s.before("c")}
    if v.output_gate:
        table["d_o"] = {f"{y}(t)": lambda s: s.now(f"d_{y}") * h.value(s.now(seen))}
    if v.full_gate_recurrence:
        end = "r" if record.layer_norm else "bar"
        for column, gate in enumerate(v.gates):
            table[f"d_{gate}"] |= _through_gates(record.parameters["weight_gates"], v.gates, column, end)
    return table


def _through_gates(weight: Tensor, gates: tuple[str, ...], column: int, end: str) -> dict[str, _Part]:
    """Routes from one gate to each own gate of the next step, by the blocks of `weight_gates`.

    `end` says what there reads it: "bar", the value before the activation, or "r", the recurrent row.
    """
    H = weight.shape[1] // len(gates)
    rows = weight[:, column * H : (column + 1) * H].chunk(len(gates))

    def through(k: int, gate: str) -> _Part:
        return lambda s: s.later(f"d_{gate}_{end}") @ rows[k]

    return {f"{gate}_{end}(t+1)": through(k, gate) for k, gate in enumerate(gates)}


def _through_activation(cell: LSTMCell, block: str, to_gate: Mapping[str, _Part]) -> _Part:
    """From the error of a value after its activation, all its routes, to the one before it."""
    slope = ACTIVATIONS[cell.variant.input_activation].slope if block == "z" else _sigmoid_slope

    def part(s: Steps) -> Tensor:
        total = torch.stack([route(s) for route in to_gate.values()]).sum(0)
        if block in s.record.final_errors:
            total = total + s.returned(block)
        return total * slope(s.now(block))

    return part

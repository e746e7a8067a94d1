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
    return {
        "d_h": {
            "above(t)": lambda s: s.now("d_above"),
            "a(t+1)": lambda s: s.later("d_a") @ p["weight_hh"],
        },
        "d_a": {"h(t)": lambda s: s.now("d_h") * slope(s.now("h"))},
        "d_x": {"a(t)": lambda s: s.now("d_a") @ p["weight_ih"]},
    }


def _lstm_table(record: LayerRecord) -> _Table:
    cell = record.lstm_cell
    table: _Table = {"d_y": _to_y(record, cell), "d_c": _to_c(record, cell)}
    table |= _to_gates(record, cell)
    for block in cell.variant.blocks:
        table[f"d_{block}_bar"] = {f"{block}(t)": _through_activation(cell, block, table[f"d_{block}"])}
    table["d_x"] = _products(record.parameters["weight_ih"], cell.variant.blocks, "t")
    return table


def _to_y(record: LayerRecord, cell: LSTMCell) -> dict[str, _Part]:
    readers = _products(record.parameters["weight_hh"], cell.variant.blocks, "t+1")
    return {"above(t)": lambda s: s.now("d_above")} | readers


def _products(weight: Tensor, blocks: tuple[str, ...], at: str) -> dict[str, _Part]:
    """Routes through the values before the activation, each by its block of a weight matrix; z first."""
    rows = dict(zip(blocks, weight.chunk(len(blocks)), strict=True))

    def through(block: str) -> _Part:
        name = f"d_{block}_bar"
        return lambda s: (s.now(name) if at == "t" else s.later(name)) @ rows[block]

    return {f"{block}_bar({at})": through(block) for block in ("z", "i", "f", "o") if block in blocks}


def _to_c(record: LayerRecord, cell: LSTMCell) -> dict[str, _Part]:
    v, h = cell.variant, ACTIVATIONS[cell.variant.output_activation]
    parts: dict[str, _Part] = {
        "y(t)": lambda s: s.now("d_y") * s.now("o") * h.slope(h.value(s.now("c"))),
    }
    if v.peepholes and v.gates:
        peephole = dict(zip(v.gates, record.parameters["peephole"].unbind(0), strict=True))
        if "o" in peephole:
            parts["o_bar(t)"] = lambda s: s.now("d_o_bar") * peephole["o"]
        if "i" in peephole:
            parts["i_bar(t+1)"] = lambda s: s.later("d_i_bar") * peephole["i"]
        if "f" in peephole:
            parts["f_bar(t+1)"] = lambda s: s.later("d_f_bar") * peephole["f"]
    parts["c(t+1)"] = lambda s: s.later("d_c") * s.later("f")
    return parts


def _to_gates(record: LayerRecord, cell: LSTMCell) -> _Table:
    """Routes to the values after the activation; under FGR the own gates are read at t+1 too."""
    v, h = cell.variant, ACTIVATIONS[cell.variant.output_activation]
    table: _Table = {"d_z": {"c(t)": lambda s: s.now("d_c") * s.now("i")}}
    if v.input_gate:
        table["d_i"] = {"c(t)": lambda s: s.now("d_c") * s.now("z")}
    if v.forget_gate == "coupled":
        table["d_i"]["f(t)"] = lambda s: -s.now("d_c") * s.before("c")
    if v.forget_gate != "none":
        table["d_f"] = {"c(t)": lambda s: s.now("d_c") * s.before("c")}
    if v.output_gate:
        table["d_o"] = {"y(t)": lambda s: s.now("d_y") * h.value(s.now("c"))}
    if v.full_gate_recurrence:
        for column, gate in enumerate(v.gates):
            table[f"d_{gate}"] |= _through_gates(record.parameters["weight_gates"], v.gates, column)
    return table


def _through_gates(weight: Tensor, gates: tuple[str, ...], column: int) -> dict[str, _Part]:
    """Routes from one gate to each own gate of the next step, by the blocks of `weight_gates`."""
    H = weight.shape[1] // len(gates)
    rows = weight[:, column * H : (column + 1) * H].chunk(len(gates))

    def through(k: int, gate: str) -> _Part:
        return lambda s: s.later(f"d_{gate}_bar") @ rows[k]

    return {f"{gate}_bar(t+1)": through(k, gate) for k, gate in enumerate(gates)}


def _through_activation(cell: LSTMCell, block: str, to_gate: Mapping[str, _Part]) -> _Part:
    """From the error of a value after its activation, all its routes, to the one before it."""
    slope = ACTIVATIONS[cell.variant.input_activation].slope if block == "z" else _sigmoid_slope

    def part(s: Steps) -> Tensor:
        total = torch.stack([route(s) for route in to_gate.values()]).sum(0)
        if block in s.record.final_errors:
            total = total + s.returned(block)
        return total * slope(s.now(block))

    return part

"""A layer's equations, its drawings, and what it is called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from throughtime.cells import SimpleRNNCell, Variant
from throughtime.cells.activations import activation
from throughtime.page.study.circuit import circuit
from throughtime.page.study.drawing import Block, Drawing
from throughtime.page.study.lines import Journey
from throughtime.page.study.lstm_lines import lstm_lines
from throughtime.page.study.odyssey import odyssey
from throughtime.page.study.rnn_lines import rnn_lines
from throughtime.page.study.rnncell import rnncell
from throughtime.recording import LayerRecord


def layer_name(layer: LayerRecord) -> str:
    """The layer in words, as "LSTM with peepholes"."""
    cell = layer.cell
    if isinstance(cell, SimpleRNNCell):
        return f"simple RNN ({cell.nonlinearity})"
    if cell.variant.name == "vanilla":
        return "LSTM with peepholes"
    return "LSTM" if cell.variant.name == "NP" else f"LSTM {cell.variant.name}"


def equations(layer: LayerRecord, values: dict[str, Tensor]) -> tuple[Journey, dict[str, Any]]:
    """The lines of a layer; adds to `values` what they read beyond the recorded ones."""
    cell = layer.cell
    extra: dict[str, Any]
    if isinstance(cell, SimpleRNNCell):
        if "h" in values:
            values["slope"] = activation(cell.nonlinearity).slope(values["h"])
        drawings = [rnncell(cell.nonlinearity).as_json()]
        extra = {"lacks": [] if cell.bias else ["b"], "drawings": drawings}
        journey = rnn_lines(cell.bias)
    else:
        if "c" in values:
            values["h_c"] = activation(cell.variant.output_activation).value(values["c"])
        extra = _variant_fields(cell.variant)
        journey = lstm_lines(cell.variant, cell.bias)
    if not layer.errors:
        journey = replace(journey, backward=(), shares=())
    return journey, extra


def equations_of(layer: LayerRecord) -> tuple[Journey, Drawing, frozenset[str]]:
    """A layer's journey, its drawing as a circuit, and what of it are ghosts."""
    journey, _ = equations(layer, dict(layer.values))
    cell = layer.cell
    if isinstance(cell, SimpleRNNCell):
        return journey, rnncell(cell.nonlinearity), frozenset() if cell.bias else frozenset({"b"})
    block = block_of(cell.variant)
    return journey, circuit(block), block.lacks


def _variant_fields(variant: Variant) -> dict[str, Any]:
    block = block_of(variant)
    return {
        "lacks": sorted(block.lacks),
        "drawings": [circuit(block).as_json(), odyssey(block).as_json()],
        "blocks": list(variant.blocks),
    }


def block_of(variant: Variant) -> Block:
    """What the drawings must know of a variant."""
    lacks = {
        "i": not variant.input_gate,
        "f": variant.forget_gate == "none",
        "o": not variant.output_gate,
        "p": not (variant.peepholes and variant.gates),
        "g": variant.input_activation == "identity",
        "h": variant.output_activation == "identity",
        "coupled": variant.forget_gate == "coupled",
    }
    missing = frozenset(name for name, lacking in lacks.items() if lacking)
    return Block(missing, variant.gates if variant.full_gate_recurrence else ())

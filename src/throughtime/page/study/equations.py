"""A layer's equations, its drawings, and what it is called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from throughtime.cells import SimpleRNNCell, Variant
from throughtime.page.study.circuit import circuit
from throughtime.page.study.derived import derived
from throughtime.page.study.drawing import Block, Drawing
from throughtime.page.study.lines import Journey
from throughtime.page.study.lstm_lines import lstm_lines
from throughtime.page.study.norm_lines import Regular
from throughtime.page.study.odyssey import odyssey
from throughtime.page.study.rnn_lines import rnn_lines
from throughtime.page.study.rnncell import rnncell
from throughtime.page.study.zoneout_drawing import with_zoneout
from throughtime.recording import LayerRecord


def layer_name(layer: LayerRecord) -> str:
    """The layer in words, as "LSTM with peepholes"."""
    cell = layer.cell
    if isinstance(cell, SimpleRNNCell):
        name = f"simple RNN ({cell.nonlinearity})"
    else:
        named = {"vanilla": "LSTM with peepholes", "NP": "LSTM"}
        name = named.get(cell.variant.name, f"LSTM {cell.variant.name}")
    return ", ".join([name, *layer.beside])


def equations(layer: LayerRecord, values: dict[str, Tensor]) -> tuple[Journey, dict[str, Any]]:
    """The lines of a layer; adds to `values` what they read beyond the recorded ones."""
    cell = layer.cell
    extra: dict[str, Any]
    values |= derived(layer)
    regular = Regular.of(layer)
    if isinstance(cell, SimpleRNNCell):
        extra = {"lacks": [] if cell.bias else ["b"]}
        drawings = [rnncell(cell.nonlinearity)]
        journey = rnn_lines(cell.bias, regular)
    else:
        block = block_of(cell.variant)
        extra = {"lacks": sorted(block.lacks), "blocks": list(cell.variant.blocks)}
        drawings = [circuit(block), odyssey(block)]
        journey = lstm_lines(cell.variant, cell.bias, regular)
    extra["drawings"] = [_as_run(layer, drawing).as_json() for drawing in drawings]
    if not layer.errors:
        journey = replace(journey, backward=(), shares=())
    return journey, extra


def equations_of(layer: LayerRecord) -> tuple[Journey, Drawing, frozenset[str]]:
    """A layer's journey, its drawing as a circuit, and what of it are ghosts."""
    journey, _ = equations(layer, dict(layer.values))
    cell = layer.cell
    if isinstance(cell, SimpleRNNCell):
        lacks = frozenset[str]() if cell.bias else frozenset({"b"})
        return journey, _as_run(layer, rnncell(cell.nonlinearity)), lacks
    block = block_of(cell.variant)
    return journey, _as_run(layer, circuit(block)), block.lacks


def _as_run(layer: LayerRecord, drawing: Drawing) -> Drawing:
    return with_zoneout(drawing) if layer.zoneout else drawing


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

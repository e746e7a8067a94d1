"""What the lines read beyond the recorded values: formed from them, by name, each (T, B, H)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from throughtime.cells import SimpleRNNCell
from throughtime.cells.activations import activation
from throughtime.cells.normalise import normalised
from throughtime.ops.regularised_sight import ROWS, blocks
from throughtime.recording import LayerRecord
from throughtime.recording.steps import Steps


def derived(layer: LayerRecord) -> dict[str, Tensor]:
    """Values and errors of a layer that no recording holds, as far as what they are formed from is there.

    `h_c` is h of what it sees of the cell, `slope` g'(a) of a simple RNN. With layer normalisation `x_mean`
    and `x_scale` are μ and s of the row W x (`r_…` of R y(t-1), `c_…` of the cell), `d_x_mean` and
    `d_x_spread` the means of δâ and of δâ ⊙ â over it. With zoneout `stay_c` is 1 - k_c; with recurrent
    dropout `y_read` is what is left of y(t-1).
    """
    cell, values, found = layer.cell, layer.values, dict[str, Tensor]()
    if isinstance(cell, SimpleRNNCell):
        h = values.get("h_tilde", values.get("h"))
        if h is not None:
            found["slope"] = activation(cell.nonlinearity).slope(h)
    else:
        seen = values.get("u", values.get("c_tilde", values.get("c")))
        if seen is not None:
            found["h_c"] = activation(cell.variant.output_activation).value(seen)
        if layer.layer_norm:
            found |= _of_row(layer, "c", ["c_tilde" if layer.zoneout else "c"], ["c_hat"])
    for row in ROWS if layer.layer_norm else ():
        names = [f"{block}_{row}" for block in blocks(cell)]
        found |= _of_row(layer, row, names, [f"{name}_hat" for name in names])
    for name in ("c", "y", "h"):
        if f"k_{name}" in values:
            found[f"stay_{name}"] = 1 - values[f"k_{name}"]
    if "m" in values and layer.output in values:
        before = Steps(layer, None, "study").before(layer.output)
        found[f"{layer.output}_read"] = values["m"] * before
    return found


def _of_row(layer: LayerRecord, label: str, row: list[str], hats: list[str]) -> dict[str, Tensor]:
    """Means and factor of a row that is normalised as a whole."""
    errors = [f"d_{name}" for name in hats]
    found: dict[str, Tensor] = {}
    if all(name in layer.values for name in row):
        whole = _beside(layer.values, row)
        found = {f"{label}_mean": whole.mean(-1, keepdim=True), f"{label}_scale": normalised(whole)[1]}
    if all(name in layer.errors for name in errors) and all(name in layer.values for name in hats):
        d_hat = _beside(layer.errors, errors)
        found[f"d_{label}_mean"] = d_hat.mean(-1, keepdim=True)
        found[f"d_{label}_spread"] = (d_hat * _beside(layer.values, hats)).mean(-1, keepdim=True)
    return {name: value.expand(*value.shape[:-1], layer.hidden_size) for name, value in found.items()}


def _beside(arrays: Mapping[str, Tensor], names: list[str]) -> Tensor:
    return torch.cat([arrays[name] for name in names], dim=-1)

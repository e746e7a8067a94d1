"""`LocalFactors` of layers with layer normalisation, zoneout and recurrent dropout."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from throughtime.cells import LSTMCell
from throughtime.cells.activations import ACTIVATIONS
from throughtime.ops.local_factors import Beside, LocalFactors, Norm, lstm_factors
from throughtime.ops.lstm_loop import LSTMForward, LSTMParameters, LSTMState
from throughtime.ops.regularised_loop import Inputs, Way
from throughtime.ops.regularised_sight import Sight
from throughtime.ops.simple_rnn_loop import RNNForward


def regularised_factors(inputs: Inputs, way: Way, saved: LSTMForward | RNNForward) -> LocalFactors:
    """The factors of a layer from what it read, what chance did to it, and what its forward left."""
    cell, p = way.cell, inputs
    if isinstance(saved, RNNForward):
        nothing = p.x.new_empty(0)
        sight = Sight(inputs, way, saved.h, nothing, nothing)
        g = ACTIVATIONS["identity" if isinstance(cell, LSTMCell) else cell.nonlinearity]
        return LocalFactors(
            factors=g.slope(g.value(sight.before_activation())),
            cell_blocks=0,
            to_c=None,
            keep=None,
            weight_hh=p.weight_hh,
            weight_ih=p.weight_ih,
            lengths=way.lengths,
            reverse=way.reverse,
            beside=_beside(sight, inputs, way),
        )
    if not isinstance(cell, LSTMCell) or p.c0 is None:
        raise AssertionError("an LSTM's forward has an LSTM's cell")
    sight = Sight(inputs, way, saved.y, saved.gates, saved.cells)
    weights = LSTMParameters(p.weight_ih, p.weight_hh, p.bias, p.peephole, p.weight_gates)
    state = LSTMState(p.y0, p.c0, p.gates0)
    beside = _beside(sight, inputs, way)
    return lstm_factors(
        saved, state, weights, way.lengths, cell.variant, way.reverse, seen=sight.seen, beside=beside
    )


def _beside(sight: Sight, p: Inputs, way: Way) -> Beside:
    k_c: Tensor | None = None
    k_y: Tensor | None = None
    if any(way.noise.zoneout):
        k_c, k_y = sight.shares
    found = Beside(k_c, k_y, way.noise.mask)
    if p.gain_ih is None or p.gain_hh is None:
        return found
    return replace(
        found,
        input=Norm(*sight.normal_row("x"), p.gain_ih),
        recurrent=Norm(*sight.normal_row("r"), p.gain_hh),
        cell=None if p.gain_c is None else Norm(*sight.normal_cell, p.gain_c),
    )

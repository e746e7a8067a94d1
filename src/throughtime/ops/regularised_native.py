"""LSTM and simple RNN with layer normalisation, zoneout and recurrent dropout: the backend "native".

Only what waits for another time step is the kernels' work (`csrc/regularised_*.hpp`). W x with its
normalisation, and the gradients of both weights, are products over all steps at once, which torch makes.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from throughtime.cells import LSTMCell, SimpleRNNCell
from throughtime.cells.normalise import EPSILON
from throughtime.cells.variants import VANILLA
from throughtime.kernels import native
from throughtime.ops import regularised_loop
from throughtime.ops.native import NONLINEARITIES, empty, variant_code
from throughtime.ops.noise import Noise
from throughtime.ops.padding import before_each_step, cleared, lengths_for_kernels, padding
from throughtime.ops.regularised_loop import Arriving, Errors, Inputs, Kept, Results, Way

_SMALL: Final = (
    "y0",
    "c0",
    "gates0",
    "gain_hh",
    "gain_c",
    "bias_c",
    "peephole",
)  # as the kernel returns them


def forward(inputs: Inputs, way: Way, keep: bool, *, bars: Tensor | None = None) -> Results:
    """As `regularised_loop.forward`; fills `bars` (T, B, nH), values before the activation, if given."""
    x = inputs.x
    T, B, (rows, H) = x.shape[0], x.shape[1], inputs.weight_hh.shape
    if B == 0:
        return regularised_loop.forward(inputs, way, keep)
    gated, normed, fgr = inputs.c0 is not None, inputs.gain_hh is not None, inputs.gates0 is not None
    product, projected, mean, factor = _project(inputs, way)
    results = Results(
        empty(x, (T, B, H)),
        x.new_empty(B, H),
        x.new_empty(B, H) if gated else x.new_empty(0),
        torch.empty_like(inputs.gates0) if inputs.gates0 is not None else x.new_empty(0),
        Kept(
            empty(x, (T, B, rows)) if keep else x.new_empty(0),
            empty(x, (T, B, H)) if keep and gated else x.new_empty(0),
            product if keep and normed else x.new_empty(0),
            empty(x, (T, B, rows)) if keep and normed else x.new_empty(0),
            _scales(mean, factor, keep and normed, x),
        ),
    )
    kept = results.kept
    native.module().regularised_forward(
        *_first_arguments(way),
        (
            projected.view(T, B, rows),
            inputs.y0.contiguous(),
            _dense(inputs.c0),
            _dense(inputs.gates0),
            recurrent_weight(inputs.weight_hh, inputs.weight_gates, way.cell).contiguous(),
            *map(_dense, (inputs.gain_hh, inputs.gain_c, inputs.bias_c, inputs.peephole, way.noise.mask)),
            lengths_for_kernels(way.lengths),
        ),
        (
            results.y,
            results.y_n,
            results.c_n if gated else None,
            results.gates_n if fgr else None,
            *(value if value.numel() else None for value in (kept.gates, kept.cells, kept.hat)),
            kept.scales[0].view(T, B) if kept.scales.numel() else None,
            bars,
        ),
    )
    return results


def backward(
    arriving: Arriving,
    inputs: Inputs,
    way: Way,
    y: Tensor,
    kept: Kept,
    input_error: bool,
    *,
    errors: Errors | None = None,
) -> tuple[Tensor, ...]:
    """As `regularised_loop.backward`; fills `errors` if given."""
    x = inputs.x
    if x.shape[1] == 0:
        return regularised_loop.backward(arriving, inputs, way, y, kept, input_error)
    d_bars = empty(x, kept.gates.shape) if errors is None else errors.bars
    d_sums = empty(x, kept.gates.shape) if inputs.gain_hh is not None else d_bars
    small = {name: _empty_like(getattr(inputs, name)) for name in _SMALL}
    d_y = x.new_zeros(()).expand(y.shape) if arriving.y is None else arriving.y
    native.module().regularised_backward(
        *_first_arguments(way),
        (
            d_y if d_y.stride() == (0, 0, 0) else d_y.contiguous(),
            *map(_dense, (arriving.y_n, arriving.c_n, arriving.gates_n, inputs.c0)),
            recurrent_weight(inputs.weight_hh, inputs.weight_gates, way.cell).contiguous(),
            *map(_dense, (inputs.gain_hh, inputs.gain_c, inputs.bias_c, inputs.peephole, way.noise.mask)),
            lengths_for_kernels(way.lengths),
            kept.gates,
            *(value if value.numel() else None for value in (kept.cells, kept.hat)),
            kept.scales[0].view(x.shape[:2]) if kept.scales.numel() else None,
        ),
        (
            d_bars,
            d_sums if inputs.gain_hh is not None else None,
            *small.values(),
            *((None,) * 3 if errors is None else errors[1:]),
        ),
    )
    found: dict[str, Tensor | None] = dict(small)
    found |= _weight_gradients(inputs, way, y, kept, d_sums.flatten(0, 1))
    found |= _input_gradients(inputs, way, kept, d_bars.flatten(0, 1), input_error)
    values = (found.get(name) for name in Inputs._fields)
    return tuple(x.new_empty(0) if value is None else value for value in values)


def _project(inputs: Inputs, way: Way) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """W x (T·B, nH), what it and the bias add before the activation, and where normalised mean and factor."""
    flat, x = _clean_input(inputs, way), inputs.x
    if inputs.gain_ih is None:
        if inputs.bias is None:
            product = flat @ inputs.weight_ih.T
        else:
            product = torch.addmm(inputs.bias, flat, inputs.weight_ih.T)
        return product, product, x, x
    product = flat @ inputs.weight_ih.T
    rows = [product.shape[1]]
    projected, mean, factor = torch.native_layer_norm(product, rows, inputs.gain_ih, inputs.bias, EPSILON)
    return product, projected, mean, factor


def _scales(mean: Tensor, factor: Tensor, wanted: bool, like: Tensor) -> Tensor:
    """Room for the factors of R y(t-1), which the kernel fills, beside mean and factor of W x."""
    if not wanted:
        return like.new_empty(0)
    scales = like.new_empty(3, mean.numel())
    scales[1], scales[2] = mean.flatten(), factor.flatten()
    return scales


def _clean_input(inputs: Inputs, way: Way) -> Tensor:
    """Input (T·B, I), zero at padded steps, whatever stood there."""
    return cleared(inputs.x, padding(way.lengths, inputs.x)).flatten(0, 1)


def recurrent_weight(
    weight_hh: Tensor, weight_gates: Tensor | None, cell: LSTMCell | SimpleRNNCell
) -> Tensor:
    """What reads y(t-1), and beside it under FGR what reads the own gates of t-1, (nH, H or (1 + m) H)."""
    if weight_gates is None:
        return weight_hh
    wide = weight_hh.new_zeros(weight_hh.shape[0], weight_gates.shape[1])
    wide[_gate_rows(cell, weight_hh.shape[1], wide)] = weight_gates
    return torch.cat([weight_hh, wide], dim=1)


def _gate_rows(cell: LSTMCell | SimpleRNNCell, H: int, like: Tensor) -> Tensor:
    """Which of the nH rows belong to own gates."""
    variant = cell.variant if isinstance(cell, LSTMCell) else VANILLA
    places = [k for k, block in enumerate(variant.blocks) if block in variant.gates]
    return torch.cat([torch.arange(k * H, (k + 1) * H, device=like.device) for k in places])


def _weight_gradients(
    inputs: Inputs, way: Way, y: Tensor, kept: Kept, d_sums: Tensor
) -> dict[str, Tensor | None]:
    """Gradients of the recurrent weights from the errors (T·B, nH) of the recurrent product."""
    pad, H = padding(way.lengths, inputs.x), inputs.weight_hh.shape[1]
    read = before_each_step(y, inputs.y0, pad, way.reverse)
    if way.noise.mask is not None:
        read = read * way.noise.mask
    found: dict[str, Tensor | None] = {"weight_hh": d_sums.T @ read.flatten(0, 1)}
    if inputs.weight_gates is not None and inputs.gates0 is not None:
        columns = _gate_rows(way.cell, H, d_sums)
        gates = before_each_step(kept.gates[..., columns], inputs.gates0, pad, way.reverse)
        found["weight_gates"] = d_sums[:, columns].T @ gates.flatten(0, 1)
    return found


def _input_gradients(
    inputs: Inputs, way: Way, kept: Kept, d_bars: Tensor, input_error: bool
) -> dict[str, Tensor | None]:
    """Gradients of what W x passes through from the errors (T·B, nH) before the activation."""
    found: dict[str, Tensor | None] = {}
    d_product = d_bars
    if inputs.gain_ih is not None:
        statistics = (kept.scales[1].unsqueeze(1), kept.scales[2].unsqueeze(1))
        wanted = [True, True, inputs.bias is not None]
        d_product, found["gain_ih"], d_bias = torch.ops.aten.native_layer_norm_backward(
            d_bars, kept.product, [d_bars.shape[1]], *statistics, inputs.gain_ih, inputs.bias, wanted
        )
    else:
        d_bias = d_bars.sum(0)
    found["bias"] = d_bias if inputs.bias is not None else None
    found["weight_ih"] = d_product.T @ _clean_input(inputs, way)
    if input_error:
        found["x"] = (d_product @ inputs.weight_ih).view(inputs.x.shape)
    return found


def _first_arguments(
    way: Way,
) -> tuple[int, int, list[int], bool, float, tuple[float, float, bool, int]]:
    isa, threads = native.instruction_set_index(), torch.get_num_threads()
    return isa, threads, cell_code(way.cell), way.reverse, EPSILON, _noise(way.noise)


def cell_code(cell: LSTMCell | SimpleRNNCell) -> list[int]:
    """A cell as the regularised kernels take it."""
    return variant_code(cell.variant) if isinstance(cell, LSTMCell) else [NONLINEARITIES[cell.nonlinearity]]


def _noise(noise: Noise) -> tuple[float, float, bool, int]:
    sampled = noise.seed is not None and any(noise.zoneout)
    return *noise.zoneout, sampled, int(noise.seed) if noise.seed is not None else 0


def _empty_like(value: Tensor | None) -> Tensor | None:
    return None if value is None else value.new_empty(value.shape)


def _dense(value: Tensor | None) -> Tensor | None:
    return None if value is None else value.detach().contiguous()

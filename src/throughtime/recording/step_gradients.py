"""What each time step contributes to a parameter's gradient.

(∂J/∂θ)^(t) summed over t is the parameter's `.grad`. It is a product of the errors before the activation at
t, as rows, and of what the parameter met there: the input, the output of the step before, the cell.
"""

from __future__ import annotations

import torch
from torch import Tensor

from throughtime.cells import LSTMCell
from throughtime.ops import regularised_sight
from throughtime.recording.layer_record import LayerRecord
from throughtime.recording.steps import Steps

_ELEMENTWISE = ("bias", "gain_ih", "gain_hh", "gain_c", "bias_c")
_CHUNK = 1 << 23  # numbers in memory at once


def step_gradient(record: LayerRecord, parameter: str, t: int) -> Tensor:
    """(∂J/∂θ)^(t) of a single pass, summed over the batch, in the parameter's shape."""
    steps = Steps(record, t, f"step_gradient of {record.path}.{parameter}")
    if parameter in _ELEMENTWISE:
        return _elementwise(steps, record, parameter).sum(0)
    if parameter == "peephole":
        return _peephole(steps, record).sum(1)
    errors, met = _factors(steps, record, parameter)
    return errors.T @ met


def step_gradient_norms(record: LayerRecord, parameter: str) -> Tensor:
    """‖(∂J/∂θ)^(t)‖ for every t of a single pass, (T,) in float64."""
    steps = Steps(record, None, f"step_gradient_norms of {record.path}.{parameter}")
    if parameter in _ELEMENTWISE:
        return _lengths(_elementwise(steps, record, parameter).double().sum(1))
    if parameter == "peephole":
        return _lengths(_peephole(steps, record).double().sum(2).transpose(0, 1).flatten(1))
    errors, met = _factors(steps, record, parameter)
    B, rows, columns = errors.shape[1], errors.shape[2], met.shape[2]
    if B * (rows + columns) > rows * columns:
        pairs = zip(errors.unbind(0), met.unbind(0), strict=True)
        return torch.stack([(d.double().T @ v.double()).square().sum().sqrt() for d, v in pairs])
    size = max(1, _CHUNK // (B * (B + rows + columns)))
    parts = zip(torch.split(errors, size), torch.split(met, size), strict=True)
    return torch.cat([_norms_of_products(d.double(), v.double()) for d, v in parts])


def _lengths(rows: Tensor) -> Tensor:
    """The norm of each row."""
    return rows.square().sum(1).sqrt()


def _norms_of_products(errors: Tensor, met: Tensor) -> Tensor:
    """‖Dᵀ V‖ for each D (B, m) and V (B, k) by ‖Dᵀ V‖² = Σ (D Dᵀ) ⊙ (V Vᵀ): B×B matrices, never m×k."""
    squared = ((errors @ errors.mT) * (met @ met.mT)).sum((1, 2))
    return squared.clamp(min=0).sqrt()


def _factors(steps: Steps, record: LayerRecord, parameter: str) -> tuple[Tensor, Tensor]:
    """Errors before the activation and what the parameter met, both (..., B, ·)."""
    norm = record.layer_norm
    if parameter == "weight_ih":
        return _side_by_side(steps, record, "d_", "_x" if norm else ""), steps.now("x")
    if parameter == "weight_hh":
        read = steps.before(record.output)
        read = read * steps.now("m") if record.recurrent_dropout else read
        return _side_by_side(steps, record, "d_", "_r" if norm else ""), read
    gates, end = _gates(record), "r" if norm else "bar"
    errors = torch.cat([steps.now(f"d_{gate}_{end}") for gate in gates], dim=-1)
    return errors, torch.cat([steps.before(gate) for gate in gates], dim=-1)


def _side_by_side(steps: Steps, record: LayerRecord, before: str, end: str = "") -> Tensor:
    """Values or errors of all blocks in the order of the weights; before the activation without `end`."""
    blocks = regularised_sight.blocks(record.cell)
    ends = [end or ("" if block == "a" else "_bar") for block in blocks]
    named = [f"{before}{block}{own}" for block, own in zip(blocks, ends, strict=True)]
    return torch.cat([steps.now(name) for name in named], dim=-1)


def _elementwise(steps: Steps, record: LayerRecord, parameter: str) -> Tensor:
    """Of a bias or a gain: the error of what it is a part of, times what it met, (..., B, ·)."""
    if parameter == "bias_c":
        return steps.now("d_u")
    if parameter == "gain_c":
        return steps.now("d_u") * steps.now("c_hat")
    errors = _side_by_side(steps, record, "d_")
    if parameter == "bias":
        return errors
    return errors * _side_by_side(steps, record, "", "_x_hat" if parameter == "gain_ih" else "_r_hat")


def _peephole(steps: Steps, record: LayerRecord) -> Tensor:
    """(m, ..., B, H): the error of each own gate times the cell that it saw, the new one for o."""
    new = "c_tilde" if record.zoneout else "c"
    parts = [
        steps.now(f"d_{gate}_bar") * (steps.now(new) if gate == "o" else steps.before("c"))
        for gate in _gates(record)
    ]
    return torch.stack(parts)


def _gates(record: LayerRecord) -> tuple[str, ...]:
    cell = record.cell
    return cell.variant.gates if isinstance(cell, LSTMCell) else ()

"""What each time step contributes to a parameter's gradient.

(∂J/∂θ)^(t) summed over t is the parameter's `.grad`. It is a product of the errors before the activation at
t, as rows, and of what the parameter met there: the input, the output of the step before, the cell.
"""

from __future__ import annotations

import torch
from torch import Tensor

from throughtime.cells import LSTMCell
from throughtime.recording.layer_record import LayerRecord
from throughtime.recording.steps import Steps

_CHUNK = 1 << 23  # numbers in memory at once


def step_gradient(record: LayerRecord, parameter: str, t: int) -> Tensor:
    """(∂J/∂θ)^(t) of a single pass, summed over the batch, in the parameter's shape."""
    steps = Steps(record, t, f"step_gradient of {record.path}.{parameter}")
    if parameter == "bias":
        return _errors(steps, record).sum(0)
    if parameter == "peephole":
        return _peephole(steps, record).sum(1)
    errors, met = _factors(steps, record, parameter)
    return errors.T @ met


def step_gradient_norms(record: LayerRecord, parameter: str) -> Tensor:
    """‖(∂J/∂θ)^(t)‖ for every t of a single pass, (T,) in float64."""
    steps = Steps(record, None, f"step_gradient_norms of {record.path}.{parameter}")
    if parameter == "bias":
        return _lengths(_errors(steps, record).double().sum(1))
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
    if parameter == "weight_ih":
        return _errors(steps, record), steps.now("x")
    if parameter == "weight_hh":
        return _errors(steps, record), steps.before(record.output)
    gates = _gates(record)
    errors = torch.cat([steps.now(f"d_{gate}_bar") for gate in gates], dim=-1)
    return errors, torch.cat([steps.before(gate) for gate in gates], dim=-1)


def _errors(steps: Steps, record: LayerRecord) -> Tensor:
    """Errors before the activation side by side, blocks as in the weights."""
    cell = record.cell
    if not isinstance(cell, LSTMCell):
        return steps.now("d_a")
    return torch.cat([steps.now(f"d_{block}_bar") for block in cell.variant.blocks], dim=-1)


def _peephole(steps: Steps, record: LayerRecord) -> Tensor:
    """(m, ..., B, H): the error of each own gate times the cell that it saw, the new one for o."""
    parts = [
        steps.now(f"d_{gate}_bar") * (steps.now("c") if gate == "o" else steps.before("c"))
        for gate in _gates(record)
    ]
    return torch.stack(parts)


def _gates(record: LayerRecord) -> tuple[str, ...]:
    cell = record.cell
    return cell.variant.gates if isinstance(cell, LSTMCell) else ()

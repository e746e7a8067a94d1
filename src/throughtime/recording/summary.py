"""A recording in figures: what `throughtime show` prints."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from throughtime.recording.layer_record import LayerRecord
from throughtime.recording.recording import Recording


def summary(rec: Recording) -> dict[str, Any]:
    """Layers, sizes, and each array's shape, mean, extremes and norm, ready for JSON.

    Passes that follow each other are described as one; otherwise there is one entry for each.
    """
    runs = sum(map(len, rec.runs.values()))
    passes = [rec] if _is_one(rec) and runs else list(rec.passes)
    return {
        "loss_reduction": rec.loss_reduction,
        "notes": dict(rec.notes),
        "attached": {name: list(tensor.shape) for name, tensor in rec.attached.items()},
        "passes": [
            {"layers": {path: _layer(record) for path, record in one.layers.items()}} for one in passes
        ],
    }


def figures(array: Tensor) -> dict[str, float]:
    """Mean, smallest, largest and norm of an array; zeros if it is empty."""
    wide = array.double()
    if not wide.numel():
        return dict.fromkeys(("mean", "min", "max", "norm"), 0.0)
    return {
        "mean": wide.mean().item(),
        "min": wide.min().item(),
        "max": wide.max().item(),
        "norm": wide.square().sum().sqrt().item(),
    }


def _is_one(rec: Recording) -> bool:
    try:
        return bool(rec.layers)
    except ValueError:
        return False


def _layer(record: LayerRecord) -> dict[str, Any]:
    arrays = {**record.values, **record.errors}
    return {
        "kind": record.kind,
        "variant": record.variant,
        "peepholes": record.peepholes,
        "nonlinearity": record.nonlinearity,
        "T": record.T,
        "B": record.B,
        "input_size": record.input_size,
        "hidden_size": record.hidden_size,
        "reverse": record.reverse,
        "backend": record.backend,
        "dtype": str(record.dtype).removeprefix("torch."),
        "lengths": None if record.lengths is None else record.lengths.tolist(),
        "cuts": list(record.cuts),
        "backward_passes": record.backward_passes,
        "arrays": {name: {"shape": list(array.shape)} | figures(array) for name, array in arrays.items()},
    }

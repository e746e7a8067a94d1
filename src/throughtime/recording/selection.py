"""Which values and errors a recording keeps, and how large that will be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from throughtime.cells import LSTMCell, SimpleRNNCell
from throughtime.errors import RecordingError
from throughtime.nn.lstm import LSTMLayer
from throughtime.nn.recurrent import Layer
from throughtime.ops import regularised_sight

MAX_BYTES: Final = 4 << 30


def value_names(layer: Layer) -> tuple[str, ...]:
    """Names of the values that a layer has."""
    beside, _ = _beside(layer)
    if not isinstance(layer, LSTMLayer):
        return ("x", *beside, "a", "h")
    bars = (f"{block}_bar" for block in layer.cell.variant.blocks)
    return ("x", *beside, *bars, "i", "f", "z", "o", "c", "y")


def error_names(layer: Layer) -> tuple[str, ...]:
    """Names of the errors that a layer has."""
    _, beside = _beside(layer)
    if not isinstance(layer, LSTMLayer):
        return (*beside, "d_a", "d_h", "d_x", "d_above")
    bars = (f"d_{block}_bar" for block in layer.cell.variant.blocks)
    return (*beside, *bars, "d_c", "d_y", "d_x", "d_above")


def _beside(layer: Layer) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of what a layer has beside its plain cell, values and errors."""
    how, cell = layer.regularisation, layer.cell
    if not isinstance(cell, LSTMCell | SimpleRNNCell):
        raise TypeError(f"record: a cell of the class {type(cell).__name__} cannot be recorded.")
    return regularised_sight.names(cell, any(how.zoneout), how.recurrent_dropout > 0)


class Selection:
    """What is kept of each layer.

    Args:
        layers: The watched layers by path.
        values: Names such as "f", "d_c" or "layer0.f", of values and errors; None keeps all.
        errors: Whether errors are kept.

    Raises:
        TypeError: `values` is no list of names.
        ValueError: a name belongs to no layer, or is an error where errors are not kept.
    """

    def __init__(self, layers: Mapping[str, Layer], values: Iterable[str] | None, errors: bool) -> None:
        self.names: dict[str, frozenset[str]] = {}
        chosen = _as_names(values)
        known = set()
        for path, layer in layers.items():
            there = value_names(layer) + (error_names(layer) if errors else ())
            known |= {*there, *(f"{path}.{name}" for name in there)}
            self.names[path] = frozenset(
                name for name in there if chosen is None or name in chosen or f"{path}.{name}" in chosen
            )
        for name in chosen or ():
            if name not in known:
                _refuse(name, layers, errors)

    def bytes_of(self, path: str, layer: Layer, T: int, B: int, with_errors: bool) -> int:
        """Size of the arrays that one pass through a layer keeps."""
        I, H = layer.weight_ih.shape[1], layer.weight_hh.shape[1]  # noqa: E741
        shared = _made_on_reading(layer)
        columns = sum(
            I if name in ("x", "d_x") else H
            for name in self.names[path] - shared
            if with_errors or not name.startswith("d_")
        )
        return T * B * columns * layer.weight_hh.element_size()


def _as_names(values: Iterable[str] | None) -> tuple[str, ...] | None:
    if values is None:
        return None
    names = (values,) if isinstance(values, str) else tuple(values)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"record: values must be names such as 'f' or 'layer0.d_c', got {names!r}.")
    return names


def _refuse(name: str, layers: Mapping[str, Layer], errors: bool) -> None:
    if name.rpartition(".")[2].startswith("d_") and not errors:
        raise ValueError(f"record: values names {name!r}, which is an error; leave errors=False out.")
    there = "; ".join(
        f"{path} has {', '.join(value_names(layer) + error_names(layer))}" for path, layer in layers.items()
    )
    raise ValueError(f"record: values names {name!r}, which no layer has; {there}.")


def _made_on_reading(layer: Layer) -> frozenset[str]:
    """Values that take no memory: gates fixed at 1, f = 1 - i, and the mask, the same at every step."""
    gates = layer.cell.variant.gates if isinstance(layer.cell, LSTMCell) else ("i", "f", "o")
    return frozenset({"i", "f", "o"} - set(gates) | {"m"})


def refuse_size(needed: int, so_far: int, allowed: int, what: str) -> None:
    """Refuse a recording that would grow beyond what is allowed.

    Raises:
        RecordingError: it would.
    """
    if needed + so_far <= allowed:
        return
    before = f" beside the {_size(so_far)} recorded so far" if so_far else ""
    raise RecordingError(
        f"record: {what} would take {_size(needed)}{before}, more than max_bytes={allowed} "
        f"({_size(allowed)}). Keep less: values=['f', 'c', 'd_c'] names what you need, errors=False leaves "
        "the errors out, fewer sequences or steps make each array smaller; or raise max_bytes."
    )


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"

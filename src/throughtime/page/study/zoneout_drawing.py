"""A drawing of a layer with zoneout: within the block what the layer found, on its way out what it became."""

from __future__ import annotations

from dataclasses import replace

from throughtime.page.study.drawing import Drawing, Read

_FOUND = frozenset({"c", "y", "h"})
_LEAVING = frozenset({"c_next", "y_next", "y_up", "h_next"})  # wires that carry what zoneout made of it
_TILDE = "\N{COMBINING TILDE}"


def with_zoneout(drawing: Drawing) -> Drawing:
    """The same drawing, with c̃ and ỹ (h̃) for c(t) and y(t) (h(t)) where they are found."""
    wires = {
        name: wire if name in _LEAVING else replace(wire, value=_found(wire.value), error=_found(wire.error))
        for name, wire in drawing.wires.items()
    }
    nodes = [
        replace(
            node,
            value=_found(node.value),
            error=_found(node.error),
            moments={phase: _name(moment) for phase, moment in node.moments.items()},
        )
        for node in drawing.nodes
    ]
    chips = [
        chip
        if chip.wire in _LEAVING
        else replace(
            chip,
            value=_found(chip.value),
            error=_found(chip.error),
            label=_letter(chip.label, chip.value),
            error_label=_letter(chip.error_label, chip.error),
        )
        for chip in drawing.chips
    ]
    return replace(drawing, wires=wires, nodes=tuple(nodes), chips=tuple(chips))


def _name(name: str) -> str:
    return f"{name}_tilde" if name.removeprefix("d_") in _FOUND else name


def _found(read: Read | None) -> Read | None:
    """What is read at t, as it was found."""
    if read is None:
        return None
    times = read.times or (0,) * len(read.product)
    product = tuple(
        _name(name) if time == 0 else name for name, time in zip(read.product, times, strict=True)
    )
    now = read.time == 0 and (not read.product or _name(read.name) in product)
    return replace(read, name=_name(read.name) if now else read.name, product=product)


def _letter(label: str, read: Read | None) -> str:
    """A label of one letter, with its tilde where the number got one."""
    return label + _TILDE if _found(read) != read and label[-1:] in _FOUND and len(label) < 3 else label

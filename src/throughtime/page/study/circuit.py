"""The block as an electronic circuit: the cell is a straight rail, gates are junctions on it."""

from __future__ import annotations

from throughtime.page.study.drawing import (
    INPUT,
    KEPT,
    KEPT_ERROR,
    LETTERS,
    NEW,
    Block,
    Chip,
    Drawing,
    Label,
    Node,
    Read,
    Wire,
    gate_node,
    needs_of,
)

_RAIL, _GATES, _Y_BUS, _X_BUS = 95, 334, 430, 468
_TOP, _BOTTOM = _GATES - 35, _GATES + 35
_AT = {"f": 215, "i": 360, "z": 500, "o": 640}
_READERS, _APART = 850, 31


def circuit(block: Block) -> Drawing:
    """Draw the block of a variant."""
    return Drawing(
        "circuit",
        "circuit",
        "The block as an electronic circuit",
        (984, 564),
        _trunk() | _peepholes(block) | _taps(block) | _readers(block),
        _nodes(block),
        _chips(),
        _labels(block),
    )


def _trunk() -> dict[str, Wire]:
    f, i, z, o = (_AT[gate] for gate in "fizo")
    new, rail = Read("c"), Read("d_c")
    return {
        "c_prev": Wire(f"M14 {_RAIL}H{f - 19}", "rail", Read("c", -1), width=4),
        "c_kept": Wire(f"M{f + 17} {_RAIL}H411", "rail", KEPT, KEPT_ERROR, width=4),
        "c_rail": Wire(f"M447 {_RAIL}H750", "rail", new, rail, arrow=False, width=4),
        "c_next": Wire(f"M750 {_RAIL}H970", "rail", new, Read("d_c", 1), width=4),
        "f_out": Wire(f"M{f} {_TOP}V{_RAIL + 19}", value=Read("f"), needs=("f",)),
        "i_out": Wire(f"M{i} {_TOP}V212H411", value=Read("i"), needs=("i",)),
        "z_out": Wire(f"M{z} {_TOP}V212H449", value=Read("z")),
        "c_new": Wire(f"M430 195V{_RAIL + 19}", value=NEW, error=rail),
        "o_out": Wire(f"M692 {_GATES}H716V245H731", value=Read("o"), needs=("o",)),
        "c_tap": Wire(f"M750 {_RAIL}V133", value=new),
        "h_out": Wire("M750 169V226", value=Read("h_c")),
        "y_out": Wire("M767 245H812", value=Read("y"), error=Read("d_y"), arrow=False),
        "y_up": Wire(f"M812 245V{_RAIL + 7}a7 7 0 0 1 0 -14V28", value=Read("y"), error=Read("d_above")),
        "y_next": Wire(f"M812 245V{_Y_BUS}H970", "recurrent", Read("y")),
        "y_prev": Wire(f"M14 {_Y_BUS}H{o - 28}", "recurrent", Read("y", -1), arrow=False),
        "x_in": Wire(f"M116 552V{_X_BUS}H{o}", value=INPUT, arrow=False),
    }


def _peepholes(block: Block) -> dict[str, Wire]:
    f, before = ("p", *needs_of("f", block)), Read("c", -1)
    over = f"H163a6 6 0 0 1 12 0H{_AT['f'] - 6}a6 6 0 0 1 12 0"
    return {
        "p_f": Wire(f"M169 {_RAIL}V{_TOP - 2}", "peephole", before, needs=f),
        "p_i": Wire(f"M146 {_RAIL}V278{over}H322V{_TOP - 2}", "peephole", before, needs=("p", "i")),
        "p_o": Wire(f"M{_AT['o']} {_RAIL}V{_TOP - 2}", "peephole", Read("c"), Read("d_o_bar"), ("p", "o")),
        "n_c_f": Wire(f"M846 {_RAIL}V148", "peephole next", error=Read("d_f_bar", 1), needs=f),
        "n_c_i": Wire(f"M869 {_RAIL}V148", "peephole next", error=Read("d_i_bar", 1), needs=("p", "i")),
    }


def _taps(block: Block) -> dict[str, Wire]:
    """What enters a gate from below: y(t-1), x(t), the bias; under FGR the gates of t-1."""
    wires: dict[str, Wire] = {}
    for gate, x in _AT.items():
        needs, end = needs_of(gate, block), f"V{_BOTTOM + 2}"
        hop = f"V{_Y_BUS + 6}a6 6 0 0 1 0 -12"
        wires[f"y_{gate}"] = Wire(f"M{x - 28} {_Y_BUS}{end}", "tap recurrent", needs=needs)
        wires[f"x_{gate}"] = Wire(f"M{x} {_X_BUS}{hop}{end}", "tap", needs=needs)
        wires[f"b_{gate}"] = Wire(f"M{x + 22} 402{end}", "tap", needs=needs)
        if gate in block.gates:
            wires[f"g_{gate}"] = Wire(f"M{x + 42} 402{end}", "tap recurrent")
    if block.coupled:
        wires["i_f"] = Wire(f"M308 {_GATES}H270", value=Read("i"), error=Read("d_i_bar"))
    return wires


def _readers(block: Block) -> dict[str, Wire]:
    """Where y(t) is read at t+1."""
    return {
        f"n_y_{gate}": Wire(
            f"M{_READERS + _APART * n} {_Y_BUS}V388",
            "recurrent next",
            error=Read(f"d_{gate}_bar", 1),
            needs=needs_of(gate, block),
        )
        for n, gate in enumerate("zifo")
    }


def _nodes(block: Block) -> tuple[Node, ...]:
    squash = "id" if "h" in block.lacks else "tanh"
    at = {"forward": "c", "backward": "d_c"}
    out = {"forward": "y", "backward": "d_y"}
    return (
        *(gate_node(gate, x, _GATES, block) for gate, x in _AT.items()),
        Node("forget", "times", _AT["f"], _RAIL, wires=("c_kept",), needs=("f",)),
        Node("sum", "plus", 430, _RAIL, wires=("c_rail",), moments=at),
        Node("new", "times", 430, 212, wires=("c_new",), needs=("i",)),
        Node("squash", "squash", 750, 151, squash, wires=("h_out",)),
        Node("out", "times", 750, 245, wires=("y_out",), needs=("o",), moments=out),
        Node("tap_h", "dot", 750, _RAIL, wires=("c_tap",)),
        Node("tap_o", "dot", _AT["o"], _RAIL, wires=("p_o",), needs=("p", "o")),
        Node("tap_f", "dot", 169, _RAIL, wires=("p_f",), needs=("p", *needs_of("f", block))),
        Node("tap_i", "dot", 146, _RAIL, wires=("p_i",), needs=("p", "i")),
    )


def _chips() -> tuple[Chip, ...]:
    y, above = Read("y"), Read("d_above")
    return (
        Chip(78, _RAIL, "c_prev", "c", Read("c", -1)),
        Chip(318, _RAIL, "c_kept", "c·f", KEPT, needs=("f",)),
        Chip(542, _RAIL, "c_rail", "c", Read("c"), Read("d_c"), "δc"),
        Chip(926, _RAIL, "c_next", "", None, Read("d_c", 1), "δc"),
        Chip(_AT["f"], 200, "f_out", "f", Read("f"), needs=("f",)),
        Chip(_AT["i"], 249, "i_out", "i", Read("i"), needs=("i",)),
        Chip(_AT["z"], 258, "z_out", "z", Read("z")),
        Chip(430, 154, "c_new", "z·i", NEW, needs=("i",)),
        Chip(718, 275, "o_out", "o", Read("o"), needs=("o",)),
        Chip(750, 198, "h_out", "h", Read("h_c")),
        Chip(812, 330, "y_out", "y", y, Read("d_y"), "δy"),
        Chip(812, 56, "y_up", "", None, above, "Δ"),
        Chip(78, _Y_BUS, "y_prev", "y", Read("y", -1)),
        Chip(116, 510, "x_in", "x", INPUT),
    )


def _labels(block: Block) -> tuple[Label, ...]:
    taps = [Label(x + 22, 419, "b", "small", needs=needs_of(gate, block)) for gate, x in _AT.items()]
    taps += [Label(_AT[gate] + 50, 419, "".join(block.gates), "faint") for gate in block.gates]
    readers = [
        Label(_READERS + _APART * n, 375, LETTERS[gate], "small", needs=needs_of(gate, block))
        for n, gate in enumerate("zifo")
    ]
    return (
        Label(14, 68, "c(t−1)", anchor="start"),
        Label(970, 68, "c(t)", anchor="end"),
        Label(14, 459, "y(t−1)", anchor="start"),
        Label(970, 459, "y(t)", anchor="end"),
        Label(812, 18, "to the head"),
        Label(130, 550, "x(t)", anchor="start"),
        Label(846, 167, "f̄", "small", needs=("p", *needs_of("f", block))),
        Label(869, 167, "ī", "small", needs=("p", "i")),
        Label(858, 189, "at t+1", "faint", needs=("p",)),
        Label(897, 347, "at t+1", "faint"),
        *taps,
        *readers,
    )

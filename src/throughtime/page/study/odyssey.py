"""The block as in *A Search Space Odyssey*: the cell in the middle, its past coming round, t−1 dotted."""

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

_AT = {"f": (110, 440), "i": (245, 540), "z": (430, 585), "o": (650, 190)}
_STUBS = {"y": (-26, "tap recurrent past"), "x": (0, "tap"), "b": (26, "tap")}
_READERS, _APART = 830, 32


def odyssey(block: Block) -> Drawing:
    """Draw the block of a variant; the ids of the wires are those of the circuit."""
    return Drawing(
        "odyssey",
        "Odyssey",
        "The block as in the Space Odyssey, the cell in the middle",
        (1000, 680),
        _trunk(block) | _stubs(block) | _readers(block),
        _nodes(block),
        _chips(),
        _labels(block),
    )


def _trunk(block: Block) -> dict[str, Wire]:
    f, before, cell = ("p", *needs_of("f", block)), Read("c", -1), Read("c")
    loop = "M395 281Q380 225 335 225H265Q225 225 225 262V301"
    wires = {
        "c_prev": Wire(loop, "past", before, width=3),
        "c_kept": Wire("M242 320H374", value=KEPT, error=KEPT_ERROR, width=3),
        "f_out": Wire("M160 440H225V339", value=Read("f"), needs=("f",)),
        "i_out": Wire("M295 540H345V462H411", value=Read("i"), needs=("i",)),
        "z_out": Wire("M430 554V481", value=Read("z")),
        "c_new": Wire("M430 443V374", value=NEW, error=Read("d_c")),
        "c_tap": Wire("M430 266V228", value=cell),
        "h_out": Wire("M430 192V149", value=Read("h_c")),
        "o_out": Wire("M600 190H545V130H449", value=Read("o"), needs=("o",)),
        "y_out": Wire("M430 111V60", value=Read("y"), error=Read("d_y"), arrow=False),
        "y_up": Wire("M430 60V14", value=Read("y"), error=Read("d_above")),
        "y_next": Wire("M430 60H970", "recurrent", Read("y")),
        "c_next": Wire("M476 345H970", value=cell, error=Read("d_c", 1)),
        "p_f": Wire("M225 262H110V407", "peephole past", before, needs=f),
        "p_i": Wire("M250 225V314a6 6 0 0 1 0 12V507", "peephole past", before, needs=("p", "i")),
        "p_o": Wire("M480 305H650V223", "peephole", cell, Read("d_o_bar"), ("p", "o")),
        "x_in": Wire("M30 622H150", value=INPUT),
        "y_prev": Wire("M30 584H150", "past recurrent", Read("y", -1)),
    }
    if block.coupled:
        wires["i_f"] = Wire("M195 540H130V473", value=Read("i"), error=Read("d_i_bar"))
    return wires


def _stubs(block: Block) -> dict[str, Wire]:
    """The inputs of each gate: y(t-1), x(t), the bias."""
    wires = {}
    for gate, (x, y) in _AT.items():
        for name, (shift, kind) in _STUBS.items():
            aside = f"M{x + 92} {y + shift * 0.75}H{x + 53}"
            d = aside if gate == "o" else f"M{x + shift} {y + 68}V{y + 34}"
            wires[f"{name}_{gate}"] = Wire(d, kind, needs=needs_of(gate, block))
    return wires


def _readers(block: Block) -> dict[str, Wire]:
    """Where y(t) and c(t) are read at t+1."""
    wires = {
        f"n_y_{gate}": Wire(
            f"M{_READERS + _APART * n} 60V98",
            "recurrent next",
            error=Read(f"d_{gate}_bar", 1),
            needs=needs_of(gate, block),
        )
        for n, gate in enumerate("zifo")
    }
    f = ("p", *needs_of("f", block))
    wires["n_c_f"] = Wire("M862 345V383", "peephole next", error=Read("d_f_bar", 1), needs=f)
    wires["n_c_i"] = Wire("M894 345V383", "peephole next", error=Read("d_i_bar", 1), needs=("p", "i"))
    return wires


def _nodes(block: Block) -> tuple[Node, ...]:
    at = {"forward": "c", "backward": "d_c"}
    out = {"forward": "y", "backward": "d_y"}
    squash = "id" if "h" in block.lacks else "tanh"
    return (
        *(gate_node(gate, x, y, block) for gate, (x, y) in _AT.items()),
        Node("cell", "cell", 430, 320, "c", "", Read("c"), Read("d_c"), ("c_rail",), moments=at),
        Node("forget", "times", 225, 320, wires=("c_kept",), needs=("f",)),
        Node("new", "times", 430, 462, wires=("c_new",), needs=("i",)),
        Node("squash", "squash", 430, 210, squash, wires=("h_out",)),
        Node("out", "times", 430, 130, wires=("y_out",), needs=("o",), moments=out),
        Node("tap_f", "dot", 225, 262, wires=("p_f",), needs=("p", *needs_of("f", block))),
        Node("tap_i", "dot", 250, 225, wires=("p_i",), needs=("p", "i")),
    )


def _chips() -> tuple[Chip, ...]:
    return (
        Chip(312, 225, "c_prev", "c", Read("c", -1)),
        Chip(325, 320, "c_kept", "c·f", KEPT, needs=("f",)),
        Chip(225, 392, "f_out", "f", Read("f"), needs=("f",)),
        Chip(345, 502, "i_out", "i", Read("i"), needs=("i",)),
        Chip(430, 520, "z_out", "z", Read("z")),
        Chip(430, 408, "c_new", "z·i", NEW, needs=("i",)),
        Chip(430, 171, "h_out", "h", Read("h_c")),
        Chip(545, 160, "o_out", "o", Read("o"), needs=("o",)),
        Chip(430, 88, "y_out", "y", Read("y"), Read("d_y"), "δy"),
        Chip(430, 34, "y_up", "", None, Read("d_above"), "Δ"),
        Chip(740, 345, "c_next", "", None, Read("d_c", 1), "δc(t+1)"),
        Chip(82, 584, "y_prev", "y", Read("y", -1)),
        Chip(82, 622, "x_in", "x", INPUT),
    )


def _labels(block: Block) -> tuple[Label, ...]:
    stubs = []
    for gate, (x, y) in _AT.items():
        for name, (shift, _) in _STUBS.items():
            at, below = (x + 102, y + shift * 0.75 + 5) if gate == "o" else (x + shift, y + 84)
            stubs.append(Label(at, below, name, "small", needs=needs_of(gate, block)))
    readers = [
        Label(_READERS + _APART * n, 117, LETTERS[gate], "small", needs=needs_of(gate, block))
        for n, gate in enumerate("zifo")
    ]
    return (
        Label(316, 202, "c(t−1)"),
        Label(970, 48, "y(t)", anchor="end"),
        Label(970, 333, "c(t)", anchor="end"),
        Label(482, 30, "to the head", anchor="start"),
        Label(30, 566, "y(t−1)", "small", "start"),
        Label(30, 656, "x(t)", "small", "start"),
        Label(862, 402, "f̄", "small", needs=("p", *needs_of("f", block))),
        Label(894, 402, "ī", "small", needs=("p", "i")),
        Label(878, 137, "at t+1", "faint"),
        Label(878, 422, "at t+1", "faint", needs=("p",)),
        *stubs,
        *readers,
    )

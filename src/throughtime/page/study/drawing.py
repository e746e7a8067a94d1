"""What a drawing of a block consists of: wires, nodes, chips and labels, by id.

The page and the slides draw from this; the ids of the wires are those that `lines` names. `needs` lists what
a part belongs to ("i" the input gate, "p" peepholes, ...): where the layer lacks it, the part is a ghost.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Read:
    """A number that stands in a drawing: a value at t-1, t or t+1, or a product of such.

    Attributes:
        name: The value; of a product the one whose scale it is drawn by.
        time: Steps from t.
        product: Names of the factors; empty for a single value.
        times: Steps from t of each factor.
        input: An entry of the input instead of a unit's value.
    """

    name: str
    time: int = 0
    product: tuple[str, ...] = ()
    times: tuple[int, ...] = ()
    input: bool = False


@dataclass(frozen=True)
class Wire:
    """A wire, drawn as an SVG path of M, H, V, L, Q and hops (a).

    Attributes:
        d: Its path, in the direction of the values.
        kind: How it looks: rail, tap, peephole, recurrent, past, next, plain; several by spaces.
        value: What it carries forward.
        error: What it carries backward.
        needs: See above.
        arrow: Whether it ends in an arrowhead.
        width: Its thinnest line; 0 is as usual.
    """

    d: str
    kind: str = "plain"
    value: Read | None = None
    error: Read | None = None
    needs: tuple[str, ...] = ()
    arrow: bool = True
    width: float = 0


@dataclass(frozen=True)
class Node:
    """A gate, an activation, a junction or the cell.

    Attributes:
        id: Its name.
        kind: gate, squash, times, plus, dot or cell.
        x: Middle.
        y: Middle.
        letter: What is written in it.
        function: Name of the function before the letter.
        value: Number in it, forward.
        error: Number in it, backward.
        wires: Wires with which it lights up.
        needs: See above.
        moments: Moment in which its number becomes known, forward and backward.
    """

    id: str
    kind: Literal["gate", "squash", "times", "plus", "dot", "cell"]
    x: float
    y: float
    letter: str = ""
    function: str = ""
    value: Read | None = None
    error: Read | None = None
    wires: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    moments: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Chip:
    """A number on a wire."""

    x: float
    y: float
    wire: str
    label: str
    value: Read | None = None
    error: Read | None = None
    error_label: str = ""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Label:
    """A word in a drawing."""

    x: float
    y: float
    text: str
    kind: str = ""
    anchor: Literal["start", "middle", "end"] = "middle"
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawing:
    """A drawing of one time step.

    Attributes:
        id: Its name in the page's address.
        title: What a reader chooses it by.
        name: What it shows, in words.
        box: Width and height.
        wires: By id.
        nodes: Later ones lie above earlier ones.
        chips: Numbers on wires.
        labels: Words.
    """

    id: str
    title: str
    name: str
    box: tuple[float, float]
    wires: dict[str, Wire]
    nodes: tuple[Node, ...]
    chips: tuple[Chip, ...]
    labels: tuple[Label, ...]

    def as_json(self) -> dict[str, Any]:
        """What the page reads."""
        return asdict(self)


@dataclass(frozen=True)
class Block:
    """What the drawings of an LSTM block must know of its variant.

    Attributes:
        lacks: What it has not: i, f, o, p (peepholes), g, h (activations), "coupled" for CIFG.
        gates: Own gates, for FGR; empty without it.
    """

    lacks: frozenset[str]
    gates: tuple[str, ...] = ()

    @property
    def coupled(self) -> bool:
        """Whether f = 1 − i."""
        return "coupled" in self.lacks


LETTERS = {"f": "f̄", "i": "ī", "z": "z̄", "o": "ō"}


def needs_of(gate: str, block: Block) -> tuple[str, ...]:
    """What the inputs of a gate belong to."""
    if gate == "z":
        return ()
    return ("coupled",) if gate == "f" and block.coupled else (gate,)


def gate_node(gate: str, x: float, y: float, block: Block) -> Node:
    """The box of a gate or of the block input."""
    coupled = gate == "f" and block.coupled
    activation = ("id" if "g" in block.lacks else "tanh") if gate == "z" else "σ"
    return Node(
        gate,
        "gate",
        x,
        y,
        letter="f" if coupled else LETTERS[gate],
        function="1 − i =" if coupled else activation,
        value=Read("f" if coupled else f"{gate}_bar"),
        error=None if coupled else Read(f"d_{gate}_bar"),
        wires=(f"{gate}_gate",),
        needs=() if gate == "z" else (gate,),
        moments={"forward": gate, "backward": "d_i_bar" if coupled else f"d_{gate}_bar"},
    )


KEPT = Read("c", product=("f", "c"), times=(0, -1))
KEPT_ERROR = Read("d_c", product=("d_c", "f"), times=(0, 0))
NEW = Read("c", product=("z", "i"), times=(0, 0))
INPUT = Read("x", input=True)

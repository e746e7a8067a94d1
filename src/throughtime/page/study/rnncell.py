"""The simple RNN's own drawing: two matrices, a bias and one activation."""

from __future__ import annotations

from throughtime.page.study.drawing import INPUT, Chip, Drawing, Label, Node, Read, Wire

_SQUASH = {"logistic": "σ", "identity": "id"}


def rnncell(nonlinearity: str) -> Drawing:
    """Draw a simple RNN."""
    return Drawing(
        "rnncell",
        "block",
        "The simple RNN, one time step",
        (1020, 460),
        _wires(),
        _nodes(nonlinearity),
        (
            Chip(92, 210, "h_prev", "h", Read("h", -1)),
            Chip(380, 400, "x_in", "x", INPUT),
            Chip(664, 210, "h_out", "h", Read("h"), Read("d_h"), "δh"),
            Chip(730, 110, "y_up", "", None, Read("d_above"), "Δ"),
            Chip(820, 210, "h_next", "", None, Read("d_a", 1), "δa(t+1)"),
        ),
        (
            Label(30, 186, "h(t−1)", anchor="start"),
            Label(990, 186, "h(t)", anchor="end"),
            Label(730, 24, "to the head"),
            Label(394, 440, "x(t)", anchor="start"),
            Label(418, 316, "b", "small", needs=("b",)),
            Label(900, 292, "a", "small"),
            Label(900, 312, "at t+1", "faint"),
        ),
    )


def _wires() -> dict[str, Wire]:
    h, next_error = Read("h"), Read("d_a", 1)
    return {
        "h_prev": Wire("M30 210H136", "recurrent", Read("h", -1)),
        "h_a": Wire("M198 210H327", "recurrent"),
        "x_in": Wire("M380 445V362", value=INPUT),
        "x_a": Wire("M380 326V247"),
        "b_a": Wire("M418 300V247", needs=("b",)),
        "a_g": Wire("M432 210H529", value=Read("a"), error=Read("d_a")),
        "h_out": Wire("M590 210H730", value=h, error=Read("d_h"), arrow=False),
        "y_up": Wire("M730 210V40", value=h, error=Read("d_above")),
        "h_next": Wire("M730 210H990", "recurrent", h, next_error),
        "n_h_a": Wire("M900 210V272", "recurrent next", error=next_error),
    }


def _nodes(nonlinearity: str) -> tuple[Node, ...]:
    squash = _SQUASH.get(nonlinearity, nonlinearity)
    return (
        Node("W", "squash", 168, 210, "W", wires=("h_a",)),
        Node("U", "squash", 380, 344, "U", wires=("x_a",)),
        Node(
            "a",
            "gate",
            380,
            210,
            letter="a",
            function="Σ",
            value=Read("a"),
            error=Read("d_a"),
            wires=("a_g",),
            moments={"forward": "a", "backward": "d_a"},
        ),
        Node("g", "squash", 560, 210, squash, wires=("h_out",), moments={"forward": "h", "backward": "d_h"}),
        Node("tap", "dot", 730, 210, wires=("y_up",)),
    )

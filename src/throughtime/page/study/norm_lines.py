"""Lines of layer normalisation and zoneout, which the LSTM and the simple RNN share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from throughtime.page.study.lines import Factor, Line, Moment, Share, Term, column, entry, row, value
from throughtime.page.study.symbols import Symbol
from throughtime.recording import LayerRecord


@dataclass(frozen=True)
class Regular:
    """What a layer has beside its plain cell."""

    norm: bool = False
    zoneout: bool = False
    dropout: bool = False

    @classmethod
    def of(cls, layer: LayerRecord) -> Regular:
        """What a recorded layer had."""
        return cls(layer.layer_norm, layer.zoneout, layer.recurrent_dropout)

    def found(self, name: str) -> str:
        """Name of what the cell found, before zoneout."""
        return f"{name}_tilde" if self.zoneout else name

    def read_by(self, block: str) -> tuple[str, str]:
        """Names of what reads x(t) and y(t-1): both products of a block, or its sum before the activation."""
        bar = block if block == "a" else f"{block}_bar"
        return (f"{block}_x", f"{block}_r") if self.norm else (bar, bar)

    def recurrent(self, parameter: str, letter: Symbol, block: int, output: str) -> Factor:
        """R y(t-1), after recurrent dropout."""
        name, time = (f"{output}_read", 0) if self.dropout else (output, -1)
        return row(parameter, letter, block, name, time)

    def back(self, parameter: str, letter: Symbol, block: int, error: str) -> tuple[Factor, ...]:
        """Rᵀ δ(t+1), through recurrent dropout."""
        product = column(parameter, letter, block, error, 1)
        return (product, value("m")) if self.dropout else (product,)

    def met(self, output: str) -> tuple[str, int]:
        """What R met at t, and when it was formed."""
        return (f"{output}_read", 0) if self.dropout else (output, -1)


PLAIN = Regular()
_WIRES = {"x": ("x_in", "x"), "r": ("y_prev", "y")}
_ROWS = {"x": "the input", "r": "the output before"}


def forward_rows(
    regular: Regular,
    letters: dict[str, tuple[Symbol, Symbol]],
    output: str,
    across: Mapping[str, list[Term]] = MappingProxyType({}),
) -> list[Moment]:
    """Both products of all blocks, each row normalised as a whole.

    `letters` are W and R of each block, `across` what FGR adds to the recurrent one.
    """
    if not regular.norm:
        return []
    moments = []
    for name, words in _ROWS.items():
        products, hats = [], []
        for n, (block, (w, r)) in enumerate(letters.items()):
            at = _wires(name, block)
            product = row("weight_ih", w, n, "x")
            if name == "r":
                product = regular.recurrent("weight_hh", r, n, output)
            more = across.get(block, []) if name == "r" else []
            products.append(Line(f"{block}_{name}", (Term((product,), at), *more), wires=at))
            hats.append(Line(f"{block}_{name}_hat", hat_terms(name, f"{block}_{name}", at), wires=at))
        moments.append(Moment(f"{name}_rows", f"what {words} adds", tuple(products)))
        moments.append(Moment(f"{name}_hats", f"the row of {words}, normalised", tuple(hats)))
    return moments


def _wires(row_name: str, block: str) -> tuple[str, ...]:
    rail, tap = _WIRES[row_name]
    if block == "a":
        return ("x_in", "x_a") if row_name == "x" else ("h_prev", "h_a")
    return rail, f"{tap}_{block}"


def hat_terms(row_name: str, name: str, wires: tuple[str, ...]) -> tuple[Term, ...]:
    """â = s a - s μ."""
    scale = value(f"{row_name}_scale")
    return Term((scale, value(name)), wires), Term((scale, value(f"{row_name}_mean")), wires, minus=True)


def gained(block: str, n: int) -> list[Term]:
    """g_x ⊙ x̂ + g_r ⊙ r̂ of a block."""
    return [
        Term(
            (entry(f"gain_{end}", Symbol("g", sub=name), n), value(f"{block}_{name}_hat")),
            _wires(name, block),
        )
        for name, end in (("x", "ih"), ("r", "hh"))
    ]


def backward_rows(regular: Regular, places: dict[str, int]) -> list[Moment]:
    """From the errors before the activation to those of both products; `places` are the blocks of a row."""
    if not regular.norm:
        return []
    moments = []
    for name, end in (("r", "hh"), ("x", "ih")):
        hats, rows = [], []
        for block, n in places.items():
            wires, bar = _wires(name, block), block if block == "a" else f"{block}_bar"
            gain = entry(f"gain_{end}", Symbol("g", sub=name), n)
            hats.append(Line(f"d_{block}_{name}_hat", (Term((gain, value(f"d_{bar}")), wires),), wires=wires))
            terms = norm_routes(name, f"{block}_{name}_hat", wires)
            rows.append(Line(f"d_{block}_{name}", terms, wires=wires))
        words = _ROWS[name]
        moments.append(Moment(f"d_{name}_hats", f"errors of the row of {words}, normalised", tuple(hats)))
        moments.append(Moment(f"d_{name}_rows", f"errors of what {words} adds", tuple(rows)))
    return moments


def norm_routes(row_name: str, hat: str, wires: tuple[str, ...]) -> tuple[Term, ...]:
    """The three ways to an entry of a normalised row: by itself, by the row's mean and by its spread."""
    scale = value(f"{row_name}_scale")
    return (
        Term((scale, value(f"d_{hat}")), wires, route=f"{hat}(t)"),
        Term((scale, value(f"d_{row_name}_mean")), wires, minus=True, route=f"{row_name}_mean(t)"),
        Term(
            (scale, value(hat), value(f"d_{row_name}_spread")),
            wires,
            minus=True,
            route=f"{row_name}_spread(t)",
        ),
    )


def after_zoneout(
    regular: Regular, name: str, words: str, wires: tuple[str, ...], past: tuple[str, ...]
) -> list[Moment]:
    """K ⊙ what was found + (1 - k) ⊙ what was there."""
    if not regular.zoneout:
        return []
    terms = (
        Term((value(f"k_{name}"), value(f"{name}_tilde")), wires),
        Term((value(f"stay_{name}"), value(name, -1)), past),
    )
    return [Moment(name, f"{words} after zoneout", (Line(name, terms, wires=wires),))]


def before_zoneout(regular: Regular, name: str, words: str, wires: tuple[str, ...]) -> list[Moment]:
    """The error of what was found, where nothing else reads it."""
    if not regular.zoneout:
        return []
    term = Term((value(f"k_{name}"), value(f"d_{name}")), wires, route=f"{name}(t)")
    line = Line(f"d_{name}_tilde", (term,), wires=wires)
    return [Moment(line.target, f"error of {words} as found", (line,))]


def stayed(regular: Regular, name: str, wires: tuple[str, ...]) -> list[Term]:
    """What stayed for another step."""
    if not regular.zoneout:
        return []
    return [Term((value(f"d_{name}", 1), value(f"stay_{name}", 1)), wires, route=f"{name}(t+1)")]


def gain_shares(regular: Regular, block: str, n: int) -> list[Share]:
    """Shares in both gains of a block."""
    if not regular.norm:
        return []
    bar = block if block == "a" else f"{block}_bar"
    return [
        Share(f"gain_{end}", Symbol("g", sub=name), n, f"d_{bar}", f"{block}_{name}_hat")
        for name, end in (("x", "ih"), ("r", "hh"))
    ]

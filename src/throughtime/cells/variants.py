"""The variants of the LSTM in Greff et al., *LSTM: A Search Space Odyssey* (2017), as data.

A variant says what differs from the vanilla LSTM. The cell reads it; there is one cell for all.

Two things follow from the definitions and hold for every combination:

* A gate with parameters of its own is an *own gate*. A gate fixed at 1, or coupled to another, is
  not: it has no block in the weights and the bias, no peephole, and under FGR no row and no column.
* CIFG+FGR: f(t-1) = 1 - i(t-1) is an affine function of i(t-1). A column for it would add nothing that
  the column of i and the bias do not give already; so FGR connects i and o only.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

NAMES: Final = ("vanilla", "NIG", "NFG", "NOG", "NIAF", "NOAF", "CIFG", "NP", "FGR")

_CHANGES: Final[dict[str, dict[str, Any]]] = {
    "NIG": {"input_gate": False},
    "NFG": {"forget_gate": "none"},
    "NOG": {"output_gate": False},
    "NIAF": {"input_activation": "identity"},
    "NOAF": {"output_activation": "identity"},
    "CIFG": {"forget_gate": "coupled"},
    "NP": {"peepholes": False},
    "FGR": {"full_gate_recurrence": True},
}


@dataclass(frozen=True)
class Variant:
    """What an LSTM has. The defaults are the vanilla LSTM, with peepholes.

    Attributes:
        input_gate: False fixes i(t) = 1 (NIG).
        forget_gate: "own"; "none" fixes f(t) = 1 (NFG); "coupled" sets f(t) = 1 - i(t) (CIFG).
        output_gate: False fixes o(t) = 1 (NOG).
        input_activation: g, "tanh" or "identity" (NIAF).
        output_activation: h, "tanh" or "identity" (NOAF).
        peepholes: False drops the terms p ⊙ c (NP).
        full_gate_recurrence: True lets each own gate read all own gates of t-1 (FGR).

    Raises:
        ValueError: the parts contradict each other.
    """

    input_gate: bool = True
    forget_gate: Literal["own", "coupled", "none"] = "own"
    output_gate: bool = True
    input_activation: Literal["tanh", "identity"] = "tanh"
    output_activation: Literal["tanh", "identity"] = "tanh"
    peepholes: bool = True
    full_gate_recurrence: bool = False

    def __post_init__(self) -> None:
        if self.forget_gate not in ("own", "coupled", "none"):
            raise ValueError(
                f"Variant: forget_gate={self.forget_gate!r}, expected 'own', 'coupled' or 'none'."
            )
        for name in ("input_activation", "output_activation"):
            if getattr(self, name) not in ("tanh", "identity"):
                raise ValueError(f"Variant: {name}={getattr(self, name)!r}, expected 'tanh' or 'identity'.")
        if self.forget_gate == "coupled" and not self.input_gate:
            raise ValueError(
                "Variant: CIFG and NIG contradict each other: f = 1 - i with i fixed at 1 forgets everything."
            )
        if self.full_gate_recurrence and not self.gates:
            raise ValueError("Variant: FGR without any gate has nothing to connect; leave FGR out.")

    @property
    def gates(self) -> tuple[str, ...]:
        """The own gates, in the order i, f, o: rows of `peephole`, blocks of `weight_gates`."""
        own = {"i": self.input_gate, "f": self.forget_gate == "own", "o": self.output_gate}
        return tuple(gate for gate, there in own.items() if there)

    @property
    def blocks(self) -> tuple[str, ...]:
        """The blocks of `weight_ih`, `weight_hh` and `bias`, in the order i, f, z, o."""
        return tuple(block for block in ("i", "f", "z", "o") if block == "z" or block in self.gates)

    @property
    def name(self) -> str:
        """`vanilla`, or the changes in the order of the paper's list, as `CIFG+FGR`."""
        changes = [
            key
            for key, change in _CHANGES.items()
            if all(getattr(self, part) == value for part, value in change.items())
        ]
        return "+".join(changes) or "vanilla"

    def without_peepholes(self) -> Variant:
        """The same with NP."""
        return replace(self, peepholes=False)

    def with_peepholes(self) -> Variant:
        """The same without NP."""
        return replace(self, peepholes=True)

    @classmethod
    def parse(cls, name: str) -> Variant:
        """Read a name such as `vanilla`, `cifg` or `CIFG+FGR`; upper and lower case are the same.

        Raises:
            ValueError: a name is unknown, given twice, or contradicts another.
        """
        return _parse(name)


@functools.lru_cache(maxsize=256)
def _parse(name: str) -> Variant:
    known = {key.upper(): key for key in NAMES}
    parts = [part.strip().upper() for part in name.split("+")]
    for part in parts:
        if part not in known:
            raise ValueError(
                f"variant={name!r}: {part!r} is unknown; available: {', '.join(NAMES)}, "
                "and several joined by '+' such as 'CIFG+FGR'."
            )
    if len(set(parts)) < len(parts):
        raise ValueError(f"variant={name!r} names a change twice; available: {', '.join(NAMES)}.")
    if "VANILLA" in parts:
        if len(parts) > 1:
            raise ValueError(
                f"variant={name!r}: vanilla is the LSTM without a change, leave it out; "
                f"available: {', '.join(NAMES)}."
            )
        return Variant()
    if {"CIFG", "NFG"} <= set(parts) or {"CIFG", "NIG"} <= set(parts):
        raise ValueError(
            f"variant={name!r}: CIFG couples f to i, so it goes with neither NFG nor NIG; "
            f"available: {', '.join(NAMES)}."
        )
    changes: dict[str, Any] = {}
    for part in parts:
        changes |= _CHANGES[part]
    try:
        return Variant(**changes)
    except ValueError as error:
        raise ValueError(f"variant={name!r}: {error} Available: {', '.join(NAMES)}.") from None


VANILLA: Final = Variant()

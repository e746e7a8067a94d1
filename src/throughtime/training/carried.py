"""The state carried from batch to batch, as tensors with names: how a checkpoint keeps it.

A tensor stands under "state"; the parts of a tuple of n under "state.0of<n>", "state.1of<n>", and so on
inwards. Tuples, lists and named tuples all come back as tuples, and None as None.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from throughtime.training.objective import State

_ROOT = "state"


def flat(state: State, name: str = _ROOT) -> dict[str, Tensor]:
    """The tensors of a state, by place."""
    if isinstance(state, Tensor):
        return {name: state}
    found: dict[str, Tensor] = {}
    for place, part in enumerate(state or ()):
        found |= flat(part, f"{name}.{place}of{len(state)}")
    return found


def nested(tensors: Mapping[str, Tensor], name: str = _ROOT) -> State:
    """The state that `flat` took apart; None if there is no tensor."""
    if name in tensors:
        return tensors[name]
    below = [key for key in tensors if key.startswith(f"{name}.")]
    if not below:
        return None
    parts = int(below[0].removeprefix(f"{name}.").partition(".")[0].partition("of")[2])
    return tuple(nested(tensors, f"{name}.{place}of{parts}") for place in range(parts))

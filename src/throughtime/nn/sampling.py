"""Drawing a symbol from logits: temperature, the k likeliest, the likeliest that make up a share p."""

from __future__ import annotations

import torch
from torch import Tensor


def shares(
    logits: Tensor, *, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """Probabilities to draw from.

    Args:
        logits: (V,); the network's own probabilities are their softmax.
        temperature: Logits are divided by it: below 1 likely symbols become likelier; 0 leaves only the
            likeliest.
        top_k: Only so many of the likeliest stay.
        top_p: Only the likeliest stay that together make up at least this share, at that temperature.

    Returns:
        (V,), adding up to 1.

    Raises:
        ValueError: an argument is out of range.

    Source of top_p: Holtzman et al., The Curious Case of Neural Text Degeneration (2020).
    """
    check_sampling(temperature, top_k, top_p)
    if temperature == 0:
        return torch.zeros_like(logits).index_fill(0, logits.argmax(), 1.0)
    found = torch.softmax(logits.double() / temperature, dim=0)
    if top_k is None and top_p is None:
        return found
    ordered, places = found.sort(descending=True, stable=True)
    kept = torch.ones_like(ordered, dtype=torch.bool)
    if top_k is not None:
        kept[top_k:] = False
    if top_p is not None:
        kept &= ordered.cumsum(0) - ordered < top_p
    found = torch.zeros_like(found).index_copy(0, places, ordered * kept)
    return found / found.sum()


def draw(probabilities: Tensor, generator: torch.Generator) -> int:
    """A symbol, drawn with `generator` alone."""
    return int(torch.multinomial(probabilities, 1, generator=generator))


def check_sampling(temperature: float, top_k: int | None, top_p: float | None) -> None:
    """Raise `ValueError` for what is out of range."""
    if not 0 <= temperature < float("inf"):
        raise ValueError(f"temperature={temperature}, expected 0 (always the likeliest) or more")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k={top_k}, expected 1 or more")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p={top_p}, expected a share above 0 and at most 1")

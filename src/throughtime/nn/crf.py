"""A conditional random field over the tags of a sequence: which tag follows which is learnt too.

The score of tags k(1..T) is start[k(1)] + Σ s(t, k(t)) + Σ transitions[k(t), k(t+1)] + end[k(T)], with the
scores s of a network, and p(k) = exp(score(k)) / Z, where Z sums over all K^T ways to tag the sequence.

Source: Lafferty, McCallum and Pereira, Conditional Random Fields (2001).

Notation: T steps, B sequences, K tags; time first. `...` are dimensions in front of B, such as the members of
an ensemble: scores (T, ..., B, K) go with transitions (..., K, K), start and end (..., K).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

FORBIDDEN = -1e4  # exp of it is 0 in every dtype, and unlike -inf it has a gradient


class CRFScores(NamedTuple):
    """What does not depend on the sequence.

    Attributes:
        transitions: From a tag (row) to the next (column), (..., K, K).
        start: Of the first tag, (..., K).
        end: Of the last tag, (..., K).
    """

    transitions: Tensor
    start: Tensor
    end: Tensor


class CRF(nn.Module):
    """The transition scores of a linear chain, all zero at first.

    Args:
        tags: K.
        allowed: Which tag may follow which, (K, K) bool, from row to column; None allows all.
        first: Which tag a sequence may begin with, (K,) bool; None allows all.

    Raises:
        ValueError: `allowed` or `first` has another shape, or no tag may come first.
    """

    allowed: Tensor
    first: Tensor

    def __init__(self, tags: int, *, allowed: Tensor | None = None, first: Tensor | None = None) -> None:
        super().__init__()
        allowed = torch.ones(tags, tags, dtype=torch.bool) if allowed is None else allowed
        first = torch.ones(tags, dtype=torch.bool) if first is None else first
        if allowed.shape != (tags, tags) or first.shape != (tags,):
            raise ValueError(
                f"CRF: allowed has shape {tuple(allowed.shape)} and first {tuple(first.shape)}, expected "
                f"({tags}, {tags}) and ({tags},) for {tags} tags."
            )
        if not first.any():
            raise ValueError("CRF: first allows no tag at all; a sequence must begin with one.")
        self.transitions = nn.Parameter(torch.zeros(tags, tags))
        self.start = nn.Parameter(torch.zeros(tags))
        self.end = nn.Parameter(torch.zeros(tags))
        self.register_buffer("allowed", allowed, persistent=False)
        self.register_buffer("first", first, persistent=False)

    def forward(self) -> CRFScores:
        """The scores, with what is not allowed so low that it never happens."""
        return CRFScores(
            self.transitions.masked_fill(~self.allowed, FORBIDDEN),
            self.start.masked_fill(~self.first, FORBIDDEN),
            self.end,
        )


def log_likelihood(scores: Tensor, crf: CRFScores, tags: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Logarithm of the probability of given tags.

    Args:
        scores: (T, ..., B, K).
        crf: Scores of the transitions.
        tags: (T, B), long; what stands past a sequence's end is not looked at.
        lengths: True length of each sequence, (B,), at least 1; None if all have T.

    Returns:
        (..., B), nats, never above 0 but for rounding.
    """
    return path_score(scores, crf, tags, lengths) - log_partition(scores, crf, lengths)


def path_score(scores: Tensor, crf: CRFScores, tags: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Score of given tags, (..., B); arguments as in `log_likelihood`."""
    steps, batch = scores.shape[0], scores.shape[-2]
    lengths = full_lengths(scores) if lengths is None else lengths
    there = torch.arange(steps, device=scores.device)[:, None] < lengths  # (T, B)
    tags = tags.masked_fill(~there, 0)
    lead = scores.shape[1:-2]
    shaped = tags.reshape(steps, *[1] * len(lead), batch, 1).expand(steps, *lead, batch, 1)
    emitted = scores.gather(-1, shaped)[..., 0]  # (T, ..., B)
    total = (emitted * _along(there, lead)).sum(dim=0)
    last = tags.gather(0, (lengths - 1)[None])[0]
    total = total + crf.start[..., tags[0]] + crf.end[..., last]
    if steps == 1:
        return total
    moved = crf.transitions[..., tags[:-1], tags[1:]].movedim(-2, 0)  # (T-1, ..., B)
    return total + moved.masked_fill(~_along(there[1:], lead), 0).sum(dim=0)


def log_partition(scores: Tensor, crf: CRFScores, lengths: Tensor | None = None) -> Tensor:
    """Logarithm of Z, (..., B), by the forward algorithm; arguments as in `log_likelihood`."""
    lengths = full_lengths(scores) if lengths is None else lengths
    alpha = crf.start[..., None, :] + scores[0]  # (..., B, K)
    shortest = int(lengths.min())
    for t in range(1, scores.shape[0]):
        new = forward_step(alpha, crf, scores[t])
        alpha = new if t < shortest else torch.where((t < lengths)[:, None], new, alpha)
    return torch.logsumexp(alpha + crf.end[..., None, :], dim=-1)


def forward_step(alpha: Tensor, crf: CRFScores, scores: Tensor) -> Tensor:
    """One step of the forward algorithm: (..., B, K) of the step before to that of this one.

    alpha(t, k) = s(t, k) + log Σ_j exp(alpha(t-1, j) + transitions[j, k])
    """
    return torch.logsumexp(alpha[..., :, None] + crf.transitions[..., None, :, :], dim=-2) + scores


def full_lengths(scores: Tensor) -> Tensor:
    """Lengths (B,) of sequences that all have T steps."""
    return torch.full((scores.shape[-2],), scores.shape[0], device=scores.device)


def _along(there: Tensor, lead: torch.Size) -> Tensor:
    """A mask (T, B) with the dimensions in front of B put in, each of size 1."""
    return there.reshape(there.shape[0], *[1] * len(lead), there.shape[1])

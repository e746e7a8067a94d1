"""What a conditional random field says of a sequence: its likeliest tags, and how sure they are.

Shapes as in `throughtime.nn.crf`; here nothing stands in front of B, and no gradient is needed.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from throughtime.nn.crf import CRFScores, forward_step, full_lengths


class Chain(NamedTuple):
    """The two halves of a chain around each step.

    Attributes:
        alpha: Log of the sum over all beginnings that end with tag k at step t, (T, B, K).
        beta: Log of the sum over all continuations after tag k at step t, (T, B, K).
        log_partition: log Z, (B,).
    """

    alpha: Tensor
    beta: Tensor
    log_partition: Tensor


def viterbi(scores: Tensor, crf: CRFScores, lengths: Tensor | None = None) -> Tensor:
    """The tags with the highest score, (T, B), long; 0 past a sequence's end.

    Args:
        scores: (T, B, K).
        crf: Scores of the transitions.
        lengths: True length of each sequence, (B,), at least 1; None if all have T.

    Source: Viterbi, Error bounds for convolutional codes (1967).
    """
    steps = scores.shape[0]
    lengths = full_lengths(scores) if lengths is None else lengths
    best, came_from = crf.start + scores[0], []
    for t in range(1, steps):
        highest, place = (best[:, :, None] + crf.transitions).max(dim=1)  # (B, K)
        there = (t < lengths)[:, None]
        best = torch.where(there, highest + scores[t], best)
        came_from.append(torch.where(there, place, torch.arange(scores.shape[2], device=scores.device)))
    tag = (best + crf.end).argmax(dim=1)
    rows = [tag]
    for place in reversed(came_from):
        tag = place.gather(1, tag[:, None])[:, 0]
        rows.append(tag)
    tags = torch.stack(rows[::-1])
    there = torch.arange(steps, device=scores.device)[:, None] < lengths
    return tags.masked_fill(~there, 0)


def forward_backward(scores: Tensor, crf: CRFScores, lengths: Tensor | None = None) -> Chain:
    """Both halves of the chain around each step; arguments as in `viterbi`.

    Past a sequence's end alpha stays that of its last step and beta is `end`, so that any step from the last
    on gives log Z.
    """
    steps = scores.shape[0]
    lengths = full_lengths(scores) if lengths is None else lengths
    alphas, betas = [crf.start + scores[0]], [crf.end.expand_as(scores[0])]
    for t in range(1, steps):
        there = (t < lengths)[:, None]
        alphas.append(torch.where(there, forward_step(alphas[-1], crf, scores[t]), alphas[-1]))
    for t in range(steps - 1, 0, -1):
        there = (t < lengths)[:, None]
        ahead = torch.logsumexp(crf.transitions + (scores[t] + betas[-1])[:, None, :], dim=-1)
        betas.append(torch.where(there, ahead, betas[-1]))
    log_partition = torch.logsumexp(alphas[-1] + crf.end, dim=-1)
    return Chain(torch.stack(alphas), torch.stack(betas[::-1]), log_partition)


def marginals(scores: Tensor, crf: CRFScores, lengths: Tensor | None = None) -> Tensor:
    """Probability of each tag at each step, (T, B, K); zero past a sequence's end."""
    chain = forward_backward(scores, crf, lengths)
    found = (chain.alpha + chain.beta - chain.log_partition[:, None]).exp()
    if lengths is None:
        return found
    there = torch.arange(scores.shape[0], device=scores.device)[:, None] < lengths
    return found * there[..., None]


def stretch_log_probability(
    chain: Chain, scores: Tensor, crf: CRFScores, tags: Tensor, start: int, row: int, barred: int | None
) -> Tensor:
    """Log of the probability that a stretch of one sequence has exactly these tags.

    Args:
        chain: Of the batch.
        scores: (T, B, K).
        crf: Scores of the transitions.
        tags: Of the stretch, (n,), long.
        start: Its first step; it must end within the sequence.
        row: Which sequence of the batch.
        barred: A tag that must not come next: the one with which an entity would go on. None bars none.

    Source: Culotta and McCallum, Confidence Estimation for Information Extraction (2004), the constrained
    forward algorithm.
    """
    stop = start + len(tags)
    total = chain.alpha[start, row, tags[0]]
    inside = torch.arange(start + 1, stop, device=scores.device)
    total = total + scores[inside, row, tags[1:]].sum() + crf.transitions[tags[:-1], tags[1:]].sum()
    after = chain.beta[stop - 1, row, tags[-1]]
    if barred is not None and stop < scores.shape[0]:
        onward = crf.transitions[tags[-1], barred] + scores[stop, row, barred] + chain.beta[stop, row, barred]
        after = after + torch.log1p(-(onward - after).exp().clamp(max=1.0))
    return total + after - chain.log_partition[row]

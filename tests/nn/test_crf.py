"""The CRF against enumeration of every way to tag a sequence, in float64."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
import torch
from torch import Tensor

from throughtime.nn.crf import CRF, FORBIDDEN, CRFScores, log_likelihood, log_partition, path_score
from throughtime.nn.crf_inference import forward_backward, marginals, stretch_log_probability, viterbi

LENGTHS = [4, 1, 3]
T, B, K = 4, 3, 3
MASK = torch.tensor(
    [[True, True, False], [True, True, True], [True, True, True]]
)  # 0 before 2 is not allowed
FIRST = torch.tensor([True, True, False])


def problem(seed: int = 0, lead: tuple[int, ...] = (), allowed: bool = False) -> tuple[Tensor, CRFScores]:
    draw = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> Tensor:
        return 2 * torch.randn(*lead, *shape, generator=draw, dtype=torch.float64)

    scores = random(T, B, K).movedim(len(lead), 0)  # (T, ..., B, K)
    crf = CRFScores(random(K, K), random(K), random(K))
    if allowed:
        crf = crf._replace(
            transitions=crf.transitions.masked_fill(~MASK, FORBIDDEN),
            start=crf.start.masked_fill(~FIRST, FORBIDDEN),
        )
    return scores, crf


def score_by_hand(scores: Tensor, crf: CRFScores, row: int, path: tuple[int, ...]) -> float:
    """Read off the definition, one number at a time."""
    total = float(crf.start[path[0]])
    for t, tag in enumerate(path):
        total += float(scores[t, row, tag])
        if t:
            total += float(crf.transitions[path[t - 1], tag])
    return total + float(crf.end[path[-1]])


def every_path(scores: Tensor, crf: CRFScores, row: int) -> dict[tuple[int, ...], float]:
    return {path: score_by_hand(scores, crf, row, path) for path in product(range(K), repeat=LENGTHS[row])}


def log_sum(values: list[float]) -> float:
    return float(torch.logsumexp(torch.tensor(values, dtype=torch.float64), dim=0))


@pytest.mark.parametrize("allowed", [False, True])
def test_partition_paths_and_likelihood_against_enumeration(allowed: bool) -> None:
    scores, crf = problem(allowed=allowed)
    lengths = torch.tensor(LENGTHS)
    tags = torch.tensor([[1, 0, 1], [2, 2, 0], [1, 1, 1], [0, 2, 2]])
    found = log_partition(scores, crf, lengths)
    likelihood = log_likelihood(scores, crf, tags, lengths)
    for row in range(B):
        paths = every_path(scores, crf, row)
        path = tuple(tags[: LENGTHS[row], row].tolist())
        assert float(found[row]) == pytest.approx(log_sum(list(paths.values())), abs=1e-10)
        assert float(path_score(scores, crf, tags, lengths)[row]) == pytest.approx(paths[path], abs=1e-10)
        assert float(likelihood[row]) == pytest.approx(paths[path] - float(found[row]), abs=1e-10)
        assert float(likelihood[row]) < 0
    summed = sum(
        float(log_likelihood(scores[:3, 2:], crf, torch.tensor(path)[:, None]).exp())
        for path in product(range(K), repeat=3)
    )
    assert summed == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("allowed", [False, True])
def test_the_best_path_against_enumeration(allowed: bool) -> None:
    for seed in range(8):
        scores, crf = problem(seed, allowed=allowed)
        found = viterbi(scores, crf, torch.tensor(LENGTHS))
        for row in range(B):
            paths = every_path(scores, crf, row)
            best = max(paths, key=lambda path: paths[path])
            assert tuple(found[: LENGTHS[row], row].tolist()) == best
            assert (found[LENGTHS[row] :, row] == 0).all()


def test_marginals_against_enumeration_and_against_the_gradient() -> None:
    scores, crf = problem(allowed=True)
    lengths = torch.tensor(LENGTHS)
    scores.requires_grad_()
    found = marginals(scores, crf, lengths)
    (slope,) = torch.autograd.grad(log_partition(scores, crf, lengths).sum(), scores)
    assert torch.allclose(found, slope, atol=1e-12)
    for row in range(B):
        paths = every_path(scores.detach(), crf, row)
        total = log_sum(list(paths.values()))
        for t, tag in product(range(LENGTHS[row]), range(K)):
            through = [score for path, score in paths.items() if path[t] == tag]
            expected = torch.tensor(log_sum(through) - total, dtype=torch.float64).exp()
            assert float(found[t, row, tag].detach()) == pytest.approx(float(expected), abs=1e-10)
        assert (found[LENGTHS[row] :, row] == 0).all()


@pytest.mark.parametrize("barred", [None, 1])
def test_the_probability_of_a_stretch_against_enumeration(barred: int | None) -> None:
    scores, crf = problem(3)
    chain = forward_backward(scores, crf, torch.tensor(LENGTHS))
    for row, start, tags in [(0, 0, [1]), (0, 1, [2, 1]), (0, 2, [0, 1]), (1, 0, [2]), (2, 0, [1, 1, 0])]:
        stop = start + len(tags)
        no_more = barred if stop < LENGTHS[row] else None
        paths = every_path(scores, crf, row)
        fits = [
            score
            for path, score in paths.items()
            if list(path[start:stop]) == tags and (no_more is None or path[stop] != no_more)
        ]
        found = stretch_log_probability(chain, scores, crf, torch.tensor(tags), start, row, no_more)
        assert float(found) == pytest.approx(log_sum(fits) - log_sum(list(paths.values())), abs=1e-10)


def test_gradients_against_finite_differences() -> None:
    scores, crf = problem()
    tags, lengths = torch.randint(K, (T, B)), torch.tensor(LENGTHS)

    def loss(scores: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> Tensor:
        return log_likelihood(scores, CRFScores(transitions, start, end), tags, lengths)

    inputs = [one.requires_grad_() for one in (scores, *crf)]
    assert torch.autograd.gradcheck(loss, inputs)


def test_alone_and_padded_values_and_gradients_are_equal() -> None:
    scores, crf = problem()
    tags = torch.randint(K, (T, B))
    padded = scores.clone()
    for row, length in enumerate(LENGTHS):
        padded[length:, row] = torch.randn(T - length, K, dtype=torch.float64) * 50
    together = padded.requires_grad_()
    found = log_likelihood(together, crf, tags, torch.tensor(LENGTHS))
    (gradient,) = torch.autograd.grad(found.sum(), together)
    for row, length in enumerate(LENGTHS):
        alone = scores[:length, row : row + 1].clone().requires_grad_()
        single = log_likelihood(alone, crf, tags[:length, row : row + 1])
        (expected,) = torch.autograd.grad(single.sum(), alone)
        assert torch.equal(single[0], found[row])
        assert torch.equal(expected[:, 0], gradient[:length, row])
        assert (gradient[length:, row] == 0).all()


def test_members_in_front_of_the_batch_are_as_each_alone() -> None:
    scores, crf = problem(lead=(2,))
    tags, lengths = torch.randint(K, (T, B)), torch.tensor(LENGTHS)
    together = log_likelihood(scores, crf, tags, lengths)
    assert together.shape == (2, B)
    for member in range(2):
        own = CRFScores(*(part[member] for part in crf))
        assert torch.allclose(
            together[member], log_likelihood(scores[:, member], own, tags, lengths), atol=1e-12
        )


def test_what_is_not_allowed_never_happens() -> None:
    crf = CRF(K, allowed=MASK, first=FIRST)
    with torch.no_grad():
        for part in crf.parameters():
            part.copy_(torch.randn(part.shape) * 3)
    scores = torch.zeros(T, 1, K)
    scores[..., 2] = 30.0  # asks for what may not come first
    shares = marginals(scores, crf())
    assert shares[0, 0, 2] == 0
    path = viterbi(scores, crf())[:, 0].tolist()
    assert path[0] != 2
    assert all(MASK[one, other] for one, other in pairwise(path))
    log_partition(scores, crf()).sum().backward()
    assert crf.transitions.grad is not None
    assert crf.transitions.grad[0, 2] == 0
    assert torch.isfinite(crf.transitions.grad).all()
    assert set(crf.state_dict()) == {"transitions", "start", "end"}


def test_wrong_masks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(3, 3\) and \(3,\) for 3 tags"):
        CRF(3, allowed=torch.ones(2, 2, dtype=torch.bool))
    with pytest.raises(ValueError, match="begin with one"):
        CRF(3, first=torch.zeros(3, dtype=torch.bool))

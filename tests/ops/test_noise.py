"""Zoneout's shares: a function of seed and place, of the right mean, the same in every backend."""

from __future__ import annotations

import pytest
import torch

from throughtime.ops.noise import NO_NOISE, Noise, draw, kept, threshold

LIKE = torch.zeros(40, 50, dtype=torch.float64)
WRAP = (1 << 64) - 1


def by_definition(seed: int, place: int) -> int:
    """SplitMix64 in Python's integers: the state after `place` + 1 steps from the seed, mixed."""
    z = (seed + (place + 1) * 0x9E3779B97F4A7C15) & WRAP
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WRAP
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WRAP
    return z ^ (z >> 31)


@pytest.mark.parametrize("seed", [0, 1, -1, 12345678901234, -(1 << 62)])
def test_bits_are_those_of_splitmix(seed: int) -> None:
    noise = Noise(zoneout=(0.3, 0.6), seed=torch.tensor(seed))
    t = 7
    for_c, for_y = kept(noise, t, LIKE)
    for b, j in ((0, 0), (3, 49), (39, 17)):
        bits = by_definition(seed, (t * 40 + b) * 50 + j)
        assert for_c[b, j] == float((bits >> 32) >= threshold(0.3))
        assert for_y[b, j] == float((bits & 0xFFFFFFFF) >= threshold(0.6))


def test_splitmix_gives_its_published_first_numbers() -> None:
    """Those that the authors' reference code prints for seed 1234567."""
    assert by_definition(1234567, 0) == 6457827717110365317
    assert by_definition(1234567, 1) == 3203168211198807973


def test_shares_have_their_means_and_do_not_depend_on_each_other() -> None:
    drawn = [kept(Noise(zoneout=(0.2, 0.5), seed=torch.tensor(3)), t, LIKE) for t in range(50)]
    for_c, for_y = (torch.stack(part) for part in zip(*drawn, strict=True))
    assert abs(for_c.mean() - 0.8) < 0.005
    assert abs(for_y.mean() - 0.5) < 0.005
    together = torch.stack([for_c[1:].flatten(), for_c[:-1].flatten(), for_y[1:].flatten()])
    assert (torch.corrcoef(together) - torch.eye(3)).abs().max() < 0.01


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_never_and_always(share: float) -> None:
    for_c, for_y = kept(Noise(zoneout=(share, 1 - share), seed=torch.tensor(9)), 0, LIKE)
    assert for_c.eq(1 - share).all()
    assert for_y.eq(share).all()


def test_without_a_seed_the_mean_and_without_zoneout_everything() -> None:
    assert kept(Noise(zoneout=(0.25, 0.5)), 3, LIKE) == (0.75, 0.5)
    assert kept(NO_NOISE, 3, LIKE) == (1.0, 1.0)


def test_torch_decides_what_is_drawn() -> None:
    def drawn() -> Noise:
        torch.manual_seed(4)
        return draw((0.1, 0.1), 0.4, True, LIKE)

    one, other = drawn(), drawn()
    assert torch.equal(one.seed, other.seed)
    assert torch.equal(one.mask, other.mask)
    assert not torch.equal(draw((0.1, 0.1), 0.4, True, LIKE).seed, one.seed)
    assert set(one.mask.unique().tolist()) == {0.0, 1 / 0.6}
    evaluated = draw((0.1, 0.1), 0.4, False, LIKE)
    assert evaluated.mask is None
    assert evaluated.seed is None

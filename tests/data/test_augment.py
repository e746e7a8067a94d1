"""Features changed in training; recordings joined."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from throughtime.data import Augmentation, join_recordings
from throughtime.data.augment import rng_of

FEATURES = torch.arange(1.0, 101.0)[:, None].repeat(1, 20)  # (100, 20), nowhere 0


def test_draws_depend_on_where_training_is() -> None:
    change = Augmentation()
    one = change(FEATURES, rng_of(3, 1, 7))
    assert torch.equal(change(FEATURES, rng_of(3, 1, 7)), one)
    for other in ((4, 1, 7), (3, 2, 7), (3, 1, 8)):
        again = change(FEATURES, rng_of(*other))
        assert again.shape != one.shape or not torch.equal(again, one)
    assert torch.equal(FEATURES, torch.arange(1.0, 101.0)[:, None].repeat(1, 20)), "the cache stays as it is"


def test_masks_hide_whole_stretches_and_no_more() -> None:
    change = Augmentation(tempo=0.0, time_masks=1, time_share=0.1, band_masks=1, band_share=0.25)
    sizes = []
    for row in range(300):
        changed = change(FEATURES, rng_of(0, 0, row))
        times = torch.nonzero((changed == 0).all(1)).flatten().tolist()
        bands = torch.nonzero((changed == 0).all(0)).flatten().tolist()
        for found in (times, bands):
            assert not found or found == list(range(found[0], found[-1] + 1))
        kept = torch.ones_like(changed, dtype=torch.bool)
        kept[times] = False
        kept[:, bands] = False
        assert torch.equal(changed[kept], FEATURES[kept])
        sizes.append((len(times), len(bands)))
    assert {times for times, _ in sizes} == set(range(11))
    assert {bands for _, bands in sizes} == set(range(6))


def test_tempo_stretches_time() -> None:
    change = Augmentation(tempo=0.2, time_masks=0, band_masks=0)
    lengths = []
    for row in range(200):
        changed = change(FEATURES, rng_of(0, 0, row))
        lengths.append(len(changed))
        assert (changed.diff(dim=0) >= 0).all()
        assert changed[0, 0] == pytest.approx(1, abs=0.2)
        assert changed[-1, 0] == pytest.approx(100, abs=0.2)
    assert min(lengths) in (80, 81)
    assert max(lengths) in (119, 120)
    assert abs(np.mean(lengths) - 100) < 3
    assert min(len(change(FEATURES, rng_of(0, 0, row), 95)) for row in range(100)) == 95
    off = Augmentation(tempo=0, time_masks=0, band_masks=0)
    assert torch.equal(off(FEATURES, rng_of(0, 0, 0)), FEATURES)


def test_recordings_are_joined_in_order_and_equally_loud() -> None:
    loud, soft = (level * np.ones(400, dtype=np.float32) for level in (0.8, 0.001))
    joined = join_recordings([loud, -soft], 1_000, np.random.default_rng(0), silence=(0.1, 0.3))
    signs = np.sign(np.where(np.abs(joined) > 0.02, joined, 0))
    assert (signs == 1).sum() == (signs == -1).sum() == 400
    assert np.flatnonzero(signs == 1)[-1] < np.flatnonzero(signs == -1)[0]
    assert np.abs(joined[signs != 0]) == pytest.approx(0.05 * np.ones(800))
    gaps = np.abs(joined[signs == 0])
    assert 300 <= len(gaps) <= 900
    assert 0 < gaps.mean() < 0.001, "a quiet room, not zeros"
    again = join_recordings([loud, -soft], 1_000, np.random.default_rng(0), silence=(0.1, 0.3))
    assert np.array_equal(joined, again)
    with pytest.raises(ValueError, match="no pieces"):
        join_recordings([], 1_000, np.random.default_rng(0))
    with pytest.raises(ValueError, match="piece 2 of 2 is silent"):
        join_recordings([loud, 0 * loud], 1_000, np.random.default_rng(0))

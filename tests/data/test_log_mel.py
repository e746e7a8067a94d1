"""Log-mel features against the same computed sample by sample, and what they do not depend on."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from throughtime.data import LogMel
from throughtime.data.log_mel import hertz, mel, mel_filters, normalise
from throughtime.errors import DataError


def naive(samples: np.ndarray, rate: int, bands: int, window: float, hop: float) -> np.ndarray:
    """By the book: a sum for every frame, every frequency and every band, in float64."""
    size, step = round(rate * window), round(rate * hop)
    points = 1
    while points < 2 * size:
        points *= 2
    pitch = [2595 * math.log10(1 + f / 700) for f in (20.0, rate / 2)]
    corners = [
        700 * (10 ** ((pitch[0] + k * (pitch[1] - pitch[0]) / (bands + 1)) / 2595) - 1)
        for k in range(bands + 2)
    ]
    rows = []
    for first in range(0, len(samples) - size + 1, step):
        hann = [0.5 - 0.5 * math.cos(2 * math.pi * n / size) for n in range(size)]
        frame = samples[first : first + size] * hann
        row = np.zeros(bands)
        for k in range(points // 2 + 1):
            turned = np.exp(-2j * math.pi * k * np.arange(size) / points)
            power = abs((frame * turned).sum()) ** 2
            f = k * rate / points
            for band in range(bands):
                low, middle, high = corners[band : band + 3]
                if low < f <= middle:
                    row[band] += power * (f - low) / (middle - low)
                elif middle < f < high:
                    row[band] += power * (high - f) / (high - middle)
        rows.append(row)
    energy = np.array(rows)
    return np.log(np.maximum(energy, energy.max() * 1e-8))


@pytest.mark.parametrize(("rate", "bands"), [(1_000, 5), (2_200, 8)])
def test_against_sums(rate: int, bands: int) -> None:
    rng = np.random.default_rng(1)
    samples = 0.1 * rng.standard_normal(rate // 4) + np.sin(np.arange(rate // 4) * 0.7)
    features = LogMel(rate, bands=bands, window=0.04, hop=0.013)(samples.astype(np.float32))
    expected = naive(samples, rate, bands, 0.04, 0.013)
    assert features.shape == expected.shape
    assert np.abs(features.numpy() - expected).max() < 1e-3


def test_the_scale_of_pitch() -> None:
    assert mel(0.0) == 0
    assert mel(1_000.0) == pytest.approx(1_000, abs=0.1), "1 kHz is 1,000 mel"
    assert hertz(mel([20.0, 440.0, 4_000.0])) == pytest.approx([20, 440, 4_000])


def test_a_tone_stands_in_its_band() -> None:
    for frequency in (300.0, 1_000.0, 3_000.0):
        tone = np.sin(2 * np.pi * frequency * np.arange(8_000) / 8_000).astype(np.float32)
        loudest = LogMel(8_000)(tone)[10].argmax().item()
        middle = hertz(np.linspace(mel(20), mel(4_000), 42))[loudest + 1]
        assert abs(middle - frequency) / frequency < 0.1


def test_bands_that_would_be_empty_are_refused() -> None:
    with pytest.raises(ValueError, match=r"80 bands .* are too many: band 1 lies between two bins"):
        mel_filters(8_000, 128, 80, 20, 4_000)
    with pytest.raises(ValueError, match="200 bands from 20 to 4000 Hz are too many"):
        LogMel(8_000, bands=200)
    with pytest.raises(ValueError, match=r"a hop of 0\.01 ms 0; take longer ones"):
        LogMel(8_000, hop=0.00001)
    with pytest.raises(ValueError, match="at 30 Hz a window of 25 ms holds 1 samples"):
        LogMel(30)


def test_frames() -> None:
    features = LogMel(8_000)
    assert (features.frame, features.step, features.size) == (200, 80, 512)
    for samples, frames in ((199, 0), (200, 1), (279, 1), (280, 2), (8_000, 98)):
        assert features.frames(samples) == frames
        if frames:
            assert features(np.ones(samples, dtype=np.float32)).shape == (frames, 40)
    assert features.seconds_at(0) == 0.0125
    with pytest.raises(DataError, match=r"a\.wav: lasts 24 ms, less than one frame of 25 ms"):
        features(np.ones(190, dtype=np.float32), "a.wav")


def test_neither_loudness_nor_the_microphone_counts() -> None:
    rng = np.random.default_rng(0)
    samples = (0.1 * rng.standard_normal(4_000)).astype(np.float32)
    features = normalise(LogMel(8_000)(samples))
    assert features.mean(0).abs().max() < 1e-5
    assert features.std(0, correction=0) == pytest.approx(np.ones(40), abs=1e-4)
    quiet = normalise(LogMel(8_000)(samples / 8))
    assert (features - quiet).abs().max() < 1e-3
    assert torch.isfinite(normalise(torch.zeros(5, 3))).all()


def test_silence_lies_80_db_below_the_loudest() -> None:
    samples = np.zeros(4_000, dtype=np.float32)
    samples[:2_000] = np.sin(np.arange(2_000) * 0.9)
    features = LogMel(8_000)(samples)
    assert features.max() - features.min() == pytest.approx(8 * math.log(10), abs=1e-4)
    assert (features[-5:] == features.min()).all()

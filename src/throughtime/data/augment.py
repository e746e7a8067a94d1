"""Features changed a little each time they are learnt from, so that none is learnt by heart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Augmentation:
    """Another tempo, and stretches of time and bands hidden.

    Hidden values are 0, the mean of normalised features. Loudness is not changed: normalised features do
    not know it.

    Source: Park et al., SpecAugment (2019); tempo after Ko et al., Audio Augmentation for Speech
    Recognition (2015), here by interpolating between frames.

    Attributes:
        tempo: A recording is made up to this share longer or shorter.
        time_masks: Stretches hidden ...
        time_share: ... each at most this share of the recording.
        band_masks: Groups of neighbouring bands hidden ...
        band_share: ... each at most this share of the bands.
    """

    tempo: float = 0.1
    time_masks: int = 2
    time_share: float = 0.05
    band_masks: int = 2
    band_share: float = 0.15

    def __call__(self, features: Tensor, rng: np.random.Generator, least: int = 1) -> Tensor:
        """Change features (T, I) to (T', I); T' is `least` or more. Draws from `rng` alone."""
        changed = self._at_tempo(features, rng, least)
        steps, bands = changed.shape
        for _ in range(self.time_masks):
            first, last = _stretch(steps, self.time_share, rng)
            changed[first:last] = 0
        for _ in range(self.band_masks):
            first, last = _stretch(bands, self.band_share, rng)
            changed[:, first:last] = 0
        return changed

    def _at_tempo(self, features: Tensor, rng: np.random.Generator, least: int) -> Tensor:
        factor = 1 + self.tempo * rng.uniform(-1, 1)
        steps = max(round(len(features) * factor), min(least, len(features)), 1)
        if steps == len(features):
            return features.clone()
        stretched = functional.interpolate(features.T[None], size=steps, mode="linear", align_corners=False)
        return stretched[0].T.contiguous()


def _stretch(size: int, share: float, rng: np.random.Generator) -> tuple[int, int]:
    """First and last (exclusive) of a stretch that holds at most `share` of `size`; it may be empty."""
    width = int(rng.integers(0, int(share * size) + 1))
    first = int(rng.integers(0, size - width + 1))
    return first, first + width


def rng_of(seed: int, epoch: int, row: int) -> np.random.Generator:
    """Draws that depend on where training is and not on what was drawn before."""
    return np.random.default_rng([seed, epoch, row])

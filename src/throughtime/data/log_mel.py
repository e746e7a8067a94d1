"""Sound as a picture over time: the logarithm of the power in bands as wide as the ear's, every 10 ms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from throughtime.data.sound import Samples
from throughtime.errors import DataError

Floats = npt.NDArray[np.float64]

DEPTH = 1e-8  # what is 80 dB below a recording's loudest band counts as that
FLAT = 1e-3  # a band whose logarithm moves by less is not stretched further


def mel(hertz: npt.ArrayLike) -> Floats:
    """Pitch as heard: 2595 log10(1 + f / 700).

    Source: O'Shaughnessy, Speech Communication (1987), as HTK writes it.
    """
    found: Floats = 2595 * np.log10(1 + np.asarray(hertz, dtype=np.float64) / 700)
    return found


def hertz(mels: npt.ArrayLike) -> Floats:
    """The inverse of `mel`."""
    found: Floats = 700 * (10 ** (np.asarray(mels, dtype=np.float64) / 2595) - 1)
    return found


def mel_filters(rate: int, size: int, bands: int, low: float, high: float) -> Floats:
    """Triangles over the bins of a Fourier transform, (bands, size // 2 + 1).

    The corners of the triangles stand at equal distances in mel between `low` and `high`; each rises in
    hertz from 0 at the corner before to 1 at its own, and falls to 0 at the one after.

    Raises:
        ValueError: a band lies between two bins and would see nothing.
    """
    corners = hertz(np.linspace(mel(low), mel(high), bands + 2))
    bins = np.arange(size // 2 + 1) * rate / size
    rising = (bins - corners[:-2, None]) / np.diff(corners)[:-1, None]
    falling = (corners[2:, None] - bins) / np.diff(corners)[1:, None]
    filters: Floats = np.maximum(0, np.minimum(rising, falling))
    empty = np.flatnonzero(filters.sum(axis=1) == 0)
    if len(empty):
        raise ValueError(
            f"log_mel: {bands} bands from {low:g} to {high:g} Hz are too many: band {empty[0] + 1} lies "
            f"between two bins, which are {rate / size:.1f} Hz apart; take fewer bands, or a longer window"
        )
    return filters


@dataclass(frozen=True)
class LogMel:
    """How sound becomes features.

    Attributes:
        rate: Samples a second.
        bands: I, how many mel bands.
        window: Seconds that one frame looks at (Hann).
        hop: Seconds from frame to frame.
        low: Lowest frequency in Hz; the highest is half of `rate`.

    Raises:
        ValueError: a frame or a step holds no sample, or a band would see nothing.
    """

    rate: int
    bands: int = 40
    window: float = 0.025
    hop: float = 0.010
    low: float = 20.0

    def __post_init__(self) -> None:
        if self.frame < 2 or self.step < 1 or self.low >= self.rate / 2:
            raise ValueError(
                f"log_mel: at {self.rate:,} Hz a window of {1000 * self.window:g} ms holds {self.frame} "
                f"samples and a hop of {1000 * self.hop:g} ms {self.step}; take longer ones, or a higher rate"
            )
        _ = self.filters

    @cached_property
    def filters(self) -> Tensor:
        """Weight of every bin in every band, (size // 2 + 1, I) float32."""
        filters = mel_filters(self.rate, self.size, self.bands, self.low, self.rate / 2)
        return torch.from_numpy(filters.T.astype(np.float32).copy())

    @property
    def frame(self) -> int:
        """Samples in a frame."""
        return round(self.rate * self.window)

    @property
    def step(self) -> int:
        """Samples from frame to frame."""
        return round(self.rate * self.hop)

    @property
    def size(self) -> int:
        """Points of the Fourier transform: a power of two, twice a frame or more."""
        return int(2 ** np.ceil(np.log2(2 * self.frame)))

    def frames(self, samples: int) -> int:
        """How many frames fit: T = 1 + (samples - frame) // step; 0 if not even one does."""
        return max(0, 1 + (samples - self.frame) // self.step)

    def seconds_at(self, frame: float) -> float:
        """The middle of a frame, counted from 0."""
        return (frame * self.step + self.frame / 2) / self.rate

    def __call__(self, samples: Samples, name: str = "the recording") -> Tensor:
        """Logarithm of the power in each band, (T, I) float32.

        Natural logarithm; what is 80 dB below the loudest value of the recording is raised to that.
        Frames do not reach past the ends of the recording.

        Raises:
            DataError: the recording is shorter than one frame.
        """
        if not self.frames(len(samples)):
            seconds = len(samples) / self.rate
            raise DataError(
                f"{name}: lasts {1000 * seconds:.0f} ms, less than one frame of {1000 * self.window:.0f} ms."
            )
        cut = torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32))
        cut = cut.unfold(0, self.frame, self.step) * torch.hann_window(self.frame)  # (T, frame)
        power = torch.fft.rfft(cut, n=self.size).abs().square()
        energy = power @ self.filters
        lowest = max(float(energy.max()) * DEPTH, torch.finfo(torch.float32).tiny)
        return torch.log(energy.clamp(min=lowest))


def normalise(features: Tensor) -> Tensor:
    """Each band with mean 0 and standard deviation 1 over the recording, (T, I).

    So loudness, and what a microphone does to each band, play no part.
    """
    centred = features - features.mean(dim=0)
    return centred / centred.square().mean(dim=0).sqrt().clamp(min=FLAT)

"""Recordings put one after the other, as if they had been spoken in one go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from throughtime.data.sound import Samples

LOUDNESS = 0.05  # root mean square every recording is brought to, of full scale 1
QUIET = 0.01  # noise between them, as a share of it: 40 dB below


def join_recordings(
    pieces: Sequence[Samples],
    rate: int,
    rng: np.random.Generator,
    *,
    silence: tuple[float, float] = (0.0, 0.25),
) -> Samples:
    """Join recordings with silences of random length between them and at both ends.

    Each is brought to the same loudness. A silence holds faint white noise, as a quiet room does, and not
    zeros, by which a network could tell it.

    Args:
        pieces: Samples of each, (N,), at the same rate; not silent.
        rate: Samples a second.
        rng: Draws the silences.
        silence: Shortest and longest, in seconds.

    Returns:
        The samples, within full scale ± 1.

    Raises:
        ValueError: there are no pieces, or one of them is silent.
    """
    if not len(pieces):
        raise ValueError("join_recordings: there are no pieces to join")
    joined = [_quiet(rate, rng, silence)]
    for number, piece in enumerate(pieces):
        loudness = float(np.sqrt(np.mean(np.square(piece, dtype=np.float64))))
        if not loudness > 0:
            raise ValueError(f"join_recordings: piece {number + 1} of {len(pieces)} is silent")
        joined += [piece * np.float32(LOUDNESS / loudness), _quiet(rate, rng, silence)]
    return np.clip(np.concatenate(joined), -1, 1).astype(np.float32)


def _quiet(rate: int, rng: np.random.Generator, silence: tuple[float, float]) -> Samples:
    samples = round(rate * rng.uniform(*silence))
    return (QUIET * LOUDNESS * rng.standard_normal(samples)).astype(np.float32)

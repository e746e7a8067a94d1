"""Sound files in, one channel of samples out; what is wrong with a file is said with its name and place.

Files are decoded by the package `soundfile` (libsndfile: WAV, FLAC, OGG and others), which the extra
`audio` brings.
"""

from __future__ import annotations

import importlib
import io
import os
import struct
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from throughtime.data.decode import read_file
from throughtime.errors import DataError, MachineError

Samples = npt.NDArray[np.float32]

SILENT = 1e-4  # a recording that never moves by more, of full scale 1, holds no sound: three steps of 16 bits
UNKNOWN_SIZE = 0x7FFFF000  # programs that write a WAV into a pipe put this or more where its size belongs


@dataclass(frozen=True)
class Sound:
    """One channel of sound.

    Attributes:
        samples: (N,), float32, full scale is 1.
        rate: Samples a second.
        name: What messages call it.
        channels: How many the file held; they are averaged.
        recorded_rate: Samples a second in the file.
    """

    samples: Samples
    rate: int
    name: str
    channels: int
    recorded_rate: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate


def read_sound(source: str | os.PathLike[str], rate: int | None = None) -> Sound:
    """Read a sound file.

    Args:
        source: Its path.
        rate: Samples a second to bring it to; None keeps its own.

    Raises:
        DataError: the file is missing, empty, not audio, cut off, silent, not finite, or was recorded at
            fewer than `rate` samples a second.
        MachineError: the package `soundfile` is missing.
    """
    path = Path(source)
    content = read_file(path)
    samples, own_rate = _decode(content, path.name)
    return from_samples(samples, own_rate, path.name, rate)


def from_samples(samples: Any, own_rate: int, name: str, rate: int | None = None) -> Sound:
    """Sound from an array.

    Args:
        samples: (N,) or (N, channels): floats with full scale 1, or signed integers with that of their type.
        own_rate: Samples a second.
        name: What messages call it.
        rate: As in `read_sound`.

    Raises:
        DataError: as `read_sound`.
        ValueError: the shape is another, or `own_rate` is no rate.
    """
    values = np.asarray(samples)
    if values.ndim not in (1, 2) or own_rate < 1:
        raise ValueError(
            f"{name}: samples must be (N,) or (N, channels) at 1 Hz or more; "
            f"got shape {values.shape} at {own_rate} Hz"
        )
    if np.issubdtype(values.dtype, np.signedinteger):
        values = values / -float(np.iinfo(values.dtype).min)
    elif not np.issubdtype(values.dtype, np.floating):
        raise ValueError(f"{name}: samples must be floats or signed integers, got {values.dtype}")
    channels = 1 if values.ndim == 1 else values.shape[1]
    mixed = values if values.ndim == 1 else values.mean(axis=1)
    _check(mixed, own_rate, channels, name)
    if rate is not None and rate != own_rate:
        mixed = resample(mixed, own_rate, rate, name)
    return Sound(mixed.astype(np.float32), rate or own_rate, name, channels, own_rate)


def resample(samples: npt.NDArray[Any], own_rate: int, rate: int, name: str) -> npt.NDArray[Any]:
    """Bring samples to a lower rate with a polyphase filter that takes away what it cannot hold.

    Raises:
        DataError: `rate` is above `own_rate`.
    """
    if own_rate < rate:
        raise DataError(
            f"{name}: was recorded at {own_rate:,} Hz, and {rate:,} Hz are needed: what lies above "
            f"{own_rate // 2:,} Hz was never recorded. Record it at {rate:,} Hz or more, or fit a model with "
            f"--rate {own_rate}."
        )
    from scipy.signal import resample_poly

    common = gcd(own_rate, rate)
    found: npt.NDArray[Any] = resample_poly(samples, rate // common, own_rate // common)
    return found


def sound_files() -> Any:
    """The package `soundfile`. Raises `MachineError` where it is missing."""
    try:
        return importlib.import_module("soundfile")
    except (ImportError, OSError) as error:  # OSError: installed, but without the library it wraps
        raise MachineError(
            f"sound files are read by the package soundfile, which cannot be used here ({error}); "
            'install it with: pip install "throughtime[audio]"'
        ) from error


def _decode(content: bytes, name: str) -> tuple[Samples, int]:
    """Samples (N, channels) and their rate."""
    package = sound_files()
    _check_whole(content, name)
    try:
        with package.SoundFile(io.BytesIO(content)) as file:
            promised, rate = int(file.frames), int(file.samplerate)
            samples: Samples = file.read(dtype="float32", always_2d=True)
    except package.LibsndfileError as error:
        kind = _kind(content)
        what = (
            f"begins as {kind}, but is damaged or cut off" if kind else "is no sound file (WAV, FLAC or OGG)"
        )
        raise DataError(f"{name}: {what} ({error.error_string}); copy or convert it again.") from error
    if len(samples) < promised:
        raise DataError(_cut_off(name, promised / rate, len(samples) / rate))
    return samples, rate


def _kind(content: bytes) -> str | None:
    return {b"RIFF": "WAV", b"RF64": "WAV", b"fLaC": "FLAC", b"OggS": "OGG"}.get(content[:4])


def _check_whole(content: bytes, name: str) -> None:
    """Refuse what libsndfile would take for a shorter recording: a WAV or OGG file that was cut off."""
    if content[:4] == b"RIFF":
        place, promised, bytes_a_second = _wav_data(content)
        have = len(content) - place
        if 0 < promised < UNKNOWN_SIZE and have < promised and bytes_a_second:
            raise DataError(_cut_off(name, promised / bytes_a_second, have / bytes_a_second))
    if content[:4] == b"OggS" and not _ogg_ends(content):
        raise DataError(f"{name}: the OGG file was cut off: its last page is missing; copy it again.")


def _ogg_ends(content: bytes) -> bool:
    """Whether the last page is whole and marked as the last one (bit 4 of its flags)."""
    page = content[content.rfind(b"OggS") :]
    if len(page) < 27 or not page[5] & 4:
        return False
    segments = page[27 : 27 + page[26]]
    return len(page) >= 27 + len(segments) + sum(segments)


def _wav_data(content: bytes) -> tuple[int, int, int]:
    """Where the samples of a WAV begin, how many bytes of them are promised, and bytes a second."""
    place, bytes_a_second = 12, 0
    while place + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, place)
        if name == b"data":
            return place + 8, size, bytes_a_second
        if name == b"fmt " and place + 20 <= len(content):
            bytes_a_second = struct.unpack_from("<I", content, place + 16)[0]
        place += 8 + size + size % 2
    return len(content), 0, bytes_a_second


def _cut_off(name: str, promised: float, found: float) -> str:
    return (
        f"{name}: the file was cut off: it promises {promised:.2f} s of sound and holds {found:.2f} s; "
        "copy it again."
    )


def _check(mixed: npt.NDArray[Any], rate: int, channels: int, name: str) -> None:
    if not len(mixed):
        raise DataError(f"{name}: holds no sound (0 samples).")
    bad = np.flatnonzero(~np.isfinite(mixed))
    if len(bad):
        raise DataError(f"{name}: the sample at {bad[0] / rate:.3f} s is not finite; {len(bad):,} in all.")
    if np.ptp(mixed) < SILENT:
        cancelled = " once its channels are averaged" if channels > 1 else ""
        raise DataError(f"{name}: is silent{cancelled}: all {len(mixed) / rate:.2f} s of it are the same.")

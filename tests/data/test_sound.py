"""Sound files: what is read, what is changed, and what is refused with its place."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from throughtime.data.sound import from_samples, read_sound, resample
from throughtime.errors import DataError, MachineError

RATE = 8_000
TONE = 0.3 * np.sin(2 * np.pi * 500 * np.arange(RATE // 2) / RATE)  # half a second


def write(path: Path, samples: np.ndarray = TONE, rate: int = RATE, **options: str) -> Path:
    soundfile.write(path, samples, rate, **options)
    return path


@pytest.mark.parametrize(
    ("name", "subtype", "apart"),
    [
        ("a.wav", "PCM_16", 1e-4),
        ("a.flac", "PCM_16", 1e-4),
        ("a.wav", "FLOAT", 1e-7),
        ("a.ogg", "VORBIS", 0.1),
    ],
)
def test_every_kind_of_file_is_read(name: str, subtype: str, apart: float, tmp_path: Path) -> None:
    sound = read_sound(write(tmp_path / name, subtype=subtype))
    assert (sound.rate, sound.channels, sound.recorded_rate, sound.name) == (RATE, 1, RATE, name)
    assert sound.samples.dtype == np.float32
    assert sound.seconds == 0.5
    assert np.abs(sound.samples - TONE).max() < apart


def test_channels_are_averaged(tmp_path: Path) -> None:
    two = np.stack([TONE, 0.5 * TONE], axis=1)
    sound = read_sound(write(tmp_path / "two.wav", two))
    assert sound.channels == 2
    assert sound.samples == pytest.approx(0.75 * TONE, abs=1e-4)
    with pytest.raises(DataError, match=r"opposed\.wav: is silent once its channels are averaged"):
        read_sound(write(tmp_path / "opposed.wav", np.stack([TONE, -TONE], axis=1)))


def test_a_higher_rate_is_brought_down_without_folding() -> None:
    times = np.arange(44_100) / 44_100
    low, high = np.sin(2 * np.pi * 500 * times), np.sin(2 * np.pi * 6_000 * times)
    sound = from_samples(0.3 * (low + high), 44_100, "x", RATE)
    assert (sound.rate, sound.recorded_rate, len(sound.samples)) == (RATE, 44_100, RATE)
    inside = slice(200, -200)
    expected = 0.3 * np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE)
    assert np.abs(sound.samples[inside] - expected[inside]).max() < 2e-3, "6 kHz must not fold to 2 kHz"
    with pytest.raises(
        DataError, match=r"x: was recorded at 8,000 Hz, and 16,000 Hz are needed.*--rate 8000"
    ):
        resample(TONE, RATE, 16_000, "x")


def test_whole_numbers_are_scaled_by_their_type() -> None:
    assert from_samples(np.array([0, 16_384, -32_768], dtype=np.int16), 10, "x").samples.tolist() == [
        0,
        0.5,
        -1,
    ]
    for wrong in (np.zeros(4, dtype=np.uint8), np.zeros((2, 2, 2)), np.zeros(3, dtype=complex)):
        with pytest.raises(ValueError, match="x: samples must be"):
            from_samples(wrong, 10, "x")
    with pytest.raises(ValueError, match="at 1 Hz or more"):
        from_samples(TONE, 0, "x")


def encoded(kind: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.tile(TONE, 8), RATE, format=kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_file_that_was_cut_off(kind: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / f"cut.{kind.lower()}"
    content = encoded(kind)
    path.write_bytes(content)
    assert read_sound(path).seconds == 4
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=rf"cut\.{kind.lower()}.*cut off"):
        read_sound(path)


def test_a_wav_that_was_cut_off_says_by_how_much(tmp_path: Path) -> None:
    content = encoded("WAV")
    (tmp_path / "cut.wav").write_bytes(content[: 44 + RATE * 2])
    with pytest.raises(DataError, match=r"it promises 4\.00 s of sound and holds 1\.00 s; copy it again"):
        read_sound(tmp_path / "cut.wav")


def test_a_wav_from_a_pipe_does_not_know_its_size(tmp_path: Path) -> None:
    content = bytearray(encoded("WAV"))
    at = content.index(b"data")
    content[at + 4 : at + 8] = struct.pack("<I", 0xFFFFFFFF)
    (tmp_path / "piped.wav").write_bytes(content)
    assert read_sound(tmp_path / "piped.wav").seconds == 4


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "x.wav: the file is empty (0 bytes)"),
        (b"hello " * 50, "x.wav: is no sound file (WAV, FLAC or OGG)"),
        (b"RIFF", "x.wav: begins as WAV, but is damaged or cut off"),
        (b"fLaC" + bytes(30), "x.wav: begins as FLAC, but is damaged"),
    ],
    ids=["empty", "text", "four letters", "damaged"],
)
def test_what_is_no_sound(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(DataError) as error:
        read_sound(tmp_path / "x.wav")
    assert words in str(error.value)


def test_sound_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_sound(tmp_path / "nowhere.wav")
    with pytest.raises(DataError, match=r"none\.wav: holds no sound \(0 samples\)"):
        read_sound(write(tmp_path / "none.wav", np.zeros(0)))
    for level in (0.0, 0.25, 5e-5):
        quiet = np.full(RATE, level) if level == 0.25 else level * np.sin(np.arange(RATE)) / 2
        with pytest.raises(DataError, match=r"quiet\.wav: is silent: all 1\.00 s"):
            read_sound(write(tmp_path / "quiet.wav", quiet, subtype="FLOAT"))
    bad = TONE.copy()
    bad[[800, 900]] = np.nan
    with pytest.raises(DataError, match=r"bad\.wav: the sample at 0\.100 s is not finite; 2 in all"):
        read_sound(write(tmp_path / "bad.wav", bad, subtype="FLOAT"))


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.wav")
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MachineError, match=r"throughtime\[audio\]"):
        read_sound(path)

"""Small recordings for the tests of transcribers: each word is two tones, one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

RATE = 4_000
WORDS = {"la": (400.0, 900.0), "so": (900.0, 1_600.0), "mi": (1_600.0, 400.0)}
SMALL: dict[str, Any] = {
    "hidden": 8,
    "layers": 1,
    "bands": 12,
    "epochs": 2,
    "batch_size": 16,
    "unit": "word",
    "stack": 2,
}


def small_sound(text: str, rng: np.random.Generator, rate: int = RATE) -> np.ndarray:
    """Tones of 80 to 120 ms and pauses of 30 to 80 ms in faint noise, at any loudness."""
    pieces = [np.zeros(int(rate * rng.uniform(0.03, 0.08)))]
    for word in text.split():
        for frequency in WORDS[word]:
            times = np.arange(int(rate * rng.uniform(0.08, 0.12))) / rate
            pieces.append(np.sin(2 * np.pi * frequency * times))
        pieces.append(np.zeros(int(rate * rng.uniform(0.03, 0.08))))
    sound = np.concatenate(pieces)
    return rng.uniform(0.05, 0.9) * (sound + 0.01 * rng.standard_normal(len(sound))) / 1.1


def small_speech(count: int = 60, seed: int = 0) -> tuple[list[tuple[np.ndarray, int]], list[str]]:
    """Recordings of one to four words, and what is said in them."""
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(list(WORDS), rng.integers(1, 5))) for _ in range(count)]
    return [(small_sound(text, rng), RATE) for text in texts], texts


def write_speech(folder: Path, count: int = 60, seed: int = 0) -> Path:
    """As WAV and FLAC files with transcripts.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["file,text"]
    for number, ((samples, rate), text) in enumerate(zip(*small_speech(count, seed), strict=True)):
        name = f"{number:03}.{'flac' if number % 3 == 0 else 'wav'}"
        soundfile.write(folder / name, samples, rate)
        rows.append(f"{name},{text}")
    (folder / "transcripts.csv").write_text("\n".join(rows) + "\n")
    return folder

"""Sequences of spoken digits, joined from the Free Spoken Digit Dataset: folders for `fit transcribe`.

    python benchmarks/fsdd_sequences.py fsdd_all_flac.zip digits
    throughtime fit transcribe digits/train --validation digits/validation --test digits/test

Recordings are named {digit}_{speaker}_{index}. Index 0 to 4 is the data set's own test part; of the rest, 5
to 9 make the validation part here. A sequence holds 3 to 7 digits of one speaker (--digits 1 1 writes each
recording alone), and recordings of two parts never meet. What is written depends on the seed alone.
"""

from __future__ import annotations

import argparse
import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import soundfile

from throughtime.data import join_recordings

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PARTS = {"train": range(10, 50), "validation": range(5, 10), "test": range(5)}
RATE = 8_000

Recordings = dict[tuple[str, str], dict[int, np.ndarray]]


def read_zip(path: Path) -> Recordings:
    """Samples by (speaker, digit) and index."""
    found: Recordings = {}
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            digit, speaker, index = Path(name).stem.split("_")
            samples, rate = soundfile.read(io.BytesIO(archive.read(name)), dtype="float32")
            if rate != RATE:
                raise SystemExit(f"{path}: {name} has {rate} Hz, expected {RATE}")
            found.setdefault((speaker, digit), {})[int(index)] = samples
    return found


def draw(
    recordings: Recordings, indices: range, digits: tuple[int, int], rng: np.random.Generator
) -> tuple[np.ndarray, str, str]:
    """One sequence: samples, transcript, speaker."""
    speakers = sorted({speaker for speaker, _ in recordings})
    speaker = str(rng.choice(speakers))
    said = rng.integers(0, 10, rng.integers(digits[0], digits[1] + 1))
    pieces = [recordings[speaker, str(digit)][int(rng.choice(indices))] for digit in said]
    return join_recordings(pieces, RATE, rng), " ".join(NAMES[digit] for digit in said), speaker


def each_alone(recordings: Recordings, indices: range) -> list[tuple[np.ndarray, str, str]]:
    """Every recording of a part once, as it is."""
    return [
        (recordings[speaker, digit][index], NAMES[int(digit)], speaker)
        for speaker, digit in sorted(recordings)
        for index in indices
    ]


def write_part(folder: Path, sequences: list[tuple[np.ndarray, str, str]]) -> float:
    """WAV files and transcripts.csv; seconds of sound."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "transcripts.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "text", "speaker"])
        for number, (samples, text, speaker) in enumerate(sequences):
            name = f"{number:05}.wav"
            soundfile.write(folder / name, samples, RATE, subtype="PCM_16")
            table.writerow([name, text, speaker])
    return sum(len(samples) for samples, _, _ in sequences) / RATE


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("zip", type=Path, help="fsdd_all_flac.zip: recordings as FLAC or WAV")
    parser.add_argument("out", type=Path, help="folder for train, validation and test")
    parser.add_argument("--train", type=int, default=6_000, help="training sequences")
    parser.add_argument("--validation", type=int, default=300, help="validation sequences")
    parser.add_argument("--test", type=int, default=300, help="test sequences")
    parser.add_argument("--digits", type=int, nargs=2, default=(3, 7), metavar=("FROM", "TO"))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    recordings = read_zip(args.zip)
    for part, indices in PARTS.items():
        rng = np.random.default_rng([args.seed, list(PARTS).index(part)])
        digits, count = tuple(args.digits), getattr(args, part)
        sequences = (
            each_alone(recordings, indices)
            if digits == (1, 1)
            else [draw(recordings, indices, digits, rng) for _ in range(count)]
        )
        seconds = write_part(args.out / part, sequences)
        print(f"{args.out / part}: {len(sequences):,} recordings, {seconds / 60:.1f} min")


if __name__ == "__main__":
    main()

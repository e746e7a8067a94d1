"""Recordings with a transcript each: a folder with a table of transcripts, or arrays in memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from throughtime.data.decode import read_file, to_utf8
from throughtime.data.sound import Sound, from_samples, read_sound, sound_files
from throughtime.data.table import Repair, counted, listed
from throughtime.data.text_columns import read_columns
from throughtime.errors import DataError

AUDIO = (".wav", ".flac", ".ogg")
TABLES = (".csv", ".tsv")
FILE_NAMES = ("file", "path", "audio", "file_name", "filename", "wav", "recording", "audio_path", "id")
TEXT_NAMES = ("text", "transcript", "transcription", "sentence", "normalized_text", "words", "label")
NAMED = 3  # faults that a message names one by one

Given = Any  # a path, or (samples, rate)


@dataclass(frozen=True)
class Speech:
    """Recordings with transcripts, in the order of the table. Sound is read when it is asked for.

    Attributes:
        texts: N transcripts, as they stand there.
        recordings: For each the path of its file, or (samples, rate).
        lines: Line of each in the table, from 1; None where there is no table.
        name: What messages call the source.
        path: The folder or table that was given, or None.
        fingerprint: SHA-256 of the table and of every recording.
        repairs: What a reader must know.
    """

    texts: tuple[str, ...]
    recordings: tuple[Given, ...]
    lines: tuple[int, ...] | None
    name: str
    path: Path | None
    fingerprint: str
    repairs: tuple[Repair, ...] = ()

    def __len__(self) -> int:
        """How many recordings there are."""
        return len(self.texts)

    def place(self, row: int) -> str:
        """Name a recording in messages: "transcripts.csv line 12 (a.wav)", or "recording 5" (from 1)."""
        if self.lines is None:
            return title_of(self.recordings[row], row)
        return f"{self.name} line {self.lines[row]} ({self.recordings[row].name})"

    def sound(self, row: int, rate: int | None = None) -> Sound:
        """The sound of a recording, brought to `rate`. Raises `DataError` as `read_sound`."""
        return open_sound(self.recordings[row], row, rate)

    def rate(self) -> int:
        """Samples a second of most recordings; of those that can be read."""
        rates = [_rate_of(one) for one in self.recordings]
        found = [rate for rate in rates if rate]
        if not found:
            raise DataError(f"{self.name}: none of its {len(self):,} recordings can be read as sound.")
        return max(set(found), key=lambda rate: (found.count(rate), -rate))


def title_of(recording: Given, row: int) -> str:
    """What messages call one recording: its file's name, or its number from 1."""
    return f"recording {row + 1}" if isinstance(recording, tuple) else Path(recording).name


def open_sound(recording: Given, row: int = 0, rate: int | None = None) -> Sound:
    """The sound of a path or of (samples, rate).

    Raises:
        DataError: as `read_sound`.
        TypeError: it is neither.
    """
    if isinstance(recording, str | os.PathLike):
        return read_sound(recording, rate)
    if isinstance(recording, tuple) and len(recording) == 2:
        return from_samples(recording[0], int(recording[1]), title_of(recording, row), rate)
    raise TypeError(
        f"recording {row + 1} is a {type(recording).__name__}; give the path of a sound file, or the tuple "
        "(samples, samples a second)"
    )


def read_speech(
    source: str | os.PathLike[str], *, file: str | None = None, text: str | None = None
) -> Speech:
    """Read a table of transcripts.

    Args:
        source: A CSV or TSV file with a header, or a folder that holds exactly one.
        file: Column of the file names, relative to the table; found out if None. A name without an ending
            is looked for as WAV, FLAC and OGG.
        text: Column of the transcripts; found out if None.

    Raises:
        DataError: the table or a file it names is missing, or a column is not there.
    """
    path = Path(source)
    table = _find_table(path) if path.is_dir() else path
    if table.suffix.lower() in AUDIO:
        raise DataError(
            f"{table}: is a sound file; to learn, give a folder of them with a table of transcripts in it."
        )
    content = read_file(table)
    rows, lines, columns = read_columns(to_utf8(content, table.name)[0], table.name)
    file = _column(columns, file, FILE_NAMES, table.name, "file")
    text = _column(columns, text, TEXT_NAMES, table.name, "text")
    places = [_place(table.parent, str(row[file] or "").strip()) for row in rows]
    _check_there(places, lines, [str(row[file] or "") for row in rows], table)
    _check_once(places, lines, table.name)
    texts = tuple("" if row[text] is None else str(row[text]).strip() for row in rows)
    found = tuple(place for place in places if place is not None)
    digest = hashlib.sha256(content)
    for place in found:
        digest.update(hashlib.sha256(place.read_bytes()).digest())
    repairs = _without_row(table.parent, found) if path.is_dir() else ()
    return Speech(texts, found, tuple(lines), table.name, path, digest.hexdigest(), repairs)


def from_recordings(recordings: Sequence[Given], texts: Sequence[str]) -> Speech:
    """Recordings and transcripts in memory.

    Args:
        recordings: For each a path, or (samples, samples a second).
        texts: Its transcript.

    Raises:
        ValueError: there are not as many of both.
        TypeError: a transcript is no text.
    """
    if len(recordings) != len(texts):
        raise ValueError(f"{len(recordings)} recordings and {len(texts)} transcripts; give one for each")
    for number, one in enumerate(texts):
        if not isinstance(one, str):
            raise TypeError(f"transcripts must be text; number {number + 1} is a {type(one).__name__}")
    if not len(texts):
        raise DataError("the recordings: there are none.")
    digest = hashlib.sha256()
    for one, text in zip(recordings, texts, strict=True):
        digest.update(_bytes_of(one) + text.encode())
    kept = tuple(one if isinstance(one, tuple) else Path(one) for one in recordings)
    return Speech(tuple(one.strip() for one in texts), kept, None, "the recordings", None, digest.hexdigest())


def _bytes_of(recording: Given) -> bytes:
    if not isinstance(recording, tuple):
        return hashlib.sha256(read_file(Path(recording))).digest()
    samples = np.ascontiguousarray(recording[0])
    return hashlib.sha256(
        f"{samples.dtype} {samples.shape} {recording[1]}".encode() + samples.tobytes()
    ).digest()


def _rate_of(recording: Given) -> int | None:
    if isinstance(recording, tuple):
        return int(recording[1])
    package = sound_files()
    try:
        return int(package.info(str(recording)).samplerate)
    except (package.LibsndfileError, OSError):
        return None  # said with its reason when the sound itself is read


def _find_table(folder: Path) -> Path:
    tables = sorted(one for one in folder.iterdir() if one.suffix.lower() in TABLES)
    if len(tables) == 1:
        return tables[0]
    if tables:
        names = listed([one.name for one in tables])
        raise DataError(f"{folder}: holds {len(tables)} tables ({names}); name the one with the transcripts.")
    raise DataError(
        f"{folder}: holds no table of transcripts. Put a CSV or TSV file there, such as transcripts.csv: its "
        'first line is "file,text", and each other line a file name and what is said in it.'
    )


def _column(columns: list[str], wanted: str | None, names: tuple[str, ...], table: str, option: str) -> str:
    by_name = {column.strip().lower(): column for column in columns}
    if wanted is not None:
        if wanted not in columns:
            raise DataError(f"{table}: no column {wanted!r} (--{option}); the columns are {listed(columns)}.")
        return wanted
    found = next((by_name[name] for name in names if name in by_name), None)
    if found is None:
        raise DataError(
            f"{table}: it cannot be told which column holds the {option}s; name it with --{option}. "
            f"The columns are {listed(columns)}."
        )
    return found


def _place(folder: Path, name: str) -> Path | None:
    """The file of a row, or None if it is not there."""
    if not name:
        return None
    place = folder / name
    choices = [place, *(place.with_name(place.name + ending) for ending in AUDIO)]
    return next((one for one in choices if one.is_file()), None)


def _check_there(
    places: Sequence[Path | None], lines: Sequence[int], names: Sequence[str], table: Path
) -> None:
    missing = [row for row, place in enumerate(places) if place is None]
    if missing:
        told = ", ".join(f"{names[row]!r} (line {lines[row]})" for row in missing[:NAMED])
        more = f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else ""
        raise DataError(
            f"{table.name}: {counted(len(missing), 'file')} of {len(places):,} not found in {table.parent}: "
            f"{told}{more}. File names are relative to the table."
        )


def _check_once(places: Sequence[Path | None], lines: Sequence[int], name: str) -> None:
    first: dict[Path | None, int] = {}
    for place, line in zip(places, lines, strict=True):
        if place in first:
            raise DataError(
                f"{name} line {line}: {place.name if place else ''} stands in line {first[place]} already; "
                "take one of them out."
            )
        first[place] = line


def _without_row(folder: Path, found: Sequence[Path]) -> tuple[Repair, ...]:
    """Sound files of the folder that no row names."""
    named = set(found)
    spare = sorted(one for one in folder.rglob("*") if one.suffix.lower() in AUDIO and one not in named)
    if not spare:
        return ()
    said = f"{counted(len(spare), 'sound file')} without a transcript left out, the first is {spare[0].name}."
    return (Repair(kind="no transcript", count=len(spare), text=said),)

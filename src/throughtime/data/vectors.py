"""Pretrained word vectors in the text formats of word2vec and GloVe, read line by line."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from throughtime.data.decode import GZIP
from throughtime.errors import DataError


@dataclass(frozen=True)
class WordVectors:
    """Words with a vector each.

    Attributes:
        words: N of them, as written in the file.
        vectors: (N, E), float32.
        lines: How many words the file holds in all.
    """

    words: tuple[str, ...]
    vectors: npt.NDArray[np.float32]
    lines: int

    @property
    def size(self) -> int:
        """E, numbers in a vector."""
        return int(self.vectors.shape[1])


def read_vectors(path: str | Path, wanted: Collection[str], *, first: int = 0) -> WordVectors:
    """Read the vectors of some words; the others are passed over, and never held in memory.

    A line is a word and its numbers, parted by blanks; a word may hold blanks (as some of GloVe do). The
    first line may be "number-of-words size" (word2vec). Gzip is found out. Of a word that occurs twice the
    first vector counts.

    Args:
        path: The file.
        wanted: Words to keep; also those that are so in lower case.
        first: Keep this many words from the beginning of the file too; files begin with the most frequent.

    Raises:
        DataError: the file is missing or no such text, a line has another number of numbers or something
            else in their place, or none of `wanted` is in it; says the line.
    """
    path = Path(path)
    wanted = set(wanted)
    kept: dict[str, npt.NDArray[np.float32]] = {}
    size = lines = hits = 0
    for number, line in _lines(path):
        cells = line.rstrip("\r\n ").split(" ")
        if number == 1 and len(cells) == 2 and all(cell.isdecimal() for cell in cells):
            size = int(cells[1])
            continue
        if not size:
            size = _size_of(cells, f"{path.name} line {number}")
        lines += 1
        if len(cells) <= size:
            raise DataError(
                f"{path.name} line {number}: {len(cells) - 1:,} numbers after the word {cells[0]!r}, "
                f"expected {size:,} as in the lines before; the file may have been cut off there."
            )
        word = " ".join(cells[:-size])
        hit = word in wanted or word.lower() in wanted
        hits += hit
        if (hit or lines <= first) and word not in kept:
            kept[word] = _numbers(cells[-size:], f"{path.name} line {number}", size)
    if not hits:
        raise DataError(
            f"{path.name}: none of its {lines:,} words occurs in the data; are they vectors of the same "
            "language?"
        )
    return WordVectors(tuple(kept), np.stack(list(kept.values())), lines)


def _size_of(cells: list[str], place: str) -> int:
    """How many numbers stand at the end of the first line."""
    size = len(cells) - 1
    if size < 1:
        raise DataError(
            f"{place}: {cells[0][:40]!r} has no numbers behind it; expected a word and its vector, as in the "
            "text formats of word2vec and GloVe."
        )
    return size


def _numbers(cells: list[str], place: str, size: int) -> npt.NDArray[np.float32]:
    try:
        vector = np.array(cells, dtype=np.float32)
    except ValueError as error:
        wrong = next(cell for cell in cells if not _is_number(cell))
        raise DataError(f"{place}: {wrong[:40]!r} where one of {size:,} numbers is expected.") from error
    if not np.isfinite(vector).all():
        raise DataError(f"{place}: a number of the vector is not finite.")
    return vector


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Each line with its number, from 1, unpacked as it is read."""
    number = 0
    try:
        with path.open("rb") as file:
            packed = file.read(2) == GZIP
        with gzip.open(path, "rb") if packed else path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                yield number, line.decode("utf-8")
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file of word vectors.") from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path.name} line {number}: not UTF-8 text; the binary format of word2vec is not read, save the "
            "vectors in its text format."
        ) from error
    except (EOFError, zlib.error) as error:
        raise DataError(f"{path.name}: a damaged gzip file, after line {number:,} ({error}).") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}.") from error
    if not number:
        raise DataError(f"{path.name}: the file is empty (0 bytes).")

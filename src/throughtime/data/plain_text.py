"""A text as it stands: a book, a collection of plays, a log; nothing in it is changed but line ends."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from throughtime.data.decode import read_utf8
from throughtime.errors import DataError


@dataclass(frozen=True)
class PlainText:
    r"""A text.

    Attributes:
        text: With "\\n" as line end.
        name: What messages call it.
        path: Where it was read from, or None.
        fingerprint: SHA-256 of the file's bytes, or of the text as UTF-8.
    """

    text: str
    name: str
    path: Path | None
    fingerprint: str

    def __len__(self) -> int:
        """How many characters there are."""
        return len(self.text)


def read_plain_text(source: str | os.PathLike[str]) -> PlainText:
    """Read a text file, or take a text as it is.

    Args:
        source: Path of a file, gzip or not, in UTF-8 or UTF-16; or the text itself, if it has several lines.

    Raises:
        DataError: the file is missing, unreadable, empty or no text; says at which byte.
        TypeError: `source` is neither a path nor text.
    """
    if isinstance(source, str) and "\n" in source:
        return text_in_memory(source)
    if not isinstance(source, str | os.PathLike):
        raise TypeError(
            f"read_plain_text: source is a {type(source).__name__}; give a path, or a text of several lines"
        )
    path = Path(source)
    data, fingerprint = read_utf8(path, "text")
    text = data.decode("utf-8")
    if not text:
        raise DataError(f"{path.name}: holds no character.")
    return PlainText(text, path.name, path, fingerprint)


def as_utf8(text: str) -> bytes:
    """A text as bytes. Raises `DataError` where it cannot be written as UTF-8."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(
            f"the text: character {error.start} (U+{ord(text[error.start]):04X}) is half of a surrogate "
            "pair; decode the text anew, as UTF-16 or UTF-8."
        ) from error


def text_in_memory(text: str) -> PlainText:
    """A text that is in no file. Raises `DataError` if it is empty or cannot be written as UTF-8."""
    if not text:
        raise DataError("the text: holds no character.")
    content = as_utf8(text)
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return PlainText(plain, "the text", None, hashlib.sha256(content).hexdigest())

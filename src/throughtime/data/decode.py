"""From a file to text: gzip and encoding are found out from the content, never from the name."""

from __future__ import annotations

import codecs
import hashlib
import zlib
from pathlib import Path

from throughtime.errors import DataError

GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"


def read_file(path: Path, what: str = "table") -> bytes:
    """Read a file's bytes; `what` it should hold stands in the messages.

    Raises:
        DataError: it is missing, a folder, unreadable or empty.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file.") from error
    except IsADirectoryError as error:
        raise DataError(f"{path}: is a folder; name the file in it that holds the {what}.") from error
    except PermissionError as error:
        raise DataError(f"{path}: no permission to read it; ask its owner or copy it.") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {error}.") from error
    if not content:
        raise DataError(f"{path.name}: the file is empty (0 bytes).")
    return content


def read_utf8(path: Path, what: str = "table") -> tuple[bytes, str]:
    r"""A text file's content as UTF-8 with "\\n" line ends, and the SHA-256 of its bytes as they are.

    Args:
        path: The file.
        what: What it should hold, for messages.

    Raises:
        DataError: as `read_file`, `gunzip` and `to_utf8`.
    """
    content = read_file(path, what)
    fingerprint = hashlib.sha256(content).hexdigest()
    if content.startswith(GZIP):
        content = gunzip(content, path.name)
    return to_utf8(content, path.name, what)[0], fingerprint


def gunzip(content: bytes, name: str) -> bytes:
    """Unpack gzip, of one or several members.

    Raises:
        DataError: the data ends early or does not match its checksum.
    """
    parts, rest = [], content
    while rest.startswith(GZIP):
        stream = zlib.decompressobj(wbits=31)
        try:
            parts.append(stream.decompress(rest) + stream.flush())
        except zlib.error as error:
            raise DataError(
                f"{name} is a damaged gzip file ({error}); fetch or compress it once more."
            ) from error
        if not stream.eof:
            raise DataError(
                f"{name} is a damaged gzip file: it ends after {len(content):,} bytes, before its data does; "
                "fetch or copy it once more."
            )
        rest = stream.unused_data
    return b"".join(parts)


def to_utf8(content: bytes, name: str, what: str = "table") -> tuple[bytes, str]:
    r"""Bring text to UTF-8 with "\\n" line ends and without a byte order mark.

    Args:
        content: Of a file.
        name: What messages call it.
        what: What it should hold, for messages.

    Returns:
        The bytes, and the encoding in words.

    Raises:
        DataError: it is not text, or not in UTF-8 or UTF-16.
    """
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        text, encoding = _decode(content, "utf-32", name), "UTF-32"
    elif content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text, encoding = _decode(content, "utf-16", name), "UTF-16"
    elif content.startswith(codecs.BOM_UTF8):
        text, encoding = _decode(content, "utf-8-sig", name), "UTF-8 with BOM"
    elif b"\0" in content[:4096]:
        half = _utf16_without_mark(content)
        if half is None:
            known = "text or Parquet" if what == "table" else "text"
            raise DataError(f"{name} is not a {what}: it holds binary data, not {known}.")
        text, encoding = _decode(content, half, name), "UTF-16"
    else:
        text, encoding = _decode(content, "utf-8", name), "UTF-8"
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{name} line {line}: holds a NUL byte; the file is damaged or not a {what}.")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.encode("utf-8"), encoding


def _decode(content: bytes, encoding: str, name: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name} line {line}: byte {error.start} (0x{content[error.start]:02x}) is not valid "
            f"{error.encoding.upper()}; save the file as UTF-8 (for Latin-1: iconv -f latin1 -t utf-8)."
        ) from error


def _utf16_without_mark(content: bytes) -> str | None:
    """UTF-16 of mostly Latin text has a zero in every other byte, on one side only."""
    sample = content[:4096]
    even, odd = sample[0::2].count(0) / len(sample), sample[1::2].count(0) / len(sample)
    if odd > 0.35 and even < 0.05:
        return "utf-16-le"
    if even > 0.35 and odd < 0.05:
        return "utf-16-be"
    return None

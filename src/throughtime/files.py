"""Writing files so that a crash, a full disk or a killed process never leaves half of one.

Every file is written beside its destination under a temporary name, flushed to the disk, and moved
into place. Whatever stood there before stays until that move.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from throughtime.errors import OutputError


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`; move it to `path` when the block ends well.

    Args:
        path: Destination. Its folder is made if need be.

    Yields:
        The temporary path to write to. Removed if the block raises.

    Raises:
        OutputError: the folder cannot be made or written, or the disk is full. What stood at `path`
            before is untouched.
    """
    destination = Path(path)
    temporary = destination.with_name(f".{destination.name}.{secrets.token_hex(4)}.tmp")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(destination)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(
            f"{destination}: could not be written: {error.strerror or error}. "
            "Free some space or choose another folder; what was there before is untouched."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path` atomically. Raises `OutputError` as `replacing` does."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` to `path` as UTF-8, atomically. Raises `OutputError` as `replacing` does."""
    write_bytes(path, text.encode("utf-8"))


def write_with(path: str | os.PathLike[str], writer: Callable[[Path], object]) -> None:
    """Let `writer` write to a temporary path that then becomes `path`. Raises `OutputError`."""
    with replacing(path) as temporary:
        writer(temporary)


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from throughtime.data import read_plain_text
from throughtime.errors import DataError

PLAY = "First:\nGood morrow.\n\nSecond:\nAye – so it is.\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAY.encode(),
        gzip.compress(PLAY.encode()),
        PLAY.encode("utf-8-sig"),
        PLAY.encode("utf-16"),
        PLAY.replace("\n", "\r\n").encode(),
    ],
    ids=["plain", "gzip", "byte order mark", "utf-16", "windows line ends"],
)
def test_a_file_is_read_as_it_stands(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "play.txt"
    file.write_bytes(content)
    for source in (file, str(file)):
        read = read_plain_text(source)
        assert (read.text, read.name, read.path) == (PLAY, "play.txt", file)
        assert len(read) == len(PLAY)


def test_a_text_in_memory() -> None:
    read = read_plain_text(PLAY.replace("\n", "\r\n"))
    assert (read.text, read.name, read.path) == (PLAY, "the text", None)
    assert read_plain_text(PLAY).fingerprint != read.fingerprint


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "play.txt: the file is empty"),
        (b"\xef\xbb\xbf", "play.txt: holds no character"),
        (b"one\ntw\xf6\n", r"play.txt line 2: byte 6 \(0xf6\) is not valid UTF-8"),
        (bytes(range(256)) * 4, "play.txt is not a text: it holds binary data, not text"),
        (
            b"one\n" * 2_000 + b"t\0o\n",
            "play.txt line 2001: holds a NUL byte; the file is damaged or not a text",
        ),
        (gzip.compress(PLAY.encode())[:-9], "play.txt is a damaged gzip file"),
    ],
    ids=["empty", "only a mark", "latin-1", "binary", "NUL", "cut gzip"],
)
def test_bad_files(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "play.txt").write_bytes(content)
    with pytest.raises(DataError, match=says):
        read_plain_text(tmp_path / "play.txt")


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_plain_text(tmp_path / "nowhere.txt")
    with pytest.raises(DataError, match="is a folder; name the file in it that holds the text"):
        read_plain_text(tmp_path)
    with pytest.raises(TypeError, match="source is a list"):
        read_plain_text(["one", "two"])  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"character 2 \(U\+D800\) is half of a surrogate pair"):
        read_plain_text("a\n\ud800")

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from throughtime.data import read_vectors
from throughtime.errors import DataError

GLOVE = "the 1 2 3\nParis 4 5 6\n. . . 7 8 9\nof 0 0 1e-1\nThe 9 9 9\nthe 5 5 5\n"


@pytest.mark.parametrize("kind", ["glove", "word2vec", "gzip"])
def test_words_are_kept_as_wanted(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "vectors.txt"
    text = ("6 3\n" if kind == "word2vec" else "") + GLOVE
    path.write_bytes(gzip.compress(text.encode()) if kind == "gzip" else text.encode())
    found = read_vectors(path, {"the", ". . ."})
    assert found.words == ("the", ". . .", "The"), "a word in capitals helps where its own is not there"
    assert np.array_equal(found.vectors, np.float32([[1, 2, 3], [7, 8, 9], [9, 9, 9]]))
    assert (found.lines, found.size) == (6, 3)
    assert read_vectors(path, {"of"}, first=2).words == ("the", "Paris", "of")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", ["empty"]),
        (b"the 1 2 3\nof 1 2\n", ["line 2", "2 numbers", "'of'", "expected 3", "cut off"]),
        (b"5 3\nthe 1 2\n", ["line 2", "2 numbers", "expected 3"]),
        (b"the 1 x 3\n", ["line 1", "'x'", "one of 3 numbers"]),
        (b"the 1 nan 3\n", ["line 1", "not finite"]),
        (b"the\n", ["line 1", "no numbers"]),
        (b"zebra 1 2\n", ["none of its 1 words"]),
        (b"the 1 2\n\xff\xfe 1 2\n", ["line 2", "UTF-8", "binary format of word2vec"]),
        (gzip.compress(GLOVE.encode())[:-9], ["damaged gzip"]),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: bytes, words: list[str]) -> None:
    path = tmp_path / "vectors.txt"
    path.write_bytes(text)
    with pytest.raises(DataError) as caught:
        read_vectors(path, {"the"})
    assert all(word in str(caught.value) for word in ["vectors.txt", *words]), str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file of word vectors"):
        read_vectors(tmp_path / "none.txt", {"the"})
    with pytest.raises(DataError, match="cannot be read"):
        read_vectors(tmp_path, {"the"})

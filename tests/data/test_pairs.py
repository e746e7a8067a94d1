"""Pairs of sentences from files and tables, and what is said of files that do not fit."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from throughtime.data import pairs_from_lists, read_pairs
from throughtime.errors import DataError


def test_two_files_line_by_line(write: Callable[..., Path]) -> None:
    german = write("Ein Hund. \r\n\r\nZwei\u2028Hunde.\r\n".encode("utf-8-sig"), "a.de")
    english = write(gzip.compress(b"A dog.\n Nothing.\nTwo\x0cdogs."), "a.en")
    pairs = read_pairs(german, english)
    assert pairs.sources == ("Ein Hund.", "", "Zwei\u2028Hunde.")
    assert pairs.targets == ("A dog.", "Nothing.", "Two\x0cdogs.")
    assert pairs.place(2) == "a.de line 3"
    assert (pairs.path, pairs.partner, len(pairs)) == (german, english, 3)
    other = write(gzip.compress(b"A dog.\nNothing.\nTwo\x0ccats."), "b.en")
    assert read_pairs(german, other).fingerprint != pairs.fingerprint


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ('de\ten\nEin "Hund"\tA dog\n\tNothing\nZwei, drei\t"Two, three"\n', "a.tsv"),
        ('de,en\n"Ein ""Hund""",A dog\n,Nothing\n"Zwei, drei","Two, three"\n', "a.csv"),
        (
            "".join(
                json.dumps({"de": de, "en": en}) + "\n"
                for de, en in (('Ein "Hund"', "A dog"), (None, "Nothing"), ("Zwei, drei", "Two, three"))
            ),
            "a.jsonl",
        ),
    ],
)
def test_tables(content: str, name: str, write: Callable[..., Path]) -> None:
    pairs = read_pairs(write(content, name))
    assert pairs.sources == ('Ein "Hund"', "", "Zwei, drei")
    assert pairs.targets == ("A dog", "Nothing", "Two, three")
    assert pairs.place(2) == f"{name} line {3 if name == 'a.jsonl' else 4}"
    turned = read_pairs(write(content, name), source_column="en")
    assert turned.sources == pairs.targets
    assert turned.targets == pairs.sources
    assert read_pairs(write(content, name), target_column="de").sources == pairs.targets


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        (b"a\nb\nc\n", b"a\nb\n", ["a.de has 3 lines", "a.en 2 lines", "a.de is longer."]),
        (b"a\nb\n", b"a\nb\n\n \n", ["a.en is longer; those it has more are blank"]),
        (b"a\nb\n", b"caf\xe9\n", ["a.en line 1", "0xe9", "UTF-8"]),
        (b"", b"a\n", ["a.de", "empty (0 bytes)"]),
    ],
)
def test_files_that_do_not_fit(
    source: bytes, target: bytes, words: list[str], write: Callable[..., Path]
) -> None:
    with pytest.raises(DataError) as error:
        read_pairs(write(source, "a.de"), write(target, "a.en"))
    for word in words:
        assert word in str(error.value)


def test_a_missing_file_and_one_given_twice(write: Callable[..., Path]) -> None:
    path = write("a\n", "a.de")
    with pytest.raises(DataError, match="there is no such file"):
        read_pairs(path, path.with_name("b.en"))
    with pytest.raises(DataError, match="given twice"):
        read_pairs(path, path)


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("a\tb\tc\nx\ty\tz\n", {}, ["which columns hold the sentences", "--source", "'a', 'b', 'c'"]),
        ("a\tb\nx\ty\n", {"source_column": "q"}, ["no column 'q' (--source)", "'a', 'b'"]),
        ("a\tb\nx\ty\n", {"source_column": "a", "target_column": "a"}, ["named as source and as target"]),
        ("Ein Hund rennt weg\tA dog runs\nx\ty\n", {}, ["line 1", "looks like a sentence"]),
    ],
)
def test_tables_that_do_not_fit(
    content: str, options: dict[str, str], words: list[str], write: Callable[..., Path]
) -> None:
    with pytest.raises(DataError) as error:
        read_pairs(write(content, "a.tsv"), **options)
    for word in words:
        assert word in str(error.value)


def test_lists() -> None:
    pairs = pairs_from_lists(["a ", "b"], ["x", "y"])
    assert pairs.sources == ("a", "b")
    assert pairs.place(1) == "the sentences, number 2"
    with pytest.raises(ValueError, match="2 source sentences and 1 target"):
        pairs_from_lists(["a", "b"], ["x"])
    with pytest.raises(TypeError, match="target sentences must be text; number 2 is a int"):
        pairs_from_lists(["a", "b"], ["x", 3])
    with pytest.raises(ValueError, match="no sentences"):
        pairs_from_lists([], [])


@pytest.mark.data
def test_multi30k(datasets: Path) -> None:
    folder = datasets / "multi30k"
    pairs = read_pairs(folder / "train.de.gz", folder / "train.en.gz")
    assert len(pairs) == 29_000
    assert all(pairs.sources)
    assert all(pairs.targets)
    assert sum(len(one.split()) for one in pairs.targets) / len(pairs) == pytest.approx(11.9, abs=0.05)

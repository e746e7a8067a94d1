"""Reading texts with labels from every kind of file, and what is said about a bad one."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from throughtime.data import from_lists, read_texts
from throughtime.errors import DataError

ROWS = [("a fine, moving film", "pos"), ('he said "no"', "neg"), ("two hours too long", "neg")] * 4
FORMS = {
    "quoted.csv": "text,label\n" + "".join(f'"{t.replace(chr(34), chr(34) * 2)}",{y}\n' for t, y in ROWS),
    "raw.tsv": "sentence\tlabel\n" + "".join(f"{t}\t{y}\n" for t, y in ROWS),
    "objects.jsonl": "".join(json.dumps({"id": 3, "label": y, "review": t}) + "\n" for t, y in ROWS),
    "label.txt": "".join(f"{y} {t}\n" for t, y in ROWS),
    "odd.csv": "stars;words\n" + "".join(f"{y};{t.replace(chr(34), '')}\n" for t, y in ROWS),
}


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", FORMS)
def test_every_form(name: str, tmp_path: Path) -> None:
    found = read_texts(written(tmp_path, name, FORMS[name]))
    plain = [(t.replace('"', "") if name == "odd.csv" else t) for t, _ in ROWS]
    assert list(found.texts) == plain
    assert found.labels is not None
    assert list(found.labels) == [y for _, y in ROWS]
    first = 1 if name.startswith(("label", "objects")) else 2
    assert found.place(0) == f"{name} line {first}"
    packed = read_texts(written(tmp_path, name + ".gz", gzip.compress(FORMS[name].encode())))
    assert packed.texts == found.texts


def test_frames_and_lists() -> None:
    texts, labels = [t for t, _ in ROWS], [y for _, y in ROWS]
    frame = pl.DataFrame({"n": range(12), "body": texts, "class": labels})
    for source in (frame, frame.to_pandas(), frame.to_arrow()):
        assert list(read_texts(source).texts) == texts
    lists = from_lists(texts, [1 if y == "pos" else 0 for y in labels])
    assert lists.labels is not None
    assert lists.labels[:2] == ("1", "0")
    assert lists.place(2) == "the texts, number 3"
    with pytest.raises(ValueError, match="12 texts and 1 labels"):
        from_lists(texts, [1])
    with pytest.raises(TypeError, match="number 2 is a int"):
        from_lists(["a", 3], [0, 1])
    with pytest.raises(TypeError, match="source is a int"):
        read_texts(3)


def test_columns_by_name(tmp_path: Path) -> None:
    frame = pl.DataFrame({"title": ["one a", "two b"], "body": ["a b", "c d"], "stars": [1.0, 5.0]})
    path = tmp_path / "t.csv"
    frame.write_csv(path)
    found = read_texts(path, text="body", label="stars")
    assert (found.texts, found.labels) == (("a b", "c d"), ("1.0", "5.0"))
    assert read_texts(frame, text="body", label="stars").labels == ("1", "5")
    assert read_texts(path, labelled=False, text="body").labels is None


def test_lines_without_labels(tmp_path: Path) -> None:
    found = read_texts(written(tmp_path, "t.txt", "one\n\nthree\n"), layout="lines", labelled=False)
    assert found.texts == ("one", "", "three")
    assert found.place(2) == "t.txt line 3"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "text,label\na b,1\nc d,\ne f,\n", ["a.csv line 3", "no label", "1 more"]),
        ("a.tsv", "text\tlabel\na b\t1\nc d\n", ["a.tsv line 3", "1 cell", "2"]),
        ("a.jsonl", '{"text": "a b", "label": 1}\n{"text": \n', ["a.jsonl line 2", "not JSON"]),
        ("a.jsonl", '{"text": "a b", "label": 1}\n[1]\n', ["a.jsonl line 2", "no object"]),
        ("a.jsonl", '{"text": "a b", "label": 1}\n{"text": "c"}\n', ["a.jsonl line 2", "no label"]),
        ("a.csv", "a,b,c\nx y,1,2\nz w,3,4\n", ["which column holds the labels", "--label", "'b'"]),
        ("a.csv", "a,label\n1,2\n3,4\n", ["which column holds the texts", "--text"]),
        ("a.csv", b"text,label\nsch\xf6n gut,1\n", ["a.csv line 2", "UTF-8"]),
        ("a.csv", b"", ["a.csv", "empty"]),
        ("a.csv", "\n\n", ["a.csv", "blank"]),
    ],
)
def test_refused(name: str, content: str | bytes, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        read_texts(written(tmp_path, name, content))
    for word in words:
        assert word in str(error.value)


def test_a_missing_file_and_a_missing_column(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_texts(tmp_path / "nowhere.csv")
    path = written(tmp_path, "raw.tsv", FORMS["raw.tsv"])
    with pytest.raises(DataError, match=r"no column 'body' \(--text\); the columns are 'sentence', 'label'"):
        read_texts(path, text="body")

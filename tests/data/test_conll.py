"""Tagged sentences: what is read, what is repaired, and where it is wrong."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from throughtime.data import Span, in_iob2, read_conll, sentences_from_lists, spans_of, tags_of
from throughtime.data.tag_schemes import count_spans, may_follow
from throughtime.errors import DataError


def written(folder: Path, text: str, name: str = "train.conll") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("between", ["\t", " ", "   "])
def test_tokens_tags_and_lines(tmp_path: Path, between: str) -> None:
    rows = ["Ann,B-person", "Lee,I-person", "", "", "sleeps,O"]
    text = "\n".join(row.replace(",", between) for row in rows)
    for end in (text, text + "\n", text.replace("\n", "\r\n") + "\r\n\r\n"):
        found = read_conll(written(tmp_path, end))
        assert found.tokens == (("Ann", "Lee"), ("sleeps",))
        assert found.tags == (("B-person", "I-person"), ("O",))
        assert found.lines == ((1, 2), (5,))
        assert found.place(1, 0) == "train.conll line 5"


def test_columns_and_gzip(tmp_path: Path) -> None:
    path = tmp_path / "four.conll.gz"
    path.write_bytes(gzip.compress(b"EU NNP I-NP B-ORG\nsays VBZ I-VP O\n"))
    assert read_conll(path).tags == (("B-ORG", "O"),)
    assert read_conll(path, tag_column=3).tags == (("I-NP", "I-VP"),)
    assert read_conll(path, token_column=-2, tag_column=1).tokens == (("I-NP", "I-VP"),)
    found = read_conll(path, tagged=False)
    assert (found.tokens, found.tags) == ((("EU", "says"),), None)
    assert read_conll(written(tmp_path, "EU\nsays\n"), tagged=False).tokens == (("EU", "says"),)


def test_comments_and_document_borders_are_passed_over_and_counted(tmp_path: Path) -> None:
    text = "-DOCSTART- -X- O\n\n# text = Ann\nAnn N B-p\n# N O\n-DOCSTART- -X- O\nLee N B-p\n"
    found = read_conll(written(tmp_path, text))
    assert found.tokens == (("Ann", "#"), ("Lee",))
    assert [(one.kind, one.count) for one in found.repairs] == [("comment", 1), ("document border", 2)]
    tabs = read_conll(written(tmp_path, "# newdoc\n#\tO\n \t \n# tag\tO\nNew York\tB-city\n"))
    assert tabs.tokens == (("#",), ("# tag", "New York")), "a line of a tab alone ends a sentence"


def test_blanks_of_other_kinds_are_part_of_a_token(tmp_path: Path) -> None:
    found = read_conll(written(tmp_path, "10\u00a0000 B-n\n\u200b O\n"))
    assert found.tokens == (("10\u00a0000", "\u200b"),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["train.conll", "empty"]),
        ("\n \n\t\n", ["train.conll", "holds no token"]),
        ("Ann\tB-p\nLee\nMay\n", ["line 2", "'Lee'", "without its tag", "1 more"]),
        ("Ann B-p\nLee\n", ["line 2", "without its tag"]),
        ("Ann\tB-p\nLee\t\n", ["line 2", "empty"]),
        ("Ann B-p\nNew York B-c\n", ["line 2", "3 columns", "line 1 has 2", "tabs"]),
        ("Ann\tB-p\nLee\tX-p\n", ["line 2", "'X-p'", "IOB2", "--tag-column"]),
        ("Ann\tB-p\nLee\tB-\n", ["line 2", "'B-'"]),
        (
            "Ann\tB-p\n\nLee\tI-p\nis\tO\nMay\tI-p\n",
            ["line 3", "'I-p'", "beginning", "1 more", "--repair-tags"],
        ),
        ("Ann\tB-p\nLee\tI-q\n", ["line 2", "'I-q'", "after 'B-p'"]),
        ("caf\udce9\tO\n", ["line 1", "UTF-8"]),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, words: list[str]) -> None:
    path = tmp_path / "train.conll"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError) as caught:
        in_iob2(read_conll(path), repair=False)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_repairs_of_tags(tmp_path: Path) -> None:
    text = "a\tI-p\nb\tI-p\nc\tI-q\nd\tO\ne\tI-p\n"
    found = in_iob2(read_conll(written(tmp_path, text)), repair=True)
    assert found.tags == (("B-p", "I-p", "B-q", "O", "B-p"),)
    (said,) = found.repairs
    assert (said.count, said.text.count("train.conll line 1")) == (3, 1)
    bilou = sentences_from_lists([(["a", "b", "c", "d", "e"], ["B-p", "I-p", "L-p", "U-q", "O"])])
    brought = in_iob2(bilou, repair=False)
    assert brought.tags == (("B-p", "I-p", "I-p", "B-q", "O"),)
    assert brought.repairs[0].kind == "scheme"


def test_spans_and_back() -> None:
    tags = ["B-p", "B-p", "I-p", "O", "B-q", "I-q", "I-q"]
    spans = [Span(0, 1, "p"), Span(1, 3, "p"), Span(4, 7, "q")]
    assert spans_of(tags) == spans
    assert tags_of(spans, 7) == tags
    assert spans_of(["I-p", "I-q", "I-q"]) == [Span(0, 1, "p"), Span(1, 3, "q")]
    assert count_spans([tags, ["O"]]) == {"p": 2, "q": 1}
    assert [may_follow(one, "I-p") for one in (None, "O", "B-p", "I-p", "B-q", "I-q")] == [0, 0, 1, 1, 0, 0]
    assert may_follow(None, "B-p")


def test_lists_that_do_not_fit() -> None:
    two = sentences_from_lists([["a", "b"]], [["O", "B-p"]])
    assert two.tokens == sentences_from_lists([(["a", "b"], ["O", "B-p"])]).tokens
    assert two.place(0, 1) == "the sentences, number 1, token 2"
    with pytest.raises(ValueError, match="sentence 2 has 1 tokens and 2 tags"):
        sentences_from_lists([["a"], ["b"]], [["O"], ["O", "O"]])
    with pytest.raises(ValueError, match="1 sentences and 2 lists"):
        sentences_from_lists([["a"]], [["O"], ["O"]])
    with pytest.raises(TypeError, match="sentence 1 is a str"):
        sentences_from_lists(["a b"], ["O O"])
    with pytest.raises(TypeError, match="no pair"):
        sentences_from_lists([["a", "b", "c"]])
    with pytest.raises(TypeError, match="holds a int"):
        sentences_from_lists([[1]], [["O"]])
    for sentences, tags in (([], []), ([[]], [[]]), ([[" "]], [["O"]])):
        with pytest.raises(DataError, match="the sentences"):
            sentences_from_lists(sentences, tags)


@pytest.mark.data
@pytest.mark.skipif("THROUGHTIME_DATA" not in os.environ, reason="THROUGHTIME_DATA names no folder")
def test_wnut17_is_read_whole() -> None:
    folder = Path(os.environ["THROUGHTIME_DATA"]) / "wnut17"
    sizes = {"train": (3_394, 62_730, 1_975), "dev": (1_009, 15_733, 836), "test": (1_287, 23_394, 1_079)}
    for part, (posts, tokens, spans) in sizes.items():
        found = in_iob2(read_conll(folder / f"{part}.conll.gz"), repair=False)
        assert found.tags is not None
        assert (len(found), sum(map(len, found.tokens))) == (posts, tokens)
        assert count_spans(found.tags).total() == spans

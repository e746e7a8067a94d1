from __future__ import annotations

import pytest

from throughtime.data import Lexicon, cut_line, number_characters, plain_form, shape_of
from throughtime.data.tokens import SHAPES


def cut(line: str) -> list[str]:
    return [token.text for token in cut_line(line)]


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("Paris sleeps.", ["Paris", "sleeps", "."]),
        ('"Well," she said...', ['"', "Well", ",", '"', "she", "said", "..."]),
        ("I can't, it's Ann's", ["I", "ca", "n't", ",", "it", "'s", "Ann", "'s"]),
        ("@ann see #NYC http://t.co/x?y=1 :-) ;)", ["@ann", "see", "#NYC", "http://t.co/x?y=1", ":-)", ";)"]),
        ("well-known AT&T U.S. 3.5% 10:30", ["well-known", "AT&T", "U.S.", "3.5%", "10:30"]),
        ("Zoë’s café", ["Zoë", "’s", "café"]),
        ("  ", []),
    ],
)
def test_a_line_is_cut_at_signs(line: str, tokens: list[str]) -> None:
    assert cut(line) == tokens
    assert cut(" ".join(tokens)) == tokens, "what is cut already stays as it is"
    for token in cut_line(line):
        assert line[token.start : token.stop] == token.text


def test_a_line_is_cut_at_blanks_alone() -> None:
    assert [token.text for token in cut_line("it's  me.", at_blanks=True)] == ["it's", "me."]


def test_shapes() -> None:
    tokens = [[",", "lower", "Capital", "UPPER", "A", "miXed", "12", "b2b", "@ann", "#x", "http://a.b"]][0]
    assert [SHAPES[shape_of(token)] for token in tokens] == list(SHAPES[1:])
    assert SHAPES[shape_of("McDonald")] == "miXed"
    assert SHAPES[shape_of("O'Neil")] == "miXed"
    assert SHAPES[shape_of("@")] == "signs"


def test_forms() -> None:
    assert [plain_form(token) for token in ("@Ann", "www.x.org", "Win95")] == ["<user>", "<link>", "Win00"]


def test_symbols_and_characters() -> None:
    known = Lexicon.learn("abbccc", min_count=2)
    assert (known.names, len(known), known.numbers("abc")) == (("c", "b"), 4, [1, 3, 2])
    assert Lexicon.learn("abbccc", most=1).names == ("c",)
    letters = Lexicon("abcdefgh")
    found = number_characters(["ab", "abcdefgh", "x"], letters, 5)
    assert found.tolist() == [[2, 3, 0, 0, 0], [2, 3, 4, 8, 9], [1, 0, 0, 0, 0]]

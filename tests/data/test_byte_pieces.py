"""Words and byte pairs as pieces of bytes: what is learnt, and that every text comes back."""

from __future__ import annotations

import json
import sys

import pytest

from throughtime.data.byte_pieces import BYTES, BytePairs, BytePieces, WholeWords
from throughtime.errors import DataError, MachineError

TEXT = "the cat and the dog,\nthe caterpillar (the rat) sat\n\nNaïve 😀 sat and the café\n" * 3 + "once\n"
STRANGE = ["", " ", "the", "\x00\t\r\n  x", "Zoë 漢字 e\u0301 😀😀", "[UNK]</w>Ġthe", "ĊĠ", "\u2028a b"]
WRONG = ("[1]", '["a"]', '["ab", "ab"]')
KINDS: list[type[WholeWords | BytePairs]] = [WholeWords, BytePairs]


@pytest.mark.parametrize("kind", KINDS)
def test_every_text_comes_back(kind: type[WholeWords | BytePairs]) -> None:
    pieces = kind.learn(TEXT, 290)
    again = kind.read(pieces.to_json())
    for text in [TEXT, *STRANGE]:
        numbers = pieces.number(text)
        assert numbers.dim() == 1
        assert int(numbers.max()) < pieces.unknown == len(pieces) if text else len(numbers) == 0
        assert pieces.text(numbers.tolist()) == text
        assert pieces.characters[numbers.numpy()].sum() == len(text)
        assert again.number(text).tolist() == numbers.tolist()
        assert pieces.missing(text) == {}
    assert again.pieces == pieces.pieces
    assert len(pieces.number(TEXT)) < 0.6 * len(TEXT)


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_come_as_whole_characters(kind: type[WholeWords | BytePairs]) -> None:
    pieces = kind.learn(TEXT, 290)
    text = "the 漢字 😀 cat"
    decode = pieces.decoder()
    written = [decode(number) for number in pieces.number(text).tolist()]
    assert "".join(written) == text
    assert "" in written, "a piece ended inside a character"
    assert "\ufffd" not in "".join(written)
    broken = pieces.decoder()
    bytes_of = [pieces.pieces.index(bytes([one])) for one in (0xE6, ord("a"), 0xFF, ord("b"))]
    assert "".join(broken(number) for number in bytes_of) == "\ufffda\ufffdb"


def test_words_are_the_frequent_ones_and_others_are_spelt() -> None:
    words = WholeWords.learn(TEXT, 1_000)
    assert words.words[:3] == ("the", " and", " sat"), "by how often they occur, then by letters"
    assert "once" not in words.words, "it occurs once"
    assert all(len(word.encode()) > 1 for word in words.words)
    assert len(words.number(" the")) == 1
    assert words.number("once").tolist() == list(b"once")
    assert words.number(" sat😀").tolist() == [words.pieces.index(b" sat"), *"😀".encode()]
    few = WholeWords.learn(TEXT, BYTES + 2)
    assert few.words == words.words[:2]


def test_byte_pairs_are_joined_within_words_alone() -> None:
    pairs = BytePairs.learn(TEXT, 1_000)
    assert len(BytePairs.learn(TEXT, 270)) == 270
    assert b" the" in pairs.pieces
    assert len(pairs.number(" the")) == 1
    learnt = [piece for piece in pairs.pieces if len(piece) > 1]
    assert not [piece for piece in learnt if b" " in piece[1:]]
    assert len(pairs.number(" thecat")) > 1, "a word of training's pieces, but not one of its words"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text", ["[1]", "{}", '{"words": [1]}', '{"words": ["a"]}', '{"words": ["ab", "ab"]}']
)
def test_damaged(kind: type[WholeWords | BytePairs], text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        kind.read(text)


def test_damaged_byte_pairs() -> None:
    found = json.loads(BytePairs.learn(TEXT, 270).to_json())
    vocabulary = found["model"]["vocab"]
    vocabulary["漢"] = vocabulary.pop("!")
    with pytest.raises(ValueError, match="stands for no byte"):
        BytePairs.read(json.dumps(found))


@pytest.mark.parametrize("kind", KINDS)
def test_half_of_a_surrogate_pair(kind: type[WholeWords | BytePairs]) -> None:
    with pytest.raises(DataError, match=r"character 2 \(U\+D800\) is half of a surrogate"):
        kind.learn(TEXT, 290).number("ab\ud800")


def test_words_need_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    pieces: BytePieces = WholeWords.learn(TEXT, 290)
    assert pieces.text(pieces.number("the cat").tolist()) == "the cat"
    with pytest.raises(MachineError, match=r"throughtime\[text\]"):
        BytePairs.learn(TEXT, 290)

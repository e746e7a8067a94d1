"""Pieces of words: what is learnt, and that no text is lost."""

from __future__ import annotations

import sys

import pytest

from throughtime.data import Subwords
from throughtime.data.subwords import BEGIN, END
from throughtime.errors import MachineError

TEXTS = [
    "Ein kleiner Hund rennt über die  Straße.",
    "Zwei Hunde rennen, drei schlafen (im Freien)!",
    'Der "Hund" – und der Mann\tmit 12 Bällen ...',
    " Anfang und Ende ",
] * 5


def learnt(most: int = 120) -> Subwords:
    return Subwords.learn(TEXTS, most=most)


@pytest.mark.parametrize("most", [8, 120, 400])
def test_raw_text_comes_back(most: int) -> None:
    pieces = learnt(most)
    others = ["Hundert Männer rennen  (über) Bälle.", "dreihundert\tStraßen!", ""]
    for text in [*TEXTS, *others]:
        (numbers,) = pieces.number([text])
        assert pieces.text(numbers.tolist()) == text
        assert int(numbers[-1]) == END
        assert END not in numbers[:-1]


def test_frequent_words_are_one_piece_and_rare_ones_several() -> None:
    pieces = learnt(400)
    (numbers,) = pieces.number(["Zwei Hunde, Hundert"])
    assert pieces.pieces(numbers.tolist()) == ["Zwei", " Hunde", ",", " Hund", "er", "t", "[END]"]


def test_unknown_signs_and_special_names() -> None:
    pieces = learnt()
    assert pieces.names[:4] == ("[PAD]", "[UNK]", "[BEGIN]", "[END]")
    assert pieces.number(["犬が走る"])[0].tolist() == [1, END]
    assert pieces.number([""])[0].tolist() == [END]
    assert BEGIN not in pieces.number(["[BEGIN]"])[0]
    assert pieces.text([BEGIN, 0, 1, END]) == ""


def test_the_same_sign_in_two_spellings_is_one() -> None:
    pieces = learnt()
    composed, decomposed = pieces.number(["über", "u\u0308ber"])
    assert composed.tolist() == decomposed.tolist()


def test_it_comes_back_from_json() -> None:
    pieces = learnt()
    again = Subwords.read(pieces.to_json())
    assert again.names == pieces.names
    assert [one.tolist() for one in again.number(TEXTS)] == [one.tolist() for one in pieces.number(TEXTS)]
    assert again.to_json() == learnt().to_json()
    with pytest.raises(ValueError, match="pieces of words"):
        Subwords.read('{"model": {"type": "WordLevel"}}')


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MachineError, match="tokenizers"):
        learnt()

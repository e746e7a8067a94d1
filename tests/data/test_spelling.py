from __future__ import annotations

import json

import pytest

from throughtime.data import Spelling
from throughtime.data.spelling import steps_needed


def test_characters() -> None:
    symbols = Spelling.learn(["Two  one", "café"], "character")
    assert symbols.names[0] == "∅"
    assert symbols.names[1:] == tuple(sorted("two onecafé ".replace("  ", " "))) or len(symbols) == 11
    assert len(set(symbols.names)) == len(symbols)
    assert symbols.text(symbols.number(" One\tTWO ")) == "one two"
    assert symbols.number("e\u0301") == symbols.number("é"), "the same letter, written in two ways"
    assert symbols.text([]) == ""
    space = symbols.number("a b")[1]
    assert symbols.text([space, space, *symbols.number("on"), space]) == "on"


def test_words() -> None:
    symbols = Spelling.learn(["one two", "two"], "word", keep_case=True)
    assert symbols.names == ("∅", "one", "two")
    assert symbols.number("two one Two two") == [2, 1, 2]
    assert symbols.unknown("two one Two") == ["Two"]
    assert symbols.text([2, 1]) == "two one"


@pytest.mark.parametrize("unit", ["character", "word"])
def test_they_come_back(unit: str) -> None:
    symbols = Spelling.learn(["schön ist's", "∅ x"], unit)  # type: ignore[arg-type]
    assert Spelling.read(symbols.to_json()) == symbols
    assert symbols.text(symbols.number("∅")) == "∅", "a text may hold the sign that stands for the blank"
    for wrong in ("[]", '{"unit": "syllable"}', json.dumps({"unit": None})):
        with pytest.raises(ValueError, match="unit"):
            Spelling.read(wrong)


@pytest.mark.parametrize(
    ("numbers", "steps"), [([], 0), ([1], 1), ([1, 2, 1], 3), ([1, 1], 3), ([2, 2, 2, 1], 6)]
)
def test_steps_that_ctc_needs(numbers: list[int], steps: int) -> None:
    assert steps_needed(numbers) == steps

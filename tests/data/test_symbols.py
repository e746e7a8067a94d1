from __future__ import annotations

import json

import pytest
import torch

from throughtime.data import Symbols
from throughtime.data.symbols import named

TEXT = "Zoë sat.\nNaïve 😀 – 2 × 2\t!"


def test_numbers_and_back() -> None:
    symbols = Symbols.learn(TEXT)
    assert list(symbols.names) == sorted(set(TEXT))
    numbers = symbols.number(TEXT)
    assert numbers.dtype == torch.int64
    assert numbers.tolist() == [symbols.names.index(one) for one in TEXT]
    assert symbols.text(numbers.tolist()) == TEXT
    assert symbols.number("").shape == (0,)
    again = Symbols.read(symbols.to_json())
    assert again.names == symbols.names
    assert torch.equal(again.number(TEXT), numbers)


def test_what_is_not_known() -> None:
    symbols = Symbols.learn("abd")
    assert symbols.unknown == len(symbols) == 3
    assert symbols.number("aczd \U0010ffff").tolist() == [0, 3, 3, 2, 3, 3]
    assert symbols.text([0, 3, 2]) == "a\ufffdd"
    assert symbols.missing("accede") == {"c": 2, "e": 2}


@pytest.mark.parametrize(
    "found",
    [
        ["a"],
        {"characters": []},
        {"characters": ["ab"]},
        {"characters": ["b", "a"]},
        {"characters": ["a", "a"]},
        {"characters": [1]},
        {"letters": ["a"]},
    ],
)
def test_what_is_no_alphabet(found: object) -> None:
    with pytest.raises(ValueError, match="Symbols: expected"):
        Symbols.read(json.dumps(found))


def test_how_characters_are_named() -> None:
    assert named("é") == "'é' (U+00E9)"
    assert named("\n") == "the line end (U+000A)"
    assert named("\u00a0") == "no-break space (U+00A0)"
    assert named("\t") == "the control character (U+0009)"

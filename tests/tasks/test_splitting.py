"""Cutting parts off: by shares, by kind, and never the same row into two parts."""

from __future__ import annotations

from collections import Counter

import pytest

from throughtime.errors import DataError
from throughtime.tasks.splitting import split_rows

ROWS = [f"{'ab'[number % 4 == 0]}{number % 150}" for number in range(200)]  # the last fifty come twice
PARTS = ("training", "validation", "test")


def split(
    given: dict[str, list[str]], seed: int = 0, shares: tuple[float, float, float] = (0.6, 0.2, 0.2)
) -> dict[str, list[str]]:
    return split_rows(given, shares, seed, noun="row", alike=lambda row: row)


def test_shares_and_rows_that_are_alike() -> None:
    parts = split({"training": ROWS})
    assert Counter(row for rows in parts.values() for row in rows) == Counter(ROWS)
    different = {name: set(parts[name]) for name in PARTS}
    assert not different["training"] & different["validation"]
    assert not (different["training"] | different["validation"]) & different["test"]
    total = len(set(ROWS))
    assert [len(different[name]) for name in PARTS] == [
        pytest.approx(share * total, abs=1) for share in (0.6, 0.2, 0.2)
    ]
    assert split({"training": ROWS}) == parts
    assert split({"training": ROWS}, seed=1) != parts


def test_parts_from_elsewhere_stay_and_the_others_take_their_shares() -> None:
    own = {"training": ROWS, "test": ["x"] * 3}
    parts = split(own)
    assert parts["test"] == own["test"]
    assert len(set(parts["validation"])) == pytest.approx(0.25 * len(set(ROWS)), abs=1)
    everything = split({"training": ["q", "p"], "validation": ["x"], "test": ["y"]})
    assert everything["training"] == ["q", "p"], "nothing to draw: the rows stay in their order"


def test_each_kind_in_proportion() -> None:
    rows = [*(f"a{number}" for number in range(50)), *(f"b{number}" for number in range(10))]
    parts = split_rows(
        {"training": rows}, (0.6, 0.2, 0.2), 0, noun="row", alike=lambda row: row, kind=lambda row: row[0]
    )
    counts = [tuple(Counter(row[0] for row in parts[name])[kind] for kind in "ab") for name in PARTS]
    assert counts == [(30, 6), (10, 2), (10, 2)]


def test_a_part_without_a_row() -> None:
    with pytest.raises(DataError, match="the validation part holds no row; bring more rows"):
        split({"training": ["a", "b"]}, shares=(0.9, 0.05, 0.05))

"""Word and character errors against an edit distance written down by hand."""

from __future__ import annotations

import sys

import pytest

from throughtime.errors import MachineError
from throughtime.tasks.transcribe_scores import aligned, confusions, part_scores

SAID = ["one two three", "four", "five six", "seven"]
ANSWERED = ["one too three", "four four", "six", ""]


def distance(one: list[str] | str, other: list[str] | str) -> int:
    """Fewest changes that turn one sequence into the other."""
    rows = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        before, rows = rows, [i]
        for j, right in enumerate(other, 1):
            rows.append(min(before[j] + 1, rows[-1] + 1, before[j - 1] + (left != right)))
    return rows[-1]


def test_rates_are_edits_by_what_was_said() -> None:
    scores = part_scores(SAID, ANSWERED)
    words = sum(distance(one.split(), other.split()) for one, other in zip(SAID, ANSWERED, strict=True))
    letters = sum(distance(one, other) for one, other in zip(SAID, ANSWERED, strict=True))
    assert scores.wer == pytest.approx(words / 7)
    assert scores.cer == pytest.approx(letters / sum(map(len, SAID)))
    assert (scores.substitutions, scores.insertions, scores.deletions) == (1, 1, 2)
    assert (scores.words, scores.recordings, scores.sentences) == (7, 4, 0)
    perfect = part_scores(SAID, SAID)
    assert (perfect.wer, perfect.cer, perfect.sentences) == (0, 0, 1)
    assert part_scores(["a"], ["a b c"]).wer == 2, "may exceed 1"


def test_words_taken_for_others() -> None:
    found = [(one.said, one.answered, one.count) for one in confusions([*SAID, "two"], [*ANSWERED, "too"])]
    assert found[0] == ("two", "too", 2)
    assert sorted(found[1:]) == [("", "four", 1), ("five", "", 1), ("seven", "", 1)]
    assert aligned(SAID[:1], ANSWERED[:1]) == [[("one", "one"), ("two", "too"), ("three", "three")]]
    assert confusions(SAID, SAID) == ()


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jiwer", None)
    with pytest.raises(MachineError, match=r"throughtime\[audio\]"):
        part_scores(SAID, SAID)

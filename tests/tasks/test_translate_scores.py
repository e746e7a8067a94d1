from __future__ import annotations

import itertools
import sys

import pytest

from throughtime.data import Subwords
from throughtime.errors import MachineError
from throughtime.tasks.translate_baselines import run_baselines
from throughtime.tasks.translate_data import Part
from throughtime.tasks.translate_scores import by_length, sentence_scores, signatures, text_scores

REFERENCES = ["A man is sleeping on a couch.", "Two dogs run through the snow.", "A girl."]


def part(sources: list[str], targets: list[str]) -> Part:
    pieces = Subwords.learn(sources, most=50)
    return Part(sources, targets, pieces.number(sources), pieces.number(targets))


def test_bleu_by_hand() -> None:
    """Six of seven words right: precisions 6/7, 5/6, 4/5, 3/4 and no brevity penalty."""
    scores = text_scores(["a b c d e f x"], ["a b c d e f g"])
    assert scores.bleu == pytest.approx(100 * (6 / 7 * 5 / 6 * 4 / 5 * 3 / 4) ** 0.25)
    assert scores.length_ratio == 1
    assert text_scores(REFERENCES, REFERENCES).bleu == pytest.approx(100)
    assert text_scores([one.lower() for one in REFERENCES], REFERENCES).bleu < 90, "cased"


def test_what_is_counted_is_said() -> None:
    assert "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp" in signatures()["bleu"]
    assert "nc:6|nw:0" in signatures()["chrf"]


def test_sentences_apart() -> None:
    scores = sentence_scores(["A man is sleeping on a couch.", "A cat.", ""], REFERENCES)
    assert scores[0] == pytest.approx(100)
    assert scores[0] > scores[1] > scores[2] == 0


def test_groups_by_length_hold_every_sentence_once() -> None:
    sources = ["w " * n for n in (1, 1, 2, 3, 3, 3, 8, 9, 20)]
    found = by_length(sources, ["a b"] * 9, ["a b"] * 9)
    assert sum(group.sentences for group in found) == 9
    assert found[0].shortest == 1
    assert found[-1].longest == 20
    for one, other in itertools.pairwise(found):
        assert one.longest < other.shortest
    (alone,) = by_length(["a b"] * 3, REFERENCES, REFERENCES)
    assert (alone.shortest, alone.longest, alone.sentences) == (2, 2, 3)


def test_baselines() -> None:
    train = part(
        ["der Hund rennt", "die Katze schläft", "ein Mann kocht"], ["dog runs", "cat sleeps", "man cooks"]
    )
    test = part(["die Katze rennt", "ein Mann"], ["cat runs", "a man"])
    copied, nearest = run_baselines(train, train, test)
    assert copied.test == test.sources
    assert nearest.test == ["cat sleeps", "man cooks"]
    assert nearest.validation == train.targets


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", None)
    with pytest.raises(MachineError, match=r"pip install .throughtime\[translate\]"):
        text_scores(["a"], ["a"])

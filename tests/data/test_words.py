from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from throughtime.data import Words, word_vectors
from throughtime.errors import MachineError

TEXTS = ["A good film, a GOOD one!", "it isn't good; the well-made 'film' is n't", "ein schöner Film"]


def learnt(**options: object) -> Words:
    return Words.learn(TEXTS, **{"min_count": 1, "most": 100, "lower": True} | options)


def test_words_are_cut() -> None:
    cut = learnt().cut
    assert cut(TEXTS[0]) == ["a", "good", "film", ",", "a", "good", "one", "!"]
    assert cut(TEXTS[1])[:5] == ["it", "isn't", "good", ";", "the"]
    assert cut("do n't it's SCHÖN") == ["do", "n't", "it's", "schön"]
    assert cut("well-made 'tis ...") == ["well-made", "'tis", "..."]
    assert learnt(lower=False).cut("Good") == ["Good"]
    assert cut("  ") == []


def test_words_are_numbered() -> None:
    words = learnt(min_count=2)
    assert words.names[:2] == ("[PAD]", "[UNK]")
    assert set(words.names[2:]) == {"a", "good", "film"}
    (numbers,) = words.number(["a good zebra"])
    assert [words.names[n] for n in numbers] == ["a", "good", "[UNK]"]
    assert words.number([" "])[0].tolist() == [1]
    assert words.known(["a good zebra", "zebra", ""]) == [2, 0, 0]
    assert len(learnt(most=3)) == 5


def test_text_that_looks_like_a_special_word_is_text() -> None:
    assert learnt().number(["[PAD]"])[0].min() > 0


def test_they_come_back_from_json() -> None:
    words = learnt()
    again = Words.read(words.to_json())
    assert again.names == words.names
    assert [n.tolist() for n in again.number(TEXTS)] == [n.tolist() for n in words.number(TEXTS)]
    assert again.to_json() == learnt().to_json()
    with pytest.raises(ValueError, match="whole words"):
        Words.read('{"model": {"type": "BPE"}}')


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MachineError, match=r"pip install .throughtime\[text\]"):
        learnt()


def test_words_that_are_used_alike_have_vectors_alike() -> None:
    """3 and 4 stand in the same places, 5 and 6 in others."""
    rng = np.random.default_rng(0)
    texts = [torch.tensor([7, int(rng.choice([3, 4])), 8]) for _ in range(60)]
    texts += [torch.tensor([9, int(rng.choice([5, 6])), 2]) for _ in range(60)]
    vectors = word_vectors(texts, 12, 4, seed=0)
    assert vectors.shape == (12, 4)
    assert float(vectors.std()) == pytest.approx(1, abs=0.02)
    alike = torch.nn.functional.cosine_similarity
    assert alike(vectors[3], vectors[4], dim=0) > 0.9
    assert alike(vectors[3], vectors[5], dim=0) < 0.3
    assert not vectors[0].any()
    assert torch.equal(vectors, word_vectors(texts, 12, 4, seed=0))


def test_positive_information_by_hand() -> None:
    """Two pairs, 2-3 rarer than 0-1: P(a, b) / (P(a) P(b)) is higher for the rare one.

    With the counts 3 and 1, [[0, m], [m, 0]] for each pair has both singular values m, so that the squared
    length of a vector is m = log(count * sum(context) / (count * count**0.75)).
    """
    texts = [torch.tensor(pair) for pair in ([0, 1], [0, 1], [0, 1], [2, 3])]
    lengths = word_vectors(texts, 5, 4, seed=0).double().pow(2).sum(1)
    context = 2 * 3**0.75 + 2
    common, rare = np.log(context / 3**0.75), np.log(context)
    assert lengths[0] == pytest.approx(lengths[1])
    assert lengths[2] / lengths[0] == pytest.approx(rare / common)
    assert lengths[4] == 0


def test_texts_without_neighbours_have_no_vectors() -> None:
    assert not word_vectors([torch.tensor([1])], 3, 5, seed=0).any()

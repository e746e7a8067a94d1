from __future__ import annotations

from throughtime.data import sentences_from_lists
from throughtime.tasks.sources import Sources
from throughtime.tasks.tag_baselines import f1_of, run_baselines
from throughtime.tasks.tag_data import prepare_sentences
from throughtime.tasks.tag_settings import TagSettings

from .sentences import small_sentences

TRAIN = [
    (["Ann", "saw", "New", "York", "."], ["B-p", "O", "B-c", "I-c", "O"]),
    (["York", "is", "old"], ["B-c", "O", "O"]),
    (["Ann", "Ann"], ["B-p", "B-q"]),
]
VALID = [(["new", "york", "Ann"], ["B-c", "I-c", "B-p"])]
TEST = [(["York", "New", "York", "ANN", "x"], ["B-c", "B-c", "I-c", "B-p", "O"])]


def test_the_dictionary_takes_the_longest_and_most_frequent() -> None:
    data = prepare_sentences(
        Sources(*(sentences_from_lists(part) for part in (TRAIN, VALID, TEST))), TagSettings()
    )
    found = {one.name: one for one in run_baselines(data)}["dictionary"]
    assert found.note == "3 forms, whatever the case"
    assert found.validation == [["B-c", "I-c", "B-p"]]
    assert found.test == [["B-c", "B-c", "I-c", "B-p", "O"]]
    assert f1_of(data.test, found.test) == 1
    cased = Sources(
        *(
            sentences_from_lists(part)
            for part in (TRAIN, [(["new", "York", "Ann"], ["O", "B-c", "B-p"])], TEST)
        )
    )
    found = {one.name: one for one in run_baselines(prepare_sentences(cased, TagSettings()))}["dictionary"]
    assert found.note == "3 forms, as written"
    assert found.test == [["B-c", "B-c", "I-c", "O", "O"]]


def test_single_tokens_are_told_by_what_stands_around_them() -> None:
    data = prepare_sentences(Sources(sentences_from_lists(small_sentences(300))), TagSettings())
    found = run_baselines(data)[0]
    assert found.name == "token_classifier"
    assert [len(tags) for tags in found.test] == [len(tokens) for tokens in data.test.tokens]
    assert f1_of(data.test, found.test) > 0.9

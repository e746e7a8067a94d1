from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import throughtime as tt
from throughtime import Tagger
from throughtime.data import Span, WordVectors, in_iob2, read_conll, sentences_from_lists, spans_of, tag_names
from throughtime.nn.crf import CRFScores, log_likelihood
from throughtime.nn.tag_network import TagEnsemble
from throughtime.tasks.sources import Sources
from throughtime.tasks.tag_answers import best_tags, read_held_out, read_sentences, span_confidences
from throughtime.tasks.tag_baselines import f1_of
from throughtime.tasks.tag_data import TagData, batches_of, prepare_sentences
from throughtime.tasks.tag_evaluation import OFFSETS, find_offset
from throughtime.tasks.tag_network import TagObjective, build_network
from throughtime.tasks.tag_settings import TagSettings
from throughtime.tasks.tag_vocabulary import Vocabulary
from throughtime.training import QuietDisplay

from .sentences import SMALL, small_sentences, write_sentences
from .test_forecast import Killed, KilledAtEpoch

QUIET = QuietDisplay()
LINES = ["Ann Lee sings in New York .", "", "nobody sleeps.", "zzz!"]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sentences(tmp_path_factory.mktemp("data") / "train.conll")


@pytest.fixture(scope="module")
def fitted(file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tagger, Path]:
    folder = tmp_path_factory.mktemp("models") / "names"
    return Tagger(**SMALL | {"epochs": 6, "learning_rate": 0.02}).fit(
        file, folder=folder, display=QUIET
    ), folder


def test_saved_and_loaded_it_answers_the_same(
    fitted: tuple[Tagger, Path], file: Path, tmp_path: Path
) -> None:
    tagger, folder = fitted
    loaded = tt.load(folder)
    assert isinstance(loaded, Tagger)
    assert loaded.predict(LINES) == tagger.predict(LINES)
    assert loaded.predict_spans(LINES) == tagger.predict_spans(LINES)
    assert loaded.metrics_ == tagger.metrics_
    assert loaded.get_params() == tagger.get_params()
    assert tt.load(loaded.save(tmp_path / "again")).evaluate() == tagger.metrics_
    assert tt.load(folder).evaluate(file) == tagger.metrics_
    names = {
        "model.json",
        "model.safetensors",
        "vocabulary.json",
        "metrics.json",
        "history.csv",
        "report.html",
    }
    assert {path.name for path in folder.iterdir()} == names


def test_answers_fit_together(fitted: tuple[Tagger, Path]) -> None:
    tagger = fitted[0]
    assert tagger.tags_ == ("O", "B-person", "I-person", "B-place", "I-place")
    tags, spans, shares = tagger.predict(LINES), tagger.predict_spans(LINES), tagger.predict_proba(LINES)
    assert [len(one) for one in tags] == [7, 0, 3, 2]
    assert tagger.predict([LINES[0].split()]) == tags[:1]
    assert (spans[1], shares[1].shape) == ([], (0, 5))
    for one in shares:
        assert one.sum(axis=1) == pytest.approx(np.ones(len(one)))
    sentences = [tokens for tokens, _ in small_sentences(40, 3)]
    found = [
        (span, probabilities[span.start, tagger.tags_.index(f"B-{span.label}")])
        for spans, probabilities in zip(
            tagger.predict_spans(sentences), tagger.predict_proba(sentences), strict=True
        )
        for span in spans
    ]
    assert len(found) > 20
    assert all(0 < span.confidence <= share + 1e-9 <= 1 + 1e-6 for span, share in found)


def test_confidence_is_the_sum_over_every_way_to_tag_the_rest(fitted: tuple[Tagger, Path]) -> None:
    tagger = fitted[0]
    sentences = [["Ann", "Lee", "Lee"], ["Rome"]]
    readings = read_sentences(tagger.network_, [tagger.vocabulary_.number(one) for one in sentences])
    (reading,) = readings.parts
    column = reading.rows.tolist().index(0)
    scores = reading.scores[:, column : column + 1].clone()
    scores[..., [1, 3]] += 0.7
    expected: dict[Span, float] = {}
    for path in product(range(5), repeat=3):
        share = float(log_likelihood(scores, reading.crf, torch.tensor(path)[:, None]).exp())
        if share > 0:
            for span in spans_of([tagger.tags_[place] for place in path]):
                expected[span] = expected.get(span, 0.0) + share
    spans = [[Span(0, 1, "person"), Span(0, 2, "person"), Span(1, 3, "place"), Span(2, 3, "place")], []]
    found = span_confidences(readings, 0.7, tagger.classes_, spans)
    assert found[0] == pytest.approx([expected[span] for span in spans[0]], rel=1e-9)
    assert found[1] == []


def test_a_sentence_is_answered_the_same_in_any_company(fitted: tuple[Tagger, Path]) -> None:
    sentences = [["Ann"], *(tokens for tokens, _ in small_sentences(30, seed=4))]
    together = fitted[0].predict_proba(sentences)
    for sentence, shares in zip(sentences, together, strict=True):
        (alone,) = fitted[0].predict_proba([sentence])
        assert shares == pytest.approx(alone, abs=1e-5)


def test_it_learns_names_by_what_stands_around_them() -> None:
    settings = SMALL | {"hidden": 16, "epochs": 20, "learning_rate": 0.02, "input_dropout": 0.1}
    settings |= {"dropout": 0.1, "character_dropout": 0.6}
    tagger = Tagger(**settings).fit(small_sentences(300), display=QUIET)
    assert tagger.metrics_.test.f1 > 0.9
    tags = tagger.predict(["Wzr sleeps in Qpx ."])[0]
    assert tags == ["B-person", "O", "O", "B-place", "O"]
    other = tagger.evaluate(small_sentences(60, seed=5))
    assert other.test.f1 > 0.9
    assert other.baselines == {}
    assert "not kept" in other.left_out["dictionary of training spans"]
    sure = [span.confidence for span in tagger.predict_spans(["Ann Lee sleeps in Rome ."])[0]]
    assert min(sure) > 0.5


def committee(
    members: int, sentences: int = 300, **settings: float
) -> tuple[TagData, TagEnsemble, TagSettings]:
    """Data and a network that nothing was learnt by, bold enough to name spans."""
    chosen = TagSettings(members=members, hidden=3, batch_size=8, **settings)
    data = prepare_sentences(Sources(sentences_from_lists(small_sentences(sentences))), chosen)
    network = build_network(chosen, data.vocabulary, data.classes)
    with torch.no_grad():
        for member in network.members:
            member.head.weight.mul_(20)
    return data, network, chosen


@pytest.mark.parametrize(("members", "folds"), [(1, 1), (2, 2), (4, 3)])
def test_the_loss_of_an_epoch_is_one_minus_f1_of_the_members_that_held_out(members: int, folds: int) -> None:
    data, network, settings = committee(members)
    objective, names = TagObjective(data.classes, settings.folds), tag_names(data.classes)
    network.eval()
    outcomes = [objective(network, batch) for batch in batches_of(data, settings)[1].epoch(0)]
    total = sum(one.count for one in outcomes)
    found = sum(float(one.loss) * one.count for one in outcomes) / total
    right = count = 0
    for fold in range(folds):
        judges = TagEnsemble([one for m, one in enumerate(network.members) if m % folds == fold])
        rows = [row for row in range(len(data.validation)) if row % folds == fold]  # all sentences differ
        readings = read_sentences(judges, [data.validation.inputs[row] for row in rows])
        for offset in (0.0, 1.5, 3.0):
            for row, sentence in zip(rows, best_tags(readings, offset, names), strict=True):
                one, other = (
                    {(n, tag) for n, tag in enumerate(both) if tag[0] == "B"}
                    for both in (sentence, data.validation.tags[row])
                )
                pairs = (sentence, data.validation.tags[row])
                ends = [_whole(tags, n) for tags in pairs for n, _ in one & other]
                half = len(ends) // 2
                right += sum(a == b for a, b in zip(ends[:half], ends[half:], strict=True))
                count += len(one) + len(other)
    assert found == pytest.approx(1 - 2 * right / count, abs=1e-6)
    assert right > 0


def _whole(tags: tuple[str, ...] | list[str], start: int) -> int:
    """Where the span that begins at `start` ends."""
    stop = start + 1
    while stop < len(tags) and tags[stop] == "I" + tags[start][1:]:
        stop += 1
    return stop


def test_each_member_learns_from_all_but_its_own_share_of_the_validation_part() -> None:
    none = dict.fromkeys(("dropout", "input_dropout", "word_dropout", "character_dropout"), 0.0)
    data, network, settings = committee(4, 60, **none)
    assert (len(data.train), len(data.validation), len(data.learnt)) == (48, 6, 54)
    assert data.learnt.tokens == data.train.tokens + data.validation.tokens
    (batch,) = batches_of(data, settings.model_copy(update={"batch_size": 100}))[0].epoch(1)
    outcome = TagObjective(data.classes, 3)(network.train(), batch)
    scores, crf = network(batch.inputs, batch.lengths)
    share, tags = batch.targets[:, 0], batch.targets[:, 1 : 1 + len(scores)].T
    assert sorted(share.tolist()) == [-1] * 48 + [0, 0, 1, 1, 2, 2]
    losses = []
    for m, held in enumerate((0, 1, 2, 0)):
        one = log_likelihood(scores[:, m], CRFScores(*(p[m] for p in crf)), tags, batch.lengths)
        losses += (-one[share != held]).tolist()
    assert outcome.loss.item() == pytest.approx(np.mean(losses), rel=1e-5)
    assert outcome.count == len(losses) == 4 * 52
    outcome.loss.backward()
    before = {m: member.head.bias.grad.clone() for m, member in enumerate(network.members)}
    rows = (share == 1).nonzero()[:, 0]
    tags[:, rows] = (tags[:, rows] + 1) % len(tag_names(data.classes))
    network.zero_grad()
    TagObjective(data.classes, 3)(network, batch).loss.backward()
    same = [torch.equal(member.head.bias.grad, before[m]) for m, member in enumerate(network.members)]
    assert same == [False, True, False, False], "member 1 alone does not see the share 1"


def test_one_member_learns_from_the_training_part_alone() -> None:
    data, _, settings = committee(1, 60)
    assert data.learnt.tokens == data.train.tokens
    assert data.learnt_folds.tolist() == [-1] * 48
    assert settings.folds == 1


def test_validation_sentences_that_the_test_part_holds_are_not_learnt_from() -> None:
    train, other = small_sentences(40), small_sentences(12, 1)
    sources = Sources(*map(sentences_from_lists, (train, [*other, other[0]], other[:4])))
    data = prepare_sentences(sources, TagSettings(min_count=1))
    assert data.learnt.tokens[40:] == data.validation.tokens[4:12]
    assert data.validation_folds.tolist() == [*(n % 3 for n in range(12)), 0]
    assert data.repairs[-1].text.startswith("5 validation sentences not learnt from, as the test part holds")
    assert "1.0" not in data.vocabulary.words.names
    assert len(data.validation) == 13


def test_the_offset_is_the_largest_that_costs_next_to_nothing() -> None:
    data, network, _ = committee(4)
    offset = find_offset(network, data)
    readings = read_held_out(network, data.validation.inputs, data.validation_folds, 3)
    scores = [f1_of(data.validation, best_tags(readings, one, tag_names(data.classes))) for one in OFFSETS]
    best, place = scores.index(max(scores)), OFFSETS.index(offset)
    assert scores.count(max(scores)) == 1
    assert best < place < len(OFFSETS) - 1
    assert scores[place] >= 0.97 * max(scores)
    further = [one for one, at in zip(scores, OFFSETS, strict=True) if offset < at <= OFFSETS[best] + 1.5]
    assert all(one < 0.97 * max(scores) for one in further)


def test_what_is_held_out_is_read_by_those_that_held_it_out() -> None:
    data, network, _ = committee(5, 60)
    inputs, share = data.validation.inputs, data.validation_folds
    found = {int(row): one for one in read_held_out(network, inputs, share, 3).parts for row in one.rows}
    assert sorted(found) == list(range(6))
    for row, reading in found.items():
        judges = TagEnsemble([one for m, one in enumerate(network.members) if m % 3 == row % 3])
        (alone,) = read_sentences(judges, [inputs[row]]).parts
        column = reading.rows.tolist().index(row)
        assert torch.allclose(reading.scores[: len(inputs[row]), column], alone.scores[:, 0], atol=1e-5)
        assert torch.equal(reading.crf.start, alone.crf.start)


def test_lists_and_files_are_the_same_to_it(file: Path) -> None:
    pairs = small_sentences()
    one = Tagger(**SMALL).fit(pairs, display=QUIET)
    other = Tagger(**SMALL).fit([a for a, _ in pairs], [b for _, b in pairs], display=QUIET)
    third = Tagger(**SMALL).fit(file, display=QUIET)
    assert one.predict_spans(LINES) == other.predict_spans(LINES) == third.predict_spans(LINES)
    with pytest.raises(tt.DataError, match="only in memory then and not kept"):
        one.evaluate()
    assert one.evaluate(pairs) == one.metrics_


def test_what_the_test_part_holds_does_not_reach_the_weights(tmp_path: Path) -> None:
    train, dev = write_sentences(tmp_path / "a.conll"), write_sentences(tmp_path / "b.conll", 40, 1)
    fits = []
    for seed in (2, 3):
        test = write_sentences(tmp_path / f"{seed}.conll", 40, seed)
        fits.append(Tagger(**SMALL, validation=str(dev), test=str(test)).fit(train, display=QUIET))
    for mine, theirs in zip(fits[0].network_.parameters(), fits[1].network_.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    assert fits[0].offset_ == fits[1].offset_
    assert fits[0].metrics_.test != fits[1].metrics_.test


def test_parts_keep_equal_sentences_together_and_apart() -> None:
    pairs = [([f"w{n}", "x"], ["B-p", "O"]) for n in range(50)] * 2
    data = prepare_sentences(Sources(sentences_from_lists(pairs)), TagSettings())
    parts = (data.train, data.validation, data.test)
    assert [len(part) for part in parts] == [80, 10, 10]
    held = [set(part.tokens) for part in parts]
    assert not held[0] & held[1] | held[0] & held[2] | held[1] & held[2]
    given = Sources(*(sentences_from_lists(some) for some in (pairs, pairs[:5], pairs[5:9])))
    again = prepare_sentences(given, TagSettings())
    assert [len(part) for part in (again.train, again.validation, again.test)] == [82, 5, 4]
    assert again.repairs[-1].text.startswith("18 training sentences left out")


@pytest.mark.parametrize(
    ("train", "other", "words"),
    [
        ("a\tO\n", "b\tB-p\n", ["train.conll", "every tag of the training part is O"]),
        ("a\tB-p\n", "b\tO\n", ["validation part holds no span"]),
        ("a\tB-p\n", "b\tB-p\n\nx\tO\nc\tB-q\n", ["test.conll line 4", "'q'", "known are 'p'"]),
        ("a\tB-p\n", "a\tB-p\n", ["no training sentence is left"]),
    ],
)
def test_sentences_that_cannot_be_used(train: str, other: str, words: list[str], tmp_path: Path) -> None:
    for name, text in (("train", train), ("test", other)):
        (tmp_path / f"{name}.conll").write_text(text)
    found = [
        in_iob2(read_conll(tmp_path / f"{name}.conll"), repair=False) for name in ("train", "test", "test")
    ]
    with pytest.raises(tt.DataError) as error:
        prepare_sentences(Sources(*found), TagSettings())
    assert all(word in str(error.value) for word in words), str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        {"network": "rnn", "members": 1},
        {"variant": "CIFG", "peepholes": True, "layers": 2},
        {"word_vectors": "random", "keep_case": True, "schedule": "constant", "cut_at": "blanks"},
    ],
    ids=str,
)
def test_every_kind_of_network_fits_and_comes_back(change: dict[str, object], tmp_path: Path) -> None:
    tagger = Tagger(**SMALL | {"epochs": 1} | change).fit(small_sentences(60), folder=tmp_path, display=QUIET)
    assert tt.load(tmp_path).predict_spans(LINES) == tagger.predict_spans(LINES)


def test_pretrained_vectors_tell_words_that_training_lacks(tmp_path: Path) -> None:
    """People have one vector and places another; the names in the test part never occur in training."""
    rng = np.random.default_rng(0)
    names = [f"n{chr(97 + k)}{chr(97 + j)}" for k in range(12) for j in range(10)]
    kinds = {name: rng.integers(3) for name in names}
    vectors = tmp_path / "vectors.txt"
    rows = []
    for number, (name, kind) in enumerate(kinds.items()):
        one_hot = " ".join(str(float(kind == place)) for place in range(3))
        rows.append(f"{name.upper() if number % 7 == 0 else name} {one_hot}")
    vectors.write_text("\n".join(["the 0.1 0.1 0.1", *rows, "more 1 2 3", "other 5 5 5"]) + "\n")
    tag = ("O", "B-person", "B-place")
    pairs = [(["see", name, str(n)], ["O", tag[kinds[name]], "O"]) for n, name in enumerate(names * 2)]
    train, test = [p for p in pairs if p[0][1] < "ni"], [p for p in pairs if p[0][1] >= "ni"]
    settings = SMALL | {"hidden": 8, "epochs": 8, "learning_rate": 0.03, "split": (0.8, 0.19, 0.01)}
    settings |= {"members": 1, "batch_size": 8, "word_dropout": 0.5, "input_dropout": 0.0}
    settings |= {"character_dropout": 0.9, "character_filters": 2}  # the characters say nothing here
    with_them = Tagger(**settings, vectors=str(vectors), more_vectors=121).fit(
        train, folder=tmp_path / "m", display=QUIET
    )
    without = Tagger(**settings).fit(train, display=QUIET)
    assert without.evaluate(test).test.f1 < 0.6 < 0.9 < with_them.evaluate(test).test.f1
    known = with_them.vocabulary_.fixed.names
    assert "the" in known
    assert "more" not in known
    vectors.unlink()
    assert tt.load(tmp_path / "m").evaluate(test) == with_them.evaluate(test), "the vectors are in the folder"


def test_words_are_looked_up_as_written_then_in_lower_case() -> None:
    settings = TagSettings(min_count=1, max_characters=4)
    words = Vocabulary.learn([["Paris", "is", "@me", "42"]], settings, None)
    found = words.number(["PARIS", "@you", "17", "Oslo"])
    assert found.shape == (4, 7)
    assert found[:, 0].tolist() == [*words.words.numbers(["paris", "<user>", "00"]), 1]
    assert words.known(["PARIS", "@you", "17", "Oslo"]) == 3
    apart = words.number(["@", "you", "is", "#", "Go"])
    assert apart[1].tolist()[:2] == found[1].tolist()[:2], "an @ of its own belongs to the name behind it"
    assert apart[4, 1] == words.number(["#Go"])[0, 1]
    assert Vocabulary.read(words.to_json(), settings).number(["PARIS"]).tolist() == found[:1].tolist()
    vectors = WordVectors(("OSLO", "paris"), np.zeros((2, 3), np.float32), 2)
    fixed = Vocabulary.learn([["x"]], settings, vectors).number(["Oslo", "OSLO", "paris", "Paris", "Rome"])[
        :, 2
    ]
    assert fixed.tolist() == [2, 2, 3, 3, 1]
    with pytest.raises(ValueError, match="expected the lists"):
        Vocabulary.read("[]", settings)


def test_a_fit_goes_on_where_it_was_stopped(file: Path, tmp_path: Path) -> None:
    settings = SMALL | {"epochs": 4}
    whole = Tagger(**settings).fit(file, folder=tmp_path / "whole", display=QUIET)
    with pytest.raises(Killed):
        Tagger(**settings).fit(file, folder=tmp_path / "cut", display=KilledAtEpoch(2))
    with pytest.raises(tt.ModelFolderError, match=r"not finished. Continue .* fit tag --resume"):
        tt.load(tmp_path / "cut")
    resumed = Tagger.resume(tmp_path / "cut", display=QUIET)
    assert resumed.metrics_ == whole.metrics_
    for mine, theirs in zip(resumed.network_.parameters(), whole.network_.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    with pytest.raises(Killed):
        Tagger(**settings).fit(file, folder=tmp_path / "third", display=KilledAtEpoch(1))
    other = write_sentences(tmp_path / "other.conll", seed=7)
    with pytest.raises(tt.DataError, match="not the data this fit began with"):
        Tagger.resume(tmp_path / "third", other, display=QUIET)


def test_vectors_that_were_changed_stop_a_resume(tmp_path: Path) -> None:
    vectors = tmp_path / "v.txt"
    vectors.write_text("in 1 2\nAnn 3 4\n")
    with pytest.raises(Killed):
        Tagger(**SMALL, vectors=str(vectors)).fit(
            write_sentences(tmp_path / "t.conll"), folder=tmp_path / "m", display=KilledAtEpoch(2)
        )
    assert Tagger.resume(tmp_path / "m", display=KilledAtEpoch(9)).card_.vector_size == 2
    with pytest.raises(Killed):
        Tagger(**SMALL, vectors=str(vectors)).fit(
            tmp_path / "t.conll", folder=tmp_path / "n", display=KilledAtEpoch(2)
        )
    vectors.write_text("in 1 2\nAnn 3 5\n")
    with pytest.raises(tt.DataError, match="not the word vectors this fit began with"):
        Tagger.resume(tmp_path / "n", display=QUIET)


def test_a_damaged_vocabulary_is_named(fitted: tuple[Tagger, Path], tmp_path: Path) -> None:
    folder = fitted[0].save(tmp_path / "m")
    words = json.loads((folder / "vocabulary.json").read_text())
    words["words"].append("more")
    (folder / "vocabulary.json").write_text(json.dumps(words))
    with pytest.raises(tt.ModelFolderError, match=r"vocabulary\.json"):
        tt.load(folder)


def test_conventions_of_scikit_learn() -> None:
    tagger = Tagger(hidden=8)
    assert clone(tagger).get_params() == tagger.get_params()
    assert repr(tagger) == "Tagger(hidden=8)"
    with pytest.raises(TypeError, match="Tagger: no setting named hiden"):
        Tagger(hiden=3)
    with pytest.raises(NotFittedError, match=r"Tagger.predict: .* call fit or load first"):
        tagger.predict(["a"])
    with pytest.raises(tt.SettingsError, match="tag_column"):
        Tagger(tag_column=0).fit(small_sentences(9))
    with pytest.raises(TypeError, match="give the path of a CoNLL file"):
        Tagger().fit(7)


def test_what_is_no_list_of_sentences(fitted: tuple[Tagger, Path]) -> None:
    with pytest.raises(TypeError, match="give a list of sentences"):
        fitted[0].predict("Ann sleeps")
    with pytest.raises(TypeError, match="sentence 2 holds a int"):
        fitted[0].predict([["Ann"], [3]])
    with pytest.raises(tt.DataError, match="number 1: has no token"):
        fitted[0].predict([[]])
    assert fitted[0].predict([]) == []

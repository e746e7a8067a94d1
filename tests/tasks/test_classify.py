from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import throughtime as tt
from throughtime import Classifier
from throughtime.data import read_texts
from throughtime.tasks.classify_data import Sources, prepare_parts
from throughtime.tasks.classify_examples import word_counts
from throughtime.tasks.classify_settings import ClassifySettings
from throughtime.training import QuietDisplay

from .test_forecast import Killed, KilledAtEpoch
from .texts import SMALL, small_texts, write_texts

QUIET = QuietDisplay()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_texts(tmp_path_factory.mktemp("data") / "texts.tsv")


@pytest.fixture(scope="module")
def fitted(file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Classifier, Path]:
    folder = tmp_path_factory.mktemp("models") / "texts"
    return Classifier(**SMALL).fit(file, folder=folder, display=QUIET), folder


def test_saved_and_loaded_it_answers_the_same(
    fitted: tuple[Classifier, Path], file: Path, tmp_path: Path
) -> None:
    classifier, folder = fitted
    texts = small_texts(20, seed=9)[0]
    loaded = tt.load(folder)
    assert isinstance(loaded, Classifier)
    shares = classifier.predict_proba(texts)
    assert np.array_equal(loaded.predict_proba(texts), shares)
    assert shares.sum(axis=1) == pytest.approx(np.ones(20))
    assert loaded.predict(texts).tolist() == [loaded.classes_[i] for i in shares.argmax(axis=1)]
    assert loaded.metrics_ == classifier.metrics_
    assert loaded.get_params() == classifier.get_params()
    assert tt.load(loaded.save(tmp_path / "again")).evaluate() == classifier.metrics_
    assert tt.load(folder).evaluate(file) == classifier.metrics_
    names = {
        "model.json",
        "model.safetensors",
        "tokenizer.json",
        "metrics.json",
        "history.csv",
        "report.html",
    }
    assert {path.name for path in folder.iterdir()} == names


def test_a_text_is_answered_the_same_in_any_company(fitted: tuple[Classifier, Path]) -> None:
    texts = ["fine", *small_texts(30, seed=4)[0]]
    together = fitted[0].predict_proba(texts)
    alone = np.concatenate([fitted[0].predict_proba([text]) for text in texts])
    assert together == pytest.approx(alone, abs=1e-6)


def test_it_learns_what_no_bag_of_words_can() -> None:
    settings = SMALL | {
        "hidden": 16,
        "embedding": 16,
        "epochs": 30,
        "learning_rate": 0.02,
        "word_dropout": 0.05,
    }
    classifier = Classifier(**settings).fit(*small_texts(600), display=QUIET)
    metrics = classifier.metrics_
    assert metrics.test.accuracy > 0.95
    assert metrics.test.accuracy > metrics.baselines["nearest_neighbours"].accuracy
    answers = classifier.predict(["the film is not fine", "the film is fine", "not dull", "dull"])
    assert answers.tolist() == ["bad", "good", "good", "bad"]
    other = classifier.evaluate(*small_texts(200, seed=5))
    assert other.test.accuracy > 0.95
    assert set(other.baselines) == {"largest_class"}
    assert "not kept" in other.left_out["k-nearest neighbours"]


def test_a_word_counts_as_much_as_its_loss_costs(fitted: tuple[Classifier, Path]) -> None:
    classifier = fitted[0]
    text = "the film is not fine"
    counts = word_counts(classifier.network_, classifier.encoder_.words, text, 1, classifier.temperature_)
    words = text.split()
    for at, count in enumerate(counts):
        without = " ".join([*words[:at], "zzz", *words[at + 1 :]])
        shares = classifier.predict_proba([text, without])[:, 1]
        assert count == pytest.approx(shares[0] - shares[1], abs=1e-6)


def test_frames_and_lists_are_the_same_to_it() -> None:
    texts, labels = small_texts(100)
    one = Classifier(**SMALL).fit(texts, labels, display=QUIET)
    other = Classifier(**SMALL).fit(pl.DataFrame({"text": texts, "label": labels}), display=QUIET)
    assert np.array_equal(one.predict_proba(texts), other.predict_proba(texts))
    with pytest.raises(tt.DataError, match="only in memory then and not kept"):
        one.evaluate()
    assert one.evaluate(texts, labels) == one.metrics_


def test_what_the_test_part_holds_does_not_reach_the_weights(tmp_path: Path) -> None:
    train, dev = write_texts(tmp_path / "a.tsv"), write_texts(tmp_path / "b.tsv", 60, 1)
    fits = []
    for seed in (2, 3):
        test = write_texts(tmp_path / f"{seed}.tsv", 60, seed)
        settings = SMALL | {"validation": str(dev), "test": str(test)}
        held = set(read_texts(test).texts) & set(read_texts(train).texts)
        assert not held, "choose other seeds"
        fits.append(Classifier(**settings).fit(train, display=QUIET))
    for mine, theirs in zip(fits[0].network_.parameters(), fits[1].network_.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    assert fits[0].temperature_ == fits[1].temperature_
    assert fits[0].metrics_.test != fits[1].metrics_.test


def test_parts_are_split_by_class_and_keep_equal_texts_together(tmp_path: Path) -> None:
    lines = [f"text number {n}\t{'abc'[n % 3]}\n" for n in range(90)] * 2
    path = tmp_path / "t.tsv"
    path.write_text("text\tlabel\n" + "".join(lines))
    data = prepare_parts(Sources(read_texts(path)), ClassifySettings())
    sizes = [len(part) for part in (data.train, data.validation, data.test)]
    assert sizes == [144, 18, 18]
    held = [set(part.items) for part in (data.train, data.validation, data.test)]
    assert not held[0] & held[1]
    assert not held[0] & held[2]
    assert not held[1] & held[2]
    for part in (data.train, data.validation, data.test):
        assert len(set(np.bincount(part.truth))) == 1
    assert data.shares == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    again = prepare_parts(Sources(read_texts(path)), ClassifySettings())
    assert again.test.items == data.test.items
    assert prepare_parts(Sources(read_texts(path)), ClassifySettings(seed=1)).test.items != data.test.items


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    train = tmp_path / "train.tsv"
    train.write_text("text\tlabel\n" + "good one\t1\nbad one\t0\n\t1\ngood one\t1\nseen again\t0\n" * 3)
    test = tmp_path / "test.tsv"
    test.write_text("text\tlabel\nseen again\t0\nnew\t1\n")
    sources = Sources(read_texts(train), read_texts(test), read_texts(test))
    data = prepare_parts(sources, ClassifySettings(min_count=1))
    said = [repair.text for repair in data.repairs]
    assert said[0] == "3 empty texts left out, the first at train.tsv line 4."
    assert said[1].startswith("3 training texts left out, as the validation or test part holds the same")
    assert said[2].startswith("7 training texts repeated")
    assert "seen again" not in data.train.items
    assert data.test.items == ["seen again", "new"]


@pytest.mark.parametrize(
    ("train", "test", "words"),
    [
        ("a b\t1\nc d\t1\n", "e\t1\n", ["train.tsv", "every text has the label '1'"]),
        ("a b\t1\nc d\t0\n", "e\t1\nf\t2\n", ["test.tsv line 3", "label '2'", "'0', '1'"]),
        ("a b\t1\nc d\t0\n", "a b\t1\nc d\t0\n", ["no training text is left"]),
        ("\t1\n\t0\n", "e\t1\n", ["train.tsv", "every text is empty"]),
    ],
)
def test_texts_that_cannot_be_used(train: str, test: str, words: list[str], tmp_path: Path) -> None:
    paths = [tmp_path / "train.tsv", tmp_path / "test.tsv"]
    for path, rows in zip(paths, (train, test), strict=True):
        path.write_text("text\tlabel\n" + rows)
    sources = Sources(read_texts(paths[0]), read_texts(paths[1]), read_texts(paths[1]))
    with pytest.raises(tt.DataError) as error:
        prepare_parts(sources, ClassifySettings())
    for word in words:
        assert word in str(error.value)


def test_labels_in_order() -> None:
    texts = [f"text {n}" for n in range(60)]
    metrics = Classifier(**SMALL).fit(texts, [n % 3 * 5 + 5 for n in range(60)], display=QUIET).metrics_
    assert metrics.classes == ("5", "10", "15")


@pytest.mark.parametrize(
    "change",
    [
        {"network": "rnn", "members": 1},
        {"variant": "CIFG", "peepholes": True, "layers": 2},
        {"word_vectors": "random", "keep_case": True, "schedule": "constant", "patience": 1},
    ],
    ids=str,
)
def test_every_kind_of_network_fits_and_comes_back(change: dict[str, object], tmp_path: Path) -> None:
    texts, labels = small_texts(100)
    classifier = Classifier(**SMALL | {"epochs": 1} | change).fit(
        texts, labels, folder=tmp_path, display=QUIET
    )
    assert np.array_equal(tt.load(tmp_path).predict_proba(texts), classifier.predict_proba(texts))


def test_a_fit_goes_on_where_it_was_stopped(file: Path, tmp_path: Path) -> None:
    settings = SMALL | {"epochs": 4}
    whole = Classifier(**settings).fit(file, folder=tmp_path / "whole", display=QUIET)
    with pytest.raises(Killed):
        Classifier(**settings).fit(file, folder=tmp_path / "cut", display=KilledAtEpoch(2))
    with pytest.raises(tt.ModelFolderError, match=r"not finished. Continue .* fit classify --resume"):
        tt.load(tmp_path / "cut")
    resumed = Classifier.resume(tmp_path / "cut", display=QUIET)
    assert resumed.metrics_ == whole.metrics_
    for mine, theirs in zip(resumed.network_.parameters(), whole.network_.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    with pytest.raises(Killed):
        Classifier(**settings).fit(file, folder=tmp_path / "third", display=KilledAtEpoch(1))
    other = write_texts(tmp_path / "other.tsv", seed=7)
    with pytest.raises(tt.DataError, match="not the data this fit began with"):
        Classifier.resume(tmp_path / "third", other, display=QUIET)


def test_a_damaged_tokenizer_is_named(fitted: tuple[Classifier, Path], tmp_path: Path) -> None:
    folder = fitted[0].save(tmp_path / "m")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["film"] = 3
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(tt.ModelFolderError, match=r"tokenizer\.json"):
        tt.load(folder)


def test_conventions_of_scikit_learn() -> None:
    classifier = Classifier(hidden=8)
    assert clone(classifier).get_params() == classifier.get_params()
    assert repr(classifier) == "Classifier(hidden=8)"
    with pytest.raises(TypeError, match="Classifier: no setting named hiden"):
        Classifier(hiden=3)
    with pytest.raises(NotFittedError, match=r"Classifier.predict: .* call fit or load first"):
        classifier.predict(["a"])


def test_one_text_is_no_list_of_texts(fitted: tuple[Classifier, Path]) -> None:
    with pytest.raises(TypeError, match="give a list of texts"):
        fitted[0].predict("a fine film")
    assert fitted[0].predict([]).shape == (0,)


@pytest.mark.data
def test_a_part_of_sst(tmp_path: Path) -> None:
    if "THROUGHTIME_DATA" not in os.environ:
        pytest.skip("THROUGHTIME_DATA is not set")
    folder = Path(os.environ["THROUGHTIME_DATA"]) / "sst"
    train = read_texts(folder / "stsa.binary.train.gz")
    assert len(train) == 6_920
    assert train.labels is not None
    assert [train.labels.count(label) for label in "01"] == [3_310, 3_610]
    assert sum(len(text.split()) for text in train.texts) / len(train) == pytest.approx(19.3, abs=0.1)
    classifier = Classifier(members=1, epochs=3).fit(train.texts[:3_000], train.labels[:3_000], display=QUIET)
    dev = read_texts(folder / "stsa.binary.dev.gz")
    assert classifier.evaluate(dev.texts, dev.labels).test.accuracy > 0.68


def test_a_model_of_another_task_is_named_as_such(tmp_path: Path) -> None:
    texts = [f"good {n}" for n in range(20)] + [f"bad {n}" for n in range(20)]
    small = tt.Classifier(hidden=2, embedding=2, members=1, epochs=1)
    small.fit(texts, ["pos"] * 20 + ["neg"] * 20, folder=tmp_path / "model", display=QuietDisplay())
    with pytest.raises(
        tt.ModelFolderError, match=r"a model of the task 'classify', expected one of .* 'forecast'"
    ):
        tt.Forecaster.load(tmp_path / "model")

"""A classifier of sequences of numbers: sources, what reaches the network, baselines, reports."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import throughtime as tt
from throughtime import Classifier
from throughtime.data import from_arrays, read_sequences
from throughtime.tasks.classify_baselines import run_baselines
from throughtime.tasks.classify_data import ClassifyData, prepare_parts
from throughtime.tasks.classify_examples import stretch_counts
from throughtime.tasks.classify_kind import find_kind
from throughtime.tasks.classify_number_features import resampled, summary
from throughtime.tasks.classify_settings import ClassifySettings
from throughtime.tasks.sources import Sources
from throughtime.training import QuietDisplay

from .test_forecast import Killed, KilledAtEpoch
from .waves import SMALL_NUMBERS, wave_table, waves, write_lines

QUIET = QuietDisplay()


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Classifier, Path]:
    folder = tmp_path_factory.mktemp("models") / "waves"
    return Classifier(**SMALL_NUMBERS).fit(*waves(), folder=folder, display=QUIET), folder


def parts() -> ClassifyData:
    sources = Sources(*(from_arrays(*waves(count, seed)) for seed, count in enumerate((90, 30, 30))))
    return prepare_parts(sources, ClassifySettings())


def test_saved_and_loaded_it_answers_the_same(fitted: tuple[Classifier, Path]) -> None:
    classifier, folder = fitted
    arrays, labels = waves(20, seed=9)
    loaded = tt.load(folder)
    shares = classifier.predict_proba(arrays)
    assert np.array_equal(loaded.predict_proba(arrays), shares)
    assert shares.sum(axis=1) == pytest.approx(np.ones(20))
    assert loaded.predict(arrays).tolist() == [loaded.classes_[i] for i in shares.argmax(axis=1)]
    assert loaded.metrics_ == classifier.metrics_
    assert loaded.metrics_.noun == "sequence"
    assert loaded.evaluate(*waves()) == classifier.metrics_
    assert loaded.predict([]).shape == (0,)
    names = {"model.json", "model.safetensors", "channels.json", "metrics.json", "history.csv", "report.html"}
    assert {path.name for path in folder.iterdir()} == names
    other = loaded.evaluate(arrays, labels)
    assert set(other.baselines) == {"largest_class"}
    assert "training sequences" in other.left_out["summaries, logistic regression"]


def test_it_learns_and_each_source_says_the_same(tmp_path: Path) -> None:
    arrays, labels = waves(240)
    arrays[5][2, 0] = np.nan
    settings = SMALL_NUMBERS | {"epochs": 12}
    one = Classifier(**settings).fit(arrays, labels, display=QUIET)
    assert one.metrics_.test.accuracy > 0.8
    assert one.metrics_.test.accuracy > one.metrics_.baselines["nearest_neighbours"].accuracy
    table = wave_table(arrays, labels).with_columns(pl.col("x").fill_nan(None))
    table.write_csv(tmp_path / "waves.csv")
    lines = write_lines(tmp_path / "waves.jsonl", arrays, labels)
    settings = settings | {"epochs": 1}
    fits = [
        Classifier(**settings).fit(source, display=QUIET) for source in (table, tmp_path / "waves.csv", lines)
    ]
    fits.append(Classifier(**settings).fit(arrays, labels, display=QUIET))
    answers = [fit.predict_proba(arrays) for fit in fits]
    for answer in answers[1:]:
        assert answer == pytest.approx(answers[0], abs=1e-6)
    assert fits[0].predict_proba(table.drop("label")) == pytest.approx(answers[0], abs=1e-6)
    assert fits[1].predict_proba(lines) == pytest.approx(answers[0], abs=1e-6)


def test_a_sequence_is_answered_the_same_in_any_company(fitted: tuple[Classifier, Path]) -> None:
    arrays = waves(12, seed=4)[0]
    together = fitted[0].predict_proba(arrays)
    alone = np.concatenate([fitted[0].predict_proba([one]) for one in arrays])
    assert together == pytest.approx(alone, abs=1e-6)


def test_scale_and_gaps_are_learnt_on_the_training_part_alone() -> None:
    train, validation = waves(60), waves(30, seed=1)
    far = [one + 1e6 for one in waves(30, seed=2)[0]]
    train[0][3][1, 0] = np.nan
    far[0][0, 1] = np.inf
    sources = Sources(from_arrays(*train), from_arrays(*validation), from_arrays(far, train[1][:30]))
    data = prepare_parts(sources, ClassifySettings())
    steps = np.concatenate(train[0])
    assert data.encoder.channels.mean == pytest.approx(np.nanmean(steps, axis=0))  # type: ignore[union-attr]
    assert data.encoder.channels.std == pytest.approx(np.nanstd(steps, axis=0))  # type: ignore[union-attr]
    learnt = torch.cat(data.train.inputs)
    assert learnt.mean(0).tolist() == pytest.approx([0, 0], abs=0.01)
    assert learnt.std(0).tolist() == pytest.approx([1, 1], abs=0.01)
    assert "2 missing values of" in data.repairs[-1].text
    assert "in 2 sequences filled" in data.repairs[-1].text
    (row,) = (row for row, one in enumerate(data.train.items) if np.isnan(one).any())
    assert data.train.inputs[row][1, 0] == data.train.inputs[row][0, 0]


def test_what_is_left_out_is_said() -> None:
    arrays, labels = waves(30)
    flat = [np.concatenate([one, np.ones((len(one), 1))], axis=1) for one in arrays]
    sources = Sources(
        from_arrays([*flat, np.zeros((0, 3)), flat[0]], [*labels, "slow", labels[0]]),
        from_arrays(flat[3:9], labels[3:9]),
        from_arrays(flat[9:12], labels[9:12]),
    )
    data = prepare_parts(sources, ClassifySettings())
    said = [repair.text for repair in data.repairs]
    assert said == [
        "1 empty sequence left out, the first at the sequences, number 31.",
        "9 training sequences left out, as the validation or test part holds the same.",
        "1 training sequence repeated; they were kept.",
        "Never changing in training, so of no use: value 3.",
    ]
    assert (torch.cat(data.train.inputs)[:, 2] == 0).all()


def test_data_that_cannot_be_used(tmp_path: Path) -> None:
    arrays, labels = waves(30)
    fit = Classifier(**SMALL_NUMBERS).fit
    with pytest.raises(tt.DataError, match=r"every sequence has the label 'a'; .* training needs sequences"):
        fit(arrays, ["a"] * 30, display=QUIET)
    with pytest.raises(tt.DataError, match=r"the validation part holds no sequence; bring more sequences"):
        fit(arrays[:3], labels[:3], display=QUIET)
    with pytest.raises(tt.DataError, match="every sequence is empty"):
        fit([np.zeros((0, 2))] * 3, labels[:3], display=QUIET)
    with pytest.raises(ValueError, match="labels are missing"):
        fit(arrays, display=QUIET)
    test = write_lines(tmp_path / "test.jsonl", arrays[:3], ["slow", "mid", "odd"])
    train = write_lines(tmp_path / "train.jsonl", arrays, labels)
    with pytest.raises(tt.DataError, match=r"test.jsonl line 3: the label 'odd' .* training sequences"):
        Classifier(**SMALL_NUMBERS, test=str(test)).fit(train, display=QUIET)


def test_what_a_trained_model_refuses(fitted: tuple[Classifier, Path]) -> None:
    with pytest.raises(ValueError, match="number 1 has 3, expected 2"):
        fitted[0].predict([np.ones((4, 3))])
    with pytest.raises(tt.DataError, match=r"the sequences, number 2: is empty"):
        fitted[0].predict([np.ones((4, 2)), np.ones((0, 2))])
    with pytest.raises(tt.DataError, match=r"no column 'value 1'"):
        fitted[0].predict(pl.DataFrame({"id": ["a"], "x": [1.0]}))
    with pytest.raises(tt.DataError, match="label 'odd' does not occur in the training sequences"):
        fitted[0].evaluate([np.ones((4, 2))], ["odd"])


def test_texts_and_numbers_are_told_apart(tmp_path: Path) -> None:
    arrays, labels = waves(6)
    table, settings = wave_table(arrays, labels), ClassifySettings()
    table.write_csv(tmp_path / "t.csv")
    table.write_parquet(tmp_path / "t.parquet")
    lines = write_lines(tmp_path / "t.jsonl", arrays, labels)
    texts = tmp_path / "x.jsonl"
    texts.write_text('{"text": "a b", "label": 1}\n')
    reviews = pl.DataFrame({"id": [1, 1], "text": ["good", "bad"], "label": [1, 0]})
    for source in (table, tmp_path / "t.csv", tmp_path / "t.parquet", lines, arrays, np.ones((3, 4))):
        assert find_kind(source, settings) == "numbers"
    numbered = pl.DataFrame({"id": [1, 2], "words": ["a b", "c d"], "label": [1, 0]})
    for source in (reviews, numbered, texts, ["a b", "c"]):
        assert find_kind(source, settings) == "text"
    assert find_kind(texts, ClassifySettings(kind="numbers")) == "numbers"
    assert find_kind(table, ClassifySettings(text="label")) == "text"
    assert find_kind(reviews, ClassifySettings(sequence="id")) == "numbers"


def test_baselines_against_the_same_made_by_hand() -> None:
    data = parts()
    found = {one.name: one for one in run_baselines(data)}
    assert set(found) == {"summaries", "nearest_neighbours", "largest_class"}
    steps = int(np.median([len(one) for one in data.train.inputs]))
    train, test = (
        np.stack([resampled(one, steps).ravel() for one in part.inputs]) for part in (data.train, data.test)
    )
    neighbours = found["nearest_neighbours"]
    k = int(neighbours.note.split(",")[0].removeprefix("k = "))
    for row, share in zip(test, neighbours.test, strict=True):
        distances = ((train - row) ** 2).sum(axis=1)
        votes = np.bincount(data.train.truth[np.argsort(distances)[:k]], minlength=3) + 1
        assert share == pytest.approx(votes / votes.sum())
    figures = [
        np.stack([summary(one.numpy().astype(float)) for one in part.inputs])
        for part in (data.train, data.test)
    ]
    scaler = StandardScaler().fit(figures[0])
    strength = float(found["summaries"].note.rpartition("= ")[2])
    model = LogisticRegression(C=strength, max_iter=1_000).fit(scaler.transform(figures[0]), data.train.truth)
    expected = model.predict_proba(scaler.transform(figures[1]))
    assert found["summaries"].test == pytest.approx(expected, abs=1e-6)


def test_figures_of_a_sequence() -> None:
    values = np.array([[1.0, 5], [3, 5], [5, 5], [7, 5]])
    mean, std, low, high, first, last, slope, change = summary(values)[:-1].reshape(8, 2)
    assert (mean[0], low[0], high[0], first[0], last[0], change[0]) == (4, 1, 7, 1, 7, 2)
    assert std[0] == pytest.approx(5**0.5)
    assert slope[0] == pytest.approx(6)  # from 1 to 7 over the whole sequence
    assert (std[1], slope[1], change[1]) == (0, pytest.approx(0), 0)
    assert summary(values)[-1] == pytest.approx(np.log(4))
    assert np.isfinite(summary(values[:1])).all()
    line = resampled(torch.from_numpy(values), 7)
    assert line[:, 0].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert resampled(torch.from_numpy(values[:1]), 3)[:, 0].tolist() == [1, 1, 1]


def test_a_stretch_counts_as_much_as_its_loss_costs(fitted: tuple[Classifier, Path]) -> None:
    classifier = fitted[0]
    (array,) = waves(1, seed=3)[0]
    (sequence,) = classifier.encoder_.inputs([array])
    ends, counts = stretch_counts(classifier.network_, sequence, 1, classifier.temperature_)
    assert [step for first, last in ends for step in range(first, last + 1)] == list(range(len(array)))
    mean = np.array(classifier.encoder_.channels.mean)
    for (first, last), count in zip(ends, counts, strict=True):
        without = array.copy()
        without[first : last + 1] = mean
        shares = classifier.predict_proba([array, without])[:, 1]
        assert count == pytest.approx(shares[0] - shares[1], abs=1e-5)


def test_a_fit_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "waves.jsonl", *waves())
    settings = SMALL_NUMBERS | {"epochs": 4, "input_dropout": 0.2}
    whole = Classifier(**settings).fit(file, folder=tmp_path / "whole", display=QUIET)
    with pytest.raises(Killed):
        Classifier(**settings).fit(file, folder=tmp_path / "cut", display=KilledAtEpoch(2))
    resumed = Classifier.resume(tmp_path / "cut", display=QUIET)
    assert resumed.metrics_ == whole.metrics_
    for mine, theirs in zip(resumed.network_.parameters(), whole.network_.parameters(), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("change", [{"network": "rnn"}, {"layers": 2, "peepholes": True}], ids=str)
def test_other_networks_fit_and_come_back(change: dict[str, object], tmp_path: Path) -> None:
    arrays, labels = waves(60)
    settings = SMALL_NUMBERS | {"epochs": 1} | change
    classifier = Classifier(**settings).fit(arrays, labels, folder=tmp_path, display=QUIET)
    assert np.array_equal(tt.load(tmp_path).predict_proba(arrays), classifier.predict_proba(arrays))


def test_damaged_channels_are_named(fitted: tuple[Classifier, Path], tmp_path: Path) -> None:
    folder = fitted[0].save(tmp_path / "m")
    (folder / "channels.json").write_text("{}")
    with pytest.raises(tt.ModelFolderError, match=r"channels\.json"):
        tt.load(folder)


@pytest.mark.data
def test_rows_of_digits() -> None:
    if "THROUGHTIME_DATA" not in os.environ:
        pytest.skip("THROUGHTIME_DATA is not set")
    folder = Path(os.environ["THROUGHTIME_DATA"]) / "mnist"
    images, labels = read_digits(folder, 2_000)
    classifier = Classifier(members=1, epochs=6, hidden=32, learning_rate=0.01)
    classifier.fit(images[:1_500], labels[:1_500], display=QUIET)
    assert classifier.evaluate(images[1_500:], labels[1_500:]).test.accuracy > 0.8


def read_digits(folder: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Test images (N, 28, 28) and their labels."""
    import gzip

    with gzip.open(folder / "t10k-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(folder / "t10k-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return images[:count], labels[:count]


def test_the_table_of_a_file_is_read_once_more_for_other_channels(tmp_path: Path) -> None:
    """Columns that other data have beside those of training are not read."""
    arrays, labels = waves(60)
    classifier = Classifier(**SMALL_NUMBERS | {"epochs": 1}).fit(wave_table(arrays, labels), display=QUIET)
    wide = wave_table(arrays, labels).with_columns(extra=pl.lit(1.0)).select("extra", pl.exclude("extra"))
    assert read_sequences(wide).channels == ("extra", "x", "y2")
    assert np.array_equal(classifier.predict_proba(wide), classifier.predict_proba(arrays))

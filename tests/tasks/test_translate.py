from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import throughtime as tt
from throughtime import Translator
from throughtime.data import pairs_from_lists, read_pairs
from throughtime.tasks.sources import Sources
from throughtime.tasks.translate_answers import looked_at
from throughtime.tasks.translate_data import Pieces, batches_of, prepare_pairs
from throughtime.tasks.translate_network import attention_weights, build_network, mean_loss, objective_of
from throughtime.tasks.translate_settings import TranslateSettings
from throughtime.training import QuietDisplay

from .pairs import SMALL, small_pairs, write_pairs
from .test_forecast import Killed, KilledAtEpoch

QUIET = QuietDisplay()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_pairs(tmp_path_factory.mktemp("data"), "train")


@pytest.fixture(scope="module")
def fitted(files: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Translator, Path]:
    folder = tmp_path_factory.mktemp("models") / "pairs"
    return Translator(**SMALL).fit(*files, folder=folder, display=QUIET), folder


def same_weights(one: Translator, other: Translator) -> bool:
    pairs = zip(one.network_.parameters(), other.network_.parameters(), strict=True)
    return all(torch.equal(mine, theirs) for mine, theirs in pairs)


def test_saved_and_loaded_it_answers_the_same(
    fitted: tuple[Translator, Path], files: tuple[Path, Path], tmp_path: Path
) -> None:
    translator, folder = fitted
    sources = small_pairs(9, seed=9)[0]
    loaded = tt.load(folder)
    assert isinstance(loaded, Translator)
    assert loaded.predict(sources) == translator.predict(sources)
    assert loaded.metrics_ == translator.metrics_
    assert loaded.get_params() == translator.get_params()
    assert tt.load(loaded.save(tmp_path / "again")).evaluate() == translator.metrics_
    assert loaded.evaluate(*files) == translator.metrics_
    assert {path.name for path in folder.iterdir()} == {
        "model.json",
        "model.safetensors",
        "source_pieces.json",
        "target_pieces.json",
        "metrics.json",
        "history.csv",
        "report.html",
    }


@pytest.mark.parametrize("attention", ["dot", "additive"])
def test_it_learns_to_move_the_verb(attention: str) -> None:
    settings = SMALL | {"hidden": 24, "embedding": 24, "epochs": 22, "learning_rate": 0.015}
    restraint = {"dropout": 0.1, "word_dropout": 0.0}
    translator = Translator(**settings | restraint, attention=attention)
    translator.fit(*small_pairs(500), display=QUIET)
    metrics = translator.metrics_
    assert metrics.test.bleu > 90
    assert metrics.test.bleu > metrics.baselines["nearest_neighbour"].bleu
    assert translator.predict(["der alte Hund den Baum holt."]) == ["the old dog fetches the tree."]
    other = translator.evaluate(*small_pairs(60, seed=5))
    assert other.test.bleu > 90
    assert set(other.baselines) == {"copy"}
    assert "not kept" in other.left_out["nearest neighbour"]
    looked = looked_at(
        translator.network_,
        translator.pieces_,
        "der alte Hund den Baum holt.",
        translator.translations(["der alte Hund den Baum holt."])[0][0].symbols,
    )
    assert looked.weights is not None
    assert looked.weights.shape == (len(looked.target), len(looked.source))
    assert looked.weights.sum(axis=1) == pytest.approx(np.ones(len(looked.target)))


def test_a_sentence_is_answered_the_same_in_any_company(fitted: tuple[Translator, Path]) -> None:
    sources = ["Hund", *small_pairs(80, seed=4)[0], "der rote Hund den Ball sieht. " * 3]
    together = fitted[0].translations(sources, best=2)
    for source, found in zip(sources[::9], together[::9], strict=True):
        alone = fitted[0].translations([source], best=2)[0]
        assert [one.text for one in alone] == [one.text for one in found]
        assert [one.score for one in alone] == pytest.approx([one.score for one in found], abs=1e-4)


def test_what_a_score_means(fitted: tuple[Translator, Path]) -> None:
    translator, source = fitted[0], "der rote Hund den Ball sieht."
    best = translator.translations([source], best=3)[0]
    assert len(best) == 3
    assert best[0].score > best[1].score > best[2].score
    (numbers,) = translator.pieces_.source.number([source])
    for one in best:
        target = torch.tensor([*one.symbols, 3])
        loss = mean_loss(translator.network_, [numbers], [target])
        assert one.log_probability == pytest.approx(-loss * len(target), rel=1e-4)
        assert one.score == pytest.approx(one.log_probability * 6 / (5 + len(target)))


def test_empty_and_unknown_sentences(fitted: tuple[Translator, Path]) -> None:
    found = fitted[0].predict(["", "  ", "犬", "Hund"])
    assert found[:2] == ["", ""]
    assert len(found) == 4
    assert fitted[0].predict([]) == []


def test_without_attention_nothing_is_looked_at(tmp_path: Path) -> None:
    sources, targets = small_pairs(100)
    translator = Translator(**SMALL | {"epochs": 1}, attention="none")
    translator.fit(sources, targets, folder=tmp_path, display=QUIET)
    assert attention_weights(translator.network_, torch.tensor([5, 3]), [4]) is None
    assert tt.load(tmp_path).predict(sources[:3]) == translator.predict(sources[:3])
    assert "there is nothing to look at" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    "change",
    [
        {"network": "rnn", "attention": "additive"},
        {"variant": "CIFG", "peepholes": True, "layers": 2, "teacher_forcing": 0.5},
        {"beam": 1, "label_smoothing": 0.0, "schedule": "constant", "patience": 1},
    ],
    ids=str,
)
def test_every_kind_of_network_fits_and_comes_back(change: dict[str, Any], tmp_path: Path) -> None:
    sources, targets = small_pairs(100)
    translator = Translator(**SMALL | change).fit(sources, targets, folder=tmp_path, display=QUIET)
    assert tt.load(tmp_path).predict(sources[:5]) == translator.predict(sources[:5])


def test_less_is_forced_from_epoch_to_epoch() -> None:
    data = prepare_pairs(Sources(pairs_from_lists(*small_pairs(60))), TranslateSettings(**SMALL))
    settings = TranslateSettings(**SMALL | {"teacher_forcing": 0.4, "epochs": 4})
    train, validation = batches_of(data, settings)
    assert train.truth == pytest.approx((1.0, 0.8, 0.6, 0.4))
    assert validation.truth == (1.0,)
    assert TranslateSettings().truth_by_epoch(3) == (1.0, 1.0, 1.0)


@torch.no_grad()
def test_smoothing_is_for_training_alone() -> None:
    settings = TranslateSettings(**SMALL | {"dropout": 0.0, "word_dropout": 0.0, "label_smoothing": 0.3})
    sources, targets = small_pairs(30)
    data = prepare_pairs(Sources(pairs_from_lists(sources, targets)), settings)
    network = build_network(settings, sources=len(data.pieces.source), targets=len(data.pieces.target))
    (batch,) = batches_of(data, settings.model_copy(update={"batch_size": 99}))[0].epoch(1)
    objective = objective_of(settings)
    logits = network.train()(batch.inputs, batch.lengths, batch.targets).log_softmax(dim=-1)
    true = logits.gather(1, batch.targets[batch.targets != 0][:, None]).mean()
    expected = -(0.7 * true + 0.3 * logits.mean())
    assert float(objective(network, batch).loss) == pytest.approx(float(expected), rel=1e-5)
    assert float(objective(network.eval(), batch).loss) == pytest.approx(float(-true), rel=1e-5)
    assert objective(network, batch).count == int((batch.targets != 0).sum())


def test_what_the_test_part_holds_does_not_reach_the_weights(tmp_path: Path) -> None:
    dev = write_pairs(tmp_path, "dev", 20, 1)
    made = []
    for word in ("eins", "zwei"):
        test = tmp_path / f"{word}.tsv"
        rows = zip(*small_pairs(20, 2), strict=True)
        test.write_text("de\ten\n" + "".join(f"{word} {source}\t{target}\n" for source, target in rows))
        settings = SMALL | {"validation": tuple(map(str, dev)), "test": (str(test),)}
        made.append(Translator(**settings).fit(*small_pairs(100), display=QUIET))
    assert same_weights(*made)
    assert made[0].metrics_.validation == made[1].metrics_.validation
    assert made[0].metrics_.test != made[1].metrics_.test


def test_parts_keep_equal_sources_together_and_say_what_is_left_out(tmp_path: Path) -> None:
    sources = [f"Satz {n // 2}" for n in range(120)] + ["", "leer"]
    targets = [f"sentence {n}" for n in range(120)] + ["empty", " "]
    settings = TranslateSettings(split=(0.8, 0.1, 0.1))
    data = prepare_pairs(Sources(pairs_from_lists(sources, targets)), settings)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [96, 12, 12]
    held = [set(part.sources) for part in (data.train, data.validation, data.test)]
    assert not held[0] & held[1]
    assert not held[0] & held[2]
    assert not held[1] & held[2]
    said = [repair.text for repair in data.repairs]
    assert said == ["2 pairs with an empty side left out, the first: the sentences, number 121."]
    again = prepare_pairs(Sources(pairs_from_lists(sources, targets)), settings)
    assert again.test.sources == data.test.sources


def test_what_another_part_holds_and_what_is_too_long_is_left_out() -> None:
    train = pairs_from_lists(["a b", "c d", "e " * 40, "f"], ["A B", "C D", "E", "F"])
    other = pairs_from_lists(["c d"], ["another"])
    data = prepare_pairs(Sources(train, other, other), TranslateSettings(longest=20))
    assert data.train.sources == ["a b", "f"]
    assert [repair.text for repair in data.repairs] == [
        "1 training pair left out, as another part holds the same source.",
        "1 training pair left out, with more than 20 pieces (--longest).",
    ]


@pytest.mark.parametrize(
    ("train", "other", "words"),
    [
        ((["a", ""], ["", "b"]), (["c"], ["d"]), ["every pair has an empty side"]),
        ((["c"], ["x"]), (["c"], ["d"]), ["no training pair is left"]),
        ((["a " * 30], ["x"]), (["c"], ["d"]), ["every training pair has more than 5 pieces", "--longest"]),
    ],
)
def test_pairs_that_cannot_be_used(train: Any, other: Any, words: list[str]) -> None:
    parts = [pairs_from_lists(*one) for one in (train, other, other)]
    with pytest.raises(tt.DataError) as error:
        prepare_pairs(Sources(*parts), TranslateSettings(longest=5))
    assert all(word in str(error.value) for word in words), error.value


def test_too_few_pairs_to_split() -> None:
    with pytest.raises(tt.DataError, match="the validation part holds no pair"):
        prepare_pairs(Sources(pairs_from_lists(["a"], ["b"])), TranslateSettings())


def test_a_fit_goes_on_where_it_was_stopped(files: tuple[Path, Path], tmp_path: Path) -> None:
    settings = SMALL | {"epochs": 4, "teacher_forcing": 0.7}
    whole = Translator(**settings).fit(*files, folder=tmp_path / "whole", display=QUIET)
    with pytest.raises(Killed):
        Translator(**settings).fit(*files, folder=tmp_path / "cut", display=KilledAtEpoch(2))
    with pytest.raises(tt.ModelFolderError, match=r"not finished. Continue .* fit translate --resume"):
        tt.load(tmp_path / "cut")
    resumed = Translator.resume(tmp_path / "cut", display=QUIET)
    assert resumed.metrics_ == whole.metrics_
    assert same_weights(resumed, whole)
    with pytest.raises(Killed):
        Translator(**settings).fit(*files, folder=tmp_path / "third", display=KilledAtEpoch(1))
    other = write_pairs(tmp_path, "other", seed=7)
    with pytest.raises(tt.DataError, match="not the data this fit began with"):
        Translator.resume(tmp_path / "third", *other, display=QUIET)


def test_a_damaged_vocabulary_is_named(fitted: tuple[Translator, Path], tmp_path: Path) -> None:
    folder = fitted[0].save(tmp_path / "m")
    pieces = json.loads((folder / "target_pieces.json").read_text())
    pieces["model"]["vocab"]["zzz"] = 3
    (folder / "target_pieces.json").write_text(json.dumps(pieces))
    with pytest.raises(tt.ModelFolderError, match=r"target_pieces\.json"):
        tt.load(folder)


def test_conventions_of_scikit_learn() -> None:
    translator = Translator(hidden=8)
    assert clone(translator).get_params() == translator.get_params()
    assert repr(translator) == "Translator(hidden=8)"
    with pytest.raises(TypeError, match="Translator: no setting named hiden"):
        Translator(hiden=3)
    with pytest.raises(NotFittedError, match=r"Translator.predict: .* call fit or load first"):
        translator.predict(["a"])


def test_wrong_arguments(fitted: tuple[Translator, Path], files: tuple[Path, Path]) -> None:
    with pytest.raises(TypeError, match="give a list of texts"):
        fitted[0].predict("Hund")
    with pytest.raises(ValueError, match="best=0"):
        fitted[0].translations(["Hund"], best=0)
    with pytest.raises(TypeError, match="two lists of sentences; got list and NoneType"):
        Translator().fit(["a"])
    with pytest.raises(TypeError, match="two paths"):
        Translator().fit(files[0], ["a"])
    with pytest.raises(tt.SettingsError, match=r"validation: .*got 3 places"):
        Translator(validation="a,b,c").fit(*files)
    with pytest.raises(tt.SettingsError, match="teacher_forcing"):
        Translator(teacher_forcing=0.0).fit(*files)


def test_lists_in_memory_are_not_kept() -> None:
    sources, targets = small_pairs(60)
    translator = Translator(**SMALL | {"epochs": 1}).fit(np.array(sources), np.array(targets), display=QUIET)
    with pytest.raises(tt.DataError, match="only in memory then and not kept"):
        translator.evaluate()
    assert translator.evaluate(sources, targets) == translator.metrics_


@pytest.mark.data
def test_a_part_of_multi30k() -> None:
    if "THROUGHTIME_DATA" not in os.environ:
        pytest.skip("THROUGHTIME_DATA is not set")
    folder = Path(os.environ["THROUGHTIME_DATA"]) / "multi30k"
    train = read_pairs(folder / "train.de.gz", folder / "train.en.gz")
    val = tuple(str(folder / f"val.{language}.gz") for language in ("de", "en"))
    settings = {"hidden": 32, "embedding": 32, "source_pieces": 1_000, "target_pieces": 800, "epochs": 2}
    restraint = {"dropout": 0.1, "word_dropout": 0.0, "batch_size": 32}
    translator = Translator(**settings, **restraint, validation=val, beam=1, learning_rate=1e-2)
    translator.fit(train.sources[:3_000], train.targets[:3_000], display=QUIET)
    assert isinstance(translator.pieces_, Pieces)
    assert translator.metrics_.validation is not None
    assert translator.metrics_.validation.perplexity < 100
    for side, sentences in (
        (translator.pieces_.target, train.targets),
        (translator.pieces_.source, train.sources),
    ):
        assert [side.text(one.tolist()) for one in side.number(sentences[:2_000])] == list(sentences[:2_000])

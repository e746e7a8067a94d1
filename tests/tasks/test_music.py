from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import throughtime as tt
from throughtime import Composer
from throughtime.batch import Batch
from throughtime.data import read_music, write_midi
from throughtime.data.roll_batches import heard
from throughtime.tasks.music_baselines import contexts, following, run_baselines
from throughtime.tasks.music_data import MusicData, prepare_music
from throughtime.tasks.music_network import build_network, note_logits, objective, step_nats
from throughtime.tasks.music_scores import music_scores, note_bins
from throughtime.tasks.music_settings import MusicSettings
from throughtime.training import QuietDisplay

from .pieces import SMALL, small_parts, small_pieces, write_pieces
from .test_forecast import Killed, KilledAtEpoch

QUIET = QuietDisplay()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pieces(tmp_path_factory.mktemp("data") / "pieces.json")


@pytest.fixture(scope="module")
def fitted(file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Composer, Path]:
    folder = tmp_path_factory.mktemp("models") / "music"
    return Composer(**SMALL).fit(file, folder=folder, display=QUIET), folder


def small_data(**settings: Any) -> MusicData:
    return prepare_music(read_music(small_parts()), MusicSettings(**settings))


def test_saved_and_loaded_it_answers_the_same(
    fitted: tuple[Composer, Path], file: Path, tmp_path: Path
) -> None:
    composer, folder = fitted
    loaded = tt.load(folder)
    assert isinstance(loaded, Composer)
    piece = small_pieces(1, seed=9)[0]
    shares = composer.predict_proba(piece)
    assert shares.shape == (len(piece), 88)
    assert np.array_equal(loaded.predict_proba(piece), shares)
    assert list(loaded.compose(12, seed=3)) == list(composer.compose(12, seed=3))
    assert not loaded.network_.training
    assert not composer.network_.training
    assert loaded.metrics_ == composer.metrics_
    assert loaded.get_params() == composer.get_params()
    assert tt.load(loaded.save(tmp_path / "again")).evaluate() == composer.metrics_
    assert tt.load(folder).evaluate(file) == composer.metrics_
    names = {"model.json", "model.safetensors", "metrics.json", "history.csv", "report.html"}
    assert {path.name for path in folder.iterdir()} == names
    card = json.loads((folder / "model.json").read_text())
    assert (card["task"], card["lowest"], card["highest"]) == ("generate-music", 21, 108)


def test_a_killed_fit_goes_on_bit_for_bit(file: Path, tmp_path: Path) -> None:
    settings = {**SMALL, "epochs": 3, "transpose": 3}
    with pytest.raises(Killed):
        Composer(**settings).fit(file, folder=tmp_path / "killed", display=KilledAtEpoch(2))
    with pytest.raises(tt.ModelFolderError, match=r"Continue it with: throughtime fit \S+ --resume"):
        tt.load(tmp_path / "killed")
    resumed = Composer.resume(tmp_path / "killed", display=QUIET)
    whole = Composer(**settings).fit(file, display=QUIET)
    for name, weight in whole.network_.state_dict().items():
        assert torch.equal(resumed.network_.state_dict()[name], weight), name
    assert resumed.metrics_ == whole.metrics_


def test_it_learns_the_round() -> None:
    """The next chord follows from the one before, which no note tells by itself."""
    composer = Composer(hidden=32, epochs=40, batch_size=4, dropout=0.1, input_dropout=0.0)
    composer.fit(small_parts(), display=QUIET)
    metrics = composer.metrics_
    assert metrics.best_baseline == "nearest_neighbours"
    assert metrics.test.nats_per_step < 0.5 * metrics.baselines["one_step"].nats_per_step
    assert metrics.test.frame_accuracy > 0.9 > metrics.baselines["one_step"].frame_accuracy
    (step,) = composer.compose(1, prompt=[[48, 60, 64, 67]], threshold=0.25)
    assert step == (53, 60, 65, 69)


def test_nats_are_those_of_independent_notes(fitted: tuple[Composer, Path]) -> None:
    """By hand from `predict_proba`; the first step of each piece counts nowhere but in its own figure."""
    composer, _ = fitted
    parts = small_parts()
    costs, firsts, lowest = [], [], composer.lowest_
    for piece in parts["test"]:
        shares = composer.predict_proba(piece)
        sounded = np.zeros_like(shares, dtype=bool)
        for t, step in enumerate(piece):
            sounded[t, [number - lowest for number in step]] = True
        nats = -np.log(np.where(sounded, shares, 1 - shares)).sum(axis=1)
        costs.append(nats[1:])
        firsts.append(nats[0])
    metrics = composer.metrics_
    assert metrics.test.nats_per_step == pytest.approx(np.concatenate(costs).mean(), rel=1e-5)
    assert metrics.first_step_nats == pytest.approx(np.mean(firsts), rel=1e-5)
    assert metrics.test.steps == sum(map(len, costs))
    assert composer.predict(parts["test"]) == pytest.approx([nats.mean() for nats in costs], rel=1e-5)
    assert [one.nats_per_step for one in metrics.pieces] == pytest.approx([nats.mean() for nats in costs])


def test_the_first_step_counts_in_training_alone() -> None:
    data = small_data()
    network = build_network(MusicSettings(**SMALL, dropout=0, input_dropout=0), data.rates)
    some = data.train.bits[:3]
    targets = torch.nn.utils.rnn.pad_sequence(some)
    lengths = torch.tensor([len(one) for one in some])
    batch = Batch(heard(targets), targets, lengths, aligned=True)
    nats = [step_nats(logits, bits) for logits, bits in zip(note_logits(network, some), some, strict=True)]
    network.train()
    learnt = objective(network, batch)
    assert learnt.count == lengths.sum()
    assert learnt.loss.item() == pytest.approx(torch.cat(nats).mean().item(), rel=1e-5)
    network.eval()
    judged = objective(network, batch)
    assert judged.count == lengths.sum() - 3
    assert judged.loss.item() == pytest.approx(torch.cat([one[1:] for one in nats]).mean().item(), rel=1e-5)
    alone = Batch(heard(targets[:1]), targets[:1], torch.ones(3).long(), aligned=True)
    assert objective(network, alone).count == 0


def test_baselines_by_hand() -> None:
    data = prepare_music(
        read_music(
            {"train": [[[60], [60], [62], [60]]], "valid": [[[60], [62]]], "test": [[[62], [60, 62]]]}
        ),
        MusicSettings(),
    )
    rates, memory, near = run_baselines(data)
    place, other = 60 - 21, 62 - 21
    assert rates.test.sigmoid()[0, [place, other, 0]].tolist() == pytest.approx([4 / 6, 2 / 6, 1 / 6])
    # 60 follows 60 in one of two steps and silence of 60 in one of one; 62 never follows 62 in one of one.
    assert memory.test.sigmoid()[0, [place, other]].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert memory.validation is not None
    assert memory.validation.sigmoid()[0, [place, other]].tolist() == pytest.approx([2 / 4, 2 / 4])
    assert near.note.startswith("k = 3")
    assert near.test.sigmoid()[0, place].item() == pytest.approx((2 + 2 * 4 / 6) / 5)


def test_contexts_fade() -> None:
    bits = torch.eye(6)[[0, 1, 2, 3, 4, 5]]
    found = contexts([bits])
    assert found.shape == (5, 6)
    assert found[4] / found[4, 4] == pytest.approx(torch.tensor([0, 0.125, 0.25, 0.5, 1, 0]))
    assert found.norm(dim=1) == pytest.approx(torch.ones(5))
    before, after = following([bits, bits[:1]])
    assert torch.equal(before, bits[:-1])
    assert torch.equal(after, bits[1:])


def test_frame_accuracy_and_calibration() -> None:
    logits = torch.logit(torch.tensor([[0.95, 0.85, 0.25], [0.45, 0.65, 0.15]]))
    truth = torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    scores = music_scores(logits, truth, 1)
    assert scores.frame_accuracy == pytest.approx(2 / 4)
    by_hand = -math.log(0.95 * 0.15 * 0.75) - math.log(0.45 * 0.65 * 0.85)
    assert scores.nats_per_step == pytest.approx(by_hand / 2, rel=1e-6)
    bins = note_bins(logits, truth)
    assert sum(one.notes for one in bins) == 6
    assert bins[0].probability == pytest.approx(0.15)
    assert [one.sounded for one in bins] == pytest.approx([0, 0, 1, 1, 0, 1])
    assert music_scores(torch.full((2, 3), -9.0), torch.zeros(2, 3), 1).frame_accuracy == 1


def test_composing(fitted: tuple[Composer, Path], tmp_path: Path) -> None:
    composer, _ = fitted
    piece = list(composer.compose(40, seed=5))
    assert len(piece) == 40
    assert piece == list(composer.compose(40, seed=5))
    assert piece != list(composer.compose(40, seed=6))
    assert piece[:9] == list(composer.compose(9, seed=5))
    assert all(list(step) == sorted(set(step)) for step in piece)
    assert list(composer.compose(40)) != list(composer.compose(40))
    few = list(composer.compose(40, seed=5, most=2))
    assert max(map(len, few)) == 2
    tame, wild = (list(composer.compose(40, seed=5, temperature=heat)) for heat in (0.2, 3.0))
    assert sum(map(len, tame)) < sum(map(len, piece)) < sum(map(len, wild))
    path = tmp_path / "prompt.mid"
    write_midi(path, piece[:8])
    assert list(composer.compose(6, seed=2, prompt=path)) == list(
        composer.compose(6, seed=2, prompt=piece[:8])
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 0}, "length=0 must be above 0"),
        ({"temperature": 0.0}, "temperature=0.0 must be above 0"),
        ({"temperature": math.nan}, "temperature=nan must be above 0"),
        ({"most": 0}, "most=0 must be above 0"),
        ({"threshold": 1.0}, "threshold=1.0 must be between 0 and 1"),
        ({"prompt": [[60], [20]]}, "the prompt, step 2: note 20 .G#0. is outside the range .* 21 to 108"),
    ],
)
def test_wrong_wishes_are_refused_at_once(
    fitted: tuple[Composer, Path], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fitted[0].compose(**options)


def test_other_music(fitted: tuple[Composer, Path], tmp_path: Path) -> None:
    composer, _ = fitted
    metrics = composer.evaluate([*small_pieces(4, seed=8), [[60]]])
    assert metrics.test.pieces == 5
    assert set(metrics.baselines) == {"constant_rates"}
    assert len(metrics.left_out) == 2
    assert metrics.pieces[4].nats_per_step is None
    assert np.isnan(composer.predict([[[60]]])).all()
    with pytest.raises(tt.DataError, match="holds no piece of two steps or more"):
        composer.evaluate([[[60]]])
    with pytest.raises(tt.DataError, match=r"piece 2, step 1: note 120 .C9. is outside the range"):
        composer.evaluate([[[60], [60]], [[120], [60]]])
    write_midi(tmp_path / "a.mid", [[60], [62]])
    assert composer.predict(tmp_path / "a.mid").shape == (1,)
    with pytest.raises(tt.DataError, match="holds 6 pieces; a prompt is one"):
        composer.compose(prompt=write_pieces_list(tmp_path))


def write_pieces_list(folder: Path) -> Path:
    path = folder / "six.json"
    path.write_text(json.dumps(small_pieces(6)))
    return path


def test_pieces_are_split_where_no_parts_are_named() -> None:
    pieces = small_pieces(40)
    data = prepare_music(read_music(pieces), MusicSettings(split=(0.5, 0.25, 0.25)))
    assert [len(part) for part in (data.train, data.validation, data.test)] == [20, 10, 10]
    names = {roll.name for part in (data.train, data.validation, data.test) for roll in part.rolls}
    assert len(names) == 40
    again = prepare_music(read_music(pieces), MusicSettings(split=(0.5, 0.25, 0.25), seed=1))
    assert [roll.name for roll in again.test.rolls] != [roll.name for roll in data.test.rolls]


def test_a_piece_of_the_test_part_is_not_learnt_from() -> None:
    parts = small_parts()
    parts["train"] += [parts["test"][0], parts["valid"][1]]
    data = prepare_music(read_music(parts), MusicSettings())
    assert len(data.train) == 24
    assert data.repairs[0].text.startswith("2 training pieces left out")


def test_notes_beyond_the_piano_widen_the_range() -> None:
    parts = small_parts()
    parts["test"][0][0] = [15]
    data = prepare_music(read_music(parts), MusicSettings())
    assert (data.lowest, data.highest) == (0, 127)
    assert data.train.bits[0].shape[1] == 128
    assert data.compass == (48, 72)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"train": [[[60], [62]]], "valid": [[[60], [62]]]}, "names parts, but none for test"),
        (
            {"train": [[[60], [62]]], "valid": [[[60]]], "test": [[[60]]]},
            "the validation part has 1 piece and none",
        ),
        ([[[60], [62]]], "part has 0 pieces and none of two steps or more"),
        (
            {"train": [[[], []]], "valid": [[[], [], []]], "test": [[[], [], []]]},
            "every step of every piece is silent",
        ),
    ],
)
def test_data_that_is_not_enough(parts: Any, message: str) -> None:
    with pytest.raises(tt.DataError, match=message):
        Composer(**SMALL).fit(parts, display=QUIET)


def test_settings() -> None:
    composer = Composer(hidden=7, transpose=2)
    assert clone(composer).get_params() == composer.get_params()
    with pytest.raises(tt.SettingsError, match="split: expected three shares"):
        Composer(split=(0.5, 0.5, 0.5)).fit(small_parts())
    with pytest.raises(tt.SettingsError, match=r"transpose: .* greater than or equal to 0"):
        Composer(transpose=-1).fit(small_parts())
    with pytest.raises(NotFittedError, match="this composer is not fitted"):
        composer.compose()


def test_an_rnn_composes_too() -> None:
    composer = Composer(**SMALL, network="rnn", layers=2).fit(small_parts(), display=QUIET)
    assert len(list(composer.compose(3, seed=0))) == 3


@pytest.mark.data
def test_baselines_on_the_chorales() -> None:
    """The figures of the data set's README."""
    if "THROUGHTIME_DATA" not in os.environ:
        pytest.skip("THROUGHTIME_DATA is not set")
    music = read_music(Path(os.environ["THROUGHTIME_DATA"]) / "jsb_chorales/jsb-chorales-quarter.json.gz")
    data = prepare_music(music, MusicSettings())
    truth = following(data.test.bits)[1]
    nats = {
        one.name: float(step_nats(one.test.double(), truth.double()).mean()) for one in run_baselines(data)
    }
    assert nats["constant_rates"] == pytest.approx(11.09, abs=0.005)
    assert nats["one_step"] == pytest.approx(10.49, abs=0.005)
    assert nats["nearest_neighbours"] < nats["one_step"]
    assert not data.repairs

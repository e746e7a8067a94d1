from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import throughtime as tt
from throughtime import Transcriber
from throughtime.data import join_recordings, read_speech
from throughtime.data.speech import open_sound
from throughtime.nn.ctc_decoding import log_probability
from throughtime.tasks.sources import Sources
from throughtime.tasks.transcribe_data import batches_of, prepare_speech
from throughtime.tasks.transcribe_evaluation import best_decoder
from throughtime.tasks.transcribe_listen import features_of
from throughtime.tasks.transcribe_network import build_network, log_probabilities, objective
from throughtime.tasks.transcribe_scores import BothScores, part_scores
from throughtime.tasks.transcribe_settings import TranscribeSettings
from throughtime.training import QuietDisplay

from .speech import RATE, SMALL, WORDS, small_sound, small_speech, write_speech
from .test_forecast import Killed, KilledAtEpoch

QUIET = QuietDisplay()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_speech(tmp_path_factory.mktemp("data") / "speech")


@pytest.fixture(scope="module")
def fitted(place: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Transcriber, Path]:
    folder = tmp_path_factory.mktemp("models") / "speech"
    return Transcriber(**SMALL).fit(place, folder=folder, display=QUIET), folder


@pytest.fixture(scope="module")
def learnt() -> Transcriber:
    settings = SMALL | {"epochs": 40, "learning_rate": 0.03, "hidden": 12}
    return Transcriber(**settings).fit(*small_speech(150), display=QUIET)


def test_saved_and_loaded_it_answers_the_same(
    fitted: tuple[Transcriber, Path], place: Path, tmp_path: Path
) -> None:
    transcriber, folder = fitted
    paths = sorted(place.glob("*.wav"))[:5]
    loaded = tt.load(folder)
    assert isinstance(loaded, Transcriber)
    assert loaded.transcribe(paths) == transcriber.transcribe(paths)
    assert loaded.metrics_ == transcriber.metrics_
    assert loaded.get_params() == transcriber.get_params()
    assert tt.load(loaded.save(tmp_path / "again")).evaluate() == transcriber.metrics_
    assert tt.load(folder).evaluate(place) == transcriber.metrics_
    names = {"model.json", "model.safetensors", "symbols.json", "metrics.json", "history.csv", "report.html"}
    assert {path.name for path in folder.iterdir()} == names


def test_it_learns_what_is_said(learnt: Transcriber) -> None:
    metrics = learnt.metrics_
    assert metrics.test.wer < 0.1
    assert metrics.test.wer < metrics.baselines[metrics.best_baseline].test.wer
    rng = np.random.default_rng(99)
    texts = ["la", "so mi", "mi mi la so", "la la la"]
    assert learnt.predict([(small_sound(text, rng), RATE) for text in texts]) == texts
    other = learnt.evaluate(*small_speech(40, seed=8))
    assert other.test.wer < 0.1
    assert set(other.baselines) == {"most_frequent"}
    assert "not kept" in other.left_out["nearest recording"]


def test_the_times_of_an_answer(learnt: Transcriber) -> None:
    rng = np.random.default_rng(5)
    first, second = (
        sound / np.abs(sound).max() for sound in (small_sound("la", rng), small_sound("so mi", rng))
    )
    samples = np.concatenate([first, 0.01 * rng.standard_normal(RATE // 2), second])  # a pause of 0.5 s
    found = learnt.transcribe([(samples, RATE)])[0]
    assert found.text == "la so mi"
    assert [one.symbol for one in found.symbols] == ["la", "so", "mi"]
    assert all(0 <= one.start < one.end <= len(samples) / RATE for one in found.symbols)
    assert found.symbols[0].end <= len(first) / RATE + 0.1
    assert found.symbols[1].start >= len(first) / RATE + 0.4
    assert found.symbols[1].end <= found.symbols[2].start


def test_confidence_is_the_probability_of_the_text(fitted: tuple[Transcriber, Path]) -> None:
    transcriber, _ = fitted
    for recording in small_speech(6, seed=4)[0]:
        found = transcriber.transcribe([recording])[0]
        sound = open_sound(recording, 0, RATE)
        logs = log_probabilities(transcriber.network_, [features_of(sound, transcriber.mel_)])[0]
        exact = np.exp(log_probability(logs, transcriber.symbols_.number(found.text)))
        assert found.confidence == pytest.approx(exact, abs=1e-6)
        shares = [one.probability for one in found.alternatives]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) <= 1 + 1e-6
        assert found.text in {one.text for one in found.alternatives}


def test_a_recording_is_answered_the_same_in_any_company_and_at_any_loudness(learnt: Transcriber) -> None:
    recordings = small_speech(20, seed=4)[0]
    together = learnt.transcribe(recordings)
    alone = [learnt.transcribe([one])[0] for one in recordings]
    assert [one.text for one in together] == [one.text for one in alone]
    assert [one.confidence for one in together] == pytest.approx([one.confidence for one in alone], abs=1e-5)
    quiet = learnt.transcribe([(0.1 * samples, rate) for samples, rate in recordings])
    assert [one.confidence for one in quiet] == pytest.approx([one.confidence for one in together], abs=1e-3)


def test_another_rate_and_channels_are_answered_the_same(learnt: Transcriber) -> None:
    rng = np.random.default_rng(3)
    fine = small_sound("mi la so", rng, 2 * RATE)
    two = np.stack([fine, fine], axis=1)
    assert learnt.predict([(fine, 2 * RATE), (two, 2 * RATE)]) == ["mi la so"] * 2
    with pytest.raises(tt.DataError, match="recording 1: was recorded at 2,000 Hz, and 4,000 Hz are needed"):
        learnt.predict([(fine, 2_000)])


@pytest.mark.parametrize(
    "change",
    [
        {"network": "rnn", "unit": "character", "stack": 1},
        {"variant": "CIFG", "peepholes": True, "layers": 2, "decoder": "greedy"},
        {"rate": 2_000, "tempo": 0, "time_mask": 0, "band_mask": 0, "window": 40, "keep_case": True},
    ],
    ids=str,
)
def test_every_kind_of_network_fits_and_comes_back(change: dict[str, object], tmp_path: Path) -> None:
    recordings, texts = small_speech(30)
    made = Transcriber(**SMALL | {"epochs": 1} | change).fit(
        recordings, texts, folder=tmp_path, display=QUIET
    )
    loaded = tt.load(tmp_path)
    assert loaded.transcribe(recordings[:3]) == made.transcribe(recordings[:3])
    assert loaded.mel_ == made.mel_


@pytest.fixture(scope="module")
def spelling(place: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Transcriber, Path]:
    """It writes character by character, half learnt, so that many of its words are none."""
    folder = tmp_path_factory.mktemp("models") / "spelling"
    settings = SMALL | {"unit": "character", "epochs": 40, "learning_rate": 0.03, "stack": 1}
    return Transcriber(**settings).fit(place, folder=folder, display=QUIET), folder


def test_known_words_answer_where_they_make_fewer_errors(spelling: tuple[Transcriber, Path]) -> None:
    transcriber, folder = spelling
    assert transcriber.words_ == ("la", "mi", "so")
    metrics = transcriber.metrics_
    assert list(metrics.decoders) == ["words", "beam", "greedy"]
    wrong = {name: one.validation.wer for name, one in metrics.decoders.items() if one.validation}
    assert wrong["words"] < wrong["beam"]
    assert transcriber.decoder_ == "words"
    assert metrics.test == metrics.decoders["words"].test
    recordings, texts = small_speech(30, seed=4)
    answers = transcriber.predict(recordings)
    assert {word for text in answers for word in text.split()} == set(WORDS)
    free = Transcriber(**transcriber.get_params() | {"decoder": "beam"})
    free.fit(read_speech_again(transcriber), display=QUIET)
    assert not {word for text in free.predict(recordings) for word in text.split()} <= set(WORDS)
    assert free.metrics_.decoders == metrics.decoders, "the network does not depend on the decoder"
    assert free.metrics_.test == metrics.decoders["beam"].test
    loaded = tt.load(folder)
    assert loaded.words_ == transcriber.words_
    assert loaded.predict(recordings) == answers
    assert loaded.evaluate() == metrics
    assert loaded.evaluate(recordings, texts).decoder == "words"


def read_speech_again(transcriber: Transcriber) -> str:
    """Where its training recordings are."""
    return str(transcriber.run_.source.path)


def test_the_validation_part_alone_chooses_the_decoder() -> None:
    def scores(wer: float) -> BothScores:
        whole = part_scores(["a b c d"] * 25, ["a b c d"] * 25)
        judged = whole.model_copy(update={"wer": wer})
        return BothScores(
            label="", note="", test=whole.model_copy(update={"wer": 1 - wer}), validation=judged
        )

    for known, free, best in ((0.1, 0.2, "words"), (0.2, 0.1, "beam"), (0.1, 0.1, "beam")):
        assert best_decoder({"words": scores(known), "beam": scores(free), "greedy": scores(0.0)}) == best
    assert best_decoder({"beam": scores(0.5), "greedy": scores(0.0)}) == "beam"


def test_words_of_a_file_and_of_a_call(
    spelling: tuple[Transcriber, Path], place: Path, tmp_path: Path
) -> None:
    transcriber, _ = spelling
    recordings = small_speech(10, seed=4)[0]
    for words in (["la"], ["Mi", "la"], ["sola"]):
        known = {word.lower() for word in words}
        answers = transcriber.predict(recordings, words=words)
        assert {word for text in answers for word in text.split()} <= known
    assert transcriber.predict(recordings, words=["so", "mi", "LA"]) == transcriber.predict(recordings)
    for words, said in ((["la", "ré"], "'ré' cannot be written"), ([], "at least one"), (["a b"], "'a b'")):
        with pytest.raises(ValueError, match=said):
            transcriber.predict(recordings, words=words)
    file = tmp_path / "words.txt"
    file.write_text("La\n\nso\nfa\nla\nsola\n")
    settings = SMALL | {"unit": "character", "epochs": 1, "lexicon": str(file)}
    made = Transcriber(**settings).fit(place, folder=tmp_path / "m", display=QUIET)
    assert made.words_ == tt.load(tmp_path / "m").words_ == ("la", "so", "sola")
    assert made.decoder_ == "words"
    assert (
        "1 word of words.txt left out, as training lacks symbols of it; the first: 'fa' (line 4)."
        in (made.texts_["report.html"])
    )
    for content, said in (
        ("la so\n", r"words.txt line 1: expected one word, found 'la so'"),
        ("\n \n", "words.txt: holds no word"),
        ("ré\nfü\n", "no word can be written with the symbols .* the first is 'ré' \\(line 1\\)"),
    ):
        file.write_text(content)
        with pytest.raises(tt.DataError, match=said):
            Transcriber(**settings).fit(place, display=QUIET)
    with pytest.raises(tt.SettingsError, match="lexicon needs unit=character"):
        Transcriber(**settings | {"unit": "word"}).fit(place, display=QUIET)
    with pytest.raises(tt.SettingsError, match="lexicon is not used with decoder=greedy"):
        Transcriber(**settings | {"decoder": "greedy"}).fit(place, display=QUIET)


def test_a_fit_goes_on_where_it_was_stopped(place: Path, tmp_path: Path) -> None:
    settings = SMALL | {"epochs": 4, "dropout": 0.3, "layers": 2}
    whole = Transcriber(**settings).fit(place, folder=tmp_path / "whole", display=QUIET)
    for name in ("cut", "third"):
        with pytest.raises(Killed):
            Transcriber(**settings).fit(place, folder=tmp_path / name, display=KilledAtEpoch(2))
    with pytest.raises(tt.ModelFolderError, match=r"not finished. Continue .* fit transcribe --resume"):
        tt.load(tmp_path / "cut")
    resumed = Transcriber.resume(tmp_path / "cut", display=QUIET)
    assert resumed.metrics_ == whole.metrics_
    for mine, theirs in zip(resumed.network_.parameters(), whole.network_.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    other = write_speech(tmp_path / "other", seed=7)
    with pytest.raises(tt.DataError, match="not the data this fit began with"):
        Transcriber.resume(tmp_path / "third", other, display=QUIET)


def test_what_the_test_part_holds_does_not_reach_the_weights(tmp_path: Path) -> None:
    train, dev = write_speech(tmp_path / "a"), write_speech(tmp_path / "b", 10, 1)
    fits = []
    for seed in (2, 3):
        test = write_speech(tmp_path / f"test{seed}", 10, seed)
        fits.append(
            Transcriber(**SMALL | {"validation": str(dev), "test": str(test)}).fit(train, display=QUIET)
        )
    for mine, theirs in zip(fits[0].network_.parameters(), fits[1].network_.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    assert fits[0].metrics_.validation == fits[1].metrics_.validation


def test_parts_hold_different_recordings(place: Path) -> None:
    settings = TranscribeSettings(**SMALL)
    data = prepare_speech(Sources(read_speech(place)), settings)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [48, 6, 6]
    rows = [{one.row for one in part.heard} for part in (data.train, data.validation, data.test)]
    assert set.union(*rows) == set(range(60))
    assert sum(map(len, rows)) == 60
    assert data.symbols.names == ("∅", "la", "mi", "so")
    other = prepare_speech(Sources(read_speech(place)), TranscribeSettings(**SMALL | {"seed": 1}))
    assert {one.row for one in other.test.heard} != rows[2]


def test_what_is_in_two_parts_is_left_out_of_training(tmp_path: Path) -> None:
    train, dev = write_speech(tmp_path / "a", 20), write_speech(tmp_path / "b", 10, 1)
    (dev / "same.wav").write_bytes((train / "001.wav").read_bytes())
    with (dev / "transcripts.csv").open("a") as table:
        table.write("same.wav,la\n")
    sources = Sources(read_speech(train), read_speech(dev), read_speech(dev))
    data = prepare_speech(sources, TranscribeSettings(**SMALL))
    said = "1 training recording left out, as the validation or test part holds the same."
    assert said in [one.text for one in data.repairs]
    assert len(data.train) == 19
    with pytest.raises(tt.DataError, match="no training recording is left"):
        prepare_speech(Sources(read_speech(dev), read_speech(dev), None), TranscribeSettings(**SMALL))


def spoil(folder: Path) -> None:
    """Six recordings with something the matter, and a file without a row."""
    tone = small_sound("la so", np.random.default_rng(0), 2 * RATE)
    soundfile.write(folder / "001.wav", np.stack([tone, tone], axis=1), 2 * RATE)
    (folder / "002.wav").write_bytes(b"this is no sound")
    soundfile.write(folder / "004.wav", np.zeros(500), RATE)
    cut = (folder / "005.wav").read_bytes()
    (folder / "005.wav").write_bytes(cut[: len(cut) // 2])
    soundfile.write(folder / "007.wav", small_sound("la", np.random.default_rng(0))[:250], RATE)
    soundfile.write(folder / "spare.wav", tone, RATE)
    rows = (folder / "transcripts.csv").read_text().splitlines()
    rows[8] = "007.wav,la la mi mi so so so"
    rows[9] = "008.wav,  "
    (folder / "transcripts.csv").write_text("\n".join(rows) + "\n")


def test_every_fault_is_named_with_its_place(tmp_path: Path) -> None:
    folder = write_speech(tmp_path / "x", 30)
    spoil(folder)
    settings = TranscribeSettings(**SMALL)
    with pytest.raises(tt.DataError) as error:
        prepare_speech(Sources(read_speech(folder)), settings)
    lines = str(error.value).splitlines()
    assert lines[0].startswith("3 of 30 recordings cannot be used; --on-bad-audio leave-out")
    assert "transcripts.csv line 4: 002.wav: is no sound file" in lines[1]
    assert "transcripts.csv line 6: 004.wav: is silent" in lines[2]
    assert "transcripts.csv line 7: 005.wav: the file was cut off" in lines[3]
    data = prepare_speech(
        Sources(read_speech(folder)), TranscribeSettings(**SMALL | {"on_bad_audio": "leave-out"})
    )
    said = {one.kind: one.text for one in data.repairs}
    assert said["bad audio"].startswith(
        "3 recordings that cannot be used left out; the first: transcripts.csv"
    )
    assert said["channels"] == (
        "1 recording with several channels, which were averaged; the first: transcripts.csv line 3 (001.wav)."
    )
    assert said["sample rate"].startswith("1 recording brought down to 4,000 Hz; the first: transcripts.csv")
    told = [one.text for one in data.repairs]
    assert "1 sound file without a transcript left out, the first is spare.wav." in told
    assert (
        "1 recording with an empty transcript left out; the first: transcripts.csv line 10 (008.wav)." in told
    )
    assert "steps, too short for its transcript 'la la mi mi so so so', which needs 11" in said["too short"]
    assert len(data.train) + len(data.validation) + len(data.test) in (25, 26), (
        "a short one stays in the test"
    )


def test_a_recording_too_short_for_its_transcript(tmp_path: Path) -> None:
    folder = write_speech(tmp_path / "x", 20)
    dev = write_speech(tmp_path / "dev", 5, 1)
    samples = small_sound("la", np.random.default_rng(0))[: int(0.1 * RATE)]  # 8 frames, 4 steps of 2
    soundfile.write(folder / "001.wav", samples, RATE)
    rows = (folder / "transcripts.csv").read_text().splitlines()
    for text, fits in (("la mi so", True), ("la mi so la", True), ("la la mi", True), ("la la mi mi", False)):
        rows[2] = f"001.wav,{text}"
        (folder / "transcripts.csv").write_text("\n".join(rows) + "\n")
        sources = Sources(read_speech(folder), read_speech(dev), read_speech(dev))
        settings = TranscribeSettings(**SMALL | {"tempo": 0.6})
        if fits:
            train, _ = batches_of(prepare_speech(sources, settings), settings)
            for batch in (one for epoch in range(20) for one in train.epoch(epoch)):
                network = build_network(settings, symbols=4)
                assert torch.isfinite(objective(network, batch).loss), (
                    "another tempo must not make it too short"
                )
            continue
        with pytest.raises(tt.DataError) as error:
            prepare_speech(sources, settings)
        assert "transcripts.csv line 3 (001.wav): 0.10 s are 4 steps, too short" in str(error.value)
        assert "'la la mi mi', which needs 6: 4 symbols and 2 blanks between equal ones" in str(error.value)
        other = write_speech(tmp_path / "other", 5, 2)
        swapped = Sources(read_speech(dev), read_speech(other), read_speech(folder))
        said = [one.text for one in prepare_speech(swapped, settings).repairs]
        assert any("1 test recording cannot be answered right" in text for text in said), said


def test_symbols_that_training_lacks_count_as_errors(tmp_path: Path) -> None:
    train, dev = write_speech(tmp_path / "a", 20), write_speech(tmp_path / "b", 5, 1)
    soundfile.write(dev / "new.wav", small_sound("la", np.random.default_rng(1)), RATE)
    with (dev / "transcripts.csv").open("a") as table:
        table.write("new.wav,zebra la\n")
    made = Transcriber(**SMALL | {"validation": str(dev), "test": str(dev), "epochs": 1})
    made.fit(train, display=QUIET)
    assert any(
        "hold 'zebra', which training does not" in one for one in made.texts_["report.html"].split('"')
    )
    assert made.metrics_.test.words == sum(len(text.split()) for text in small_speech(5, 1)[1]) + 2


def test_the_loss_is_what_ctc_says(place: Path) -> None:
    settings = TranscribeSettings(**SMALL)
    data = prepare_speech(Sources(read_speech(place)), settings)
    transcriber = Transcriber(**SMALL | {"epochs": 1}).fit(place, display=QUIET)
    network = transcriber.network_.eval()
    _, validation = batches_of(data, settings)
    total = symbols = 0.0
    with torch.no_grad():
        for batch in validation.epoch(0):
            outcome = objective(network, batch)
            total += float(outcome.loss) * outcome.count
            symbols += outcome.count
    logs = log_probabilities(network, data.validation.features)
    exact = [-log_probability(one, labels) for one, labels in zip(logs, data.validation.labels, strict=True)]
    assert symbols == sum(map(len, data.validation.labels))
    assert total == pytest.approx(sum(exact), rel=1e-4)


def test_conventions_of_scikit_learn(fitted: tuple[Transcriber, Path]) -> None:
    transcriber = Transcriber(hidden=8)
    assert clone(transcriber).get_params() == transcriber.get_params()
    assert repr(transcriber) == "Transcriber(hidden=8)"
    with pytest.raises(TypeError, match="Transcriber: no setting named hiden"):
        Transcriber(hiden=3)
    with pytest.raises(NotFittedError, match=r"Transcriber.transcribe: .* call fit or load first"):
        transcriber.predict(["a.wav"])
    with pytest.raises(TypeError, match="give a list of recordings"):
        fitted[0].predict("a.wav")
    assert fitted[0].predict([]) == []


def test_a_damaged_symbol_file_is_named(fitted: tuple[Transcriber, Path], tmp_path: Path) -> None:
    folder = fitted[0].save(tmp_path / "m")
    (folder / "symbols.json").write_text("{}")
    with pytest.raises(tt.ModelFolderError, match=r"symbols\.json"):
        tt.load(folder)


@pytest.mark.data
def test_a_part_of_the_spoken_digits() -> None:
    if "THROUGHTIME_DATA" not in os.environ:
        pytest.skip("THROUGHTIME_DATA is not set")
    place = Path(os.environ["THROUGHTIME_DATA"]) / "fsdd" / "fsdd_all_flac.zip"
    words = ["zero", "one", "two"]
    pieces: dict[tuple[str, int], np.ndarray] = {}
    with zipfile.ZipFile(place) as archive:
        names = archive.namelist()
        assert len(names) == 3_000
        for digit, word in enumerate(words):
            for index in range(30):
                name = next(one for one in names if one.endswith(f"{digit}_theo_{index}.flac"))
                pieces[word, index] = soundfile.read(io.BytesIO(archive.read(name)), dtype="float32")[0]

    def drawn(count: int, indices: range, seed: int) -> tuple[list[tuple[np.ndarray, int]], list[str]]:
        rng = np.random.default_rng(seed)
        texts = [list(rng.choice(words, 2)) for _ in range(count)]
        sounds = [[pieces[word, int(rng.choice(indices))] for word in text] for text in texts]
        return [(join_recordings(one, 8_000, rng), 8_000) for one in sounds], [" ".join(one) for one in texts]

    settings = {
        "unit": "word",
        "hidden": 24,
        "layers": 1,
        "epochs": 25,
        "batch_size": 16,
        "learning_rate": 0.02,
    }
    transcriber = Transcriber(**settings).fit(*drawn(120, range(5, 30), 0), display=QUIET)
    assert transcriber.evaluate(*drawn(60, range(5), 1)).test.wer < 0.15
    assert set(WORDS) & set(words) == set()

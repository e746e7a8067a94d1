"""A generator of text that reads words or pieces of words: its figures stay those of characters."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch

import throughtime as tt
from throughtime import TextGenerator
from throughtime.data import Symbols, read_plain_text
from throughtime.data.byte_pieces import BytePairs, BytePieces, WholeWords
from throughtime.tasks.generate_text_data import prepare_text
from throughtime.tasks.generate_text_settings import TextSettings
from throughtime.tasks.generate_text_units import first_of, per_character
from throughtime.tasks.sources import Sources
from throughtime.training import QuietDisplay

from .plays import SMALL, small_play
from .test_forecast import Killed, KilledAtEpoch

QUIET = QuietDisplay()
Piece = Literal["word", "bpe"]
PIECES: list[Piece] = ["word", "bpe"]
PLAY = small_play(150).replace("sweet", "süß") + "CLEO:\nUnheard-of 漢字 😀.\n\n" * 3


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "play.txt"
    path.write_text(PLAY, encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=PIECES)
def fitted(
    request: pytest.FixtureRequest, file: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TextGenerator, Path]:
    folder = tmp_path_factory.mktemp("models") / request.param
    settings: dict[str, Any] = SMALL | {"steps": 10, "unit": request.param}
    return TextGenerator(**settings).fit(file, folder=folder, display=QUIET), folder


def written(generator: TextGenerator, prompt: str = "ANNA:", **sampling: Any) -> str:
    return "".join(generator.generate(prompt, **{"length": 60, **sampling}))


def test_saved_loaded_and_measured_again(fitted: tuple[TextGenerator, Path], file: Path) -> None:
    generator, folder = fitted
    loaded = tt.load(folder)
    assert isinstance(loaded, TextGenerator)
    assert isinstance(loaded.symbols_, BytePieces)
    assert loaded.symbols_.pieces == generator.symbols_.pieces
    assert written(loaded, seed=3) == written(generator, seed=3)
    for data in (None, file):
        assert loaded.evaluate(data) == generator.metrics_


def test_the_figure_is_the_loss_of_all_pieces_over_all_characters(
    fitted: tuple[TextGenerator, Path],
) -> None:
    generator = fitted[0]
    metrics, units = generator.metrics_, generator.symbols_
    held = PLAY[int(0.9 * len(PLAY)) :]
    numbers = units.number(held)
    first, _ = first_of(numbers, units)
    best = generator.fit_result_.history[generator.fit_result_.best_epoch - 1]
    judged = metrics.judged
    assert (metrics.unit, metrics.alphabet) == ("piece", len(units))
    assert (judged.pieces, judged.unknown) == (len(numbers) - 1, 0)
    assert judged.characters == len(held) - first
    assert best.validation_loss is not None
    total = best.validation_loss * (len(numbers) - 1)  # the same reading, in streams
    assert judged.nats == pytest.approx(total / judged.characters, rel=1e-5)
    assert judged.piece_perplexity == pytest.approx(math.exp(best.validation_loss), rel=1e-5)
    assert judged.perplexity == pytest.approx(math.exp(judged.nats))
    for name in metrics.baselines:
        scores = metrics.baseline(name)
        assert (scores.characters, scores.pieces) == (judged.characters, judged.pieces)


def test_the_baseline_counts_the_same_pieces(fitted: tuple[TextGenerator, Path]) -> None:
    generator = fitted[0]
    units, border = generator.symbols_, int(0.9 * len(PLAY))
    train, held = (units.number(part).numpy() for part in (PLAY[:border], PLAY[border:]))
    shares = (np.bincount(train[1:], minlength=len(units)) + 0.1) / (len(train) - 1 + 0.1 * len(units))
    characters = generator.metrics_.judged.characters
    expected = -np.log(shares[held[1:]]).sum() / characters
    assert generator.metrics_.baseline("order_0").nats == pytest.approx(expected, rel=1e-9)


def test_a_line_costs_what_its_pieces_cost(fitted: tuple[TextGenerator, Path]) -> None:
    generator = fitted[0]
    lines = ["ANNA:", "Good morrow my lord.", "", "Nie gehört: 漢字", "😀"]
    together = generator.surprise(lines)
    begin = generator.symbols_.number("\n")
    for line, nats in zip(lines, together, strict=True):
        assert len(nats) == len(line)
        assert not np.isnan(nats).any(), "every text can be written in pieces"
        if not line:
            continue
        numbers = generator.symbols_.number(line)
        logits, _ = generator.network_(torch.cat([begin, numbers])[:-1, None])
        log_shares = torch.log_softmax(logits[:, 0].detach(), 1)
        whole = -log_shares.gather(1, numbers[:, None]).sum().item()
        assert nats.sum() == pytest.approx(whole, rel=1e-4)
    assert np.isnan(generator.predict(lines)).tolist() == [False, False, True, False, False]


def test_what_is_drawn_are_whole_characters(fitted: tuple[TextGenerator, Path]) -> None:
    generator = fitted[0]
    drawn = list(generator.draw("Zoë 漢", length=80, seed=5))
    text = "".join(one.text for one in drawn)
    assert text == written(generator, "Zoë 漢", length=80, seed=5)
    assert len(text) - len(drawn[-1].text) < 80 <= len(text)
    assert any(len(one.text) > 1 for one in drawn)
    assert all(0 <= one.probability <= 1 for one in drawn)
    assert all(written(generator, "Zoë", length=20, seed=seed) for seed in range(5))
    assert "" not in list(generator.generate(length=80, seed=5))
    with pytest.raises(tt.DataError, match="half of a surrogate"):
        written(generator, "\ud800")


@pytest.mark.parametrize("unit", PIECES)
def test_killed_and_resumed_is_bit_for_bit_the_fit_left_alone(
    unit: Piece, file: Path, tmp_path: Path
) -> None:
    settings: dict[str, Any] = SMALL | {"epochs": 3, "steps": 10, "unit": unit, "vocabulary": 270}
    alone = TextGenerator(**settings).fit(file, display=QUIET)
    with pytest.raises(Killed):
        TextGenerator(**settings).fit(file, folder=tmp_path / "m", display=KilledAtEpoch(2))
    resumed = TextGenerator.resume(tmp_path / "m", display=QUIET)
    assert resumed.metrics_ == alone.metrics_
    assert len(resumed.symbols_) == 270
    assert [e.note for e in resumed.fit_result_.history] == [e.note for e in alone.fit_result_.history]
    state = alone.network_.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in resumed.network_.state_dict().items())


@pytest.mark.parametrize("unit", PIECES)
def test_the_vocabulary_is_that_of_the_training_part(unit: Piece) -> None:
    text = small_play(100) + "Hippopotamus hippopotamus.\n" * 30
    text = text[: int(0.9 * len(text))].replace("ippo", "appo") + text[int(0.9 * len(text)) :]
    assert text.count("ippo") > 5
    settings = TextSettings(**SMALL | {"steps": 5}, unit=unit)
    units = prepare_text(Sources(read_plain_text(text)), settings).symbols
    assert isinstance(units, BytePieces)
    assert any(b"appo" in piece for piece in units.pieces)
    assert not any(b"ippo" in piece for piece in units.pieces)


def test_nats_are_shared_out_and_their_sum_stays() -> None:
    units = WholeWords(["ab", " cde"])
    numbers = units.number("ab cde€!")
    assert len(numbers) == 6, "two words, three bytes of €, a byte"
    shared = per_character(np.array([2.0, 8.0, 3.0, 1.0, 1.0, 5.0]), numbers, units)
    assert shared.tolist() == [1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 5.0, 5.0]
    assert first_of(numbers, units) == (2, 1)
    assert first_of(units.number("éa"), units) == (1, 2), "its second byte belongs to the first character"
    symbols = Symbols.learn("ab")
    nats = np.array([1.0, np.nan, 2.0])
    assert per_character(nats, symbols.number("axb"), symbols) is nats
    assert first_of(symbols.number("xa"), symbols) == (1, 1)


def test_a_text_of_one_piece_cannot_be_judged(tmp_path: Path, file: Path) -> None:
    settings: dict[str, Any] = SMALL | {"steps": 10, "unit": "word", "epochs": 1}
    generator = TextGenerator(**settings).fit(file, display=QUIET)
    for text in ("ANNA", "漢"):
        (tmp_path / "one.txt").write_text(text, encoding="utf-8")
        with pytest.raises(tt.DataError, match=r"one\.txt: one piece; expected at least 2"):
            generator.evaluate(tmp_path / "one.txt")
    (tmp_path / "two.txt").write_text("ANNA:", encoding="utf-8")
    assert generator.evaluate(tmp_path / "two.txt").judged.characters == 1


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"unit": "syllable"}, tt.SettingsError, "unit: Input should be 'character', 'word' or 'bpe'"),
        ({"vocabulary": 300}, tt.SettingsError, "vocabulary belongs to unit 'word' or 'bpe'"),
        (
            {"unit": "bpe", "vocabulary": 256},
            tt.SettingsError,
            "vocabulary: .* greater than 256",
        ),
        ({"unit": "bpe", "vocabulary": 9_000}, tt.DataError, r"a vocabulary of 9,000 is more than .* gives"),
        ({"unit": "word", "vocabulary": 9_000}, tt.DataError, r"a vocabulary of 9,000 is more than .* gives"),
        (
            {"unit": "word", "steps": 9_999},
            tt.DataError,
            r"[0-9,]+ pieces to train on are too few: 4 s",
        ),
    ],
)
def test_refused(changes: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        TextGenerator(**SMALL | changes).fit(PLAY, display=QUIET)


def test_as_many_pieces_as_a_text_has_can_be_asked_for() -> None:
    for kind in (WholeWords, BytePairs):
        most = len(kind.learn(PLAY[: int(0.9 * len(PLAY))], 10**6))
        unit = "word" if kind is WholeWords else "bpe"
        settings = TextSettings(**SMALL | {"steps": 10}, unit=unit, vocabulary=most)
        assert len(prepare_text(Sources(read_plain_text(PLAY)), settings).symbols) == most

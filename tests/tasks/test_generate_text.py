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
from throughtime import TextGenerator
from throughtime.data import PlainText, Symbols, TextStreams, read_plain_text
from throughtime.tasks.counting_models import counting_models
from throughtime.tasks.generate_text_data import other_part, prepare_text, unknown_characters
from throughtime.tasks.generate_text_network import build_network, objective, surprises
from throughtime.tasks.generate_text_settings import TextSettings
from throughtime.tasks.sources import Sources
from throughtime.training import QuietDisplay

from .plays import SMALL, small_play, write_play
from .test_forecast import Killed, KilledAtEpoch

QUIET = QuietDisplay()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_play(tmp_path_factory.mktemp("data") / "play.txt")


@pytest.fixture(scope="module")
def fitted(file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[TextGenerator, Path]:
    folder = tmp_path_factory.mktemp("models") / "play"
    return TextGenerator(**SMALL).fit(file, folder=folder, display=QUIET), folder


def written(generator: TextGenerator, prompt: str = "ANNA:", **sampling: Any) -> str:
    return "".join(generator.generate(prompt, **{"length": 60, **sampling}))


def test_saved_and_loaded_it_writes_the_same(
    fitted: tuple[TextGenerator, Path], file: Path, tmp_path: Path
) -> None:
    generator, folder = fitted
    loaded = tt.load(folder)
    assert isinstance(loaded, TextGenerator)
    assert written(loaded, seed=3) == written(generator, seed=3)
    assert loaded.metrics_ == generator.metrics_
    assert loaded.get_params() == generator.get_params()
    assert tt.load(loaded.save(tmp_path / "again")).evaluate() == generator.metrics_
    assert tt.load(folder).evaluate(file) == generator.metrics_
    names = {"model.json", "model.safetensors", "symbols.json", "metrics.json", "history.csv", "report.html"}
    assert {path.name for path in folder.iterdir()} == names
    assert len((folder / "history.csv").read_text().splitlines()) == 3, "samples are not among the figures"


def test_the_figures_agree_with_each_other(fitted: tuple[TextGenerator, Path]) -> None:
    metrics, result = fitted[0].metrics_, fitted[0].fit_result_
    best = result.history[result.best_epoch - 1]
    assert metrics.validation is not None
    assert metrics.validation.nats == pytest.approx(best.validation_loss, rel=1e-5), "the same reading"
    assert metrics.validation.bits == pytest.approx(metrics.validation.nats / math.log(2))
    assert metrics.validation.perplexity == pytest.approx(math.exp(metrics.validation.nats))
    assert (metrics.part, metrics.test) == ("validation", None)
    assert set(metrics.baselines) == {*(f"order_{k}" for k in range(6)), "mixed"}
    nats = {name: metrics.baseline(name).nats for name in metrics.baselines}
    assert metrics.best_baseline == min(nats, key=lambda name: nats[name])
    counts = {scores.characters for one in metrics.baselines.values() if (scores := one.validation)}
    assert counts == {metrics.validation.characters}, "all are judged on the same characters"


def test_seed_and_temperature(fitted: tuple[TextGenerator, Path]) -> None:
    generator = fitted[0]
    state = torch.random.get_rng_state()
    assert written(generator, seed=1) == written(generator, seed=1)
    assert written(generator, seed=1) != written(generator, seed=2)
    greedy = written(generator, temperature=0)
    assert greedy == written(generator, temperature=0, seed=9) == written(generator, top_k=1)
    assert greedy == written(generator, top_p=1e-9)
    assert torch.equal(torch.random.get_rng_state(), state)
    text = written(generator, length=100)
    assert len(text) == 100
    assert text.startswith(written(generator, length=10)), "a longer text begins as a shorter one"
    assert next(iter(generator.generate())) in generator.symbols_.names


def test_greedy_is_the_likeliest_character_each_time(fitted: tuple[TextGenerator, Path]) -> None:
    generator = fitted[0]
    text = "BERT:\n"
    for drawn in generator.draw(text, temperature=0, length=25):
        logits, _ = generator.network_(generator.symbols_.number(text)[:, None])
        shares = torch.softmax(logits[-1, 0].detach(), 0)
        assert drawn.text == generator.symbols_.names[int(shares.argmax())]
        assert drawn.probability == pytest.approx(float(shares.max()), abs=1e-6)
        text += drawn.text


def test_a_line_is_judged_the_same_in_any_company(fitted: tuple[TextGenerator, Path]) -> None:
    generator = fitted[0]
    lines = ["ANNA:", "Good morrow my lord.", "", "ß", "Gööd", "x", "long " * 120]
    together = generator.surprise(lines)
    for line, nats in zip(lines, together, strict=True):
        (alone,) = generator.surprise([line])
        assert len(nats) == len(line)
        np.testing.assert_allclose(nats, alone, atol=1e-5)
    means = generator.predict(lines)
    assert means[0] == pytest.approx(together[0].mean())
    assert np.isnan(means[[2, 3, 5]]).all()
    assert np.isnan(together[4]).tolist() == [False, True, True, False]
    assert generator.predict([]).shape == (0,)
    (nats,) = generator.surprise([lines[-1]])
    logits, _ = generator.network_(generator.symbols_.number("\n" + lines[-1])[:-1, None])
    shares = torch.log_softmax(logits[:, 0].detach(), 1)
    by_hand = -shares.gather(1, generator.symbols_.number(lines[-1])[:, None])[:, 0]
    np.testing.assert_allclose(nats, by_hand, atol=1e-5)


def test_surprises_stand_where_their_characters_stand(fitted: tuple[TextGenerator, Path]) -> None:
    """Streams side by side, put together again, against one pass over the text."""
    generator = fitted[0]
    text = small_play(40, seed=8).replace("lord", "l\u00f6rd", 1)
    part = other_part(read_plain_text(text), generator.symbols_)
    streams = TextStreams(part.symbols, 4, 50, unknown=generator.symbols_.unknown, moving=False)
    found = surprises(generator.network_, streams)
    logits, _ = generator.network_(part.symbols[:-1, None])
    known = part.symbols[1:].clamp(max=len(generator.symbols_) - 1)
    whole = -torch.log_softmax(logits[:, 0].detach(), 1).gather(1, known[:, None])[:, 0]
    assert np.isnan(found.numpy()).nonzero()[0].tolist() == [text.index("\u00f6") - 1]
    apart = (found - whole).abs().nan_to_num(0)
    assert streams.length > 3 * streams.steps
    assert float(apart[: streams.length].max()) < 1e-5, "the first stream has the same past"
    assert float(apart.max()) > 1e-4, "the others begin without one"
    assert float(apart.median()) < 0.02, "and soon have the same"


def test_it_carries_what_no_single_batch_holds() -> None:
    """Every other character repeats the one three before it, and a batch has two steps."""
    drawn = np.random.default_rng(0).choice(list("ab"), size=6_000)
    text = "\n" + "".join(f"{one}{before.upper()}" for one, before in zip(drawn[1:], drawn, strict=False))
    settings = SMALL | {"hidden": 24, "epochs": 4, "steps": 2, "batch_size": 32, "dropout": 0.0}
    generator = TextGenerator(**settings, learning_rate=0.01).fit(text, display=QUIET)
    blind = math.log(2)  # on average: each character is one of two
    assert generator.metrics_.judged.nats < 0.75 * blind


def test_streams_in_pieces_are_the_whole(file: Path) -> None:
    """The loss over batches that hand their state on is that of one pass; without handing on it is not."""
    data = prepare_text(Sources(read_plain_text(file)), TextSettings(**SMALL))
    network = build_network(TextSettings(**SMALL), symbols=len(data.symbols)).eval()

    def loss(steps: int, *, carry: bool) -> float:
        streams = TextStreams(data.train.symbols, 4, steps, unknown=data.symbols.unknown)
        total, state = 0.0, None
        for batch in streams.epoch(1):
            outcome = objective(network, batch, state)
            total, state = total + outcome.loss.item() * outcome.count, outcome.state if carry else None
        return total

    assert loss(20, carry=True) == pytest.approx(_one_pass(network, data, 20), rel=1e-6)
    assert loss(20, carry=False) != pytest.approx(_one_pass(network, data, 20), rel=1e-6)


@torch.no_grad()
def _one_pass(network: torch.nn.Module, data: Any, steps: int) -> float:
    batches = list(TextStreams(data.train.symbols, 4, steps, unknown=data.symbols.unknown).epoch(1))
    logits, _ = network(torch.cat([batch.inputs for batch in batches]))
    targets = torch.cat([batch.targets for batch in batches])
    return float(torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum"))


def test_it_learns_words(file: Path) -> None:
    settings = SMALL | {"hidden": 48, "embedding": 12, "epochs": 12, "learning_rate": 0.02, "dropout": 0.0}
    generator = TextGenerator(**settings).fit(small_play(500), display=QUIET)
    metrics = generator.metrics_
    assert metrics.judged.nats < metrics.baseline("order_3").nats
    words = written(generator, "CLEO:\n", length=200, temperature=0.3).lower().split()[:-1]
    known = {word.strip(".:") for word in small_play().lower().split()}
    assert sum(word.strip(".:") in known for word in words) > 0.8 * len(words)


def test_killed_and_resumed_is_bit_for_bit_the_fit_left_alone(file: Path, tmp_path: Path) -> None:
    settings = SMALL | {"epochs": 3, "tied": True, "layers": 2, "input_dropout": 0.2}
    alone = TextGenerator(**settings).fit(file, display=QUIET)
    with pytest.raises(Killed):
        TextGenerator(**settings).fit(file, folder=tmp_path / "m", display=KilledAtEpoch(2))
    with pytest.raises(tt.ModelFolderError, match="throughtime fit generate --resume"):
        tt.load(tmp_path / "m")
    torch.manual_seed(99)
    resumed = TextGenerator.resume(tmp_path / "m", display=QUIET)
    assert resumed.metrics_ == alone.metrics_
    assert [e.note for e in resumed.fit_result_.history] == [e.note for e in alone.fit_result_.history]
    assert len({e.note for e in alone.fit_result_.history}) == 3
    state = alone.network_.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in resumed.network_.state_dict().items())
    assert written(tt.load(tmp_path / "m")) == written(alone)


def test_a_text_that_was_changed_is_not_gone_on_with(tmp_path: Path) -> None:
    file = write_play(tmp_path / "play.txt")
    with pytest.raises(Killed):
        TextGenerator(**SMALL).fit(file, folder=tmp_path / "m", display=KilledAtEpoch(1))
    file.write_text(small_play(seed=5))
    with pytest.raises(tt.DataError, match="changed since"):
        TextGenerator.resume(tmp_path / "m", display=QUIET)


def test_parts_of_their_own(tmp_path: Path, file: Path) -> None:
    validation = write_play(tmp_path / "validation.txt", 20, seed=1)
    test = write_play(tmp_path / "test.txt", 20, seed=2)
    text = read_plain_text(file)

    def parts(**changes: Any) -> dict[str, str | None]:
        settings = TextSettings(**SMALL, **changes)
        given = {name: changes.get(name) for name in ("validation", "test")}
        others = [None if one is None else read_plain_text(Path(one)) for one in given.values()]
        data = prepare_text(Sources(text, *others), settings)
        found = {"training": data.train, "validation": data.validation, "test": data.test}
        return {name: None if part is None else part.text for name, part in found.items()}

    plain = parts()
    count = len(text)
    assert plain == {
        "training": text.text[: int(0.9 * count)],
        "validation": text.text[int(0.9 * count) :],
        "test": None,
    }
    three = parts(split=(0.8, 0.1, 0.1))
    assert "".join(part or "" for part in three.values()) == text.text
    assert len(three["test"] or "") == pytest.approx(0.1 * count, abs=2)
    own = parts(validation=str(validation))
    assert own == {"training": text.text, "validation": validation.read_text(), "test": None}
    both = parts(validation=str(validation), test=str(test), split=(0.8, 0.1, 0.1))
    assert both == {"training": text.text, "validation": validation.read_text(), "test": test.read_text()}


def test_a_test_part_is_what_counts(file: Path, tmp_path: Path) -> None:
    test = write_play(tmp_path / "test.txt", 20, seed=2)
    generator = TextGenerator(**SMALL, test=str(test)).fit(file, folder=tmp_path / "m", display=QUIET)
    metrics = generator.metrics_
    assert metrics.part == "test"
    assert metrics.test is not None
    assert metrics.test.characters == len(test.read_text()) - 1
    assert metrics.validation is not None
    assert "chose the epoch" not in (tmp_path / "m" / "report.html").read_text().partition("report-data")[0]
    other = generator.evaluate(test)
    assert other.test == metrics.test
    assert set(other.baselines) == {"order_0"}
    shares = counting_models(
        generator.symbols_.number(small_play()[: int(0.9 * len(small_play()))]).numpy(),
        {"test": generator.symbols_.number(test.read_text()).numpy()},
        symbols=len(generator.symbols_),
    )[0]
    assert other.baseline("order_0").nats == pytest.approx(float(shares.surprise["test"].mean()), rel=1e-2)


def test_characters_never_seen_are_counted_and_named(tmp_path: Path) -> None:
    text = small_play(100)
    border = int(0.9 * len(text))
    odd = text[: border + 50] + "Öl, Öl & Æther\t" + text[border + 50 :]
    told: list[str] = []

    class Told(QuietDisplay):
        def message(self, text: str) -> None:
            told.append(text)

    generator = TextGenerator(**SMALL).fit(odd, display=Told())
    assert told[0].startswith(
        "6 characters of the validation part never occurred in training and do not count"
    )
    assert "'Ö' (U+00D6) 2 times" in told[0]
    assert generator.metrics_.judged.unknown == 6
    symbols = Symbols.learn("abc\n")
    part = other_part(PlainText("abcd", "x", None, ""), symbols)
    repair = unknown_characters("test", part, symbols)
    assert repair is not None
    assert repair.text.startswith(
        "1 character of the test part never occurred in training and does not count"
    )
    assert unknown_characters("test", other_part(PlainText("ab", "x", None, ""), symbols), symbols) is None


@pytest.mark.parametrize(
    ("text", "changes", "says"),
    [
        ("a\nb", {}, r"the text: 2 characters to train on are too few: 4 streams of 20 characters need 81"),
        (
            small_play(30),
            {"split": (0.999, 0.001, 0.0)},
            "the validation part has 1 character, none of which",
        ),
        ("ab\n" * 100 + "X" * 33, {}, "the validation part has 34 characters, none of which can be judged"),
    ],
)
def test_too_short(text: str, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(tt.DataError, match=says):
        TextGenerator(**SMALL | changes).fit(text, display=QUIET)


def test_what_does_not_fit(fitted: tuple[TextGenerator, Path], tmp_path: Path) -> None:
    generator = fitted[0]
    with pytest.raises(tt.DataError, match=r"prompt: character 4, 'É' \(U\+00C9\), never occurred"):
        generator.generate("ROMÉO:")
    with pytest.raises(tt.SettingsError, match="temperature"):
        generator.generate("ANNA:", temperature=-1)
    with pytest.raises(tt.SettingsError, match="top_p"):
        generator.generate("ANNA:", top_p=0)
    with pytest.raises(TypeError, match="no argument named topp; there are prompt, length"):
        generator.generate("ANNA:", topp=0.9)
    with pytest.raises(TypeError, match="give a list of lines"):
        generator.predict("ANNA:")
    with pytest.raises(NotFittedError):
        TextGenerator().generate("ANNA:")
    with pytest.raises(tt.SettingsError, match="split"):
        TextGenerator(split=(0.5, 0.5, 0.5)).fit(small_play(), display=QUIET)
    with pytest.raises(TypeError, match="no setting named lanes"):
        TextGenerator(lanes=3)
    (tmp_path / "one.txt").write_text("A")
    with pytest.raises(tt.DataError, match=r"one\.txt: one character"):
        generator.evaluate(tmp_path / "one.txt")


def test_a_damaged_alphabet(fitted: tuple[TextGenerator, Path], tmp_path: Path) -> None:
    folder = fitted[0].save(tmp_path / "m")
    content = json.loads((folder / "symbols.json").read_text())
    (folder / "symbols.json").write_text(json.dumps(content))
    with pytest.raises(tt.ModelFolderError, match=r"symbols\.json"):
        tt.load(folder)


def test_settings_behave_as_scikit_learn_wants() -> None:
    generator = TextGenerator(hidden=7)
    assert clone(generator).get_params() == generator.get_params()
    assert repr(generator) == "TextGenerator(hidden=7)"


@pytest.mark.data
def test_counts_on_shakespeare_are_those_of_its_readme() -> None:
    folder = os.environ.get("THROUGHTIME_DATA")
    if not folder:
        pytest.skip("THROUGHTIME_DATA is unset")
    text = read_plain_text(Path(folder) / "tiny_shakespeare" / "input.txt.gz")
    data = prepare_text(Sources(text), TextSettings())
    assert (len(data.train), len(data.validation), len(data.symbols)) == (1_003_854, 111_540, 65)
    judged = {"validation": data.validation.symbols.numpy()}
    models = counting_models(data.train.symbols.numpy(), judged, symbols=65)
    found = [round(float(model.surprise["validation"].mean()), 3) for model in models[:5]]
    assert found == [3.347, 2.484, 2.046, 1.784, 1.788]

"""CTC read backwards, held to sums over every path of tiny cases and to the loss of torch."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional

from throughtime.nn.ctc_beam import prefix_beam
from throughtime.nn.ctc_decoding import align, collapse, greedy, log_probability
from throughtime.nn.lexicon import Lexicon

CASES = [(T, K, seed) for T, K in ((1, 2), (2, 3), (3, 3), (4, 3), (5, 4), (6, 3)) for seed in (0, 1, 2)]
EXACT = {"rel": 1e-12, "abs": 1e-12}


def some(T: int, K: int, seed: int, sharpness: float = 1.5) -> np.ndarray:
    logits = torch.from_numpy(np.random.default_rng([seed, T, K]).standard_normal((T, K)))
    return (sharpness * logits).log_softmax(-1).numpy()


def every_path(logs: np.ndarray) -> dict[tuple[int, ...], list[tuple[float, tuple[int, ...]]]]:
    """By text the log-probability of each of its paths."""
    T, K = logs.shape
    found: dict[tuple[int, ...], list[tuple[float, tuple[int, ...]]]] = {}
    for path in itertools.product(range(K), repeat=T):
        merged = [symbol for symbol, _ in itertools.groupby(path)]
        text = tuple(symbol for symbol in merged if symbol)
        found.setdefault(text, []).append((float(sum(logs[t, k] for t, k in enumerate(path))), path))
    return found


def summed(paths: list[tuple[float, tuple[int, ...]]]) -> float:
    return float(np.logaddexp.reduce([log for log, _ in paths]))


@pytest.mark.parametrize(("T", "K", "seed"), CASES)
def test_the_beam_search_is_exact_where_nothing_is_dropped(T: int, K: int, seed: int) -> None:
    logs = some(T, K, seed)
    paths = every_path(logs)
    found = prefix_beam(logs, width=len(paths))
    assert {beam.symbols for beam in found} == set(paths)
    for beam in found:
        assert beam.log_probability == pytest.approx(summed(paths[beam.symbols]), **EXACT)
    assert [beam.log_probability for beam in found] == sorted(
        (beam.log_probability for beam in found), reverse=True
    )
    assert sum(np.exp(beam.log_probability) for beam in found) == pytest.approx(1)


@pytest.mark.parametrize(("T", "K", "seed"), CASES)
def test_the_probability_of_a_text_is_the_sum_over_its_paths(T: int, K: int, seed: int) -> None:
    logs = some(T, K, seed)
    for text, paths in every_path(logs).items():
        assert log_probability(logs, text) == pytest.approx(summed(paths), **EXACT)
        loss = functional.ctc_loss(
            torch.from_numpy(logs)[:, None],
            torch.tensor([text], dtype=torch.long),
            torch.tensor([T]),
            torch.tensor([len(text)]),
            reduction="sum",
        )
        assert -float(loss) == pytest.approx(summed(paths), rel=1e-9, abs=1e-9)
    assert log_probability(logs, [1] * (T + 1)) == -np.inf


@pytest.mark.parametrize(("T", "K", "seed"), CASES)
def test_the_likeliest_path_of_a_text(T: int, K: int, seed: int) -> None:
    logs = some(T, K, seed)
    for text, paths in every_path(logs).items():
        best, path = max(paths)
        found = align(logs, text)
        assert found.log_probability == pytest.approx(best, **EXACT)
        assert tuple(found.path) == path
        assert collapse(found.path) == text
        for number, (first, last) in enumerate(found.spans):
            assert (found.path[first:last] == text[number]).all()
            assert first >= (found.spans[number - 1][1] if number else 0)
        assert sum(last - first for first, last in found.spans) == (found.path != 0).sum()
    with pytest.raises(ValueError, match=f"{T + 1} symbols do not fit into {T} steps"):
        align(logs, [1] * (T + 1))


def test_greedy_takes_the_likeliest_path_and_the_beam_the_likeliest_text() -> None:
    logs = np.log([[0.6, 0.4], [0.6, 0.4]])  # paths: 0.36 for nothing; 0.64 in all for one symbol
    assert greedy(logs) == ()
    assert prefix_beam(logs)[0].symbols == (1,)
    assert prefix_beam(logs)[0].log_probability == pytest.approx(np.log(0.64))
    for T, K, seed in CASES:
        case = some(T, K, seed)
        text, _ = max(every_path(case).items(), key=lambda item: max(item[1]))
        assert greedy(case) == text
        assert greedy(torch.from_numpy(case)) == text


def test_paths_collapse() -> None:
    assert collapse([0, 1, 1, 0, 1, 2, 2, 0]) == (1, 1, 2)
    assert collapse([]) == collapse([0, 0]) == ()


def test_a_narrow_beam_never_claims_too_much() -> None:
    for T, K, seed in CASES:
        logs = some(T, K, seed)
        paths = every_path(logs)
        for width in (1, 2, 3):
            found = prefix_beam(logs, width)
            assert len(found) <= width
            for beam in found:
                assert beam.log_probability <= summed(paths[beam.symbols]) + 1e-12
    sharp = some(40, 5, 0, sharpness=12)
    assert prefix_beam(sharp, 8)[0].symbols == prefix_beam(sharp, 64)[0].symbols


def test_what_is_cut_is_not_tried() -> None:
    logs = np.log([[0.5, 0.3, 0.2], [0.9, 0.06, 0.04]])
    kept = {beam.symbols for beam in prefix_beam(logs, 99, cut=np.log(0.05))}
    assert kept == {(), (1,), (2,), (2, 1)}, "step 2: a blank, symbol 1, or 2 again"


LEXICONS = [([(1,), (1, 2)], 3), ([(2, 1)], 3), ([(1,), (2,), (1, 1)], 3), ([(3, 1), (2,)], None)]


def may_be(text: tuple[int, ...], words: list[tuple[int, ...]], separator: int | None) -> bool:
    """Whether a text is made of known words, found by cutting it."""
    if not text:
        return True
    pieces: list[list[int]] = [[]]
    for symbol in text:
        if symbol == separator:
            pieces.append([])
        else:
            pieces[-1].append(symbol)
    return all(tuple(piece) in words for piece in pieces)


@pytest.mark.parametrize(("words", "separator"), LEXICONS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_search_for_known_words_is_exact_where_nothing_is_dropped(
    words: list[tuple[int, ...]], separator: int | None, seed: int
) -> None:
    logs = some(6, 4, seed)
    paths = every_path(logs)
    allowed = {text for text in paths if may_be(text, words, separator)}
    assert 2 < len(allowed) < len(paths)
    found = prefix_beam(logs, len(paths), cut=0.0, lexicon=Lexicon(words, separator))
    assert {beam.symbols for beam in found} == allowed
    for beam in found:
        assert beam.log_probability == pytest.approx(summed(paths[beam.symbols]), **EXACT)
    best = max(allowed, key=lambda text: summed(paths[text]))
    assert found[0].symbols == best
    for width in (1, 2, 3):
        for beam in prefix_beam(logs, width, lexicon=Lexicon(words, separator)):
            assert beam.symbols in allowed
            assert beam.log_probability <= summed(paths[beam.symbols]) + 1e-12


def test_a_broken_word_at_the_end_is_left_out() -> None:
    likely = [[0.01, 0.97, 0.01, 0.01], [0.01, 0.01, 0.01, 0.97], [0.01, 0.97, 0.01, 0.01]]
    logs = np.log(likely)  # 1, separator, 1: a word begins that is never ended
    found = prefix_beam(logs, 1, lexicon=Lexicon([(1,), (1, 2)], 3))
    assert found[0].symbols == (1, 3, 1)
    found = prefix_beam(logs, 1, lexicon=Lexicon([(1, 3, 1, 2)], None))
    assert [beam.symbols for beam in found] == [()]
    assert found[0].log_probability == pytest.approx(3 * np.log(0.01))
    with np.errstate(divide="ignore"), pytest.raises(ValueError, match="every text that may be written"):
        prefix_beam(np.log([[0.0, 1.0, 0.0]]), lexicon=Lexicon([(2,)], None))


@pytest.mark.parametrize(
    ("words", "separator", "said"),
    [([], 3, "there is no word"), ([()], 3, "is empty"), ([(1, 3)], 3, r"holds the separator 3: \(1, 3\)")],
)
def test_wrong_lexicons(words: list[tuple[int, ...]], separator: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Lexicon(words, separator)


def test_impossible_symbols_and_long_runs() -> None:
    with np.errstate(divide="ignore"):
        logs = np.log([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert [beam.symbols for beam in prefix_beam(logs)] == [(1, 1)]
    assert log_probability(logs, [1, 1]) == 0
    assert log_probability(logs, [1]) == -np.inf
    with pytest.raises(ValueError, match="impossible"):
        align(logs, [2])
    many = np.full((2_000, 3), np.log(1 / 3))
    assert np.isfinite(log_probability(many, [1, 2] * 300))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: greedy(np.zeros(3)), r"greedy: logs must be \(T, K\)"),
        (lambda: prefix_beam(np.zeros((0, 3))), r"got shape \(0, 3\)"),
        (lambda: prefix_beam(np.zeros((2, 3)), 0), "width=0 must be 1 or more"),
        (lambda: align(np.zeros((2, 3)), [3]), r"align: symbols must be 1 to 2, got \[3\]"),
        (lambda: log_probability(np.full((2, 3), np.nan), [1]), "not a number"),
    ],
)
def test_wrong_arguments(call: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()  # type: ignore[operator]

"""Padding in the kernels: never computed; no bit of a result depends on it or on the order of the batch."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from throughtime.cells import LSTMCell, SimpleRNNCell, Variant
from throughtime.kernels import native
from throughtime.ops import many, regularised_native
from throughtime.ops import native as native_ops
from throughtime.ops.backends import NATIVE
from throughtime.ops.lstm_loop import LSTMErrors, LSTMParameters, LSTMState
from throughtime.ops.simple_rnn_loop import RNNErrors, RNNParameters

from .problems import Problem, make_problem, run
from .test_native_regularised import Problem as RegularisedProblem

CELLS = {
    "vanilla": LSTMCell(Variant.parse("vanilla")),
    "NP": LSTMCell(Variant.parse("NP")),
    "CIFG+FGR": LSTMCell(Variant.parse("CIFG+FGR"), bias=False),
    "NIG+NOAF": LSTMCell(Variant.parse("NIG+NOAF")),
    "rnn": SimpleRNNCell("tanh"),
}
REGULARISED = {
    "vanilla": LSTMCell(layer_norm=True),
    "CIFG+FGR": LSTMCell(Variant.parse("CIFG+FGR"), False, True),
    "rnn": SimpleRNNCell("tanh", True, True),
}
LENGTHS = {
    "of each its own": [3, 41, 0, 12, 29, 7, 40, 1, 18, 33, 5],
    "one long": [4, 4, 4, 4, 4, 44, 4, 4, 4, 4, 4],
    "falling": [44, 31, 31, 20, 9, 9, 9, 4, 2, 0, 0],
    "none": [0] * 11,
}
directions = pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])


@pytest.fixture(params=[1, 2, 5])
def threads(request: pytest.FixtureRequest) -> int:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def computed(since: int = 0) -> int:
    return native.steps_computed() - since


def padded(name: str, lengths: list[int], T: int = 45, H: int = 60, *, reverse: bool = False) -> Problem:
    """Enough work for several threads."""
    cell, B = CELLS[name], len(lengths)
    return make_problem(cell, T, B, 20, H, lengths=torch.tensor(lengths), reverse=reverse)


@directions
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("name", CELLS)
def test_padded_steps_are_not_computed(name: str, lengths: str, reverse: bool, threads: int) -> None:
    problem, before = padded(name, LENGTHS[lengths], reverse=reverse), computed()
    run(NATIVE, problem)
    assert computed(before) == 2 * sum(LENGTHS[lengths])  # forward and backward


@directions
def test_nor_are_they_while_recording(reverse: bool) -> None:
    lengths, nothing = LENGTHS["of each its own"], torch.full((45, 11, 60), torch.nan, dtype=torch.float64)
    before = computed()
    cell, x, initial, parameters, d_y, d_final, own, _ = padded("vanilla", lengths, reverse=reverse)
    state, p, d_state = LSTMState(*initial), LSTMParameters(*parameters), LSTMState(*d_final)
    bars = torch.full((45, 11, 240), torch.nan, dtype=torch.float64)
    errors = LSTMErrors(bars.clone(), nothing.clone(), nothing.clone())
    made = native_ops.lstm_forward(x, state, p, own, cell.variant, reverse, bars=bars)
    native_ops.lstm_backward(d_y, d_state, x, state, p, own, made, cell.variant, reverse, True, errors=errors)
    _, x, (h0,), parameters, d_y, (d_h,), own, _ = padded("rnn", lengths, reverse=reverse)
    found = RNNErrors(nothing.clone(), nothing.clone())
    h = native_ops.rnn_forward(x, h0, RNNParameters(*parameters), own, "tanh", reverse, bars=nothing.clone())
    native_ops.rnn_backward(
        d_y, d_h, x, h0, RNNParameters(*parameters), own, h, "tanh", reverse, True, errors=found
    )
    assert computed(before) == 4 * sum(lengths)


@directions
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("name", REGULARISED)
def test_nor_with_layer_norm_zoneout_and_dropout(
    name: str, lengths: str, reverse: bool, threads: int
) -> None:
    own = torch.tensor(LENGTHS[lengths])
    problem = RegularisedProblem(REGULARISED[name], (45, 11, 20, 60), lengths=own, reverse=reverse)
    before = computed()
    problem.run(regularised_native)
    assert computed(before) == 2 * sum(LENGTHS[lengths])


def test_nor_by_many_networks(threads: int) -> None:
    M, T, B, I, H = 3, 45, 4, 5, 20  # noqa: E741
    lengths = torch.tensor([[45, 0, 3, 7], [2, 2, 9, 2], [0, 0, 0, 1]])
    x, zeros = torch.randn(M, T, B, I), torch.zeros(M, B, H)
    p = LSTMParameters(torch.randn(M, 4 * H, I), torch.randn(M, 4 * H, H), torch.randn(M, 4 * H), None, None)
    before = computed()
    many.lstm_forward(x, LSTMState(zeros, zeros, None), p, lengths, "NP", False, NATIVE.name)
    assert computed(before) == lengths.sum()


def permuted(problem: Problem, to: Tensor) -> Problem:
    def rows(values: list[Tensor | None]) -> list[Tensor | None]:
        return [None if value is None else value[to] for value in values]

    return problem._replace(
        x=problem.x[:, to],
        initial=rows(problem.initial),
        d_output=problem.d_output[:, to],
        d_final=rows(problem.d_final),
        lengths=problem.lengths[to],
    )


BY_STEP = {"y", "h", "cells", "d_x"}  # (T, B, ·)
BY_SEQUENCE = {"y_n", "c_n", "gates_n", "h_n", "d_y0", "d_c0", "d_gates0", "d_h0"}  # (B, ·)


@directions
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", CELLS)
def test_the_order_of_the_batch_changes_no_bit(
    name: str, dtype: torch.dtype, reverse: bool, threads: int
) -> None:
    """Sequences of different lengths: however they come, the kernels take them from the longest on."""
    lengths = LENGTHS["of each its own"]
    problem = padded(name, lengths, reverse=reverse).to(dtype)
    expected = run(NATIVE, problem)
    for to in (
        torch.tensor(lengths).argsort(descending=True),
        torch.randperm(11, generator=torch.Generator()),
    ):
        for value, found in run(NATIVE, permuted(problem, to)).items():
            there = expected[value]
            if value in BY_STEP:
                there = there[:, to]
            elif value in BY_SEQUENCE and there.numel():
                there = there[to]
            assert torch.equal(found, there), value


@directions
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", CELLS)
def test_more_padding_changes_no_bit(name: str, dtype: torch.dtype, reverse: bool, threads: int) -> None:
    lengths, more = LENGTHS["of each its own"], 30
    short = padded(name, lengths, T=max(lengths), reverse=reverse).to(dtype)
    room = lambda v: torch.cat([v, torch.full((more, *v.shape[1:]), torch.nan, dtype=dtype)])  # noqa: E731
    expected = run(NATIVE, short)
    for value, found in run(NATIVE, short._replace(x=room(short.x), d_output=room(short.d_output))).items():
        if value in BY_STEP:
            if value != "cells":
                assert found[max(lengths) :].eq(0).all(), value
            found = found[: max(lengths)]
        assert torch.equal(found, expected[value]), value


@pytest.mark.parametrize("name", CELLS)
def test_lengths_without_padding_change_no_bit(name: str, threads: int) -> None:
    problem = padded(name, [45] * 11).to(torch.float32)
    del_gates = lambda results: {k: v for k, v in results.items() if k != "gates"}  # noqa: E731
    expected = del_gates(run(NATIVE, problem._replace(lengths=None)))
    assert all(torch.equal(found, expected[k]) for k, found in run(NATIVE, problem).items())

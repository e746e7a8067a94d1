"""Every cell and variant by the Triton kernels, held to the reference loops."""

from __future__ import annotations

import pytest
import torch

from throughtime.cells import LSTMCell
from throughtime.ops.backends import REFERENCE

from ...sequences import CELLS
from ...tolerances import check_factor, check_relative
from ..problems import make_problem, run
from .on_device import by_triton

LENGTHS = torch.tensor([3, 0, 4])
CASES = {"full": (None, False), "padded": (LENGTHS, False), "padded-reverse": (LENGTHS, True)}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", CELLS)
def test_float64(name: str, case: str, way: str) -> None:
    cell, (lengths, reverse) = CELLS[name], CASES[case]
    if way == "on chip" and isinstance(cell, LSTMCell) and cell.variant.full_gate_recurrence:
        pytest.skip("FGR always goes step by step")
    problem = make_problem(cell, 4, 3, 4, 5, lengths=lengths, reverse=reverse)
    expected = run(REFERENCE, problem)
    for value, found in by_triton(problem).items():
        check_relative("op against cell, float64", f"{name}, {case}, {way}: {value}", found, expected[value])


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("name", ["lstm-CIFG", "lstm-vanilla-no-bias", "rnn-logistic"])
def test_more_units_and_sequences_than_one_block(name: str, reverse: bool, way: str) -> None:
    lengths = torch.tensor([(5 * k) % 4 for k in range(19)])
    problem = make_problem(CELLS[name], 3, 19, 2, 21, lengths=lengths, reverse=reverse)
    expected = run(REFERENCE, problem)
    for value, found in by_triton(problem).items():
        check_relative("op against cell, float64", f"{name}, {way}: {value}", found, expected[value])


@pytest.mark.parametrize("name", ["lstm-vanilla", "rnn-relu"])
def test_one_step_of_one_sequence_of_one_unit(name: str, way: str) -> None:
    problem = make_problem(CELLS[name], 1, 1, 1, 1)
    expected = run(REFERENCE, problem)
    for value, found in by_triton(problem).items():
        check_relative("op against cell, float64", f"{name}, {way}: {value}", found, expected[value])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["lstm-vanilla", "lstm-CIFG+NP", "lstm-FGR", "rnn-tanh", "rnn-logistic"])
def test_smaller_dtypes(name: str, dtype: torch.dtype, way: str) -> None:
    rounded = make_problem(CELLS[name], 6, 3, 4, 9, lengths=torch.tensor([6, 2, 5])).to(dtype)
    exact, plain = run(REFERENCE, rounded.to(torch.float64)), run(REFERENCE, rounded)
    row = (
        "triton against reference, float32"
        if dtype == torch.float32
        else "triton against reference, bfloat16"
    )
    for value, found in by_triton(rounded).items():
        assert found.dtype == dtype
        check_factor(row, f"{name}, {way}: {value}", found, plain[value], exact[value])


@pytest.mark.parametrize("name", ["lstm-vanilla", "rnn-tanh"])
def test_what_stands_at_padded_places_does_not_matter(name: str, way: str) -> None:
    lengths = torch.tensor([3, 0, 5])
    for reverse in (False, True):
        problem = make_problem(CELLS[name], 5, 3, 4, 5, lengths=lengths, reverse=reverse)
        expected = by_triton(problem)
        padded = (torch.arange(5).unsqueeze(1) >= lengths).unsqueeze(-1)
        strange = problem._replace(
            x=problem.x.masked_fill(padded, torch.nan),
            d_output=problem.d_output.masked_fill(padded, torch.nan),
        )
        for value, found in by_triton(strange).items():
            assert torch.equal(found, expected[value]), (value, reverse)
        output = "y" if name.startswith("lstm") else "h"
        assert expected[output].masked_select(padded).eq(0).all()


@pytest.mark.parametrize("name", ["lstm-vanilla", "lstm-FGR", "rnn-tanh"])
def test_an_empty_batch(name: str) -> None:
    problem = make_problem(CELLS[name], 3, 0, 2, 4)
    expected = run(REFERENCE, problem)
    for value, found in by_triton(problem).items():
        assert torch.equal(found, expected[value]), value


def test_the_error_of_the_input_is_left_out_when_nobody_wants_it() -> None:
    problem = make_problem(CELLS["lstm-vanilla"], 4, 2, 3, 5)
    full, less = by_triton(problem), by_triton(problem, input_error=False)
    assert less.pop("d_x").numel() == 0
    assert all(torch.equal(found, full[name]) for name, found in less.items())

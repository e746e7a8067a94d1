"""Shapes, strides, lengths, dtypes, threads and instruction sets drawn at random, against the reference.

THROUGHTIME_EXAMPLES=2000 draws more than the 200 that CI does.
"""

from __future__ import annotations

import os

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from throughtime.cells import LSTMCell, SimpleRNNCell, Variant
from throughtime.kernels import native
from throughtime.ops.backends import NATIVE, REFERENCE

from ..sequences import COMBINATIONS, NONLINEARITIES, VARIANTS
from ..tolerances import check_factor, check_relative
from .problems import Problem, make_problem, run

EXAMPLES = int(os.environ.get("THROUGHTIME_EXAMPLES", "200"))
CELLS = [LSTMCell(Variant.parse(name), bias) for name in VARIANTS + COMBINATIONS for bias in (True, False)]
CELLS += [SimpleRNNCell(name, bias) for name in NONLINEARITIES for bias in (True, False)]


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    T, B = draw(st.integers(1, 12)), draw(st.integers(1, 20))
    inputs, cells = draw(st.integers(1, 40)), draw(st.integers(1, 70))
    lengths = None
    if draw(st.booleans()):
        lengths = torch.tensor(draw(st.lists(st.integers(0, T), min_size=B, max_size=B)))
    made = make_problem(
        draw(st.sampled_from(CELLS)),
        T,
        B,
        inputs,
        cells,
        lengths=lengths,
        reverse=draw(st.booleans()),
        seed=draw(st.integers(0, 2**31)),
    )
    return made.to(draw(st.sampled_from([torch.float32, torch.float64])))


def strided(draw_layout: int, value: torch.Tensor) -> torch.Tensor:
    """The same values, lying in memory in another way."""
    if draw_layout == 1:
        return value.transpose(0, 1).contiguous().transpose(0, 1)
    if draw_layout == 2:
        return torch.stack([value, value], dim=-1)[..., 0]
    return value


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    problem=problems(),
    layout=st.integers(0, 2),
    threads=st.integers(1, 5),
    instruction_set=st.sampled_from(native.instruction_sets()),
    input_error=st.booleans(),
)
def test_native_against_reference(
    problem: Problem, layout: int, threads: int, instruction_set: str, input_error: bool
) -> None:
    exact = run(REFERENCE, problem.to(torch.float64), input_error)
    plain = run(REFERENCE, problem, input_error)
    x, d_output = strided(layout, problem.x), strided(layout, problem.d_output)
    before, chosen = torch.get_num_threads(), native.instruction_set()
    torch.set_num_threads(threads)
    native.use_instruction_set(instruction_set)
    try:
        found = run(NATIVE, problem._replace(x=x, d_output=d_output), input_error)
    finally:
        torch.set_num_threads(before)
        native.use_instruction_set(chosen)
    for name, value in found.items():
        label = f"{problem.cell.name}: {name}"
        if problem.x.dtype == torch.float64:
            check_relative("op against cell, float64", label, value, exact[name])
        else:
            check_factor("native against reference, float32", label, value, plain[name], exact[name])

"""The regularised kernels: threads, bits, layouts, shapes drawn at random, refusals."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from throughtime.cells import LSTMCell, SimpleRNNCell, Variant
from throughtime.kernels import native
from throughtime.ops import regularised_loop, regularised_native
from throughtime.ops.noise import Noise
from throughtime.ops.regularised_loop import PARAMETERS, Arriving, Inputs, Way

from ..sequences import COMBINATIONS, NONLINEARITIES, VARIANTS
from ..tolerances import check_factor, check_relative

ROW = "regularised op against cell, float64"
CELLS = [
    LSTMCell(Variant.parse(name), norm, norm) for name in VARIANTS + COMBINATIONS for norm in (True, False)
]
CELLS += [SimpleRNNCell(name, norm, norm) for name in NONLINEARITIES for norm in (True, False)]


class Problem:
    """Everything one pass reads, random and in float64."""

    def __init__(
        self, cell: LSTMCell | SimpleRNNCell, sizes: tuple[int, int, int, int], seed: int = 0, **way: object
    ) -> None:
        (T, B, I, H), generator = sizes, torch.Generator().manual_seed(seed)  # noqa: E741

        def random(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=generator, dtype=torch.float64) * 2 - 1

        own = (len(cell.state) - 2) * H
        state = [
            random(B, H),
            random(B, H) if "c" in cell.state else None,
            random(B, own) if own > 0 else None,
        ]
        shapes = cell.shapes(I, H)
        parameters = [random(*shapes[n]) * H**-0.5 if n in shapes else None for n in PARAMETERS]
        self.inputs = Inputs(random(T, B, I), *state, *parameters)
        final = [None if v is None else random(*v.shape) for v in state]
        self.arriving = Arriving(random(T, B, H), *final)
        mask = (random(B, H) > -0.5).double() / 0.75 if way.get("masked", True) else None
        drawn = torch.tensor(seed) if way.get("drawn", True) else None
        self.way = Way(cell, Noise(mask, (0.3, 0.15), drawn), way.get("lengths"), bool(way.get("reverse")))

    def to(self, dtype: torch.dtype) -> Problem:
        def cast(values: tuple[Tensor | None, ...]) -> list[Tensor | None]:
            return [None if v is None else v.to(dtype) for v in values]

        made = object.__new__(Problem)
        made.inputs, made.arriving = Inputs(*cast(self.inputs)), Arriving(*cast(self.arriving))
        mask = self.way.noise.mask
        noise = self.way.noise._replace(mask=None if mask is None else mask.to(dtype))
        made.way = self.way._replace(noise=noise)
        return made

    def run(self, backend: object) -> dict[str, Tensor]:
        made = backend.forward(self.inputs, self.way, True)
        found = backend.backward(self.arriving, self.inputs, self.way, made.y, made.kept, True)
        results = {"y": made.y, "y_n": made.y_n, "c_n": made.c_n, "gates_n": made.gates_n}
        return results | {f"d_{k}": v for k, v in zip(Inputs._fields, found, strict=True)}


def with_threads(count: int, problem: Problem) -> dict[str, Tensor]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        return problem.run(regularised_native)
    finally:
        torch.set_num_threads(before)


LARGE = {
    "vanilla": LSTMCell(layer_norm=True),
    "CIFG+FGR": LSTMCell(Variant.parse("CIFG+FGR"), False, True),
    "rnn": SimpleRNNCell("tanh", True, True),
}


def large(name: str) -> Problem:
    lengths = torch.tensor([(29 * b) % 131 for b in range(7)])
    return Problem(LARGE[name], (130, 7, 40, 96), lengths=lengths)


@pytest.mark.parametrize("name", LARGE)
def test_threads_change_nothing_but_rounding(name: str) -> None:
    problem = large(name)
    alone = with_threads(1, problem)
    for count in (2, 3, 7):
        for value, found in with_threads(count, problem).items():
            check_relative(ROW, f"{value}, {count} threads", found, alone[value])


@pytest.mark.parametrize("name", LARGE)
def test_every_run_gives_the_same_bits(name: str) -> None:
    problem = large(name).to(torch.float32)
    first = with_threads(3, problem)
    for _ in range(3):
        assert all(torch.equal(found, first[value]) for value, found in with_threads(3, problem).items())


@pytest.mark.parametrize("name", LARGE)
def test_weights_that_outgrow_the_cache(name: str, instruction_set: str) -> None:
    problem = Problem(LARGE[name], (2, 7, 60, 530), lengths=torch.tensor([2, 1, 2, 0, 2, 2, 1]))
    expected = problem.run(regularised_loop)
    for value, found in problem.run(regularised_native).items():
        check_relative(ROW, value, found, expected[value])


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    T, B = draw(st.integers(1, 8)), draw(st.integers(1, 14))
    sizes = (T, B, draw(st.integers(1, 20)), draw(st.integers(2, 70)))
    lengths = None
    if draw(st.booleans()):
        lengths = torch.tensor(draw(st.lists(st.integers(0, T), min_size=B, max_size=B)))
    chosen = {name: draw(st.booleans()) for name in ("reverse", "drawn", "masked")}
    cell, seed = draw(st.sampled_from(CELLS)), draw(st.integers(0, 2**31))
    return Problem(cell, sizes, seed, lengths=lengths, **chosen)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    problem=problems(),
    threads=st.integers(1, 5),
    instruction_set=st.sampled_from(native.instruction_sets()),
    single=st.booleans(),
)
def test_native_against_reference(problem: Problem, threads: int, instruction_set: str, single: bool) -> None:
    problem = problem.to(torch.float32) if single else problem
    exact = problem.to(torch.float64).run(regularised_loop)
    plain = problem.run(regularised_loop)
    chosen = native.instruction_set()
    native.use_instruction_set(instruction_set)
    try:
        found = with_threads(threads, problem)
    finally:
        native.use_instruction_set(chosen)
    for name, value in found.items():
        label = f"{problem.way.cell.name}: {name}"
        if single:
            check_factor("native against reference, float32", label, value, plain[name], exact[name])
        else:
            check_relative(ROW, label, value, exact[name])


def test_strides_do_not_matter() -> None:
    problem = Problem(LARGE["vanilla"], (6, 5, 3, 7))
    expected = problem.run(regularised_native)
    turned = lambda v: v.transpose(0, 1).contiguous().transpose(0, 1)  # noqa: E731
    problem.inputs = problem.inputs._replace(x=turned(problem.inputs.x))
    problem.arriving = problem.arriving._replace(y=turned(problem.arriving.y))
    assert not problem.inputs.x.is_contiguous()
    assert all(torch.equal(found, expected[name]) for name, found in problem.run(regularised_native).items())
    one = problem.arriving._replace(y=torch.ones((), dtype=torch.float64).expand(6, 5, 7))
    same = problem.arriving._replace(y=torch.ones(6, 5, 7, dtype=torch.float64))
    found = []
    for arriving in (one, same):
        problem.arriving = arriving
        found.append(problem.run(regularised_native)["d_x"])
    assert torch.equal(*found)


def arguments() -> tuple[list[object], list[object], list[object]]:
    """Of a call that is right: first arguments, inputs, outputs."""
    inputs = Problem(LARGE["vanilla"], (4, 2, 3, 5)).inputs
    empty = lambda *shape: torch.empty(*shape, dtype=torch.float64)  # noqa: E731
    given = [empty(4, 2, 20).zero_(), inputs.y0, inputs.c0, None, inputs.weight_hh]
    given += [inputs.gain_hh, inputs.gain_c, inputs.bias_c, inputs.peephole, None, None]
    results = [empty(4, 2, 5), empty(2, 5), empty(2, 5), None, empty(4, 2, 20), empty(4, 2, 5)]
    results += [empty(4, 2, 20), empty(4, 2), None]
    return [0, 1, [1, 0, 1, 1, 1, 0], False, 1e-5, (0.0, 0.0, False, 0)], given, results


@pytest.mark.parametrize(
    ("part", "place", "value", "message"),
    [
        (0, 0, 9, "isa=9"),
        (0, 1, 0, "threads=0"),
        (0, 2, [], "cell is malformed"),
        (0, 2, [7], "nonlinearity is malformed"),
        (0, 5, (1.5, 0.0, False, 0), "zoneout must be probabilities"),
        (0, 5, (0.0, 0.0, False), "expected 4 tensors"),
        (1, 0, torch.zeros(4, 2, 19, dtype=torch.float64), r"projected has shape \(4, 2, 19\), expected"),
        (1, 1, torch.zeros(2, 4, dtype=torch.float64), r"y0 has shape \(2, 4\), expected \(2, 5\)"),
        (1, 2, None, "c0 is missing"),
        (1, 3, torch.zeros(2, 15, dtype=torch.float64), "gates0 has no use here"),
        (1, 5, torch.zeros(20), "gain has dtype torch.float32, expected torch.float64"),
        (1, 6, None, "gain_c is missing"),
        (1, 9, torch.zeros(3, 5, dtype=torch.float64), r"mask has shape \(3, 5\), expected \(2, 5\)"),
        (1, 10, torch.tensor([1, 2, 3]), "lengths has shape"),
        (2, 6, None, "hat is missing"),
        (2, 7, torch.zeros(4, 3, dtype=torch.float64), "scale has shape"),
    ],
)
def test_bad_arguments_are_refused(part: int, place: int, value: object, message: str) -> None:
    parts = arguments()
    call = native.module().regularised_forward
    call(*parts[0], tuple(parts[1]), tuple(parts[2]))
    parts[part][place] = value
    with pytest.raises(ValueError, match=message):
        call(*parts[0], tuple(parts[1]), tuple(parts[2]))

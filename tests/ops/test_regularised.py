"""Layer normalisation, zoneout and recurrent dropout over a sequence: every backend against plain loops."""

from __future__ import annotations

import functools
import itertools

import pytest
import torch
from torch import Tensor
from torch.nn.functional import layer_norm

from throughtime.cells import Cell, LSTMCell, SimpleRNNCell, Values, Variant
from throughtime.ops import backends, regularised, unrolled
from throughtime.ops.noise import NO_NOISE, Noise, kept
from throughtime.ops.regularised_loop import PARAMETERS, Inputs
from throughtime.testing import Case, Shape

from ..sequences import joined, lengths_for, typed_case
from ..tolerances import check_factor, check_relative

SHAPES = (Shape(2, 1, 3, 2), Shape(7, 3, 5, 4), Shape(12, 17, 9, 1), Shape(11, 2, 33, 6))
SMALL = SHAPES[1]
NOISES = ("none", "drawn", "mean", "mask", "all")
ROW = "regularised op against cell, float64"


def cells(*, layer_norm: bool) -> dict[str, Cell]:
    names = ("vanilla", "NP", "CIFG", "FGR", "CIFG+FGR", "NOG+NP+FGR", "NIG+NFG+NOG", "NFG+NIAF+NOAF")
    made: dict[str, Cell] = {n: LSTMCell(Variant.parse(n), True, layer_norm) for n in names}
    made["no bias"] = LSTMCell(Variant.parse("vanilla"), False, layer_norm)
    made |= {n: SimpleRNNCell(n, n != "relu", layer_norm) for n in ("tanh", "relu")}
    return made


CELLS = {(True, name): cell for name, cell in cells(layer_norm=True).items()}
CELLS |= {(False, name): cells(layer_norm=False)[name] for name in ("NP", "CIFG+FGR", "tanh")}
CASES = pytest.mark.parametrize(
    ("normed", "name"), CELLS, ids=[f"{'norm-' if norm else ''}{name}" for norm, name in CELLS]
)


def noise_of(kind: str, shape: Shape, dtype: torch.dtype = torch.float64) -> Noise:
    mask = torch.rand(shape.B, shape.H, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    mask = (mask > 0.4).to(dtype) / 0.6
    seed = torch.tensor(-987654321012345678)
    return {
        "none": NO_NOISE,
        "drawn": Noise(None, (0.4, 0.2), seed),
        "mean": Noise(None, (0.4, 0.2), None),
        "mask": Noise(mask),
        "all": Noise(mask, (0.1, 0.5), seed),
    }[kind]


def inputs_of(cell: Cell, case: Case) -> Inputs:
    state = list(case.initial.values())
    parameters = (case.parameters.get(name) for name in PARAMETERS)
    return Inputs(case.x, state[0], case.initial.get("c"), joined(cell, case.initial), *parameters)


def name_of(cell: Cell) -> str:
    return f"RNN {cell.nonlinearity}" if isinstance(cell, SimpleRNNCell) else f"LSTM {cell.variant.name}"


def through_op(
    cell: Cell, case: Case, noise: Noise, lengths: Tensor | None, reverse: bool, backend: str
) -> Values:
    run = regularised.run(inputs_of(cell, case), name_of(cell), noise, lengths, reverse, backend)
    final = {cell.state[0]: run.y_n, "c": run.c_n}
    if len(cell.state) > 2:
        final |= dict(zip(cell.state[2:], run.gates_n.chunk(len(cell.state) - 2, -1), strict=True))
    return with_gradients(case, run.y, {name: final[name] for name in cell.state})


def through_cell(cell: Cell, case: Case, noise: Noise, lengths: Tensor | None, reverse: bool) -> Values:
    run = unrolled.forward(cell, case.x, case.initial, case.parameters, lengths, reverse, noise)
    return with_gradients(case, run.output, run.final)


def with_gradients(case: Case, output: Tensor, final: Values) -> Values:
    loss = (output * case.d_output).sum() + sum((final[k] * d).sum() for k, d in case.d_final.items())
    leaves = case.leaves()
    found = torch.autograd.grad(loss, list(leaves.values()))
    named = {f"d_{name}": gradient for name, gradient in zip(leaves, found, strict=True)}
    return {"output": output.detach(), **{f"final {k}": v.detach() for k, v in final.items()}, **named}


Sample = tuple[Case, Noise, Tensor | None, bool, str]


@functools.cache
def exact(normed: bool, name: str) -> list[tuple[Sample, Values]]:
    """Every shape with every kind of noise, some padded, some in reverse, and what the loop gives for it."""
    cell, found = CELLS[normed, name], []
    for number, (shape, kind) in enumerate(itertools.product(SHAPES, NOISES)):
        case, noise = typed_case(cell, shape, torch.float64), noise_of(kind, shape)
        lengths, reverse = lengths_for(shape) if number % 3 else None, number % 2 == 1
        label = f"{cell.name}, {shape}, {kind}"
        found.append(
            ((case, noise, lengths, reverse, label), through_cell(cell, case, noise, lengths, reverse))
        )
    return found


@CASES
def test_float64(normed: bool, name: str, backend: str) -> None:
    for (*sample, label), expected in exact(normed, name):
        for value, found in through_op(CELLS[normed, name], *sample, backend).items():
            check_relative(ROW, f"{label}: {value}", found, expected[value])


@functools.cache
def rounded(normed: bool, name: str) -> list[tuple[Sample, Values, Values]]:
    """Cases in float32, what the loop gives in it, and what it gives for the same numbers in float64."""
    cell, found = CELLS[normed, name], []
    for shape, kind in itertools.product(SHAPES[1:], ("none", "all")):
        single, lengths = typed_case(cell, shape, torch.float32), lengths_for(shape)
        noise = noise_of(kind, shape, torch.float32)
        double = Case(
            single.x.detach().double().requires_grad_(),
            *({k: v.detach().double().requires_grad_() for k, v in part.items()} for part in single[1:3]),
            single.d_output.double(),
            {k: v.double() for k, v in single.d_final.items()},
        )
        wide = noise._replace(mask=None if noise.mask is None else noise.mask.double())
        plain = through_cell(cell, single, noise, lengths, False)
        reference = through_cell(cell, double, wide, lengths, False)
        found.append(((single, noise, lengths, False, f"{cell.name}, {shape}, {kind}"), plain, reference))
    return found


@CASES
def test_float32(normed: bool, name: str, backend: str) -> None:
    for (*sample, label), plain, reference in rounded(normed, name):
        for value, found in through_op(CELLS[normed, name], *sample, backend).items():
            row = "native against reference, float32"
            check_factor(row, f"{label}: {value}", found, plain[value], reference[value])


def naive_lstm(case: Case, noise: Noise) -> Tensor:
    """Vanilla with peepholes as the papers write it, with torch's own layer_norm."""
    p, (y, c) = case.parameters, case.initial.values()
    outputs = []
    rows, H = p["weight_ih"].shape[0], y.shape[1]
    for t, x in enumerate(case.x):
        read = y if noise.mask is None else y * noise.mask
        a = layer_norm(x @ p["weight_ih"].T, [rows], p["gain_ih"], p["bias"])
        i, f, z, o = (a + layer_norm(read @ p["weight_hh"].T, [rows], p["gain_hh"])).chunk(4, -1)
        i, f = torch.sigmoid(i + p["peephole"][0] * c), torch.sigmoid(f + p["peephole"][1] * c)
        new_c = i * torch.tanh(z) + f * c
        o = torch.sigmoid(o + p["peephole"][2] * new_c)
        new_y = o * torch.tanh(layer_norm(new_c, [H], p["gain_c"], p["bias_c"]))
        k_c, k_y = kept(noise, t, y)
        c, y = k_c * new_c + (1 - k_c) * c, k_y * new_y + (1 - k_y) * y
        outputs.append(y)
    return torch.stack(outputs)


def naive_rnn(case: Case, noise: Noise) -> Tensor:
    p, (h,) = case.parameters, case.initial.values()
    outputs = []
    for t, x in enumerate(case.x):
        read = h if noise.mask is None else h * noise.mask
        a = layer_norm(x @ p["weight_ih"].T, [h.shape[1]], p["gain_ih"], p["bias"])
        found = torch.tanh(a + layer_norm(read @ p["weight_hh"].T, [h.shape[1]], p["gain_hh"]))
        share = kept(noise, t, h)[1]
        h = share * found + (1 - share) * h
        outputs.append(h)
    return torch.stack(outputs)


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize(("name", "naive"), [("vanilla", naive_lstm), ("tanh", naive_rnn)])
def test_as_the_papers_write_it(name: str, naive: object, kind: str, backend: str) -> None:
    cell = CELLS[True, name]
    case, noise = typed_case(cell, SMALL, torch.float64), noise_of(kind, SMALL)
    case = case._replace(d_final={k: torch.zeros_like(v) for k, v in case.d_final.items()})
    expected = with_gradients(case, naive(case, noise), dict(case.initial))
    found = through_op(cell, case, noise, None, False, backend)
    for value in ("output", *(f"d_{leaf}" for leaf in case.leaves())):
        check_relative(ROW, value, found[value], expected[value])


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("name", ["vanilla", "CIFG+FGR", "tanh"])
def test_a_padded_sequence_equals_the_same_sequence_alone(name: str, reverse: bool, backend: str) -> None:
    cell, lengths = CELLS[True, name], lengths_for(SMALL)
    case, noise = typed_case(cell, SMALL, torch.float64), Noise(None, (0.3, 0.1), None)
    together = through_op(cell, case, noise, lengths, reverse, backend)
    for b, length in enumerate(lengths.tolist()):
        if length == 0:
            for k, there in case.initial.items():
                assert torch.equal(together[f"final {k}"][b], there[b])
                assert torch.equal(together[f"d_{k}"][b], case.d_final[k][b])
            continue
        one = slice(b, b + 1)
        alone = case._replace(
            x=case.x[:length, one].detach().requires_grad_(),
            initial={k: v[one].detach().requires_grad_() for k, v in case.initial.items()},
            d_output=case.d_output[:length, one],
            d_final={k: v[one] for k, v in case.d_final.items()},
        )
        found = through_op(cell, alone, noise, None, reverse, backend)
        check_relative(ROW, f"output {b}", together["output"][:length, one], found["output"])
        check_relative(ROW, f"d_x {b}", together["d_x"][:length, one], found["d_x"])
        for k, kind in itertools.product(case.initial, ("final ", "d_")):
            check_relative(ROW, f"{kind}{k} {b}", together[f"{kind}{k}"][one], found[f"{kind}{k}"])


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("name", ["vanilla", "FGR", "tanh"])
def test_what_stands_at_padded_places_does_not_matter(name: str, reverse: bool, backend: str) -> None:
    cell, lengths, noise = CELLS[True, name], lengths_for(SMALL), noise_of("all", SMALL)
    case = typed_case(cell, SMALL, torch.float64)
    expected = through_op(cell, case, noise, lengths, reverse, backend)
    padded = (torch.arange(SMALL.T).unsqueeze(1) >= lengths).unsqueeze(-1)
    x = case.x.detach().masked_fill(padded, torch.nan).requires_grad_()
    found = through_op(cell, case._replace(x=x), noise, lengths, reverse, backend)
    for value, there in expected.items():
        assert torch.equal(found[value], there), value
    assert found["output"].masked_select(padded).eq(0).all()
    assert found["d_x"].masked_select(padded).eq(0).all()


def op_arguments(cell: Cell, noise: Noise, backend: str, lengths: list[int] | None) -> tuple[object, ...]:
    case = typed_case(cell, Shape(3, 2, 3, 2), torch.float64)
    inputs = (None if v is None else v.detach().requires_grad_() for v in inputs_of(cell, case))
    given = None if lengths is None else torch.tensor(lengths)
    return (*inputs, noise.mask, noise.seed, given, name_of(cell), *noise.zoneout, True, backend, True)


OPS = [(True, "vanilla"), (True, "CIFG+FGR"), (False, "NP"), (True, "tanh"), (True, "no bias")]


@pytest.mark.parametrize(("normed", "name"), OPS)
def test_opcheck(normed: bool, name: str, backend: str) -> None:
    noise = noise_of("all", Shape(3, 2, 3, 2))
    arguments = op_arguments(CELLS[normed, name], noise, backend, [3, 1])
    torch.library.opcheck(regularised.regularised, arguments)
    plain = [v.detach() if isinstance(v, Tensor) else v for v in arguments]
    y, y_n, c_n, gates_n, *kept_for_backward = regularised.regularised(*plain)
    errors = (y + 1, y_n + 1, c_n + 1 if c_n.numel() else None, gates_n + 1 if gates_n.numel() else None)
    torch.library.opcheck(
        regularised.regularised_backward, (*errors, *plain[:-1], y, *kept_for_backward, True)
    )


@pytest.mark.parametrize(("normed", "name"), OPS)
def test_second_derivatives(normed: bool, name: str) -> None:
    cell = CELLS[normed, name]
    arguments = op_arguments(cell, noise_of("all", Shape(3, 2, 3, 2)), "reference", [2, 3])
    wanted = [k for k, value in enumerate(arguments) if isinstance(value, Tensor) and value.requires_grad]

    def run(*values: Tensor) -> tuple[Tensor, ...]:
        changed = list(arguments)
        for k, value in zip(wanted, values, strict=True):
            changed[k] = value
        return tuple(result for result in regularised.regularised(*changed) if result.requires_grad)

    leaves = [arguments[k] for k in wanted]
    assert torch.autograd.gradcheck(run, leaves, fast_mode=True)
    assert torch.autograd.gradgradcheck(run, leaves, fast_mode=True)


def test_nothing_is_kept_where_no_backward_follows(backend: str) -> None:
    cell = CELLS[True, "vanilla"]
    case = typed_case(cell, SMALL, torch.float64)
    arguments = (
        inputs_of(cell, case),
        name_of(cell),
        noise_of("all", SMALL),
        lengths_for(SMALL),
        True,
        backend,
    )
    expected = regularised.run(*arguments)
    with torch.no_grad():
        found = regularised.run(*arguments)
    assert not any(value.numel() for value in found.kept)
    assert torch.equal(found.y, expected.y)


def test_an_empty_batch(backend: str) -> None:
    cell = CELLS[True, "vanilla"]
    case = typed_case(cell, Shape(3, 0, 5, 2), torch.float64)
    found = through_op(cell, case, NO_NOISE, None, False, backend)
    assert found["output"].shape == (3, 0, 5)
    assert found["d_weight_ih"].eq(0).all()


def test_wrong_arguments() -> None:
    cell = CELLS[True, "vanilla"]
    case = typed_case(cell, SMALL, torch.float64)
    with pytest.raises(ValueError, match=r"LSTM: lengths\[1\] is 8, expected 0 to T=7"):
        through_op(cell, case, NO_NOISE, torch.tensor([1, 8, 2]), False, "reference")
    with pytest.raises(ValueError, match="backend='tritn' is unknown"):
        regularised.backend_for("tritn", case.x)
    assert regularised.backend_for("auto", case.x.to("meta")) == "reference"


def test_a_backend_that_does_not_know_it_is_refused_or_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regularised, "resolve", lambda name, like: "triton")
    with pytest.raises(ValueError, match="backend='triton' computes no layer normalisation, zoneout or"):
        regularised.backend_for("triton", torch.zeros(1))
    backends.say_once_that_the_gpu_waits.cache_clear()
    with pytest.warns(RuntimeWarning, match="'triton' cannot, it has no layer normalisation"):
        assert regularised.backend_for("auto", torch.zeros(1)) == "reference"

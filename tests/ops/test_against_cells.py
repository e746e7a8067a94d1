"""Both ops against the loop over their cell: outputs, states, every gradient, in either direction."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from throughtime import ops
from throughtime.testing import SHAPES, Shape

from ..sequences import CELLS, lengths_for, op_arguments, through_cell, through_op, typed_case
from ..tolerances import check_factor, check_relative

SMALL = Shape(7, 3, 5, 4)


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("padded", [False, True], ids=["full", "padded"])
@pytest.mark.parametrize("name", CELLS)
def test_float64(name: str, padded: bool, reverse: bool, backend: str) -> None:
    cell = CELLS[name]
    for shape in SHAPES:
        lengths = lengths_for(shape) if padded else None
        if shape.T > 20 and (reverse or padded):
            continue
        case = typed_case(cell, shape, torch.float64)
        expected = through_cell(cell, case, lengths, reverse)
        for value, found in through_op(cell, case, lengths, reverse, backend).items():
            label = f"{cell.name}, {shape}: {value}"
            check_relative("op against cell, float64", label, found, expected[value])


@pytest.mark.parametrize("name", CELLS)
def test_float32(name: str, backend: str) -> None:
    cell = CELLS[name]
    for shape in SHAPES[:4]:
        lengths = lengths_for(shape)
        single = typed_case(cell, shape, torch.float32)
        double = typed_case(cell, shape, torch.float64)
        double = double._replace(
            x=single.x.detach().double().requires_grad_(),
            initial={k: v.detach().double().requires_grad_() for k, v in single.initial.items()},
            parameters={k: v.detach().double().requires_grad_() for k, v in single.parameters.items()},
            d_output=single.d_output.double(),
            d_final={k: v.double() for k, v in single.d_final.items()},
        )
        plain = through_cell(cell, single, lengths, False)
        reference = through_cell(cell, double, lengths, False)
        for value, found in through_op(cell, single, lengths, False, backend).items():
            label = f"{cell.name}, {shape}: {value}"
            summed = value.startswith("d_weight")
            row = "weight gradient, float32" if summed else "op against cell, float32"
            check_factor(row, label, found, plain[value], reference[value])


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("name", ["lstm-vanilla", "lstm-FGR", "rnn-tanh"])
def test_what_stands_at_padded_places_does_not_matter(name: str, reverse: bool, backend: str) -> None:
    cell, lengths = CELLS[name], lengths_for(SMALL)
    assert lengths is not None
    case = typed_case(cell, SMALL, torch.float64)
    expected = through_op(cell, case, lengths, reverse, backend)
    padded = (torch.arange(SMALL.T).unsqueeze(1) >= lengths).unsqueeze(-1)
    x = case.x.detach().masked_fill(padded, torch.nan).requires_grad_()
    found = through_op(cell, case._replace(x=x), lengths, reverse, backend)
    for value, there in expected.items():
        assert torch.equal(found[value], there), value
    assert found["output"].masked_select(padded).eq(0).all()
    assert found["d_x"].masked_select(padded).eq(0).all()


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("name", ["lstm-vanilla", "lstm-CIFG+FGR", "rnn-relu"])
def test_a_padded_sequence_equals_the_same_sequence_alone(name: str, reverse: bool, backend: str) -> None:
    cell, lengths = CELLS[name], lengths_for(SMALL)
    assert lengths is not None
    case = typed_case(cell, SMALL, torch.float64)
    together = through_op(cell, case, lengths, reverse, backend)
    for b, length in enumerate(lengths.tolist()):
        if length == 0:
            for k, there in case.initial.items():
                assert torch.equal(together[f"final {k}"][b], there[b])
                assert torch.equal(together[f"d_{k}"][b], case.d_final[k][b])
            continue
        alone = through_op(
            cell,
            case._replace(
                x=case.x[:length, b : b + 1].detach().requires_grad_(),
                initial={k: v[b : b + 1].detach().requires_grad_() for k, v in case.initial.items()},
                d_output=case.d_output[:length, b : b + 1],
                d_final={k: v[b : b + 1] for k, v in case.d_final.items()},
            ),
            None,
            reverse,
            backend,
        )
        row = "op against cell, float64"
        check_relative(row, f"output {b}", together["output"][:length, b : b + 1], alone["output"])
        check_relative(row, f"d_x {b}", together["d_x"][:length, b : b + 1], alone["d_x"])
        for k in case.initial:
            for value in (f"final {k}", f"d_{k}"):
                check_relative(row, f"{value} {b}", together[value][b : b + 1], alone[value])


@pytest.mark.parametrize("name", ["lstm-vanilla", "lstm-FGR", "rnn-tanh"])
def test_saved_buffers_hold_what_the_contract_says(name: str, backend: str) -> None:
    cell = CELLS[name]
    case = typed_case(cell, SMALL, torch.float64)
    arguments = op_arguments(cell, case, None, False, backend)
    results = (ops.lstm if name.startswith("lstm") else ops.simple_rnn)(*arguments)
    storages = {value.untyped_storage().data_ptr() for value in results if value.numel()}
    assert len(storages) == sum(bool(value.numel()) for value in results)
    assert all(value.is_contiguous() for value in results)
    if name.startswith("lstm"):
        _check_gates(cell, case, results)


def _check_gates(cell: object, case: object, results: tuple[Tensor, ...]) -> None:
    from throughtime.ops import unrolled

    run = unrolled.forward(cell, case.x, case.initial, case.parameters)
    _, _, _, gates_n, gates, cells = results
    for t, values in enumerate(run.values):
        row = torch.cat([values[block] for block in cell.variant.blocks], dim=-1)
        torch.testing.assert_close(gates[t], row, rtol=1e-13, atol=1e-13)
        torch.testing.assert_close(cells[t], values["c"], rtol=1e-13, atol=1e-13)
    if gates_n.numel():
        last = torch.cat([run.values[-1][gate] for gate in cell.variant.gates], dim=-1)
        torch.testing.assert_close(gates_n, last, rtol=1e-13, atol=1e-13)

"""The reference loops fill the buffers of a recording as the kernels do, with zeros at padded steps."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from throughtime.cells import LSTMCell, SimpleRNNCell
from throughtime.kernels import native as native_kernels
from throughtime.ops import lstm_loop, native, simple_rnn_loop
from throughtime.ops.lstm_loop import LSTMErrors, LSTMParameters, LSTMState
from throughtime.ops.simple_rnn_loop import RNNErrors, RNNParameters
from throughtime.testing import Case, Shape

from ..sequences import CELLS, joined, lengths_for, typed_case
from ..tolerances import check_relative

ROW = "op against cell, float64"
SMALL = Shape(7, 3, 5, 4)


@pytest.mark.skipif(not native_kernels.is_available(), reason="this installation has no native kernels")
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("padded", [False, True], ids=["full", "padded"])
@pytest.mark.parametrize("name", [name for name in CELLS if "no-bias" not in name])
def test_loops_and_kernels_fill_the_same_buffers(name: str, padded: bool, reverse: bool) -> None:
    cell, lengths = CELLS[name], lengths_for(SMALL) if padded else None
    case = typed_case(cell, SMALL, torch.float64)
    case = case._replace(
        x=case.x.detach(),
        initial={key: value.detach() for key, value in case.initial.items()},
        parameters={key: value.detach() for key, value in case.parameters.items()},
    )
    fill = fill_rnn if isinstance(cell, SimpleRNNCell) else fill_lstm
    module = simple_rnn_loop if isinstance(cell, SimpleRNNCell) else lstm_loop
    by_loop, by_kernel = (
        fill(module, cell, case, lengths, reverse),
        fill(native, cell, case, lengths, reverse),
    )
    for value, expected in by_kernel.items():
        check_relative(ROW, f"{name}: {value}", by_loop[value], expected)
        if lengths is not None:
            past = torch.arange(SMALL.T).unsqueeze(1) >= lengths
            assert (by_loop[value][past] == 0).all(), value
            assert (expected[past] == 0).all(), value


def fill_lstm(
    module: object, cell: LSTMCell, case: Case, lengths: Tensor | None, reverse: bool
) -> dict[str, Tensor]:
    v, empty = cell.variant, torch.full((SMALL.T, SMALL.B, SMALL.H), torch.nan, dtype=torch.float64)
    wide = empty.repeat(1, 1, len(v.blocks))
    state = LSTMState(case.initial["y"], case.initial["c"], joined(cell, case.initial))
    final = LSTMState(case.d_final["y"], case.d_final["c"], joined(cell, case.d_final))
    names = ("weight_ih", "weight_hh", "bias", "peephole", "weight_gates")
    p = LSTMParameters(*(case.parameters.get(name) for name in names))
    errors = LSTMErrors(wide.clone(), empty.clone(), empty.clone())
    forward, backward = (
        (module.forward, module.backward)
        if module is lstm_loop
        else (native.lstm_forward, native.lstm_backward)
    )
    run = forward(case.x, state, p, lengths, v, reverse, bars=wide)
    backward(case.d_output, final, case.x, state, p, lengths, run, v, reverse, True, errors=errors)
    return {"bars": wide, "d_bars": errors.bars, "d_c": errors.c, "d_y": errors.y}


def fill_rnn(
    module: object, cell: SimpleRNNCell, case: Case, lengths: Tensor | None, reverse: bool
) -> dict[str, Tensor]:
    empty = torch.full((SMALL.T, SMALL.B, SMALL.H), torch.nan, dtype=torch.float64)
    p = RNNParameters(*(case.parameters[name] for name in ("weight_ih", "weight_hh", "bias")))
    errors, g = RNNErrors(empty.clone(), empty.clone()), cell.nonlinearity
    forward, backward = (
        (module.forward, module.backward)
        if module is simple_rnn_loop
        else (native.rnn_forward, native.rnn_backward)
    )
    h0, d_final = case.initial["h"], case.d_final["h"]
    run = forward(case.x, h0, p, lengths, g, reverse, bars=empty)
    backward(case.d_output, d_final, case.x, h0, p, lengths, run, g, reverse, True, errors=errors)
    return {"a": empty, "d_a": errors.a, "d_h": errors.h}

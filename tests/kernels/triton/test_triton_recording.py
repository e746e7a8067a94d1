"""What a recording gets from the Triton kernels is what the reference loops give, and costs no result."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import throughtime as tt
from throughtime.cells import LSTMCell, SimpleRNNCell, Variant
from throughtime.ops.backends import REFERENCE, TRITON, Backend
from throughtime.ops.lstm_loop import LSTMErrors, LSTMParameters, LSTMState
from throughtime.ops.simple_rnn_loop import RNNErrors, RNNParameters

from ...tolerances import check_relative
from ..problems import Problem, make_problem
from .on_device import DEVICE, by_triton, moved

ROW = "op against cell, float64"
T, B, H = 5, 3, 4


def unwritten(problem: Problem, width: int) -> Tensor:
    return torch.full((T, B, width), torch.nan, dtype=torch.float64, device=problem.x.device)


def record_lstm(backend: Backend, problem: Problem) -> dict[str, Tensor]:
    cell, x, initial, parameters, d_output, d_final, lengths, reverse = problem
    p, state, v = LSTMParameters(*parameters), LSTMState(*initial), cell.variant
    bars = unwritten(problem, len(v.blocks) * H)
    errors = LSTMErrors(bars.clone(), unwritten(problem, H), unwritten(problem, H))
    made = backend.lstm_forward(x, state, p, lengths, v, reverse, bars=bars)
    final = LSTMState(*d_final)
    found = backend.lstm_backward(
        d_output, final, x, state, p, lengths, made, v, reverse, True, errors=errors
    )
    results = {f"d_{name}": value for name, value in found._asdict().items()}
    kept = {"bars": bars, "d_bars": errors.bars, "d_c at t": errors.c, "d_y at t": errors.y}
    return {name: value.cpu() for name, value in {**results, "y": made.y, **kept}.items()}


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("padded", [False, True], ids=["full", "padded"])
@pytest.mark.parametrize("name", ["vanilla", "CIFG+FGR", "NOG+NIAF"])
def test_an_lstm(name: str, padded: bool, reverse: bool, way: str) -> None:
    lengths = torch.tensor([4, 0, 5]) if padded else None
    problem = make_problem(LSTMCell(Variant.parse(name)), T, B, 2, H, lengths=lengths, reverse=reverse)
    expected, found = record_lstm(REFERENCE, problem), record_lstm(TRITON, moved(problem))
    for value, there in expected.items():
        check_relative(ROW, f"{name}, {way}: {value}", found[value], there)
    plain = by_triton(problem)
    for value in plain.keys() & found.keys():
        assert torch.equal(found[value], plain[value]), value


def record_rnn(backend: Backend, problem: Problem) -> dict[str, Tensor]:
    cell, x, (h0,), parameters, d_output, (d_final,), lengths, reverse = problem
    p, bars, g = RNNParameters(*parameters), unwritten(problem, H), cell.nonlinearity
    errors = RNNErrors(unwritten(problem, H), unwritten(problem, H))
    made = backend.rnn_forward(x, h0, p, lengths, g, reverse, bars=bars)
    backend.rnn_backward(d_output, d_final, x, h0, p, lengths, made, g, reverse, True, errors=errors)
    return {"a": bars.cpu(), "d_a": errors.a.cpu(), "d_h": errors.h.cpu()}


@pytest.mark.parametrize("lengths", [None, torch.tensor([4, 0, 5])], ids=["full", "padded"])
def test_a_simple_rnn(lengths: Tensor | None, way: str) -> None:
    problem = make_problem(SimpleRNNCell("tanh"), T, B, 2, H, lengths=lengths)
    expected, found = record_rnn(REFERENCE, problem), record_rnn(TRITON, moved(problem))
    for value, there in expected.items():
        check_relative(ROW, f"{way}: {value}", found[value], there)


def test_a_network_recorded() -> None:
    options = {"peepholes": True, "bidirectional": True, "dtype": torch.float64, "device": DEVICE}
    network = tt.LSTM(2, H, 2, backend="triton", **options)
    reference = tt.LSTM(2, H, 2, backend="reference", **options)
    reference.load_state_dict(network.state_dict())
    x = torch.randn(T, B, 2, dtype=torch.float64, device=DEVICE)
    recordings = []
    for one in (network, reference):
        with tt.record(one) as recording:
            output, _ = one(x, lengths=[5, 0, 3])
            output.pow(2).sum().backward()
        recordings.append(recording)
    for name in ("layer0.d_c", "layer1.reverse.d_f_bar", "layer0.i_bar", "layer1.y", "layer0.reverse.d_x"):
        check_relative(ROW, name, recordings[0][name], recordings[1][name])

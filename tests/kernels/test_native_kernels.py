"""What holds for the kernels whatever they compute: threads, forks, modes, memory, recording, refusals."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
import torch
from torch import Tensor

from throughtime.cells import LSTMCell, SimpleRNNCell, Variant
from throughtime.errors import MachineError
from throughtime.kernels import native
from throughtime.ops import native as native_ops
from throughtime.ops import unrolled
from throughtime.ops.backends import NATIVE, REFERENCE
from throughtime.ops.lstm_loop import LSTMErrors, LSTMParameters, LSTMState
from throughtime.ops.simple_rnn_loop import RNNErrors, RNNParameters

from ..tolerances import check_relative
from .problems import Problem, make_problem, run

VANILLA = LSTMCell(Variant.parse("vanilla"))
CELLS = {
    "vanilla": VANILLA,
    "CIFG+FGR": LSTMCell(Variant.parse("CIFG+FGR"), bias=False),
    "rnn": SimpleRNNCell("tanh"),
}
ROW = "op against cell, float64"


def with_threads(count: int, problem: Problem) -> dict[str, Tensor]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        return run(NATIVE, problem)
    finally:
        torch.set_num_threads(before)


def large(cell: LSTMCell | SimpleRNNCell, B: int = 7) -> Problem:
    """Enough work for the kernels to use several threads."""
    lengths = torch.tensor([(29 * b) % 131 for b in range(B)])
    return make_problem(cell, 130, B, 40, 96, lengths=lengths)


@pytest.mark.parametrize("name", CELLS)
def test_threads_change_nothing_but_rounding(name: str) -> None:
    problem = large(CELLS[name])
    alone = with_threads(1, problem)
    for count in (2, 3, 7):
        for value, found in with_threads(count, problem).items():
            check_relative(ROW, f"{value}, {count} threads", found, alone[value])


@pytest.mark.parametrize("name", CELLS)
def test_every_run_gives_the_same_bits(name: str) -> None:
    problem = large(CELLS[name]).to(torch.float32)
    first = with_threads(3, problem)
    for _ in range(3):
        assert all(torch.equal(found, first[value]) for value, found in with_threads(3, problem).items())


def test_calls_from_several_threads_at_once() -> None:
    problems = [large(cell, B) for cell in CELLS.values() for B in (4, 9)]
    expected = [with_threads(3, problem) for problem in problems]
    wrong: list[str] = []

    def work(k: int) -> None:
        for _ in range(5):
            found = run(NATIVE, problems[k])
            wrong.extend(name for name in found if not torch.equal(found[name], expected[k][name]))

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(problems))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    torch.set_num_threads(before)
    assert wrong == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_computes_with_threads_of_its_own() -> None:
    problem = large(VANILLA)
    expected = with_threads(3, problem)  # the pool of the parent exists now
    child = os.fork()
    if child == 0:
        found = with_threads(3, problem)
        os._exit(0 if all(torch.equal(found[name], expected[name]) for name in found) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert torch.equal(with_threads(3, problem)["y"], expected["y"])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere torch's OpenMP cannot be found by its name")
def test_the_kernels_share_the_threads_of_torch() -> None:
    """Other threads beside those of torch, which stay awake after each operation, made two as slow as one."""
    assert "OpenMP" in torch.__config__.parallel_info()
    assert native.thread_pool() == "OpenMP"


FORK_AFTER_TORCH = """
import os, torch
torch.set_num_threads(3)
torch.randn(300, 300) @ torch.randn(300, 300)  # the team of torch exists now; a child will not have it
import throughtime as tt
from throughtime.kernels import native
module, x = tt.LSTM(5, 48), torch.randn(60, 24, 5)
child = os.fork()
if child == 0:
    with torch.no_grad():
        module(x)
    os._exit(0 if native.thread_pool() == "own" else 1)
assert os.waitpid(child, 0)[1] == 0
assert native.thread_pool() == "OpenMP"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere torch's OpenMP cannot be found by its name")
def test_a_child_does_not_wait_for_the_team_of_its_parent() -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORK_AFTER_TORCH], check=True, timeout=60)


def test_denormals_are_as_they_were() -> None:
    tiny = torch.tensor(5e-324, dtype=torch.float64)
    assert (tiny * 1).item() > 0
    problem = make_problem(VANILLA, 400, 3, 4, 9)
    problem.d_output[:-1] = 0  # errors fade from the last step on
    found = with_threads(2, problem)
    assert (tiny * 1).item() > 0
    assert all(torch.isfinite(value).all() for value in found.values())


def test_strides_do_not_matter() -> None:
    problem = make_problem(VANILLA, 6, 5, 3, 7)
    expected = run(NATIVE, problem)
    turned = lambda v: v.transpose(0, 1).contiguous().transpose(0, 1)  # noqa: E731
    wide = lambda v: torch.stack([v, v], dim=-1)[..., 0]  # noqa: E731
    for change in (turned, wide):
        changed = problem._replace(x=change(problem.x), d_output=change(problem.d_output))
        assert not changed.x.is_contiguous()
        found = run(NATIVE, changed)
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    one = problem._replace(d_output=torch.ones((), dtype=torch.float64).expand(6, 5, 7))
    same = problem._replace(d_output=torch.ones(6, 5, 7, dtype=torch.float64))
    assert torch.equal(run(NATIVE, one)["d_x"], run(NATIVE, same)["d_x"])


@pytest.mark.parametrize("name", CELLS)
def test_an_empty_batch(name: str) -> None:
    problem = make_problem(CELLS[name], 3, 0, 2, 4)
    expected = run(REFERENCE, problem)
    for value, found in run(NATIVE, problem).items():
        assert found.shape == expected[value].shape
        assert torch.equal(found, expected[value]), value


def test_the_error_of_the_input_is_left_out_when_nobody_wants_it() -> None:
    problem = make_problem(VANILLA, 4, 2, 3, 5)
    full, less = run(NATIVE, problem), run(NATIVE, problem, input_error=False)
    assert less.pop("d_x").numel() == 0
    assert all(torch.equal(found, full[name]) for name, found in less.items())


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("name", ["vanilla", "CIFG+FGR", "NOG+NIAF"])
def test_recording_an_lstm(name: str, reverse: bool, instruction_set: str) -> None:
    cell = LSTMCell(Variant.parse(name))
    lengths = torch.tensor([4, 0, 7])
    problem = make_problem(cell, 7, 3, 5, 4, lengths=lengths, reverse=reverse)
    _, x, initial, parameters, d_output, d_final, _, _ = problem
    p, v, state = LSTMParameters(*parameters), cell.variant, LSTMState(*initial)
    bars = torch.full((7, 3, len(v.blocks) * 4), torch.nan, dtype=torch.float64)
    errors = LSTMErrors(
        bars.clone(), *(torch.full((7, 3, 4), torch.nan, dtype=torch.float64) for _ in range(2))
    )
    made = native_ops.lstm_forward(x, state, p, lengths, v, reverse, bars=bars)
    found = native_ops.lstm_backward(
        d_output, LSTMState(*d_final), x, state, p, lengths, made, v, reverse, True, errors=errors
    )
    plain = run(NATIVE, problem)
    assert torch.equal(made.y, plain["y"])
    for value, there in found._asdict().items():
        check_relative(ROW, value, there, plain[f"d_{value}"])
    named = {k: t for k, t in p._asdict().items() if t is not None}
    start = dict(zip(cell.state, [state.y, state.c, *(_chunks(state.gates, v))], strict=False))
    end = dict(zip(cell.state, [d_final[0], d_final[1], *(_chunks(d_final[2], v))], strict=False))
    steps = unrolled.forward(cell, x, start, named, lengths, reverse)
    back = unrolled.backward(cell, x, steps, named, d_output, end, lengths, reverse)
    for t in range(7):
        real = (t < lengths).unsqueeze(-1)
        blocks = [steps.values[t][f"{b}_bar"] for b in v.blocks]
        check_relative(ROW, f"bars {t}", bars[t], torch.cat(blocks, -1) * real)
        by_name = back.steps[t].errors
        d_bars = torch.cat([by_name[f"d_{b}_bar"] for b in v.blocks], -1)
        check_relative(ROW, f"d_bars {t}", errors.bars[t], d_bars * real)
        check_relative(ROW, f"d_c {t}", errors.c[t], by_name["d_c"] * real)
        check_relative(ROW, f"d_y {t}", errors.y[t], by_name["d_y"] * real)


def _chunks(gates: Tensor | None, v: Variant) -> tuple[Tensor, ...]:
    return () if gates is None else gates.chunk(len(v.gates), dim=-1)


def test_recording_an_rnn(instruction_set: str) -> None:
    problem = make_problem(CELLS["rnn"], 6, 2, 3, 5, lengths=torch.tensor([6, 2]))
    _, x, (h0,), parameters, d_output, (d_final,), lengths, _ = problem
    p = RNNParameters(*parameters)
    bars = torch.full((6, 2, 5), torch.nan, dtype=torch.float64)
    errors = RNNErrors(bars.clone(), bars.clone())
    made = native_ops.rnn_forward(x, h0, p, lengths, "tanh", False, bars=bars)
    found = native_ops.rnn_backward(
        d_output, d_final, x, h0, p, lengths, made, "tanh", False, True, errors=errors
    )
    plain = run(NATIVE, problem)
    assert torch.equal(made.h, plain["h"])
    assert torch.equal(found.weight_hh, plain["d_weight_hh"])
    check_relative(ROW, "a", bars.tanh(), made.h)
    check_relative(ROW, "d_a", errors.a, errors.h * (1 - made.h**2))
    check_relative(ROW, "d_bias", errors.a.sum((0, 1)), found.bias)
    assert errors.h[2:, 1].eq(0).all()


def test_memory_is_kept_and_given_back() -> None:
    cell = SimpleRNNCell("relu")
    native.release_memory()
    assert native.module().kept_bytes() == 0
    found = run(NATIVE, make_problem(cell, 300, 20, 2, 40).to(torch.float32))
    copies = {name: value.clone() for name, value in found.items()}
    run(NATIVE, make_problem(cell, 300, 20, 2, 40, seed=1).to(torch.float32))  # must not take it over
    assert all(torch.equal(found[name], copies[name]) for name in found)
    del found
    assert native.module().kept_bytes() > 0
    native.release_memory()
    assert native.module().kept_bytes() == 0


def good_arguments() -> tuple[list[object], list[object]]:
    problem = make_problem(VANILLA, 4, 2, 3, 5)
    inputs = [problem.x, *problem.initial, *problem.parameters, None]
    empty = lambda *shape: torch.empty(*shape, dtype=torch.float64)  # noqa: E731
    return inputs, [empty(4, 2, 5), empty(2, 5), empty(2, 5), None, empty(4, 2, 20), empty(4, 2, 5), None]


BAD_INPUTS = [
    (0, lambda v: v.float(), ValueError, "y0 has dtype torch.float64, expected torch.float32"),
    (0, lambda v: v[0], ValueError, r"x must be \(T, B, I\)"),
    (0, lambda v: v.to("meta"), ValueError, "x is not in the memory of the CPU"),
    (0, lambda v: v.to(torch.int32), ValueError, "x has a dtype this backend does not know"),
    (0, lambda v: None, TypeError, "x must be a torch.Tensor, got NoneType"),
    (0, lambda v: v.numpy(), TypeError, "x must be a torch.Tensor, got numpy.ndarray"),
    (0, lambda v: v[:0], ValueError, "must be at least 1"),
    (0, lambda v: v[:, :, :2], ValueError, r"weight_ih has shape \(20, 3\), expected \(20, 2\)"),
    (1, lambda v: v[:1], ValueError, r"y0 has shape \(1, 5\), expected \(2, 5\)"),
    (2, lambda v: v.T.contiguous().T, ValueError, "c0 is not contiguous"),
    (3, lambda v: torch.zeros(2, 15), ValueError, "gates0 has no use here"),
    (4, lambda v: v[:-1], ValueError, "weight_ih has shape"),
    (5, lambda v: v[:, :4], ValueError, "has shape"),
    (6, lambda v: v[:19], ValueError, r"bias has shape \(19,\), expected \(20,\)"),
    (7, lambda v: v[:2], ValueError, r"peephole has shape \(2, 5\), expected \(3, 5\)"),
    (9, lambda v: torch.tensor([1, 2, 3]), ValueError, "lengths has shape"),
    (9, lambda v: torch.tensor([1, 2], dtype=torch.int32), ValueError, "lengths has a dtype"),
]


@pytest.mark.parametrize(("place", "change", "error", "message"), BAD_INPUTS)
def test_bad_inputs_are_refused(place: int, change: object, error: type[Exception], message: str) -> None:
    inputs, outputs = good_arguments()
    inputs[place] = change(inputs[place])
    with pytest.raises(error, match=message):
        native.module().lstm_forward(
            0, 1, native_ops.variant_code(VANILLA.variant), False, tuple(inputs), tuple(outputs)
        )


def test_other_bad_arguments_are_refused() -> None:
    inputs, outputs = (tuple(part) for part in good_arguments())
    forward, code = native.module().lstm_forward, native_ops.variant_code(VANILLA.variant)
    forward(0, 1, code, False, inputs, outputs)
    for arguments, message in (
        ((9, 1, code, False, inputs, outputs), "isa=9"),
        ((-1, 1, code, False, inputs, outputs), "isa=-1"),
        ((0, 0, code, False, inputs, outputs), "threads=0"),
        ((0, 1, code[:5], False, inputs, outputs), "variant is malformed"),
        ((0, 1, [0, 1, 1, 1, 1, 0], False, inputs, outputs), "CIFG needs an input gate"),
        ((0, 1, [0, 2, 0, 1, 1, 1], False, inputs, outputs), "FGR needs a gate"),
        ((0, 1, code, False, inputs[:-1], outputs), "expected 10 tensors"),
        ((0, 1, code, False, inputs, outputs[:3]), "expected 7 tensors"),
        ((0, 1, code, False, inputs, (outputs[0][:3], *outputs[1:])), "y has shape"),
        ((0, 1, code, False, inputs, (outputs[0].float(), *outputs[1:])), "y has dtype"),
    ):
        with pytest.raises(ValueError, match=message):
            forward(*arguments)
    with pytest.raises(TypeError):
        forward(0, 1, code, False, list(inputs), outputs)


def test_an_instruction_set_can_be_forced() -> None:
    with pytest.raises(
        MachineError, match="instruction set 'mmx' is not available; available here: 'baseline'"
    ):
        native.use_instruction_set("mmx")
    code = "from throughtime.kernels import native; print(native.instruction_set())"
    environment = {**os.environ, "THROUGHTIME_ISA": "baseline"}
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "baseline"


WITHOUT_KERNELS = """
import sys, warnings
sys.modules["throughtime.kernels.native._native"] = None
import torch
from throughtime.nn import LSTM
module = LSTM(2, 3)
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    for _ in range(3):
        module(torch.zeros(4, 1, 2))
        module.stream()(torch.zeros(1, 2))
print([str(one.message) for one in said])
"""


def test_without_kernels_the_reference_computes_and_says_so_once() -> None:
    found = subprocess.run(
        [sys.executable, "-c", WITHOUT_KERNELS], capture_output=True, text=True, check=True
    )
    assert found.stdout.count("this installation has no native kernels") == 1
    assert "C++20 compiler" in found.stdout


@pytest.mark.parametrize("name", ["vanilla", "NP+FGR", "rnn"])
def test_weights_that_outgrow_the_cache(name: str, instruction_set: str) -> None:
    """Then products are cut into parts."""
    cell = CELLS.get(name) or LSTMCell(Variant.parse(name))
    H = 530 if name != "rnn" else 2060
    problem = make_problem(cell, 2, 7, 1100, H, lengths=torch.tensor([2, 1, 2, 0, 2, 2, 1]))
    expected = run(REFERENCE, problem)
    for value, found in run(NATIVE, problem).items():
        check_relative(ROW, value, found, expected[value])

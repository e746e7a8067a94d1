"""LSTM and RNN as modules: state, lengths, initialisation, compile, autocast, messages."""

from __future__ import annotations

import copy
import shutil
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import throughtime.nn as tt

from ..sequences import COMBINATIONS, VARIANTS
from ..tolerances import check_relative

T, B, I, H = 6, 3, 2, 4  # noqa: E741
DOUBLE = torch.float64
# torch's own code, imported when needed, calls what torch has deprecated.
TORCH_WARNS = pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")


def make(name: str, **arguments: Any) -> nn.Module:
    torch.manual_seed(0)
    if name in ("tanh", "relu", "logistic", "identity"):
        return tt.RNN(I, H, nonlinearity=name, dtype=DOUBLE, **arguments)
    variant = tt.Variant.parse(name)
    peepholes = variant.peepholes and bool(variant.gates)
    return tt.LSTM(I, H, variant=name, peepholes=peepholes, dtype=DOUBLE, **arguments)


def parts(state: Any) -> list[Tensor]:
    return list(state) if isinstance(state, tuple) else [state]


NETWORKS = [*VARIANTS, *COMBINATIONS, "tanh", "logistic"]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_sequence_cut_in_two_equals_the_whole(name: str) -> None:
    module = make(name, num_layers=2)
    x = torch.randn(T, B, I, dtype=DOUBLE)
    whole, final = module(x)
    first, state = module(x[:2])
    second, last = module(x[2:], state)
    check_relative("sequence cut in two", name, torch.cat([first, second]), whole)
    for one, other in zip(parts(last), parts(final), strict=True):
        check_relative("sequence cut in two", name, one, other)


@pytest.mark.parametrize("name", ["vanilla", "CIFG+FGR", "tanh"])
def test_lengths_with_zero_in_any_order(name: str) -> None:
    module = make(name, num_layers=2, bidirectional=True)
    x, lengths = torch.randn(T, B, I, dtype=DOUBLE), [2, 0, 6]
    start = tuple(0.5 * torch.rand_like(part) for part in parts(module(x)[1]))
    given: Any = start if len(start) > 1 else start[0]
    output, state = module(x, given, lengths=lengths)
    for b, length in enumerate(lengths):
        assert output[length:, b].eq(0).all()
        for one, other in zip(parts(state), start, strict=True):
            if length == 0:
                assert torch.equal(one[:, b], other[:, b])
        if length == 0:
            continue
        mine = tuple(part[:, b : b + 1] for part in start)
        alone, last = module(x[:length, b : b + 1], mine if len(mine) > 1 else mine[0])
        check_relative("sequence cut in two", f"{b}", output[:length, b : b + 1], alone)
        for one, other in zip(parts(state), parts(last), strict=True):
            check_relative("sequence cut in two", f"{b}", one[:, b : b + 1], other)
    for same in (tuple(lengths), torch.tensor(lengths), torch.tensor(lengths, dtype=torch.int32)):
        assert torch.equal(module(x, given, lengths=same)[0], output)
    for same_type in ([T] * B, None):
        assert torch.equal(module(x, given, lengths=same_type)[0], module(x, given)[0])


def test_shapes_of_the_state_under_fgr() -> None:
    module = make("NOG+NP+FGR", num_layers=2, bidirectional=True)
    _, state = module(torch.zeros(T, B, I, dtype=DOUBLE))
    assert [tuple(part.shape) for part in state] == [(4, B, H), (4, B, H), (4, B, 2 * H)]


@pytest.mark.parametrize("forget_bias", [1.0, -2.5])
def test_forget_bias_in_every_layer_and_direction(forget_bias: float) -> None:
    module = tt.LSTM(I, H, 3, bidirectional=True, forget_bias=forget_bias)
    biases = {name: value for name, value in module.named_parameters() if name.endswith("bias")}
    assert len(biases) == 6
    for name, bias in biases.items():
        i, f, z, o = bias.chunk(4)
        assert f.eq(forget_bias).all(), name
        assert not torch.cat([i, z, o]).any(), name


def test_forget_bias_of_coupled_and_missing_gates() -> None:
    i, z, o = tt.LSTM(I, H, variant="CIFG", forget_bias=2.0).layer0.bias.chunk(3)
    assert i.eq(-2).all()
    assert not torch.cat([z, o]).any()
    assert not tt.LSTM(I, H, variant="NFG").layer0.bias.any()
    assert not tt.RNN(I, H).layer0.bias.any()
    with pytest.raises(ValueError, match=r"forget_bias=2.0 has nowhere to go with bias=False"):
        tt.LSTM(I, H, bias=False, forget_bias=2.0)
    with pytest.raises(ValueError, match=r"forget_bias=2.0 has nowhere to go with variant='NFG\+NP'"):
        tt.LSTM(I, H, variant="NFG", forget_bias=2.0)


def test_weights_start_uniform_within_one_over_the_root_of_h() -> None:
    torch.manual_seed(0)
    module = tt.LSTM(7, 64, 2, peepholes=True, variant="FGR")
    for name, weight in module.named_parameters():
        if not name.endswith("bias"):
            assert weight.abs().max() <= 1 / 8, name
            assert weight.abs().max() > 0.9 / 8, name
            assert abs(weight.std() * 8 * 3**0.5 - 1) < 0.15, name
    before = module.layer0.weight_hh.clone()
    module.reset_parameters()
    assert not torch.equal(before, module.layer0.weight_hh)


def test_vanilla_without_peepholes_is_np() -> None:
    assert tt.LSTM(I, H).variant == tt.Variant.parse("NP")
    assert tt.LSTM(I, H, variant=tt.Variant(), peepholes=True).variant.name == "vanilla"
    assert "layer0.peephole" not in dict(tt.LSTM(I, H).named_parameters())


def test_dropout_acts_between_layers_in_training_only() -> None:
    module = make("vanilla", num_layers=2, dropout=0.5)
    x = torch.randn(T, B, I, dtype=DOUBLE)
    torch.manual_seed(1)
    one = module(x)[0]
    assert not torch.equal(one, module(x)[0])
    module.eval()
    assert torch.equal(module(x)[0], module(x)[0])
    gone = make("vanilla", num_layers=2, dropout=1.0)
    first, (h, _) = gone(x)
    second, (other, _) = gone(x + 1)
    assert torch.equal(first, second)
    assert not torch.equal(h[0], other[0])  # the network's own input is not dropped
    with pytest.warns(
        UserWarning, match="dropout=0.5 acts between layers; with num_layers=1 it does nothing"
    ):
        tt.LSTM(I, H, dropout=0.5)


def test_backward_in_eval_mode_and_second_derivatives_of_a_module() -> None:
    module = make("vanilla", num_layers=2, bidirectional=True).eval()
    x = torch.randn(3, 2, I, dtype=DOUBLE, requires_grad=True)
    module(x)[0].sum().backward()
    assert x.grad is not None

    def run(x: Tensor) -> Tensor:
        return module(x, lengths=[3, 1])[0]

    assert torch.autograd.gradgradcheck(run, x, fast_mode=True)


@pytest.mark.parametrize(
    "lengths", [None, [2, 0, 6], torch.tensor([2, 0, 6])], ids=["full", "list", "tensor"]
)
@pytest.mark.parametrize("name", ["vanilla", "CIFG+FGR", "tanh"])
def test_compiles_without_a_graph_break(name: str, lengths: Any) -> None:
    torch._dynamo.reset()
    module = make(name, num_layers=2, bidirectional=True)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    x = torch.randn(T, B, I, dtype=DOUBLE, requires_grad=True)
    loss = compiled(x, lengths=lengths)[0].square().sum()
    expected = module(x, lengths=lengths)[0].square().sum()
    torch.testing.assert_close(loss, expected, rtol=1e-13, atol=0)
    leaves = [x, *module.parameters()]
    plain = torch.autograd.grad(expected, leaves)
    for one, other in zip(torch.autograd.grad(loss, leaves), plain, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)


@TORCH_WARNS
@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler")
def test_compiles_with_inductor() -> None:
    torch._dynamo.reset()
    module = make("vanilla", batch_first=True)
    x = torch.randn(B, T, I, dtype=DOUBLE)
    compiled = torch.compile(module, fullgraph=True)
    torch.testing.assert_close(compiled(x)[0], module(x)[0])


@pytest.mark.parametrize("made", [tt.LSTM, tt.RNN])
def test_autocast_computes_in_the_parameters_dtype(made: type[nn.Module]) -> None:
    module = made(I, H, 2)
    x = torch.randn(T, B, I).bfloat16().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output, state = module(x)
        _, last = module(x, state)
        output.sum().backward()
    assert output.dtype == parts(last)[0].dtype == torch.float32
    assert torch.equal(output, module(x.float())[0])
    assert x.grad is not None
    assert x.grad.dtype == torch.bfloat16


@pytest.mark.parametrize("made", [tt.LSTM, tt.RNN])
def test_copies_dtypes_and_shared_memory(made: type[nn.Module]) -> None:
    module = made(I, H, 2, bidirectional=True)
    x = torch.randn(T, B, I)
    twin = copy.deepcopy(module)
    assert torch.equal(twin(x)[0], module(x)[0])
    twin.layer0.bias.data.add_(1)
    assert not torch.equal(twin(x)[0], module(x)[0])
    assert module.to(DOUBLE)(x.double())[0].dtype == DOUBLE
    module.share_memory()
    assert all(p.is_shared() for p in module.parameters())
    shallow = copy.copy(module)
    assert torch.equal(shallow(x.double())[0], module(x.double())[0])


def test_an_empty_batch() -> None:
    output, state = tt.LSTM(I, H, 2)(torch.zeros(T, 0, I))
    assert output.shape == (T, 0, H)
    assert state[0].shape == (2, 0, H)
    output.sum().backward()
    assert tt.RNN(I, H)(torch.zeros(T, 0, I), lengths=[])[0].shape == (T, 0, H)


@TORCH_WARNS
@pytest.mark.parametrize("made", [tt.LSTM, tt.RNN])
def test_forward_mode_is_refused(made: type[nn.Module]) -> None:
    module, x = made(I, H), torch.randn(T, B, I)
    with pytest.raises(NotImplementedError, match=r"forward-mode derivatives .* are not there"):
        torch.func.jvp(lambda x: module(x)[0], (x,), (x,))


def test_repr_shows_what_was_asked_for() -> None:
    assert tt.LSTM(2, 4).extra_repr() == "2, 4"
    text = tt.LSTM(
        2, 4, 2, peepholes=True, variant="FGR+CIFG", bidirectional=True, forget_bias=2
    ).extra_repr()
    assert (
        text == "2, 4, num_layers=2, peepholes=True, variant='CIFG+FGR', forget_bias=2.0, bidirectional=True"
    )
    assert (
        tt.RNN(2, 4, nonlinearity="relu", bias=False).extra_repr() == "2, 4, nonlinearity='relu', bias=False"
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"hidden_size": 0}, ValueError, "LSTM: hidden_size=0, expected at least 1"),
        ({"input_size": 2.0}, TypeError, "LSTM: input_size must be an integer, got 2.0"),
        ({"num_layers": True}, TypeError, "LSTM: num_layers must be an integer, got True"),
        ({"dropout": 1.5}, ValueError, "LSTM: dropout=1.5, expected a probability from 0 to 1"),
        ({"dropout": "x"}, TypeError, "LSTM: dropout must be a number, got 'x'"),
        ({"backend": "tritn"}, ValueError, "backend='tritn' is unknown; available here: 'reference'"),
        ({"variant": "GRU"}, ValueError, "'GRU' is unknown; available: vanilla, NIG"),
        ({"variant": 3}, TypeError, "LSTM: variant must be a name or a Variant, got int"),
        ({"variant": "NP", "peepholes": True}, ValueError, "peepholes=True and variant='NP' contradict"),
        ({"variant": "NIG+NFG+NOG", "peepholes": True}, ValueError, "leaves no gate that could have one"),
        ({"forget_bias": "1"}, TypeError, "LSTM: forget_bias must be a number, got '1'"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tt.LSTM(**{"input_size": I, "hidden_size": H, **arguments})


X = torch.zeros(T, B, I)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda m: m(torch.zeros(7, 2, 5)),
            ValueError,
            r"^LSTM: x has last dimension 5, expected input_size=2; x.shape is \(7, 2, 5\), "
            r"read as \(T, B, I\)\.$",
        ),
        (
            lambda m: m(torch.zeros(0, B, I)),
            ValueError,
            r"LSTM: x has no time step \(T=0\), expected at least one",
        ),
        (lambda m: m(torch.zeros(I)), ValueError, "LSTM: x has 1 dimensions, expected 3"),
        (lambda m: m([1.0]), TypeError, "LSTM: x must be a tensor or a PackedSequence, got list"),
        (lambda m: m(X.double()), ValueError, "x has dtype torch.float64, expected torch.float32"),
        (lambda m: m(X, (torch.zeros(1, B, H),)), ValueError, r"state has 1 tensors, expected 2: \(h, c\)"),
        (
            lambda m: m(X, (torch.zeros(1, B, H), torch.zeros(2, B, H))),
            ValueError,
            r"state c has shape \(2, 3, 4\), expected \(1, 3, 4\), read as \(num_layers·D, B, ·\)",
        ),
        (
            lambda m: m(X, (torch.zeros(1, B, H), torch.zeros(1, B, H).double())),
            ValueError,
            "state c has dtype torch.float64",
        ),
        (lambda m: m(X, (None, torch.zeros(1, B, H))), TypeError, "state h must be a tensor, got NoneType"),
        (lambda m: m(X, torch.zeros(2, B, H)), TypeError, "state must be a tuple"),
        (lambda m: m(X, lengths=[1, 2]), ValueError, r"lengths has shape \(2,\), expected \(3,\)"),
        (lambda m: m(X, lengths=[1, 2, 7]), ValueError, r"LSTM: lengths\[2\] is 7, expected 0 to T=6"),
        (lambda m: m(X, lengths=[1, 2, -1]), ValueError, r"lengths\[2\] is -1, expected 0 to T=6"),
        (lambda m: m(X, lengths=[1, 2.5, 3]), TypeError, r"lengths must be integers.*lengths\[1\] is 2.5"),
        (lambda m: m(X, lengths=torch.tensor([1.0, 2, 3])), TypeError, "got torch.float32"),
        (lambda m: m(X, lengths=3), TypeError, "lengths must be a list, a tuple or a tensor, got int"),
        (
            lambda m: m(nn.utils.rnn.pack_sequence([X[:, 0]]), lengths=[6]),
            ValueError,
            "a PackedSequence has its lengths in it",
        ),
    ],
)
def test_wrong_calls(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(tt.LSTM(I, H))


def test_wrong_calls_of_an_rnn() -> None:
    with pytest.raises(ValueError, match=r"RNN: state h has shape \(2, 3, 4\), expected \(1, 3, 4\)"):
        tt.RNN(I, H)(X, torch.zeros(2, B, H))
    with pytest.raises(ValueError, match=r"read as \(B, T, I\)"):
        tt.RNN(I, H, batch_first=True)(torch.zeros(2, 3, 9))
    with pytest.raises(ValueError, match="RNN: nonlinearity='sin' is unknown"):
        tt.RNN(I, H, nonlinearity="sin")

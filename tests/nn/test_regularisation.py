"""Layer norm, zoneout, recurrent dropout and merge modes as a user meets them."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import throughtime as tt
from throughtime.nn.classify_network import ClassifyNetwork
from throughtime.ops.backends import available
from throughtime.ops.regularised import BACKENDS

from ..tolerances import check_relative

T, B, I, H = 6, 3, 2, 4  # noqa: E741
DOUBLE = torch.float64
HERE = [name for name in available() if name in BACKENDS]
X = torch.randn(T, B, I, dtype=DOUBLE, generator=torch.Generator().manual_seed(0))


def lstm(**arguments: Any) -> tt.LSTM:
    torch.manual_seed(1)
    return tt.LSTM(I, H, dtype=DOUBLE, **arguments)


ALL: dict[str, Any] = {"layer_norm": True, "zoneout": (0.3, 0.1), "recurrent_dropout": 0.4}


@pytest.mark.parametrize("kind", [tt.LSTM, tt.RNN])
@pytest.mark.parametrize("merge", ["concat", "sum", "mean"])
def test_merged_directions(kind: type[tt.LSTM], merge: str) -> None:
    module = kind(I, H, 2, bidirectional=True, merge=merge, dtype=DOUBLE)
    width = 2 * H if merge == "concat" else H
    assert module.output_size == width
    assert module.layers[1].weight_ih.shape[1] == width
    output, _ = module(X, lengths=[6, 2, 4])
    below = X
    for layer in module.layers:
        state = [tuple(X.new_zeros(B, H) for _ in module.state_sizes)] * 2
        forwards, _ = layer.run(below, state[0], torch.tensor([6, 2, 4]))
        backwards, _ = layer.reverse.run(below, state[1], torch.tensor([6, 2, 4]))
        below = {
            "concat": torch.cat([forwards, backwards], -1),
            "sum": forwards + backwards,
            "mean": (forwards + backwards) / 2,
        }[merge]
    assert torch.equal(output, below)


@pytest.mark.parametrize("merge", ["concat", "sum", "mean"])
def test_an_error_map_of_merged_directions(merge: str) -> None:
    module, x = lstm(bidirectional=True, merge=merge), X[:, :1]
    slope = torch.randn(module.output_size, dtype=DOUBLE, generator=torch.Generator().manual_seed(5))
    found = tt.error_map(module, x, lambda y: (y * slope).sum((1, 2)))
    part = slope[:H] if merge == "concat" else slope / 2 if merge == "mean" else slope
    for t in (0, T - 1):
        torch.testing.assert_close(found["y"][0, t, t], part.norm(), rtol=1e-12, atol=0)


def test_a_classifier_with_merged_directions() -> None:
    recurrent = tt.LSTM(5, H, bidirectional=True, merge="mean")
    network = ClassifyNetwork(nn.Identity(), recurrent, classes=2)
    assert network(torch.randn(T, B, 5), torch.tensor([6, 1, 3])).shape == (B, 2)


def test_where_gains_begin_and_what_they_are_called() -> None:
    module = lstm(num_layers=2, bidirectional=True, layer_norm=True, peepholes=True)
    names = set(module.state_dict())
    assert {"layer0.gain_ih", "layer1.reverse.gain_hh", "layer0.gain_c", "layer1.bias_c"} <= names
    for layer in module.layers:
        assert all(gain.eq(1).all() for gain in (layer.gain_ih, layer.gain_hh, layer.gain_c))
        assert layer.bias_c.eq(0).all()
    assert not any("gain" in name for name in lstm().state_dict())
    other = lstm(num_layers=2, bidirectional=True, layer_norm=True, peepholes=True)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(0.7)
    other.load_state_dict(module.state_dict())
    assert torch.equal(module(X)[0], other(X)[0])
    assert "bias_c" not in tt.RNN(I, H, layer_norm=True).state_dict()
    assert "layer0.bias_c" not in lstm(layer_norm=True, bias=False).state_dict()


def test_a_network_of_torch_loads_into_one_with_layer_norm_only_in_part() -> None:
    with pytest.raises(RuntimeError, match=r"Missing key.*layer0\.gain_ih"):
        tt.LSTM(I, H, layer_norm=True).load_state_dict(nn.LSTM(I, H).state_dict())


@pytest.mark.parametrize("backend", HERE)
@pytest.mark.parametrize("variant", ["vanilla", "CIFG+FGR"])
def test_a_sequence_cut_in_two_equals_the_whole(variant: str, backend: str) -> None:
    module = lstm(num_layers=2, variant=variant, backend=backend, **ALL).eval()
    whole, final = module(X)
    first, state = module(X[:2])
    second, last = module(X[2:], state)
    check_relative("sequence cut in two", variant, torch.cat([first, second]), whole)
    for one, other in zip(last, final, strict=True):
        check_relative("sequence cut in two", variant, one, other)


@pytest.mark.parametrize("arguments", [{"zoneout": 0.5}, {"recurrent_dropout": 0.5}, ALL])
@pytest.mark.parametrize("kind", [tt.LSTM, tt.RNN])
def test_chance_comes_from_torch_and_ends_with_training(kind: type, arguments: dict[str, Any]) -> None:
    if kind is tt.RNN:
        arguments = {**arguments, "zoneout": 0.5}
    module = kind(I, H, **arguments, dtype=DOUBLE)

    def drawn() -> Tensor:
        torch.manual_seed(3)
        return module(X)[0]

    first = drawn()
    assert torch.equal(drawn(), first)
    assert not torch.equal(module(X)[0], first)
    module.eval()
    assert torch.equal(module(X)[0], module(X)[0])
    state = torch.get_rng_state()
    module(X)
    assert torch.equal(torch.get_rng_state(), state)


def test_backends_draw_the_same() -> None:
    found = []
    for backend in HERE:
        module = lstm(backend=backend, bidirectional=True, **ALL)
        torch.manual_seed(7)
        output, _ = module(X, lengths=[6, 0, 3])
        output.square().sum().backward()
        found.append([output, *(p.grad for p in module.parameters())])
    for one, other in zip(found[0], found[-1], strict=True):
        check_relative("regularised op against cell, float64", "a value or gradient", one, other)


def test_recurrent_dropout_hides_the_same_units_at_every_step() -> None:
    torch.manual_seed(0)
    module = tt.RNN(1, H, nonlinearity="identity", recurrent_dropout=0.5, bias=False, dtype=DOUBLE)
    with torch.no_grad():
        module.layer0.weight_hh.copy_(torch.eye(H))
        module.layer0.weight_ih.fill_(1)
    output, _ = module(torch.ones(5, 200, 1, dtype=DOUBLE))
    kept = output[1] > 1
    assert 0.4 < kept.double().mean() < 0.6
    steps = torch.arange(1, 6, dtype=DOUBLE)
    assert torch.equal(output[:, ~kept], torch.ones_like(output[:, ~kept]))
    assert torch.equal(output[:, kept], (2**steps - 1).unsqueeze(1).expand(5, int(kept.sum())))
    plain = copy.deepcopy(module).eval()
    assert torch.equal(plain(torch.ones(5, 1, 1, dtype=DOUBLE))[0][:, 0, 0], steps)


def test_zoneout_keeps_states_with_their_probabilities() -> None:
    torch.manual_seed(0)
    module = tt.LSTM(1, 50, zoneout=(0.2, 0.6), dtype=DOUBLE)
    state, c, outputs = None, [], []
    for _ in range(40):
        y, state = module(torch.ones(1, 20, 1, dtype=DOUBLE), state)
        outputs.append(y[0])
        c.append(state[1][0])
    for states, share in ((c, 0.2), (outputs, 0.6)):
        stayed = [(after == before).double().mean() for before, after in itertools.pairwise(states)]
        assert abs(torch.stack(stayed).mean() - share) < 0.01


@pytest.mark.parametrize("backend", HERE)
@pytest.mark.parametrize("arguments", [{"layer_norm": True}, ALL, {"zoneout": 0.3, "variant": "FGR"}])
def test_steps_equal_the_whole_sequence(arguments: dict[str, Any], backend: str) -> None:
    module = lstm(num_layers=2, backend=backend, **arguments).eval()
    expected, state = module(X)
    stepper = module.stream(batch_size=B)
    outputs = [stepper(x_t) for x_t in X]
    torch.testing.assert_close(torch.stack(outputs), expected.detach(), rtol=1e-12, atol=1e-14)
    for found, there in zip(stepper.state, state, strict=True):
        torch.testing.assert_close(found, there.detach(), rtol=1e-12, atol=1e-14)
    before = stepper.state
    second = stepper(X[0])
    stepper.set_state(before)
    assert torch.equal(stepper(X[0]), second)
    with torch.no_grad():
        module.layer0.weight_hh.zero_()
    stepper.set_state(before)
    assert torch.equal(stepper(X[0]), second)
    with pytest.raises(ValueError, match=r"stream: x has shape \(2, 2\), expected \(3, 2\)"):
        stepper(X[0, :2])


def test_recurrent_dropout_alone_streams_natively() -> None:
    module = lstm(recurrent_dropout=0.4).eval()
    stepper = module.stream(B)
    found = torch.stack([stepper(x_t) for x_t in X])
    torch.testing.assert_close(found, module(X)[0].detach(), rtol=1e-12, atol=1e-14)


def test_variational_dropout_drops_whole_units_between_layers() -> None:
    torch.manual_seed(0)
    module = tt.RNN(I, H, 2, dropout=0.5, variational_dropout=True, dtype=DOUBLE)
    below: list[Tensor] = []
    module.layers[1].register_forward_pre_hook(lambda _, arguments: below.append(arguments[0]))
    module(X)
    dropped = below[0].eq(0)
    assert torch.equal(dropped.all(0), dropped.any(0))
    assert dropped.any()
    assert not dropped.all()


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")
def test_a_regularised_network_in_a_compiled_program() -> None:
    module = lstm(**ALL).eval()
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    assert torch.equal(compiled(X)[0], module(X)[0])


def test_recurrent_dropout_in_evaluation_is_the_plain_cell() -> None:
    module = lstm(recurrent_dropout=0.4).eval()
    plain = lstm().eval()
    plain.load_state_dict(module.state_dict())
    assert torch.equal(module(X)[0], plain(X)[0])
    with tt.record(module) as rec:
        module(X)[0].sum().backward()
    assert rec["layer0.d_c"].shape == (T, B, H)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"merge": "max"}, ValueError, "merge='max' is unknown; available: 'concat', 'sum', 'mean'"),
        ({"layer_norm": 1}, TypeError, "layer_norm must be True or False, got 1"),
        ({"zoneout": 1.5}, ValueError, "zoneout=1.5, expected a probability from 0 to 1"),
        ({"zoneout": "much"}, TypeError, "zoneout must be a number, got 'much'"),
        ({"zoneout": (0.1, 0.2, 0.3)}, ValueError, r"expected a probability or a pair \(of c, of y\)"),
        ({"recurrent_dropout": True}, TypeError, "recurrent_dropout must be a number"),
        ({"recurrent_dropout": 1}, ValueError, "recurrent_dropout=1 would leave nothing"),
        ({"recurrent_dropout": -0.1}, ValueError, "recurrent_dropout=-0.1, expected a probability"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"LSTM: .*{message}" if "zoneout" in arguments else f"LSTM: {message}"):
        tt.LSTM(I, H, **arguments)


def test_an_rnn_takes_one_probability_of_zoneout() -> None:
    with pytest.raises(ValueError, match=r"RNN: zoneout=\(0.1, 0.2\), expected a probability\."):
        tt.RNN(I, H, zoneout=(0.1, 0.2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layer_norm": True, "zoneout": 0.1}, "to_torch: layer normalisation, zoneout cannot be expressed"),
        ({"recurrent_dropout": 0.1}, "to_torch: recurrent dropout cannot be expressed"),
        ({"bidirectional": True, "merge": "sum"}, "to_torch: merge='sum' cannot be expressed"),
        ({"variational_dropout": True}, "to_torch: variational dropout cannot be expressed"),
    ],
)
def test_what_torch_has_not_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tt.nn.to_torch(tt.LSTM(I, H, **arguments))


def test_it_says_what_it_is() -> None:
    text = repr(tt.LSTM(I, H, 2, bidirectional=True, merge="sum", variational_dropout=True, **ALL))
    for argument in ("merge='sum'", "layer_norm=True", "zoneout=(0.3, 0.1)", "recurrent_dropout=0.4"):
        assert argument in text

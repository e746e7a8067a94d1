"""What a block keeps, of which passes, and what it refuses."""

from __future__ import annotations

import copy
import threading
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence
from torch.utils.checkpoint import checkpoint

import throughtime as tt
from throughtime.errors import RecordingError
from throughtime.nn import watching

from .networks import LENGTHS, B, H, I, T, loss_of, make, make_inputs


class Deep(nn.Module):
    """An encoder of two layers in both directions under a decoder, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = tt.LSTM(I, H, 2, bidirectional=True, batch_first=True)
        self.parts = nn.ModuleDict({"decoder": tt.RNN(2 * H, 3, batch_first=True)})
        self.head = nn.Linear(3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.parts["decoder"](self.encoder(x)[0])[0])


def test_names_follow_the_paths_of_the_modules() -> None:
    model = Deep()
    with tt.record(model) as rec:
        assert rec.names == ()
        model(torch.randn(B, T, I)).sum().backward()
    paths = [f"encoder.layer{k}{end}" for k in (0, 1) for end in ("", ".reverse")]
    assert list(rec.layers) == [*paths, "parts.decoder.layer0"]
    assert rec["encoder.layer1.reverse.d_c"].shape == (T, B, H)
    assert rec["encoder.layer1.x"].shape == (T, B, 2 * H)
    assert rec["parts.decoder.layer0.d_h"].shape == (T, B, 3)
    assert (rec.T, rec.B, rec.dtype, rec.cuts) == (T, B, torch.float32, ())
    assert "encoder.layer0.f" in rec
    assert "encoder.layer0.q" not in rec
    assert not any(rec[name].requires_grad for name in rec.names)
    assert "encoder.layer0: LSTM T=7 B=3 H=5" in repr(rec)


@pytest.mark.parametrize("backend", ["reference", "native"])
@pytest.mark.parametrize("kind", ["LSTM vanilla", "LSTM vanilla plain", "LSTM FGR", "RNN tanh"])
def test_on_equals_off(kind: str, backend: str) -> None:
    network = make(kind, num_layers=2, bidirectional=True, backend=backend, dtype=torch.float32)
    x, state = make_inputs(network, torch.float32)

    def run() -> list[Tensor]:
        output, final = network(x, state, lengths=LENGTHS)
        leaves = [x, *((state,) if isinstance(state, Tensor) else state), *network.parameters()]
        return [output, *torch.autograd.grad(loss_of(output, final), leaves)]

    plain = run()
    with tt.record(network) as rec:
        recorded = run()
    for one, other in zip(plain, recorded, strict=True):
        torch.testing.assert_close(one, other, rtol=0 if backend == "reference" else 1e-5, atol=1e-6)
    assert torch.equal(plain[0], recorded[0])
    assert rec.backend == backend


@pytest.mark.parametrize("form", ["packed", "batch first", "one sequence"])
def test_time_comes_first_whatever_came_in(form: str) -> None:
    network = tt.LSTM(I, H, batch_first=form == "batch first")
    x = torch.randn(T, B, I)
    given: Any = {
        "packed": pack_padded_sequence(x, torch.tensor(LENGTHS).clamp(min=1), enforce_sorted=False),
        "batch first": x.transpose(0, 1),
        "one sequence": x[:, 0],
    }[form]
    with tt.record(network) as rec:
        network(given)[1][0].sum().backward()
    assert rec["layer0.d_c"].shape == (T, 1 if form == "one sequence" else B, H)
    assert (rec["layer0.d_above"] == 0).all()  # only the returned state was used
    assert (rec.layers["layer0"].final_errors["y"] == 1).all()
    if form == "packed":
        assert rec.layers["layer0"].lengths.tolist() == [4, 1, 7]
        assert (rec["layer0.c"][4:, 0] == 0).all()


def test_only_what_was_asked_for() -> None:
    model = Deep()
    with tt.record(model, values=["f", "encoder.layer0.d_i_bar", "d_h"]) as rec:
        model(torch.randn(B, T, I)).sum().backward()
    fs = {f"encoder.layer{k}{end}.f" for k in (0, 1) for end in ("", ".reverse")}
    assert set(rec.names) == fs | {"encoder.layer0.d_i_bar", "parts.decoder.layer0.d_h"}
    storages = {rec[name].untyped_storage().nbytes() for name in fs}
    assert storages == {T * B * H * 4}  # no view keeps a larger buffer
    network = make("LSTM CIFG")
    x, state = make_inputs(network)
    with tt.record(network, values=["f"]) as rec:
        network(x, state)
    held = rec.layers["layer0"].values._arrays["f"].tensor  # that of i, as f = 1 - i
    assert held.untyped_storage().nbytes() == T * B * H * 8
    with tt.record(network) as whole:
        network(x, state)
    assert torch.equal(rec["layer0.f"], whole["layer0.f"])
    with tt.record(model, errors=False) as rec:
        model(torch.randn(B, T, I)).sum().backward()
    assert not any(name.rpartition(".")[2].startswith("d_") for name in rec.names)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"values": ["q"]}, ValueError, r"names 'q', which no layer has; layer0 has x, i_bar, .*d_above"),
        (
            {"values": ["d_c"], "errors": False},
            ValueError,
            "names 'd_c', which is an error; leave errors=False",
        ),
        ({"values": [3]}, TypeError, "values must be names such as"),
    ],
)
def test_wrong_names(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message), tt.record(tt.LSTM(2, 3), **arguments):
        pass


def test_what_has_nothing_to_record() -> None:
    for model, error, message in (
        (nn.Linear(2, 3), ValueError, r"Linear contains no throughtime.RNN or throughtime.LSTM\."),
        (nn.Sequential(nn.LSTM(2, 3)), ValueError, r"; 0 is torch's, see throughtime.from_torch"),
        (
            3,
            TypeError,
            r"expected a torch.nn.Module, got int; of a throughtime.Forecaster record its network_",
        ),
        (nn.DataParallel(tt.LSTM(2, 3)), NotImplementedError, "the model is a DataParallel"),
    ):
        with pytest.raises(error, match=message), tt.record(model):
            pass


def test_names_that_are_not_there() -> None:
    network = tt.LSTM(2, 3)
    x = torch.randn(4, 2, 2)
    with tt.record(network) as rec:
        with pytest.raises(
            KeyError, match=r"^no value 'layer0.f' in this recording: no forward pass of layer0 has"
        ):
            rec["layer0.f"]
        with pytest.raises(ValueError, match="there is no T before a forward pass"):
            _ = rec.T
        y, _ = network(x)
        with pytest.raises(
            KeyError, match=r"^no error 'layer0.d_c' in this recording yet: no backward\(\) has reached"
        ):
            rec["layer0.d_c"]
        y.sum().backward()
    with pytest.raises(
        KeyError, match=r"^no value 'layer0.q' in this recording; layer0 has x, i_bar, f_bar, z_bar"
    ):
        rec["layer0.q"]
    with pytest.raises(KeyError, match=r"its layers are layer0, and a name is as 'layer0.y'\."):
        rec["layer1.f"]
    with pytest.raises(TypeError, match="a name must be text"):
        rec[0]


def test_backward_after_the_block_and_passes_outside_it() -> None:
    network = tt.RNN(2, 3)
    x = torch.randn(4, 2, 2)
    network(x)
    with tt.record(network) as rec:
        loss = network(x)[0].sum()
    network(x)[0].sum().backward()
    assert "layer0.d_h" not in rec
    loss.backward()
    assert (rec["layer0.d_above"] == 1).all()
    assert len(rec.passes) == 1
    assert watching.open_watches == 0


def test_errors_of_several_backward_passes_add_up() -> None:
    network = make("LSTM FGR")
    x, state = make_inputs(network)
    with tt.record(network) as rec:
        output, final = network(x, state, lengths=LENGTHS)
        output.sum().backward(retain_graph=True)
        first = {name: rec[name].clone() for name in rec.names if ".d_" in name}
        loss_of(output, final).backward()
    with tt.record(network) as both:
        output, final = network(x, state, lengths=LENGTHS)
        (output.sum() + loss_of(output, final)).backward()
    for name in first:
        torch.testing.assert_close(rec[name], both[name], rtol=1e-12, atol=1e-13)
    layer, other = rec.layers["layer0"], both.layers["layer0"]
    assert (layer.backward_passes, other.backward_passes) == (2, 1)
    for errors in ("initial_errors", "final_errors"):
        for name, error in getattr(layer, errors).items():
            torch.testing.assert_close(error, getattr(other, errors)[name], rtol=1e-12, atol=1e-13)


def truncated(
    network: Any, x: Tensor, sizes: list[int], detach: bool = True, **arguments: Any
) -> tt.Recording:
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1 if detach else 0.0)
    state, total = None, torch.zeros((), dtype=x.dtype)
    with tt.record(network, **arguments) as rec:
        for part in x.split(sizes):
            output, state = network(part, state)
            if detach:
                output.square().sum().backward()
                optimizer.step()
                state = tuple(value.detach() for value in state)
            else:
                total = total + output.square().sum()
        if not detach:
            total.backward()
    return rec


@pytest.mark.parametrize("layers", [1, 2])
def test_truncated_passes_are_joined_and_cuts_marked(layers: int) -> None:
    network = tt.LSTM(I, H, layers, dtype=torch.float64)
    x = torch.randn(T, B, I, dtype=torch.float64)
    rec = truncated(network, x, [3, 3, 1])
    assert (rec.T, rec.cuts, len(rec.passes)) == (T, (3, 6), 3)
    assert torch.equal(rec["layer0.x"], x)
    for k, part in enumerate(rec.passes):
        assert torch.equal(rec["layer0.d_c"][3 * k : 3 * k + 3], part["layer0.d_c"])
    with pytest.raises(ValueError, match="the parameters of 'layer0' changed between its passes"):
        rec.layers["layer0"].parameters["weight_hh"]
    assert not torch.equal(*(rec.passes[k].layers["layer0"].parameters["weight_hh"] for k in (0, 1)))
    gradient = rec.step_gradient("layer0.weight_hh", 6)
    assert torch.equal(gradient, rec.passes[2].step_gradient("layer0.weight_hh", 0))
    assert rec.step_gradient_norms("layer0.weight_hh").shape == (T,)
    assert torch.equal(rec.routes("layer0.d_c").total[4], rec.routes("layer0.d_c", 4).total)


def test_steps_that_are_not_cut() -> None:
    network = tt.LSTM(I, H, dtype=torch.float64)
    x = torch.randn(T, B, I, dtype=torch.float64)
    whole, steps = (truncated(network, x, sizes, detach=False) for sizes in ([T], [1] * T))
    assert steps.cuts == ()
    for name in whole.names:
        torch.testing.assert_close(steps[name], whole[name], rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(steps.routes("layer0.d_c").total, whole["layer0.d_c"], rtol=1e-12, atol=1e-14)
    for key in ("weight_hh", "weight_ih", "bias"):
        found, expected = (rec.step_gradient(f"layer0.{key}", 2) for rec in (steps, whole))
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)
    assert "weight_hh" in steps.layers["layer0"].parameters


def test_passes_that_do_not_follow_each_other() -> None:
    network = tt.RNN(2, 3)
    with tt.record(network) as rec:
        for _ in range(2):
            network(torch.randn(4, 2, 2))[0].sum().backward()
    assert rec.passes[1]["layer0.d_h"].shape == (4, 2, 3)
    assert rec.passes[1].T == 4
    message = r"'layer0' ran 2 times, and not each pass began where the one before ended; .* k from 0 to 1"
    for ask in (lambda: rec["layer0.h"], lambda: rec.names, lambda: rec.T):
        with pytest.raises(ValueError, match=message):
            ask()


def test_a_sequence_that_ended_does_not_go_on() -> None:
    network = tt.RNN(2, 3)
    with tt.record(network) as rec:
        _, state = network(torch.randn(4, 2, 2), lengths=[4, 2])
        network(torch.randn(3, 2, 2), state.detach(), lengths=[2, 0])
    assert rec.layers["layer0"].lengths.tolist() == [6, 2]
    with tt.record(network) as rec:
        _, state = network(torch.randn(4, 2, 2), lengths=[4, 2])
        network(torch.randn(3, 2, 2), state.detach(), lengths=[2, 1])
    with pytest.raises(ValueError, match="ran 2 times"):
        _ = rec.T


def test_layers_that_differ() -> None:
    model = nn.ModuleDict({"a": tt.RNN(2, 3), "b": tt.RNN(2, 3)})
    with tt.record(model) as rec:
        model["a"](torch.randn(4, 2, 2))
        model["b"](torch.randn(5, 2, 2))
    with pytest.raises(
        ValueError, match=r"the layers differ in T \(a.layer0: 4, b.layer0: 5\); ask rec.layers"
    ):
        _ = rec.T
    assert rec.B == 2


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_values_without_gradients(mode: Any) -> None:
    network = make("LSTM CIFG")
    x, state = make_inputs(network)
    with tt.record(network) as rec:
        expected = network(x, state)[0]
    with mode(), tt.record(network) as found:
        output, _ = network(x, state)
        assert torch.equal(found["layer0.y"], expected)
    assert found.names == rec.names
    assert all(torch.equal(found[name], rec[name]) for name in rec.names)
    if mode is torch.inference_mode:
        with torch.inference_mode():
            output.zero_()
        assert torch.equal(found["layer0.y"], expected)


def test_a_change_in_place_is_noticed() -> None:
    network = tt.RNN(2, 3)
    with torch.no_grad(), tt.record(network) as rec:
        network(torch.randn(4, 2, 2))[0].relu_()
    with pytest.raises(ValueError, match="'h' was changed in place after it was recorded"):
        rec["layer0.h"]
    assert rec["layer0.a"].shape == (4, 2, 3)


def test_parameters_are_those_of_the_pass() -> None:
    network = tt.LSTM(2, 3, peepholes=True)
    before = {name: value.detach().clone() for name, value in network.layer0.named_parameters()}
    with tt.record(network) as rec:
        network(torch.randn(4, 2, 2))
    with torch.no_grad():
        network.layer0.weight_hh.zero_()
    layer = rec.layers["layer0"]
    assert all(torch.equal(layer.parameters[name], value) for name, value in before.items())
    assert (layer.kind, layer.variant, layer.peepholes, layer.nonlinearity) == ("LSTM", "vanilla", True, "")
    assert layer.cell == network.cell


def test_only_this_thread_and_this_network() -> None:
    network = tt.RNN(2, 3)
    x = torch.randn(4, 2, 2)
    inside: list[int] = []

    def other() -> None:
        network(x)
        with tt.record(network) as rec:
            network(x)
            network(x[:3])
        inside.append(len(rec.passes))

    with tt.record(network) as rec:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        copy.deepcopy(network)(x)
        tt.RNN(2, 3)(x)
        network(x)
    assert inside == [2]
    assert len(rec.passes) == 1


def test_blocks_within_blocks() -> None:
    model = nn.ModuleDict({"a": tt.RNN(2, 3), "b": tt.RNN(3, 3)})
    x = torch.randn(4, 2, 2)
    with tt.record(model["a"]) as outer, tt.record(model["b"]) as inner:
        model["b"](model["a"](x)[0])
    assert (list(outer.layers), list(inner.layers)) == (["layer0"], ["layer0"])
    with tt.record(model), pytest.raises(ValueError, match="an enclosing block records layer0 already"):  # noqa: SIM117
        with tt.record(model["a"]):
            pass
    assert watching.open_watches == 0


def test_too_large_is_refused_beforehand() -> None:
    network = tt.LSTM(5, 64, 2)
    x = torch.randn(576, 64, 5)
    message = (
        r"record: layer0, layer1 over T=576 steps and B=64 sequences would take 0\.3 GB, more than "
        r"max_bytes=100000000 \(0\.1 GB\)\. Keep less: values=\['f', 'c', 'd_c'\]"
    )
    with tt.record(network, max_bytes=100_000_000) as rec, pytest.raises(RecordingError, match=message):
        network(x)
    assert rec.names == ()
    with tt.record(network, values=["f", "d_c"], max_bytes=100_000_000) as rec:
        network(x)[0].sum().backward()
        with pytest.raises(RecordingError, match=r"beside the 37\.7 MB recorded so far"):
            network(torch.randn(1200, 64, 5))
    assert rec.passes[0].nbytes == 4 * 576 * 64 * 64 * 4


@pytest.mark.parametrize("kind", ["LSTM vanilla", "LSTM CIFG+FGR", "LSTM NIG+NFG+NOG", "RNN tanh"])
def test_the_size_is_foretold(kind: str) -> None:
    network = make(kind)
    x, state = make_inputs(network)
    with tt.record(network) as rec:
        network(x, state)[0].sum().backward()
    made_on_reading = {"LSTM CIFG+FGR": 1, "LSTM NIG+NFG+NOG": 3}.get(kind, 0)
    size = rec.nbytes - made_on_reading * T * B * H * 8
    with tt.record(network, max_bytes=size):
        network(x, state)
    with tt.record(network, max_bytes=size - 1), pytest.raises(RecordingError, match="more than max_bytes"):
        network(x, state)


def test_what_is_refused() -> None:
    network = tt.LSTM(2, 3)
    x = torch.randn(4, 2, 2, requires_grad=True)
    with tt.record(network):
        loss = network(x)[0].square().sum()
        with pytest.raises(NotImplementedError, match="create_graph=True asks for derivatives of its errors"):
            torch.autograd.grad(loss, x, create_graph=True)
        with pytest.raises(NotImplementedError, match=r"torch.func transforms \(vmap, grad\)"):
            torch.func.vmap(lambda one: network(one)[0])(torch.randn(3, 4, 2, 2))
        output = checkpoint(lambda value: network(value)[0], x, use_reentrant=False)
        with pytest.raises(NotImplementedError, match="as activation checkpointing does"):
            output.sum().backward()


def test_a_compiled_network_is_refused() -> None:
    torch._dynamo.reset()
    network = tt.RNN(2, 3)
    compiled = torch.compile(network, backend="eager")
    with pytest.raises(NotImplementedError, match="is a OptimizedModule"), tt.record(compiled):
        pass
    step = torch.compile(lambda x: network(x)[0].sum(), backend="eager", fullgraph=True)
    x = torch.randn(4, 2, 2)
    expected = step(x)
    with tt.record(network), pytest.raises(Exception, match=r"torch.compile compiles cannot be recorded"):
        step(x)
    assert torch.equal(step(x), expected)


def test_autocast_and_an_empty_batch() -> None:
    network = tt.LSTM(2, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16), tt.record(network) as rec:
        network(torch.randn(4, 2, 2))[0].sum().backward()
    assert rec.dtype == rec["layer0.d_c"].dtype == torch.float32
    with tt.record(network) as rec:
        network(torch.randn(4, 0, 2))[0].sum().backward()
    assert rec["layer0.d_i_bar"].shape == (4, 0, 3)


def test_attached() -> None:
    rec = tt.Recording({})
    target = torch.randn(3, requires_grad=True)
    rec.attach("target", target)
    assert not rec.attached["target"].requires_grad
    with pytest.raises(TypeError, match=r"attach\('loss'\) takes a tensor, got float"):
        rec.attach("loss", 0.5)
    assert repr(rec) == "Recording(nothing yet)"

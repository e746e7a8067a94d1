"""The error map against one backward pass for each loss, and what it refuses."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

import throughtime as tt
from throughtime.kernels import native
from throughtime.recording.error_map import ErrorMap

from ..tolerances import check_relative
from .mapped import KINDS, losses, map_by_autograd, network, random, unrolled_layers

ROW = "error map against autograd, float64"
BACKENDS = ["reference", *(["native"] if native.is_available() else [])]


def check_map(found: ErrorMap, run: object, J: Tensor, lengths: Tensor | None = None) -> None:
    T = J.shape[0]
    real = None if lengths is None else torch.arange(T)[None] < lengths[:, None]  # (B, T)
    for name in found:
        expected = map_by_autograd(run, J, name)
        if real is not None:
            expected = expected * real[:, :, None] * real[:, None, :]
        check_relative(ROW, f"{found.path}.{name}", found[name], expected)
        for t in range(T):  # small entries too: every row by itself
            assert torch.allclose(found[name][:, t], expected[:, t], rtol=1e-10, atol=1e-300)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_against_autograd(kind: str, backend: str) -> None:
    model, x = network(kind, 3, 5), random(7, 2, 3)
    (run,) = unrolled_layers(model, x)
    check_map(tt.error_map(model, x, losses, backend=backend), run, losses(run.output))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ["vanilla", "FGR", "rnn-tanh"])
def test_lengths(kind: str, backend: str) -> None:
    model, x, lengths = network(kind, 3, 5), random(6, 4, 3), torch.tensor([6, 0, 1, 4])
    (run,) = unrolled_layers(model, x, lengths)
    found = tt.error_map(model, x, losses, backend=backend, lengths=lengths)
    check_map(found, run, losses(run.output), lengths)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ["vanilla", "CIFG+FGR", "rnn-tanh"])
@pytest.mark.parametrize("padded", [False, True])
def test_both_directions(kind: str, padded: bool, backend: str) -> None:
    model, x = network(kind, 3, 5, bidirectional=True), random(6, 2, 3)
    lengths = torch.tensor([4, 6]) if padded else None
    weights = random(10, seed=5)

    def of_both(y: Tensor) -> Tensor:
        return (y @ weights).tanh().square()

    layer = model.layer0
    runs = {}
    for path, one in (("layer0", layer), ("layer0.reverse", layer.reverse)):
        alone = nn.Module()
        alone.layers, alone.hidden_size = [one], 5
        runs[path] = unrolled_layers(alone, x, lengths)[0]
    J = of_both(torch.cat([run.output for run in runs.values()], dim=-1))
    for path, run in runs.items():
        found = tt.error_map(model, x, of_both, layer=path, backend=backend, lengths=lengths)
        assert found.reverse == path.endswith("reverse")
        check_map(found, run, J, lengths)


@pytest.mark.parametrize("kind", ["vanilla", "FGR", "rnn-tanh"])
def test_every_layer_of_a_stack(kind: str) -> None:
    model, x = network(kind, 3, 4, num_layers=3), random(6, 2, 3)
    runs = unrolled_layers(model, x)
    J = losses(runs[-1].output)
    for number, run in enumerate(runs):
        check_map(tt.error_map(model, x, losses, layer=f"layer{number}"), run, J)
    assert tt.error_map(model, x, losses).path == "layer2"


def test_some_steps_only_and_what_lies_above() -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.recurrent, self.head = network("vanilla", 3, 5), nn.Linear(5, 2, dtype=torch.float64)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.recurrent(x)[0]).transpose(0, 1)

    model, x = Network(), random(9, 2, 3)

    def loss(output: Tensor) -> Tensor:
        return output.square().sum(-1).T

    whole, some = tt.error_map(model, x, loss), tt.error_map(model, x, loss, at=[7, 2, 7])
    assert some.at.tolist() == [2, 7]
    assert torch.equal(some["c"], whole["c"][:, [2, 7]])
    assert whole.path == "recurrent.layer0"
    one_loss = tt.error_map(model, x, lambda output: loss(output).mean(1))
    check_relative(ROW, "mean over the batch", one_loss["y"] * 2, whole["y"])


def test_errors_may_be_given() -> None:
    model, x = network("vanilla", 3, 5), random(6, 2, 3)
    y = model(x)[0].detach().requires_grad_()
    (errors,) = torch.autograd.grad(losses(y).sum(), y)
    expected = tt.error_map(model, x, losses)
    assert torch.equal(tt.error_map(model, x, errors)["c"], expected["c"])
    assert tt.error_map(model, x, torch.ones(5))["y"].shape == (2, 6, 6)
    with pytest.raises(ValueError, match=r"shape \(4,\).*broadcast to \(6, 2, 5\)"):
        tt.error_map(model, x, torch.ones(4))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("weight", "T"), [(0.25, 500), (4.0, 500)])
def test_norms_far_from_one(weight: float, T: int, backend: str, dtype: torch.dtype) -> None:
    """h(t) = w h(t-1) + x: the errors are powers of w, and far outside of float32."""
    model = tt.RNN(1, 1, nonlinearity="identity", dtype=dtype)
    nn.init.constant_(model.layer0.weight_hh, weight)
    found = tt.error_map(model, torch.zeros(T, 1, 1, dtype=dtype), torch.ones(1), backend=backend)["h"][0]
    expected = [weight**lag for lag in range(T)]
    assert min(expected) < 1e-300 or max(expected) > 1e280
    row = found[-1].flip(0).tolist()
    assert all(math.isclose(a, b, rel_tol=1e-12) for a, b in zip(row, expected, strict=True))
    assert torch.equal(found.diagonal(-3), found[3:4, 0].expand(T - 3))


@pytest.mark.parametrize("backend", BACKENDS)
def test_y_may_be_far_smaller_than_c(backend: str) -> None:
    """A shut output gate: no square of y's error fits float32, its norm does."""
    model = tt.LSTM(1, 3, backend=backend)
    p = dict(model.layer0.named_parameters())
    with torch.no_grad():
        p["weight_hh"].mul_(1e-25)
        p["bias"][3:6] = 4.0
    x = torch.ones(40, 1, 1)
    found = tt.error_map(model, x, torch.ones(3))
    exact = tt.error_map(model.double(), x.double(), torch.ones(3), backend="reference")
    assert found["y"][0, -1, 0] < 1e-20
    for name in ("y", "c"):
        assert torch.allclose(found[name], exact[name], rtol=1e-5, atol=0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_zero_and_infinite_errors(backend: str) -> None:
    model = tt.RNN(1, 2, nonlinearity="relu", dtype=torch.float64)
    x = torch.tensor([1.0, -99.0, 1.0, 1.0], dtype=torch.float64).view(4, 1, 1)
    nn.init.ones_(model.layer0.weight_ih)
    found = tt.error_map(model, x, torch.ones(2), backend=backend)["h"][0]
    assert found[3, 1] > 0
    assert found[3, 0] == 0  # no way through the dead step
    assert torch.isfinite(found).all()
    huge = torch.full((4, 1, 2), torch.inf, dtype=torch.float64)
    assert tt.error_map(model, x, huge, backend=backend)["h"][0].diagonal().isinf().all()


def test_the_bound_of_a_simple_rnn() -> None:
    for bidirectional, path in ((False, "layer0"), (True, "layer0.reverse")):
        model = network("rnn-tanh", 3, 5, bidirectional=bidirectional)
        x, start = random(6, 2, 3), random(6, 2, 5 * model.num_directions)
        found = tt.error_map(model, x, start, layer=path)
        assert (found["h"] <= found.bound * (1 + 1e-12)).all()
        one = model.layer0.reverse if bidirectional else model.layer0
        W = torch.linalg.matrix_norm(one.weight_hh.detach(), 2)
        h = model(x)[0][..., -5:].detach()
        t, k = (1, 4) if bidirectional else (4, 1)
        between = range(t, k) if bidirectional else range(k + 1, t + 1)
        expected = start[t, 0, -5:].norm() * W**3
        for s in between:
            expected = expected * (1 - h[s, 0] ** 2).max()
        check_relative(ROW, "bound", found.bound[0, t, k], expected)
        assert torch.equal(found.bound == 0, found["h"] == 0)


def test_the_carousel_of_an_lstm() -> None:
    model, x, start = network("CIFG", 3, 5), random(6, 2, 3), random(6, 2, 5)
    found = tt.error_map(model, x, start)
    (run,) = unrolled_layers(model, x)
    product = run.values[4]["f"] * run.values[3]["f"]
    (first,) = torch.autograd.grad((run.output[4] * start[4]).sum(), run.values[4]["c"])
    check_relative(ROW, "carousel", found.carousel[:, 4, 2], (first * product).norm(dim=-1))
    own = [values.diagonal(dim1=1, dim2=2) for values in (found.carousel, found["c"])]
    check_relative(ROW, "at its own step", *own)
    with pytest.raises(ValueError, match="only an LSTM's last layer"):
        _ = tt.error_map(network("rnn-tanh", 3, 5), x, start).carousel


def test_words() -> None:
    vanishing = tt.error_map(network("vanilla", 3, 5), random(40, 2, 3), losses)
    assert "vanish" in str(vanishing)
    assert "carousel" in vanishing.summary()
    exploding = tt.RNN(1, 1, nonlinearity="identity")
    nn.init.constant_(exploding.layer0.weight_hh, 1.5)
    told = tt.error_map(exploding, torch.zeros(9, 1, 1), torch.ones(1)).summary()
    assert "explode: 8 steps back the median error is 25.6 times as large" in told


def test_the_global_random_numbers_stay_as_they_are() -> None:
    before = torch.get_rng_state()
    tt.error_map(network("vanilla", 3, 5), random(6, 2, 3), losses)
    torch.manual_seed(1)
    model = network("vanilla", 3, 5)
    torch.set_rng_state(before)
    tt.error_map(model, random(6, 2, 3), losses)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_losses_that_read_other_steps_are_refused() -> None:
    model, x = network("vanilla", 3, 5), random(6, 2, 3)
    with pytest.raises(ValueError, match="each J\\(t\\) may read the network's output at its own step alone"):
        tt.error_map(model, x, lambda y: y.cumsum(0).square().sum(-1))
    with pytest.raises(ValueError, match="other steps or sequences"):
        tt.error_map(model, x, lambda y: (y * y.mean(1, keepdim=True)).sum(-1))
    with pytest.raises(ValueError, match=r"shape \(2, 6\), expected one loss for each step, \(6,\)"):
        tt.error_map(model, x, lambda y: y.sum(-1).T)
    with pytest.raises(ValueError, match="no loss depends on the output"):
        tt.error_map(model, x, lambda y: torch.zeros(6, dtype=torch.float64))
    with pytest.raises(TypeError, match="must return a tensor of floats, got 3"):
        tt.error_map(model, x, lambda y: 3)


def test_refusals() -> None:
    x = random(6, 2, 3)
    two = nn.ModuleDict({"a": network("vanilla", 3, 4), "b": network("vanilla", 3, 4)})
    with pytest.raises(ValueError, match=r"holds 2 networks; say layer=, one of a.layer0, b.layer0"):
        tt.error_map(two, x, losses)
    with pytest.raises(ValueError, match=r"layer='layer7' is not in the model; there are layer0"):
        tt.error_map(network("vanilla", 3, 4), x, losses, layer="layer7")
    with pytest.raises(ValueError, match="holds no throughtime"):
        tt.error_map(nn.Linear(3, 3), x, losses)
    with pytest.raises(TypeError, match=r"must be a torch\.nn\.Module"):
        tt.error_map(lambda x: x, x, losses)
    stack = network("vanilla", 3, 4, num_layers=2, bidirectional=True)
    with pytest.raises(ValueError, match=r"ask for the last one, layer1 or layer1.reverse"):
        tt.error_map(stack, x, torch.ones(8), layer="layer0")
    dropping = network("vanilla", 3, 4, num_layers=2, dropout=0.5)
    with pytest.raises(ValueError, match=r"call model.eval\(\)"):
        tt.error_map(dropping, x, losses, layer="layer0")
    model = network("vanilla", 3, 4)
    with pytest.raises(ValueError, match=r"at must name steps from 0 to T-1=5"):
        tt.error_map(model, x, losses, at=[6])
    with pytest.raises(ValueError, match="backend='triton' is unknown"):
        tt.error_map(model, x, losses, backend="triton")
    with pytest.raises(KeyError, match="no value 'h' in this error map; layer0 has y, c"):
        _ = tt.error_map(model, x, losses)["h"]
    with pytest.raises(ValueError, match=r"make a map of 37\.3 GiB"):
        tt.error_map(model, torch.zeros(50_000, 1, 3, dtype=torch.float64), torch.ones(4))


def test_a_network_that_runs_twice_is_refused() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.recurrent = network("vanilla", 3, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.recurrent(self.recurrent(x)[0])[0]

    with pytest.raises(ValueError, match="runs more than once in one forward"):
        tt.error_map(Twice(), random(4, 2, 3), losses)

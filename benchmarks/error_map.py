"""The whole error map against one backward pass for each loss, side by side in one process.

    python benchmarks/error_map.py [--steps 576] [--hidden 64] [--batch 1] [--threads 2] [--repeats 9]

The peer is torch.nn.LSTM with torch.autograd.grad of J(t) for a few t, their mean times T. It is measured
twice: led step by step, which is what shows ∂J(t)/∂y(k) for every k, as the map does; and over the whole
sequence in one call, which is faster and shows ∂J(t)/∂x(k) only. Agreement is with autograd through the
equations of the LSTM written in torch, where c(k) too is a value of the graph.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from torch import Tensor, nn

import throughtime as tt
from throughtime.recording.error_map import ErrorMap


def losses(y: Tensor, w: Tensor) -> Tensor:
    return (y @ w).tanh().square()


def whole_map(model: tt.LSTM, x: Tensor, w: Tensor) -> ErrorMap:
    return tt.error_map(model, x, lambda y: losses(y, w))


def in_one_call(peer: nn.LSTM, x: Tensor, w: Tensor, steps: list[int]) -> float:
    """Seconds of one backward pass, mean over the steps, to the inputs."""
    x = x.clone().requires_grad_()
    return timed(losses(peer(x)[0], w), [x], steps)


def step_by_step(peer: nn.LSTM, x: Tensor, w: Tensor, steps: list[int]) -> float:
    """Seconds of one backward pass, mean over the steps, to every output before."""
    zero = x.new_zeros(1, x.shape[1], peer.hidden_size).requires_grad_()
    state, outputs = (zero, zero), []
    for row in x.unsqueeze(1):
        _, state = peer(row, state)
        outputs.append(state[0])
    return timed(losses(torch.cat(outputs), w), outputs, steps)


def timed(found: Tensor, wanted: list[Tensor], steps: list[int]) -> float:
    began = time.perf_counter()
    for t in steps:
        torch.autograd.grad(found[t].sum(), wanted, retain_graph=True, allow_unused=True)
    return (time.perf_counter() - began) / len(steps)


def by_autograd(peer: nn.LSTM, x: Tensor, w: Tensor, steps: list[int]) -> dict[str, Tensor]:
    """‖∂J(t)/∂y(k)‖ and ‖∂J(t)/∂c(k)‖ of the first sequence, (steps, T)."""
    p = [value.detach() for value in peer.parameters()]
    y = c = x.new_zeros(x.shape[1], peer.hidden_size).requires_grad_()
    ys, cs = [], []
    for row in x:
        i, f, z, o = (row @ p[0].T + y @ p[1].T + p[2] + p[3]).chunk(4, dim=-1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(z)
        y = torch.sigmoid(o) * torch.tanh(c)
        ys.append(y)
        cs.append(c)
    rows: dict[str, list[Tensor]] = {"y": [], "c": []}
    for t in steps:
        found = torch.autograd.grad(losses(ys[t], w).sum(), ys[: t + 1] + cs[: t + 1], retain_graph=True)
        norms = torch.stack([gradient[0].double().norm() for gradient in found])
        for name, values in zip(rows, norms.chunk(2), strict=True):
            rows[name].append(nn.functional.pad(values, (0, len(x) - t - 1)))
    return {name: torch.stack(values) for name, values in rows.items()}


def largest_difference(found: Tensor, exact: Tensor, smallest: float) -> float:
    there = exact > smallest
    return float(((found - exact).abs() / exact)[there].max())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, value in (("steps", 576), ("hidden", 64), ("batch", 1), ("threads", 2), ("repeats", 9)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    T, B, H = options.steps, options.batch, options.hidden
    model, peer = tt.LSTM(5, H), nn.LSTM(5, H)
    peer.load_state_dict(tt.to_torch(model).state_dict())
    x, w = torch.randn(T, B, 5), torch.randn(H) * H**-0.5
    some = [T * (2 * k + 1) // 8 for k in range(4)]  # the middles of four equal parts: their mean is the mean
    seconds: dict[str, list[float]] = {"map": [], "step by step": [], "in one call": []}
    for repeat in range(options.repeats + 1):
        began = time.perf_counter()
        errors = whole_map(model, x, w)
        seconds["map"].append(time.perf_counter() - began)
        seconds["step by step"].append(step_by_step(peer, x, w, some))
        seconds["in one call"].append(in_one_call(peer, x, w, some))
        if repeat == 0:
            for values in seconds.values():
                values.clear()
    print(f"T={T} B={B} H={H}, float32, {options.threads} threads, median of {options.repeats}")
    whole = statistics.median(seconds["map"])
    print(f"error map, all {T} losses: {1e3 * whole:.1f} ms")
    for name in ("step by step", "in one call"):
        one = statistics.median(seconds[name])
        print(
            f"torch.nn.LSTM {name}: {1e3 * one:.2f} ms for one loss, {one * T:.2f} s for {T} (extrapolated), "
            f"{one * T / whole:.0f} times as long as the map"
        )
    near = sorted({T // 8, T // 3, T - 1})
    in_float32 = by_autograd(peer, x, w, near)
    in_float64 = by_autograd(peer.double(), x.double(), w.double(), near)
    doubled = whole_map(model.double(), x.double(), w.double())
    print("largest relative difference from autograd over all k:")
    for name in ("y", "c"):
        row, exact = errors[name][0, near], in_float64[name]
        print(
            f"  {name}: float32 map {largest_difference(row, in_float32[name], 1e-30):.1e} from autograd in "
            f"float32, {largest_difference(row, exact, 1e-200):.1e} from autograd in float64; float64 map "
            f"{largest_difference(doubled[name][0, near], exact, 1e-200):.1e}"
        )


if __name__ == "__main__":
    main()

"""Small recordings with random weights, a state that is not zero, and errors that reach every place."""

from __future__ import annotations

from typing import Any

import torch

import throughtime as tt
from throughtime.recording import Recording, record


def network(kind: str, I: int, H: int, **options: Any) -> torch.nn.Module:  # noqa: E741
    """`rnn-tanh` and so on, or a variant of the LSTM, with peepholes where it has them."""
    if kind.startswith("rnn-"):
        return tt.RNN(I, H, nonlinearity=kind[4:], **options)
    variant = tt.Variant.parse(kind)
    peepholes = variant.peepholes and bool(variant.gates)
    return tt.LSTM(I, H, variant=kind, peepholes=peepholes, **options)


def recording(
    kind: str = "vanilla",
    *,
    T: int = 9,
    B: int = 2,
    I: int = 3,  # noqa: E741
    H: int = 4,
    lengths: list[int] | None = None,
    names: list[str] | None = None,
    seed: int = 0,
    scale: float = 0.2,
    **options: Any,
) -> Recording:
    """Record a network whose loss reads every output and the returned state."""
    torch.manual_seed(seed)
    model = network(kind, I, H, **options)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.4 * torch.randn_like(parameter))
    sizes = model.state_sizes
    layers = model.num_layers * model.num_directions
    dtype = next(model.parameters()).dtype
    states = [0.5 * torch.rand(layers, B, size, dtype=dtype) for size in sizes.values()]
    state = tuple(states) if len(states) > 1 else states[0]
    with record(model, loss_reduction="sum over time and batch") as rec:
        output, final = model(torch.randn(T, B, I, dtype=dtype), state, lengths=lengths)
        loss = scale * (torch.randn_like(output) * output)
        after = final if isinstance(final, tuple) else (final,)
        total = loss.sum() + sum(scale * (torch.randn_like(part) * part).sum() for part in after)
        total.backward()
    rec.attach("loss", loss.sum(-1))
    rec.notes["title"] = "A small network"
    if names:
        rec.notes["input_names"] = "\n".join(names)
    return rec


def truncated() -> Recording:
    """Two passes of three steps, the state detached between them: no error goes from step 4 to step 3."""
    torch.manual_seed(0)
    model = network("vanilla", 3, 4, dtype=torch.float64)
    x, state = torch.randn(6, 2, 3, dtype=torch.float64), None
    with record(model) as rec:
        for part in x.split(3):
            output, state = model(part, state)
            output.square().sum().backward()
            state = tuple(one.detach() for one in state)
    return rec

"""Small recordings made from the cells themselves, step by step."""

from __future__ import annotations

from types import SimpleNamespace

import torch

from throughtime.cells import LSTMCell, SimpleRNNCell, Variant
from throughtime.ops import unrolled


def fake_layer(cell, x, *, H, reverse=False, lengths=None, seed=0, path="layer0"):
    """One layer with random weights, initial state and errors from above."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape, scale=0.5):
        return scale * torch.randn(*shape, generator=generator)

    T, B, I = x.shape
    p = {name: draw(*shape, scale=0.8 if "peep" in name else 1 / H**0.5) for name, shape in cell.shapes(I, H).items()}
    initial = {name: draw(B, H).abs() % 1 if name in "ifo" else draw(B, H) for name in cell.state}
    run = unrolled.forward(cell, x, initial, p, lengths, reverse)
    above = draw(T, B, H, scale=0.2)
    if lengths is not None:
        above = above * (torch.arange(T)[:, None] < lengths)[..., None]
    final = {name: draw(B, H, scale=0.1) for name in cell.state}
    back = unrolled.backward(cell, x, run, p, above, final, lengths, reverse)
    values = {"x": x} | {key: torch.stack([v[key] for v in run.values]) for key in run.values[0]}
    errors = {key: torch.stack([s.errors[key] for s in back.steps]) for key in back.steps[0].errors}
    lstm = isinstance(cell, LSTMCell)
    return SimpleNamespace(
        path=path,
        kind="LSTM" if lstm else "RNN",
        variant=cell.variant.name if lstm else "",
        peepholes=lstm and cell.variant.peepholes,
        nonlinearity="" if lstm else cell.nonlinearity,
        input_size=I,
        hidden_size=H,
        reverse=reverse,
        lengths=lengths,
        values=values,
        errors=errors | {"d_above": above},
        initial=initial,
        final_errors=final,
        parameters=p,
        gradients=back.parameters,
    )


def fake_recording(kind="vanilla", *, T=9, B=2, I=3, H=4, reverse=False, lengths=None, names=None, seed=0):
    """A recording of one layer; `kind` is a variant of the LSTM, or `rnn-tanh` and so on."""
    x = torch.randn(T, B, I, generator=torch.Generator().manual_seed(seed + 1))
    cell = SimpleRNNCell(kind[4:]) if kind.startswith("rnn-") else LSTMCell(Variant.parse(kind))
    layer = fake_layer(cell, x, H=H, reverse=reverse, lengths=lengths, seed=seed)
    loss = torch.rand(T, B, generator=torch.Generator().manual_seed(seed + 2))
    return SimpleNamespace(
        layers={"layer0": layer},
        backend="reference",
        dtype=torch.float32,
        loss_reduction="sum over time and batch",
        T=T,
        B=B,
        cuts=(),
        attached={"loss": loss},
        notes={"title": "A small network"} | ({"input_names": "\n".join(names)} if names else {}),
    )

"""Gradient clipping on an error surface with a cliff: two weights of a simple RNN.

    python examples/gradient_clipping.py [--quick] [--image FILE]

One unit without input, h(t) = σ(w h(t-1) + b), 50 steps from h(0) = 1/2, and J = (h(50) - 0.7)². On the line
w/2 + b = 0 the unit stays where it begins; beside it h goes up or down, and with w > 4 the line is a cliff:
the gradient there has a factor of up to (w/4)⁵⁰. Both descents start in the same place with the same rate;
one clips the norm of its gradient.

The kind of surface: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks
(2013).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

import throughtime as tt
from throughtime.training.clipping import clip, gradient_norm

STEPS, TARGET, RATE, THRESHOLD = 50, 0.7, 0.3, 0.1
START = (5.5, -2.6)
W, B = (4.0, 6.2), (-3.1, -1.6)  # what is drawn


def network(w: float, b: float) -> tt.RNN:
    """One unit, its input weight zero."""
    model = tt.RNN(1, 1, nonlinearity="logistic", dtype=torch.float64)
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), (0.0, w, b), strict=True):
            parameter.fill_(value)
    return model


def loss(model: tt.RNN) -> Tensor:
    """J of the last step."""
    start = torch.full((1, 1, 1), 0.5, dtype=torch.float64)
    end = model(torch.zeros(STEPS, 1, 1, dtype=torch.float64), start)[1]
    return (end - TARGET).square().sum()


def descend(updates: int, threshold: float | None) -> tuple[Tensor, list[float]]:
    """The path (updates + 1, 2) through w and b, and each gradient's norm before clipping."""
    model = network(*START)
    weights = [model.layer0.weight_hh, model.layer0.bias]
    path, norms = [torch.tensor(START, dtype=torch.float64)], []
    for _ in range(updates):
        model.zero_grad()
        loss(model).backward()
        norm = gradient_norm(weights)
        clip(weights, norm, threshold, None)
        norms.append(float(norm))
        with torch.no_grad():
            for weight in weights:
                weight -= RATE * weight.grad
        path.append(torch.stack([weight.detach().flatten()[0] for weight in weights]))
    return torch.stack(path), norms


@torch.no_grad()
def surface(w: Tensor, b: Tensor) -> Tensor:
    """J over a grid, (b, w)."""
    return torch.tensor([[float(loss(network(float(x), float(y)))) for x in w] for y in b])


def draw(paths: dict[str, Tensor], points: int, image: Path) -> None:
    """The surface, and both paths on it."""
    from matplotlib import pyplot

    from throughtime.recording.plots import LINES

    w, b = torch.linspace(*W, points), torch.linspace(*B, points)
    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    filled = axes.contourf(w, b, surface(w, b).sqrt(), levels=24, cmap="cividis")
    figure.colorbar(filled, label="|h(50) − 0.7|")
    for (label, path), colour in zip(paths.items(), (LINES[1], LINES[5]), strict=True):
        axes.plot(*path.T, color=colour, marker=".", markersize=3, linewidth=0.9, label=label)
    axes.set(xlabel="w", ylabel="b", xlim=W, ylim=B, title="Descent at a cliff")
    axes.legend()
    figure.savefig(image, dpi=130)
    pyplot.close(figure)


def main() -> None:
    """Descend with and without clipping, print what happened, draw it."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--quick", action="store_true", help="a few updates and no picture")
    parser.add_argument("--image", type=Path, help="where to draw the surface, a PNG file")
    options = parser.parse_args()
    updates = 3 if options.quick else 150
    paths = {}
    for label, threshold in (("without clipping", None), (f"norm clipped at {THRESHOLD:g}", THRESHOLD)):
        paths[label], norms = descend(updates, threshold)
        moves = paths[label].diff(dim=0).norm(dim=1)
        w, b = paths[label][-1].tolist()
        with torch.no_grad():
            end = float(loss(network(w, b)))
        print(
            f"{label:20} largest gradient norm {max(norms):9.3g}, largest move {float(moves.max()):8.3g}, "
            f"at the end w={w:.3f} b={b:.3f} J={end:.3g}"
        )
    if options.image:
        draw(paths, 20 if options.quick else 160, options.image)


if __name__ == "__main__":
    main()

"""Drawings by matplotlib, in colours that colour-blind people tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import torch

from throughtime.errors import MachineError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from throughtime.recording.error_map import ErrorMap

LINES: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito
_MAP: Final = "cividis"


def new_axes(width: float = 5.0, height: float = 4.0) -> Axes:
    """One set of axes on a figure of its own, in inches.

    Raises:
        MachineError: matplotlib is not installed.
    """
    pyplot = _pyplot()
    axes: Axes = pyplot.subplots(figsize=(width, height), layout="constrained")[1]
    return axes


def _pyplot() -> Any:
    try:
        from matplotlib import pyplot
    except ImportError as missing:
        raise MachineError(
            "plots need matplotlib; install it with: pip install 'throughtime[plot]'."
        ) from missing
    return pyplot


def draw_map(errors: ErrorMap, ax: Axes | None, *, of: str | None, floor: float) -> Axes:
    """Draw the share of each loss's error that is left at each step, on a logarithmic scale.

    Args:
        errors: The map; of several sequences the mean is shown.
        ax: Where; None: on a new figure.
        of: Whose error; None: the cell's, or the simple RNN's h.
        floor: Shares below it look alike.

    Returns:
        The axes, with steps k to the right and losses t downwards.
    """
    ax = ax or new_axes()
    name = of or errors.memory
    norms = errors[name].cpu()
    ends = errors.at.to(norms.device)
    own = norms.gather(2, ends[None, :, None].expand(norms.shape[0], -1, 1))
    shares = torch.nanmean(norms / own.where(own > 0, torch.nan), 0)  # (R, T)
    shown = shares.where(shares > 0, torch.nan)
    finite = shown[torch.isfinite(shown)]
    most = max(1.0, float(finite.max())) if len(finite) else 1.0
    k = torch.arange(errors.T)
    after = k < ends[:, None] if errors.reverse else k > ends[:, None]
    picture = shown.clamp(min=floor).where(~after, torch.nan).where(~((shares == 0) & ~after), floor)
    from matplotlib.colors import LogNorm

    image = ax.imshow(
        picture.numpy(),
        norm=LogNorm(floor, most),
        cmap=_MAP,
        aspect="auto",
        interpolation="nearest",
        extent=(-0.5, errors.T - 0.5, float(ends[-1]) + 0.5, float(ends[0]) - 0.5),
    )
    ax.set_xlabel("step k")
    ax.set_ylabel("loss of step t")
    ax.set_title(f"{errors.kind}: share of δ{name} of J(t) left at k")
    if ax.figure is not None:
        ax.figure.colorbar(image, ax=ax, extend="min")
    return ax


def draw_reach(maps: dict[str, ErrorMap], ax: Axes | None = None, *, of: Sequence[str] | None = None) -> Axes:
    """Draw the share of the error left by the number of steps it went back, one line for each map.

    Args:
        maps: By the label of their line.
        ax: Where; None: on a new figure.
        of: For each map whose error; None: the cell's, or the simple RNN's h.
    """
    ax = ax or new_axes()
    for number, (label, errors) in enumerate(maps.items()):
        reach = errors.reach(None if of is None else of[number])
        shares = reach.shares.cpu()
        ax.plot(shares.where(shares > 0, torch.nan).numpy(), label=label, color=LINES[number % len(LINES)])
    ax.axhline(0.01, color="0.5", linewidth=0.8, linestyle=":")
    ax.set_yscale("log")
    ax.set_xlabel("steps back")
    ax.set_ylabel("share of the error left (median)")
    ax.legend(frameon=False)
    return ax

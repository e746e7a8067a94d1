"""What is drawn, read back from the axes."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from matplotlib import pyplot
from matplotlib.axes import Axes

import throughtime as tt
from throughtime.errors import MachineError
from throughtime.recording.plots import draw_reach

from .mapped import losses, network, random


@pytest.fixture(autouse=True)
def _no_screen() -> None:
    pyplot.switch_backend("Agg")


@pytest.mark.parametrize("reverse", [False, True])
def test_an_error_map(reverse: bool) -> None:
    model = network("vanilla", 3, 4, bidirectional=True)
    path = "layer0.reverse" if reverse else "layer0"
    found = tt.error_map(model, random(6, 1, 3), lambda y: losses(y), layer=path)
    ax = found.plot(floor=1e-4)
    assert isinstance(ax, Axes)
    picture = ax.images[0].get_array()
    assert picture.shape == (6, 6)
    shown = np.triu(np.ones((6, 6)), 1) if reverse else np.tril(np.ones((6, 6)), -1)
    assert not np.ma.getmaskarray(np.ma.masked_invalid(picture))[shown.astype(bool)].any()
    assert np.ma.getmaskarray(np.ma.masked_invalid(picture)).sum() == 15
    np.testing.assert_allclose(np.diag(picture), 1)
    expected = float(found["c"][0, 3, 4 if reverse else 2] / found["c"][0, 3, 3])
    assert picture[3, 4 if reverse else 2] == pytest.approx(expected)
    assert "δc" in ax.get_title()
    pyplot.close("all")


def test_reaches_side_by_side() -> None:
    x = random(9, 2, 3)
    maps = {kind: tt.error_map(network(kind, 3, 4), x, losses) for kind in ("vanilla", "rnn-tanh")}
    ax = draw_reach(maps)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["vanilla", "rnn-tanh"]
    np.testing.assert_allclose(ax.lines[1].get_ydata(), maps["rnn-tanh"].reach().shares)
    assert ax.get_yscale() == "log"
    pyplot.close("all")


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    found = tt.error_map(network("vanilla", 3, 4), random(4, 1, 3), torch.ones(4))
    with pytest.raises(MachineError, match=r"pip install 'throughtime\[plot\]'"):
        found.plot()

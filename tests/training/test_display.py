import io
import sys

import pytest
from rich.console import Console

from throughtime.training import Epoch, PlainDisplay, QuietDisplay, TerminalDisplay, fit
from throughtime.training.display import Tick, automatic_display, epoch_line

from .fitting import Echo, Net, settings, squared_error

ENTRY = Epoch(
    epoch=2, train_loss=0.123456, validation_loss=0.25, gradient_norm=0.5, gradient_norm_max=2.5,
    clipped=0.125, learning_rate=0.003, seconds=4.25, steps_per_second=210.4,
)  # fmt: skip


def test_an_epoch_in_one_line():
    assert epoch_line(ENTRY, 12, True) == (
        "epoch 2/12  loss 0.12346  validation 0.25 (best)  gradient norm 0.5 (largest 2.5, clipped 12%)  "
        "rate 3.00e-03  210 steps/s  4.2 s"
    )
    assert "(best)" not in epoch_line(ENTRY, 12, False)


def test_plain_lines_one_per_epoch_on_stderr(capsys):
    fit(Net(), Echo(), Echo(seed=1), squared_error, settings(epochs=3), display=PlainDisplay())
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split("  ")[0] for line in err.splitlines()] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]


def test_the_bar_shows_what_is_promised():
    text = io.StringIO()
    display = TerminalDisplay(Console(file=text, force_terminal=True, width=200))
    display.start(epochs=12, batches=40, done=40)
    display.tick(Tick(epoch=2, batch=7, loss=0.4321, gradient_norm=1.25, updates=7))
    display.tick(Tick(epoch=2, batch=8, loss=0.9999, gradient_norm=1.25, updates=8))
    display._bar.refresh()
    display.epoch(ENTRY, best=True)
    display.tick(Tick(epoch=3, batch=40, loss=0.3, gradient_norm=1.0, updates=40))
    display._bar.refresh()
    display.message("[not markup]")
    display.stop()
    shown = text.getvalue()
    for part in (
        "epoch 2/12",
        "batch 7/40",
        "loss 0.4321",
        "validation –",
        "gradient norm 1.25",
        "steps/s",
        "left",
    ):
        assert part in shown
    assert "0.9999" not in shown, "drawn ten times a second at most"
    assert "epoch 3/12" in shown
    assert "validation 0.25 " in shown
    assert epoch_line(ENTRY, 12, True) in shown
    assert "[not markup]" in shown
    display.stop()


def test_the_terminal_display_goes_through_a_fit():
    text = io.StringIO()
    display = TerminalDisplay(Console(file=text, force_terminal=True, width=200))
    fit(Net(), Echo(), Echo(seed=1), squared_error, settings(epochs=2), display=display)
    assert "epoch 2/2" in text.getvalue()


@pytest.mark.parametrize(("terminal", "kind"), [(True, TerminalDisplay), (False, PlainDisplay)])
def test_a_bar_only_on_a_terminal(monkeypatch, terminal, kind):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    assert isinstance(automatic_display(), kind)


def test_quiet_is_quiet(capsys):
    fit(Net(), Echo(), Echo(seed=1), squared_error, settings(epochs=1), display=QuietDisplay())
    assert capsys.readouterr() == ("", "")

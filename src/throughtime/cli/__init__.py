"""The command line: `throughtime fit`, `generate`, `evaluate`, `predict`, `look`, `study` and the rest."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from throughtime._version import __version__
from throughtime.cli.codes import INTERRUPTED, USER_ERROR
from throughtime.errors import ThroughtimeError

app = App(
    name="throughtime",
    help="Recurrent networks you can see through: from a file to a trained, measured, shown model.",
    version=__version__,
    result_action="return_value",
)
fit_app = App(name="fit", help="Train a network on your data.")
app.command(fit_app)

# Named, not imported: `throughtime --help` should not wait for torch.
_FORECAST = "throughtime.cli.forecast"
_MODELS = "throughtime.cli.models"
app.command(f"{_FORECAST}:demo", name="demo", help="Train on shipped weather, measure, save.")
fit_app.command(f"{_FORECAST}:forecast", name="forecast", help="Forecast a column of a table.")
fit_app.command(
    "throughtime.cli.classify:classify", name="classify", help="Tell the class of a text or a sequence."
)
fit_app.command("throughtime.cli.tag:tag", name="tag", help="Find and name spans in sentences.")
fit_app.command(
    "throughtime.cli.translate:translate", name="translate", help="Translate sentences, from pairs of them."
)
fit_app.command(
    "throughtime.cli.transcribe:transcribe", name="transcribe", help="Write down what recordings say."
)
fit_app.command("throughtime.cli.generate:fit_generate", name="generate", help="Go on with a text or music.")
app.command("throughtime.cli.generate:generate", name="generate", help="Let a trained model write on.")
app.command(f"{_MODELS}:evaluate", name="evaluate", help="Measure a trained model beside its baselines.")
app.command(f"{_MODELS}:predict", name="predict", help="Use a trained model on new data.")
app.command("throughtime.cli.doctor:doctor", name="doctor", help="Say what computes here, and how fast.")
app.command(
    "throughtime.cli.study:study", name="study", help="See inside: forward and backward, step by step."
)
app.command("throughtime.cli.slides:slides", name="slides", help="The same journey as a deck of slides.")
app.command("throughtime.cli.show:show", name="show", help="List and print what a recording holds.")
app.command(f"{_MODELS}:look", name="look", help="Open the report of a trained model.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code. See `run`."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Words after `throughtime`; those of the process if left away.

    Returns:
        0 when all went well, 2 for wrong options, data, files or settings, 130 after Ctrl-C.
    """
    try:
        code = app(arguments, exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except (CycloptsError, ThroughtimeError) as error:
        print(f"throughtime: {error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("throughtime: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output is gone, as in `throughtime predict … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0

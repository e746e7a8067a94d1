"""Fit with dropout, and be stopped in the middle of a batch: `SIGKILL`, or one or two `SIGINT`.

Arguments: folder, settings as JSON, seconds between checkpoints, number of the training forward in
which to stop, then the signals' names, and what was printed last is how it ended.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from fitting import Echo, Net, settings, squared_error

from throughtime.training import PlainDisplay, fit

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for what runs behind "&"
folder, changes, seconds, at, *signals = sys.argv[1:]
forwards = 0


def objective(model, batch, state=None):
    global forwards
    forwards += model.training
    outcome = squared_error(model, batch, state)
    if model.training and forwards == int(at):
        for name in signals:
            os.kill(os.getpid(), signal.Signals[name])
            time.sleep(0.01)
    return outcome


result = fit(
    Net(dropout=0.3),
    Echo(),
    Echo(N=6, seed=1, shuffle=False),
    objective,
    settings(**json.loads(changes)),
    checkpoints=folder,
    checkpoint_seconds=float(seconds),
    display=PlainDisplay(),
    how_to_go_on="throughtime fit forecast --resume DIR",
)
print(result.stopped, result.best_epoch, len(result.history))

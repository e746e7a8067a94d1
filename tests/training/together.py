"""Fits that must come out the same in one process and in several; run by both sides of the test."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from fitting import Echo, InPieces, Net, Notes, settings, squared_error
from torch import nn

from throughtime.errors import NonFiniteError
from throughtime.training import QuietDisplay, fit
from throughtime.training.checkpoints import read


class Ragged(Echo):
    """The second process's part of a batch has fewer steps than the first's, as if padded apart."""

    def epoch(self, epoch, shard=(0, 1)):
        for batch in super().epoch(epoch, shard):
            yield batch.steps(0, 5) if shard[0] == 1 else batch


class Short(Echo):
    """Gives no batch at all where this process has no part of it."""

    def epoch(self, epoch, shard=(0, 1)):
        yield from (batch for batch in super().epoch(epoch, shard) if batch.inputs.numel())


class Poisoned(Echo):
    """One input is not a number: sequence 3, which is the second process's, at step 6, in epoch 2."""

    def epoch(self, epoch, shard=(0, 1)):
        clean = self.x
        if epoch == 2:
            self.x = clean.clone()
            self.x[6, 3, 1] = float("nan")
        yield from super().epoch(epoch, shard)
        self.x = clean


class Spare(Net):
    """Has a parameter that no loss reads."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.spare = nn.Parameter(torch.ones(3, dtype=torch.float64))


def outcome_of(model, train, **changes):
    validation = Echo(N=5, B=4, seed=1, shuffle=False)
    notes = Notes()
    result = fit(model, train, validation, squared_error, settings(**changes), display=notes)
    figures = [[e.train_loss, e.validation_loss, e.gradient_norm, e.clipped] for e in result.history]
    weights = torch.cat([p.detach().flatten() for p in model.parameters()]).tolist()
    rank = int(os.environ.get("RANK", 0))
    return {
        "figures": figures,
        "weights": weights,
        "stopped": result.stopped,
        "best": result.best_epoch,
        "displayed": len(notes.told) > 0 or rank > 0,
        "displayed_elsewhere": len(notes.told) > 0 and rank > 0,
    }


class Reading(QuietDisplay):
    """At each batch border: the place of the last checkpoint, and whether it holds a carried state."""

    def __init__(self, folder):
        self.folder, self.places = folder, []

    def tick(self, tick):
        header, tensors = read(self.folder / "last.safetensors")
        carried = any(name.startswith("carried/") for name in tensors)
        self.places.append([header.progress.epoch, header.progress.batches_done, carried])


def checkpoints_while_carrying():
    """Three batches an epoch; a state is carried on after the first and the second."""
    with TemporaryDirectory() as name:
        display = Reading(Path(name))
        train, validation = InPieces(Echo(N=4), 4), Echo(N=5, B=4, seed=1, shuffle=False)
        fit(
            Net(), train, validation, squared_error, settings(epochs=2),
            checkpoints=name, checkpoint_seconds=0, display=display,
        )  # fmt: skip
        return display.places


def nonfinite_message():
    try:
        outcome_of(Net(), Poisoned(N=4, B=4, shuffle=False))
    except NonFiniteError as error:
        return str(error)
    return "no error"


def all_fits():
    return {
        # N = 9, B = 4: the last batch has one sequence, so the second process's part is empty.
        "full": outcome_of(Net(), Echo(N=9)),
        "short": outcome_of(Net(), Short(N=9)),
        "truncated": outcome_of(Net(), Echo(N=9), truncate=(2, 5)),
        "other start": outcome_of(Net(seed=int(os.environ.get("RANK", 0))), Echo(N=8)),
        "spare": outcome_of(Spare(), Echo(N=7), clip_norm=0.05),
        "patience": outcome_of(
            Net(), Echo(N=7), epochs=8, patience=1, learning_rate=0.4, schedule="constant"
        ),
        "carried": outcome_of(Net(), InPieces(Echo(N=9, B=9), 4)),
        "ragged": outcome_of(Net(), Ragged(N=8), truncate=(2, 3)),
        "places": checkpoints_while_carrying(),
        "nonfinite": nonfinite_message(),
    }

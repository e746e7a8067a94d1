"""Training: back-propagation through time, clipping, the fit loop, checkpoints, diagnosis."""

from throughtime.batch import Batch
from throughtime.training.checkpoints import load_best
from throughtime.training.diagnosis import Diagnosis, diagnose
from throughtime.training.display import Display, PlainDisplay, QuietDisplay, TerminalDisplay
from throughtime.training.history import Epoch, FitResult
from throughtime.training.loop import fit
from throughtime.training.objective import Batches, BatchLike, Objective, Outcome
from throughtime.training.settings import FitSettings

__all__ = [
    "Batch",
    "BatchLike",
    "Batches",
    "Diagnosis",
    "Display",
    "Epoch",
    "FitResult",
    "FitSettings",
    "Objective",
    "Outcome",
    "PlainDisplay",
    "QuietDisplay",
    "TerminalDisplay",
    "diagnose",
    "fit",
    "load_best",
]

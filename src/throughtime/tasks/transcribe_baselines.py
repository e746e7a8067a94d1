"""What a transcriber must beat: the transcript of the recording most alike, and the most frequent one.

Both can only give transcripts that training holds. For commands of one word each that is a real contest; for
free speech, or digits in any order, it only shows how little is gained by looking recordings up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor
from torch.nn import functional

from throughtime.tasks.transcribe_data import Part, TranscribeData

STEPS = 32  # every recording is brought to this many frames before two are compared
MOST_RECORDINGS = 10_000  # training recordings looked at


@dataclass(frozen=True)
class Baseline:
    """Answers of one baseline.

    Attributes:
        name: Key in metrics.json.
        label: What people read.
        note: What it did, in a few words.
        test: Texts for the test part.
        validation: And for the validation part, or None where there is none.
    """

    name: str
    label: str
    note: str
    test: list[str]
    validation: list[str] | None


def run_baselines(data: TranscribeData) -> list[Baseline]:
    """Learn every baseline from the training part."""
    return [
        _nearest(data),
        most_frequent(data.most_frequent, len(data.test), len(data.validation)),
    ]


def most_frequent(text: str, test: int, validation: int | None) -> Baseline:
    """Always the same transcript, for so many recordings."""
    others = None if validation is None else [text] * validation
    return Baseline("most_frequent", "most frequent transcript", f"always {text!r}", [text] * test, others)


def _nearest(data: TranscribeData) -> Baseline:
    """The transcript of the nearest training recording, all brought to the same length."""
    rows = np.unique(np.linspace(0, len(data.train) - 1, MOST_RECORDINGS).astype(np.intp))
    index = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(
        _pictures([data.train.heard[row].features for row in rows])
    )

    def answers(part: Part) -> list[str]:
        near = index.kneighbors(_pictures(part.features), return_distance=False)[:, 0]
        return [data.train.heard[rows[place]].text for place in near]

    note = f"log-mel features brought to {STEPS} frames, Euclidean distance"
    return Baseline(
        "nearest_recording", "nearest recording", note, answers(data.test), answers(data.validation)
    )


def _pictures(features: Sequence[Tensor]) -> npt.NDArray[np.float32]:
    """Each recording with the same number of frames, flat, (N, STEPS · I)."""
    same = [functional.interpolate(one.T[None], size=STEPS, mode="linear")[0].flatten() for one in features]
    found: npt.NDArray[np.float32] = torch.stack(same).numpy()
    return found

"""What a composer must beat: constant rates, one step of memory for each note, near neighbours.

They answer as the network does, with the probability of each note given the steps before. What there is to
choose is chosen on the validation part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from throughtime.tasks.music_data import MusicData, MusicPart
from throughtime.tasks.music_network import step_nats

NEIGHBOURS = (10, 20, 40, 80, 160)  # candidates for k
FADING = 0.5  # what a step counts beside the one after it, when contexts are compared
MEMORY = 4  # steps of a context
AT_ONCE = 1_024  # contexts compared together
RATES = "constant rates"
RATES_NOTE = "each note as often as in training"


@dataclass(frozen=True)
class MusicBaseline:
    """Answers of one baseline.

    Attributes:
        name: Key in metrics.json.
        label: What people read.
        note: What it did, in a few words.
        test: Logits of each step but the first of every test piece, (S, N).
        validation: Of the validation pieces, or None where there is no validation part.
    """

    name: str
    label: str
    note: str
    test: Tensor
    validation: Tensor | None


def following(bits: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Every step that follows another, behind each other: (steps before, steps), each (S, N)."""
    before, after = [one[:-1] for one in bits], [one[1:] for one in bits]
    return torch.cat(before), torch.cat(after)


def run_baselines(data: MusicData) -> list[MusicBaseline]:
    """Learn every baseline from the training part."""
    return [
        constant_rates(data.rates, data.test, data.validation),
        _one_step_of_memory(data),
        _neighbours(data),
    ]


def constant_rates(rates: Tensor, test: MusicPart, validation: MusicPart | None) -> MusicBaseline:
    """Each note as often as in training, whatever came before."""

    def answer(part: MusicPart) -> Tensor:
        return torch.logit(rates).expand(len(following(part.bits)[1]), -1)

    on_validation = None if validation is None else answer(validation)
    return MusicBaseline("constant_rates", RATES, RATES_NOTE, answer(test), on_validation)


def _one_step_of_memory(data: MusicData) -> MusicBaseline:
    """How often a note sounds after a step in which it sounded, and after one in which it did not."""
    before, after = following(data.train.bits)
    stays = ((before * after).sum(dim=0) + 1) / (before.sum(dim=0) + 2)
    comes = (((1 - before) * after).sum(dim=0) + 1) / ((1 - before).sum(dim=0) + 2)

    def answer(part: MusicPart) -> Tensor:
        sounded = following(part.bits)[0]
        return torch.logit(sounded * stays + (1 - sounded) * comes)

    note = "each note by whether it sounded a step before"
    return MusicBaseline("one_step", "one step of memory", note, answer(data.test), answer(data.validation))


def _neighbours(data: MusicData) -> MusicBaseline:
    """What followed the k training contexts nearest by cosine, beside the constant rates; k by validation."""
    known, after = contexts(data.train.bits), following(data.train.bits)[1]
    candidates = [k for k in NEIGHBOURS if k <= len(known)] or [len(known)]
    truth = following(data.validation.bits)[1]
    on_validation = _follow(contexts(data.validation.bits), known, after, data.rates, candidates)
    nats = [float(step_nats(logits, truth).mean()) for logits in on_validation]
    best = min(range(len(candidates)), key=nats.__getitem__)
    k = candidates[best]
    (on_test,) = _follow(contexts(data.test.bits), known, after, data.rates, [k])
    note = f"k = {k}, contexts of {MEMORY} steps"
    return MusicBaseline("nearest_neighbours", "k-nearest neighbours", note, on_test, on_validation[best])


def contexts(bits: Sequence[Tensor]) -> Tensor:
    """The last `MEMORY` steps before each step but the first, older ones fading, unit length: (S, N)."""
    found = []
    for one in bits:
        summed = torch.zeros_like(one[:-1])
        for age in range(min(MEMORY, len(one) - 1)):
            summed[age:] += FADING**age * one[: len(one) - 1 - age]
        found.append(summed)
    return torch.nn.functional.normalize(torch.cat(found), dim=1)


def _follow(asked: Tensor, known: Tensor, after: Tensor, rates: Tensor, counts: list[int]) -> list[Tensor]:
    """Logits for each count of neighbours, each (S, N); the rates count as two neighbours."""
    found: list[list[Tensor]] = [[] for _ in counts]
    for some in torch.split(asked, AT_ONCE):
        near = (some @ known.T).topk(counts[-1], dim=1).indices
        summed = torch.stack([after[row] for row in near.unbind(1)]).cumsum(dim=0)  # (k, S, N)
        for place, k in enumerate(counts):
            found[place].append(torch.logit((summed[k - 1] + 2 * rates) / (k + 2)))
    return [torch.cat(parts) for parts in found]

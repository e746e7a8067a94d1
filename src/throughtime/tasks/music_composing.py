"""Making music with a trained network: step by step, each drawn from the network's answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from throughtime.data.rolls import Step, to_bits
from throughtime.nn.music_network import MusicNetwork


def compose(
    network: MusicNetwork,
    length: int,
    *,
    lowest: int,
    prompt: Sequence[Step] = (),
    temperature: float = 1.0,
    most: int | None = None,
    threshold: float | None = None,
    seed: int | None = None,
) -> Iterator[Step]:
    """Steps that follow the prompt, one at a time.

    Args:
        network: Trained.
        length: How many steps to make.
        lowest: MIDI number of the first of N notes.
        prompt: Steps to hear first; empty begins a piece.
        temperature: Divides the logits: below 1 surer and tamer, above 1 wilder.
        most: Let at most so many notes sound in a step, the likeliest of those drawn.
        threshold: Instead of drawing, sound every note at least so likely.
        seed: Of the draws; None: another piece each time.
    """
    draw = torch.Generator()
    if seed is None:
        draw.seed()
    else:
        draw.manual_seed(seed)
    stream = network.recurrent.stream()
    weight, bias = network.head.weight.detach(), network.head.bias.detach()
    notes = len(bias)
    bits = to_bits(prompt, lowest, lowest + notes - 1)
    x = torch.zeros(1, notes)
    y = stream(x)
    for step in bits:
        y = stream(step.unsqueeze(0))
    for _ in range(length):
        probability = torch.sigmoid((y @ weight.T + bias)[0] / temperature)
        chosen = _choose(probability, most, threshold, draw)
        yield tuple(lowest + note for note in chosen)
        x = torch.zeros(1, notes)
        x[0, chosen] = 1
        y = stream(x)


def _choose(
    probability: Tensor, most: int | None, threshold: float | None, draw: torch.Generator
) -> list[int]:
    """Columns that sound, rising."""
    if threshold is None:
        sounds = torch.rand(len(probability), generator=draw) < probability
    else:
        sounds = probability >= threshold
    if most is not None and int(sounds.sum()) > most:
        likeliest = probability.masked_fill(~sounds, -1.0).topk(most).indices
        sounds = torch.zeros_like(sounds)
        sounds[likeliest] = True
    found: list[int] = sounds.nonzero().flatten().tolist()
    return found

"""A trained network that goes on from a prompt, and that judges single lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from throughtime.data.symbols import named
from throughtime.errors import DataError
from throughtime.nn.generate_network import GenerateNetwork
from throughtime.nn.sampling import draw, shares
from throughtime.tasks.counting_models import Floats
from throughtime.tasks.generate_text_settings import TextSampling
from throughtime.tasks.generate_text_units import TextUnits, per_character

LINE_END = "\n"
STEPS = 256  # of a line that are read at once


class Drawn(NamedTuple):
    """What is generated in one step, and its probability by the network itself, before temperature and cuts.

    Attributes:
        text: A character; or those that a piece finishes, none where it ends inside the first of them.
        probability: Of the character or piece.
    """

    text: str
    probability: float


def check_prompt(symbols: TextUnits, prompt: str) -> None:
    """Refuse a prompt with a character that training never saw. Raises `DataError` naming it."""
    missing = symbols.missing(prompt)
    for place, character in enumerate(prompt, 1):
        if character in missing:
            raise DataError(
                f"prompt: character {place}, {named(character)}, never occurred in the text it learnt from; "
                f"it knows {len(symbols)} characters: {_listed(symbols)}"
            )


def go_on(network: GenerateNetwork, symbols: TextUnits, sampling: TextSampling) -> Iterator[Drawn]:
    """Characters or pieces one by one, each drawn after those before, until `length` characters are whole.

    Args:
        network: Its weights of now are used.
        symbols: Its alphabet or vocabulary.
        sampling: Prompt, length, how to draw, and the seed of a generator of its own. The empty prompt begins
            as after a line end.
    """
    generator = torch.Generator().manual_seed(sampling.seed)
    step = network.stepper()
    for number in symbols.number(sampling.prompt).tolist() or [_begin(symbols)]:
        logits = step(number)
    share = partial(shares, temperature=sampling.temperature, top_k=sampling.top_k, top_p=sampling.top_p)
    written, decode = 0, symbols.decoder()
    while written < sampling.length:
        number = draw(share(logits), generator)
        text = decode(number)
        yield Drawn(text, float(torch.softmax(logits, dim=0)[number]))
        written += len(text)
        logits = step(number)


def line_surprises(network: GenerateNetwork, symbols: TextUnits, lines: Sequence[str]) -> list[Floats]:
    """-log of the probability of each character of lines, each read by itself as after a line end.

    Args:
        network: In eval mode.
        symbols: Its alphabet or vocabulary.
        lines: N of them, without line ends.

    Returns:
        For each line (N,), nats; NaN where the character is unknown. Those of a piece are shared out.
    """
    numbers = [symbols.number(line) for line in lines]
    targets = pad_sequence(numbers, padding_value=symbols.unknown)  # (T, N)
    first = torch.full((1, len(lines)), _begin(symbols))
    inputs = torch.cat([first, targets])[:-1]
    found, state = [torch.zeros(0, len(lines))], None
    with torch.inference_mode():
        for start in range(0, len(targets), STEPS):
            wanted = targets[start : start + STEPS]
            logits, state = network(inputs[start : start + STEPS], state)
            known = wanted.clamp(max=len(symbols) - 1)
            nats = functional.cross_entropy(logits.flatten(0, 1), known.flatten(), reduction="none")
            found.append(nats.view_as(wanted).masked_fill(wanted != known, torch.nan))
    together = torch.cat(found)
    each = ((one, together[: len(one), place].double().numpy()) for place, one in enumerate(numbers))
    return [per_character(nats, one, symbols) for one, nats in each]


def _begin(symbols: TextUnits) -> int:
    """What is read before the first character: a line end, or an unknown character where there is none."""
    return int(symbols.number(LINE_END)[0])


def _listed(symbols: TextUnits) -> str:
    names = (symbols.text([number]) for number in range(len(symbols)))
    shown = "".join(name for name in names if name.isprintable())
    return shown if len(shown) <= 100 else f"{shown[:100]}…"

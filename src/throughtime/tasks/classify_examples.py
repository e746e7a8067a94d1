"""Test texts and sequences that a report shows, each with what in it counts for the answer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from throughtime.data import Words
from throughtime.data.words import UNKNOWN
from throughtime.page import classify_report as page
from throughtime.tasks.classify_data import ClassifyData
from throughtime.tasks.classify_encoders import NumberEncoder, TextEncoder
from throughtime.tasks.classify_evaluation import Evaluation
from throughtime.tasks.classify_network import at_temperature, log_probabilities

EXAMPLES = 6  # in each group
LONGEST = 80  # words of a text whose words are weighed; longer ones are not shown
STRETCHES = 12  # of a sequence, each weighed
MOST_POINTS = 300  # drawn of a sequence; longer ones are drawn with gaps between the steps
MOST_CHANNELS = 64  # drawn of a step

Floats = npt.NDArray[np.float64]


def example_groups(network: nn.Module, data: ClassifyData, evaluation: Evaluation) -> list[page.Group]:
    """The surest that are wrong, the least sure, and the surest that are right, of the test part."""
    confidence = evaluation.test.max(axis=1)
    right = evaluation.test.argmax(axis=1) == data.test.truth
    shown = np.ones(len(data.test), dtype=bool)
    if isinstance(data.encoder, TextEncoder):
        shown = np.array([len(one) <= LONGEST for one in data.test.inputs])
    surest = np.argsort(-confidence, kind="stable")
    noun = data.encoder.noun
    chosen = {
        ("Wrong and sure", f"The {noun}s it is most wrong about."): surest[(~right & shown)[surest]],
        ("Least sure", f"The {noun}s it can hardly decide on."): surest[shown[surest]][::-1],
        ("Right and sure", f"The {noun}s it is surest of."): surest[(right & shown)[surest]],
    }
    return [
        page.Group(
            title=title,
            text=text,
            examples=[_example(network, data, evaluation, int(row)) for row in rows[:EXAMPLES]],
        )
        for (title, text), rows in chosen.items()
        if len(rows)
    ]


def word_counts(network: nn.Module, words: Words, text: str, answer: int, temperature: float) -> Floats:
    """By how much the probability of a class falls when one word is made unknown: (T,), all words in turn.

    Args:
        network: An `Ensemble`.
        words: Its vocabulary.
        text: T words, at least 1.
        answer: The class.
        temperature: Of the probabilities.
    """
    (symbols,) = words.number([text])
    changed = symbols.repeat(len(symbols) + 1, 1)  # (T + 1, T); the last row stays as it is
    changed[torch.arange(len(symbols)), torch.arange(len(symbols))] = UNKNOWN
    found = at_temperature(log_probabilities(network, list(changed)), temperature)[:, answer]
    counts: Floats = found[-1] - found[:-1]
    return counts


def stretch_counts(
    network: nn.Module, sequence: Tensor, answer: int, temperature: float
) -> tuple[list[tuple[int, int]], Floats]:
    """By how much the probability of a class falls when one stretch is put at the training mean.

    Args:
        network: An `Ensemble`.
        sequence: As the network reads it, (T, I), scaled: the training mean is 0.
        answer: The class.
        temperature: Of the probabilities.

    Returns:
        First and last step of each stretch, at most `STRETCHES` of about the same length, and what each
        counts.
    """
    parts = np.array_split(np.arange(len(sequence)), min(STRETCHES, len(sequence)))
    changed = sequence.repeat(len(parts) + 1, 1, 1)  # the last row stays as it is
    for row, part in enumerate(parts):
        changed[row, part[0] : part[-1] + 1] = 0
    found = at_temperature(log_probabilities(network, list(changed)), temperature)[:, answer]
    counts: Floats = found[-1] - found[:-1]
    return [(int(part[0]), int(part[-1])) for part in parts], counts


def _example(network: nn.Module, data: ClassifyData, evaluation: Evaluation, row: int) -> page.Example:
    answer, temperature = int(evaluation.test[row].argmax()), evaluation.metrics.temperature
    shown = page.Example(
        answer=data.classes[answer],
        confidence=float(evaluation.test[row, answer]),
        truth=data.classes[int(data.test.truth[row])],
    )
    if isinstance(data.encoder, TextEncoder):
        text, words = data.test.items[row], data.encoder.words
        names = words.cut(text) or [text]
        counts = word_counts(network, words, text, answer, temperature)
        pairs = zip(names, counts, strict=True)
        return shown.model_copy(
            update={"words": tuple(page.Word(text=name, counts=count) for name, count in pairs)}
        )
    return shown.model_copy(update=_drawn(network, data.encoder, data.test.inputs[row], answer, temperature))


def _drawn(
    network: nn.Module, encoder: NumberEncoder, sequence: Tensor, answer: int, temperature: float
) -> dict[str, object]:
    """Steps, channels and stretches of a sequence, for the page."""
    ends, counts = stretch_counts(network, sequence, answer, temperature)
    T = len(sequence)
    steps = np.unique(np.linspace(0, T - 1, min(T, MOST_POINTS)).round().astype(int))
    columns = sequence[steps, :MOST_CHANNELS].T.tolist()
    names = encoder.channels.names[:MOST_CHANNELS]
    return {
        "steps": tuple((steps + 1).tolist()),
        "channels": tuple(
            page.Channel(name=name, values=values) for name, values in zip(names, columns, strict=True)
        ),
        "stretches": tuple(
            page.Stretch(first=first + 1, last=last + 1, counts=count)
            for (first, last), count in zip(ends, counts.tolist(), strict=True)
        ),
    }

"""What the page of a trained generator of text says, gathered from what was read, trained and measured."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from throughtime.nn.generate_network import GenerateNetwork
from throughtime.page import generate_text_report as page
from throughtime.tasks.counting_models import Floats
from throughtime.tasks.fitting import Fitted
from throughtime.tasks.generate_text_card import TextRun
from throughtime.tasks.generate_text_data import TextData, TextPart
from throughtime.tasks.generate_text_evaluation import Evaluation
from throughtime.tasks.generate_text_network import describe_network
from throughtime.tasks.generate_text_sampling import go_on
from throughtime.tasks.generate_text_scores import MethodScores, TextMetrics, TextScores
from throughtime.tasks.generate_text_settings import TextSampling
from throughtime.tasks.reporting import shared_report
from throughtime.training import Diagnosis

PASSAGE = 1_200  # characters of the passage that is shown with its surprises
EXAMPLES = 6  # lines in each group
SHORTEST, LONGEST = 20, 120  # characters of such a line
TEMPERATURES = (0.5, 0.8, 1.0)
PLACES = (
    "first letter of a word",
    "second letter",
    "third letter",
    "later letters",
    "space",
    "line end",
    "sign",
)

TextFitted = Fitted[TextRun, TextData, GenerateNetwork, Evaluation]


def build_report(fitted: TextFitted, diagnosis: Diagnosis) -> page.TextReport:
    """Gather everything that `render_text_report` draws."""
    run, data, metrics = fitted.run, fitted.data, fitted.evaluation.metrics
    network = describe_network(run.settings)
    judged = data.test if data.test is not None else data.validation
    return page.TextReport(
        **shared_report(fitted, data.repairs, diagnosis),
        title=f"A generator of text like {run.source.name}",
        network=network,
        loss_name=f"cross-entropy, nats per {metrics.unit}",
        unit=metrics.unit,
        source=run.source.name,
        alphabet=len(data.symbols),
        part=metrics.part,
        parts=[page.PartOfData(part=name, characters=len(part)) for name, part in _parts(data)],
        scores=_scores(metrics, network),
        samples=_samples(fitted),
        written=[_written(fitted, temperature) for temperature in TEMPERATURES],
        passage=typical_passage(judged, fitted.evaluation.surprise),
        groups=groups_of_lines(judged, fitted.evaluation.surprise),
        places=places_in_text(judged.text, fitted.evaluation.surprise),
        limits=_limits(metrics, run),
    )


def typical_passage(part: TextPart, surprise: Floats, length: int = PASSAGE) -> page.Passage:
    """Whole lines of about `length` characters whose mean surprise is nearest to that of the part."""
    starts = [0, *(place + 1 for place, one in enumerate(part.text) if one == "\n")]
    starts = [start for start in starts if start + length < len(part)] or [0]
    nats = _with_first(part.text, surprise)
    sums = np.concatenate([[0.0], np.nancumsum(nats)])
    stops = [min(start + length, len(part)) for start in starts]
    means = np.array([(sums[b] - sums[a]) / (b - a) for a, b in zip(starts, stops, strict=True)])
    chosen = int(np.abs(means - np.nanmean(surprise)).argmin())
    start, stop = starts[chosen], stops[chosen]
    last_line_end = part.text.rfind("\n", start, stop)
    if last_line_end > start + length // 2:
        stop = last_line_end
    return _passage(part.text[start:stop], nats[start:stop])


def groups_of_lines(part: TextPart, surprise: Floats) -> list[page.Group]:
    """Lines that it foresees worst and best, by their mean surprise."""
    nats = _with_first(part.text, surprise)
    lines, start = [], 0
    for text in part.text.split("\n"):
        stop = start + len(text)
        inside = nats[start:stop]
        if SHORTEST <= len(text) <= LONGEST and not np.isnan(inside).any():
            lines.append((float(inside.mean()), start, stop))
        start = stop + 1
    lines = list({part.text[start:stop]: (mean, start, stop) for mean, start, stop in lines}.values())
    lines.sort()

    def passages(chosen: Iterable[tuple[float, int, int]]) -> list[page.Passage]:
        return [_passage(part.text[start:stop], nats[start:stop]) for _, start, stop in chosen]

    if not lines:
        return []
    return [
        page.Group(
            title="Foreseen worst",
            text=f"The lines of {SHORTEST} to {LONGEST} characters with the largest mean surprise.",
            passages=passages(lines[::-1][:EXAMPLES]),
        ),
        page.Group(
            title="Foreseen best", text="And those with the smallest.", passages=passages(lines[:EXAMPLES])
        ),
    ]


def places_in_text(text: str, surprise: Floats) -> list[page.PlaceInText]:
    """Mean surprise by where a character stands: at a word's beginning, inside, between words."""
    names, letters = [], 0  # letters of the word so far
    for one in text:
        names.append(_place(one, letters))
        letters = letters + 1 if one.isalnum() else 0
    places, known = np.array(names[-len(surprise) :]), ~np.isnan(surprise)
    found = []
    for name in PLACES:
        nats = surprise[(places == name) & known]
        if len(nats):
            share = float(nats.sum() / surprise[known].sum())
            found.append(
                page.PlaceInText(place=name, characters=len(nats), nats=float(nats.mean()), share=share)
            )
    return found


def _with_first(text: str, surprise: Floats) -> Floats:
    """The surprise of every character: NaN for the first, which are not judged."""
    return np.concatenate([np.full(len(text) - len(surprise), np.nan), surprise])


def _place(one: str, letters: int) -> str:
    if one.isalnum():
        return PLACES[min(letters, 3)]
    return "line end" if one == "\n" else "space" if one.isspace() else "sign"


def _passage(text: str, nats: Floats) -> page.Passage:
    return page.Passage(text=text, nats=[round(float(one), 2) for one in nats])


def _parts(data: TextData) -> list[tuple[str, TextPart]]:
    parts = [("training", data.train), ("validation", data.validation), ("test", data.test)]
    return [(name, part) for name, part in parts if part is not None]


def _scores(metrics: TextMetrics, network: str) -> list[page.Score]:
    own = MethodScores(label="network", note=network, validation=metrics.validation, test=metrics.test)
    return [_score("network", "network", own)] + [
        _score(name, "baseline", one) for name, one in metrics.baselines.items()
    ]


def _score(name: str, kind: page.Kind, one: MethodScores) -> page.Score:
    validation, test = _figures(one.validation), _figures(one.test)
    return page.Score(name=name, label=one.label, kind=kind, note=one.note, validation=validation, test=test)


def _figures(scores: TextScores | None) -> page.Figures | None:
    if scores is None:
        return None
    return page.Figures(
        nats=scores.nats,
        bits=scores.bits,
        perplexity=scores.perplexity,
        piece_perplexity=scores.piece_perplexity,
    )


def _samples(fitted: TextFitted) -> list[page.Sample]:
    return [
        page.Sample(epoch=epoch.epoch, validation_loss=epoch.validation_loss, text=epoch.note)
        for epoch in fitted.result.history
        if epoch.note
    ]


def _written(fitted: TextFitted, temperature: float) -> page.Written:
    drawn = go_on(fitted.network, fitted.data.symbols, TextSampling(temperature=temperature))
    return page.Written(temperature=temperature, text="".join(one.text for one in drawn))


def _limits(metrics: TextMetrics, run: TextRun) -> list[str]:
    limits = [
        "The parts are read in streams side by side, each from a state of zero, so that its first characters "
        "are foreseen with less context than the others."
    ]
    if metrics.unit == "piece":
        limits.append(
            "A text can be written in pieces in more than one way; judged is the way its vocabulary cuts it, "
            "so the network finds the text at least as likely as the figures say. The nats of a piece are "
            "shared out evenly among its characters."
        )
    if metrics.test is None:
        limits.insert(
            0,
            "The validation part also chose the epoch whose weights are kept, so its figures flatter a "
            "little; a third share in --split, or --test FILE, gives a part that chose nothing.",
        )
    return limits

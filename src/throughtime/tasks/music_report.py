"""What the page of a trained composer says, gathered from what was read, trained and measured."""

from __future__ import annotations

import json
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from throughtime.data.midi_write import TEMPO
from throughtime.data.rolls import STEPS_A_QUARTER, to_bits
from throughtime.nn.music_network import MusicNetwork
from throughtime.page import music_report as page
from throughtime.tasks.fitting import Fitted
from throughtime.tasks.music_card import MusicRun
from throughtime.tasks.music_composing import compose
from throughtime.tasks.music_data import MusicData
from throughtime.tasks.music_evaluation import MusicEvaluation
from throughtime.tasks.music_network import LOSS_NAME, describe_network, note_logits, step_nats
from throughtime.tasks.music_scores import MusicMetrics, MusicScores
from throughtime.tasks.reporting import shared_report
from throughtime.training import Diagnosis

MADE = 64  # steps of a piece that is made for the page
GIVEN = 16  # steps of a test piece that the network goes on from
LONGEST = 200  # steps shown of a test piece
AROUND = 2  # rows shown above and below the notes that occur
NOTED = 32  # steps of the piece that is made after each epoch
SEED = 1

MusicFitted = Fitted[MusicRun, MusicData, MusicNetwork, MusicEvaluation]


def build_report(fitted: MusicFitted, diagnosis: Diagnosis) -> page.MusicReport:
    """Gather everything that `render_music_report` draws."""
    run, data, metrics = fitted.run, fitted.data, fitted.evaluation.metrics
    network = describe_network(run.settings, data.highest - data.lowest + 1)
    named = (("training", data.train), ("validation", data.validation), ("test", data.test))
    return page.MusicReport(
        **shared_report(fitted, data.repairs, diagnosis),
        title=f"Music after {run.source.name}",
        network=network,
        loss_name=LOSS_NAME,
        source=run.source.name,
        parts=[page.PartOfMusic(part=name, pieces=len(part), steps=part.steps) for name, part in named],
        notes=(data.lowest, data.highest),
        grid=run.settings.grid,
        steps_a_quarter=STEPS_A_QUARTER[run.settings.grid],
        tempo=data.tempo or TEMPO,
        scores=_scores(metrics, network),
        first_step_nats=metrics.first_step_nats,
        rolls=_rolls(fitted),
        samples=[
            page.MusicSample(
                epoch=epoch.epoch, validation_loss=epoch.validation_loss, steps=json.loads(epoch.note)
            )
            for epoch in fitted.result.history
            if epoch.note  # the first of several processes alone makes them
        ],
        calibration=[page.NoteBin(**one.model_dump()) for one in metrics.calibration],
        pieces=[page.PieceFigures(**one.model_dump()) for one in metrics.pieces],
        limits=[
            "The notes of a step are drawn independently of each other, so a chord may hold notes that "
            "were likely each by itself and not together.",
            "A roll does not tell a held note from a repeated one.",
        ],
    )


def middle_piece(metrics: MusicMetrics) -> int:
    """The test piece that is neither easy nor hard: the median by nats per step, of pieces of two steps."""
    costs = [
        (one.nats_per_step, row) for row, one in enumerate(metrics.pieces) if one.nats_per_step is not None
    ]
    return sorted(costs)[len(costs) // 2][1]


def note_of(lowest: int, network: nn.Module) -> str:
    """What the network makes by itself after an epoch, always from the same draws, as JSON."""
    assert isinstance(network, MusicNetwork)
    return json.dumps(list(compose(network, NOTED, lowest=lowest, seed=SEED)))


def _rolls(fitted: MusicFitted) -> list[page.ShownRoll]:
    """A test piece, the network's way on from its beginning, and a piece of its own."""
    data, network = fitted.data, fitted.network
    row = middle_piece(fitted.evaluation.metrics)
    piece = data.test.rolls[row]
    given = piece.steps[: min(GIVEN, len(piece) - 1)]
    went_on = [*given, *compose(network, MADE, lowest=data.lowest, prompt=given, seed=SEED)]
    own = list(compose(network, MADE, lowest=data.lowest, seed=SEED))
    shown = [
        ("A test piece", f"{piece.name}: the median of the test pieces by nats.", piece.steps[:LONGEST], 0),
        (
            "The network goes on",
            f"{len(given)} steps of that piece, then {MADE} of its own.",
            went_on,
            len(given),
        ),
        ("From nothing", f"{MADE} steps that nothing came before.", own, 0),
    ]
    bits = [to_bits(steps, data.lowest, data.highest) for _, _, steps, _ in shown]
    first, last = _rows(bits)
    answers = note_logits(network, bits)
    return [
        page.ShownRoll(
            title=title,
            text=text,
            steps=tuple(steps),
            lowest=data.lowest + first,
            chances=_percent(logits[:, first : last + 1]),
            nats=step_nats(logits, truth).tolist(),
            given=count,
        )
        for (title, text, steps, count), truth, logits in zip(shown, bits, answers, strict=True)
    ]


def _rows(bits: Sequence[Tensor]) -> tuple[int, int]:
    """First and last column worth showing, the same for all rolls."""
    used = torch.cat(list(bits)).any(dim=0).nonzero().flatten().tolist() or [0]
    return max(0, used[0] - AROUND), min(bits[0].shape[1] - 1, used[-1] + AROUND)


def _percent(logits: Tensor) -> list[list[int]]:
    percent: list[list[int]] = (100 * logits.sigmoid()).round().int().tolist()
    return percent


def _figures(scores: MusicScores) -> page.MusicFigures:
    return page.MusicFigures(nats_per_step=scores.nats_per_step, frame_accuracy=scores.frame_accuracy)


def _scores(metrics: MusicMetrics, label: str) -> list[page.MusicScore]:
    assert metrics.validation is not None
    network = page.MusicScore(
        name="network",
        label="network",
        kind="network",
        note=label,
        validation=_figures(metrics.validation),
        test=_figures(metrics.test),
    )
    found = [network]
    for name, baseline in metrics.baselines.items():
        assert baseline.validation is not None
        found.append(
            page.MusicScore(
                name=name,
                label=baseline.label,
                kind="baseline",
                note=baseline.note,
                validation=_figures(baseline.validation),
                test=_figures(baseline),
            )
        )
    return found

"""What the page of a trained transcriber says, gathered from what was read, trained and measured."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from throughtime.data import Sound
from throughtime.data.sound import sound_files
from throughtime.data.spelling import BLANK
from throughtime.nn.ctc_decoding import align
from throughtime.nn.transcribe_network import TranscribeNetwork
from throughtime.page import transcribe_report as page
from throughtime.tasks.fitting import Fitted
from throughtime.tasks.reporting import shared_report
from throughtime.tasks.transcribe_card import TranscribeRun
from throughtime.tasks.transcribe_data import Part, TranscribeData
from throughtime.tasks.transcribe_evaluation import Evaluation
from throughtime.tasks.transcribe_network import LOSS_NAME, Floats, describe_network
from throughtime.tasks.transcribe_scores import BothScores, PartScores, TranscribeMetrics, aligned
from throughtime.training import Diagnosis

EXAMPLES = 3  # recordings in each group
LONGEST = 20.0  # seconds of a recording that is shown
MOST_SOUND = 1_500_000  # bytes of sound in the page, in all
SELDOM = 0.02  # a symbol that is never likelier than this has no row of its own
DYNAMIC = 8 * np.log(10)  # the spectrogram shows 80 dB, as the network gets them

TranscribeFitted = Fitted[TranscribeRun, TranscribeData, TranscribeNetwork, Evaluation]


def build_report(fitted: TranscribeFitted, diagnosis: Diagnosis) -> page.TranscribeReport:
    """Gather everything that `render_transcribe_report` draws."""
    run, data, metrics = fitted.run, fitted.data, fitted.evaluation.metrics
    return page.TranscribeReport(
        **shared_report(fitted, data.repairs, diagnosis),
        title=f"Speech of {run.source.name}",
        network=describe_network(run.settings),
        source=run.source.name,
        parts=[_part(name, part) for name, part in _parts(data)],
        symbols=data.symbols.names[1:],
        highest=data.mel.rate / 2,
        loss_name=LOSS_NAME,
        methods=_methods(metrics),
        confidence=metrics.confidence,
        confusions=[page.Confusion(**one.model_dump()) for one in metrics.confusions],
        recordings=_recordings(data, fitted.evaluation, run.settings.stack),
        limits=[
            "CTC learns which symbols follow each other, not when they are said: a symbol may be written a "
            "little before or after it is heard."
        ],
    )


def _parts(data: TranscribeData) -> list[tuple[str, Part]]:
    return [("training", data.train), ("validation", data.validation), ("test", data.test)]


def _part(name: str, part: Part) -> page.PartOfData:
    words = sum(len(text.split()) for text in part.texts)
    return page.PartOfData(part=name, recordings=len(part), seconds=part.seconds, words=words)


def _figures(scores: PartScores) -> page.Figures:
    return page.Figures(wer=scores.wer, cer=scores.cer, sentences=scores.sentences)


def _methods(metrics: TranscribeMetrics) -> list[page.Method]:
    """The decoder that answers first."""
    networks = sorted(metrics.decoders.items(), key=lambda item: item[0] != metrics.decoder)
    return [
        *(_method(name, scores, "network") for name, scores in networks),
        *(_method(name, scores, "baseline") for name, scores in metrics.baselines.items()),
    ]


def _method(name: str, scores: BothScores, kind: Literal["network", "baseline"]) -> page.Method:
    assert scores.validation is not None
    return page.Method(
        name=name,
        label=scores.label,
        kind=kind,
        note=scores.note,
        validation=_figures(scores.validation),
        test=_figures(scores.test),
    )


def _recordings(data: TranscribeData, evaluation: Evaluation, stack: int) -> list[page.Listened]:
    pairs = aligned(data.test.texts, evaluation.answers)
    chosen = _chosen(data.test, pairs, evaluation.confidence)
    room = MOST_SOUND
    found = []
    for group, row in chosen:
        sound = data.test.heard[row].speech.sound(data.test.heard[row].row, data.mel.rate)
        wav = _wav(sound, room)
        room -= len(wav or "")
        seen = _listened(data, evaluation.logs[row], pairs[row], sound, stack)
        found.append(page.Listened(group=group, confidence=evaluation.confidence[row], sound=wav, **seen))
    return found


def _chosen(
    part: Part, pairs: Sequence[Sequence[tuple[str, str]]], confidence: Sequence[float]
) -> list[tuple[str, int]]:
    """Recordings to show, each once: the most wrong, the least sure, and some that are right."""
    wrong = np.array([sum(said != answered for said, answered in row) for row in pairs])
    fits = np.array([one.seconds <= LONGEST for one in part.heard])
    sure = np.array(confidence)
    orders = {
        "Most wrong": [row for row in np.lexsort((sure, -wrong)) if wrong[row]],
        "Least sure": list(np.argsort(sure, kind="stable")),
        "Right and sure": [row for row in np.argsort(-sure, kind="stable") if not wrong[row]],
    }
    taken: dict[int, str] = {}
    for group, rows in orders.items():
        for row in [int(row) for row in rows if fits[row] and int(row) not in taken][:EXAMPLES]:
            taken[row] = group
    return [(group, row) for row, group in taken.items()]


def _listened(
    data: TranscribeData, logs: Floats, words: Sequence[tuple[str, str]], sound: Sound, stack: int
) -> dict[str, Any]:
    """What the network heard in one recording, as fields of `Listened`."""
    mel, names = data.mel, data.symbols.names
    answer = data.symbols.number(" ".join(answered for _, answered in words if answered))
    shares = np.exp(logs.astype(np.float64))  # (T, K)
    shown = [k for k in range(len(names)) if k == BLANK or k in answer or shares[:, k].max() >= SELDOM]
    power = mel(sound.samples, sound.name).numpy()
    levels = np.clip((power - power.max()) / DYNAMIC + 1, 0, 1)  # (T, I)
    levels = np.pad(levels, ((0, stack * len(logs) - len(levels)), (0, 0)))  # as long as the steps
    return {
        "name": sound.name,
        "words": tuple(words),
        "seconds": sound.seconds,
        "spectrogram": np.rint(99 * levels.T[::-1]).astype(int).tolist(),
        "symbols": [names[k] for k in shown],
        "posterior": np.rint(100 * shares[:, shown].T).astype(int).tolist(),
        "step": stack * mel.step / mel.rate,
        "path": [
            page.Written(symbol=names[k], start=int(first), end=int(last))
            for k, (first, last) in zip(answer, align(logs, answer).spans, strict=True)
        ],
    }


def _wav(sound: Sound, room: int) -> str | None:
    """A WAV file in base64; None if it does not fit into `room` bytes."""
    file = io.BytesIO()
    loudest = float(np.abs(sound.samples).max())
    sound_files().write(file, 0.9 / loudest * sound.samples, sound.rate, format="WAV", subtype="PCM_16")
    text = base64.b64encode(file.getvalue()).decode("ascii")
    return text if len(text) <= room else None

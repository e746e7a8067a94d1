"""Music among what generates: measuring a composer, making MIDI files, the nats of other pieces."""

from __future__ import annotations

import json
import math
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from throughtime.cli.answering import in_groups, write_answers
from throughtime.cli.fitting import print_metrics, print_scores
from throughtime.cli.options import parse_options
from throughtime.data.midi_write import TEMPO, write_midi
from throughtime.data.music import read_music
from throughtime.data.rolls import Roll
from throughtime.errors import SettingsError
from throughtime.tasks.music import Composer
from throughtime.tasks.music_scores import MusicMetrics
from throughtime.tasks.music_settings import MusicSampling

ESTIMATOR = Composer
SAMPLING = MusicSampling
EXPECTED = "music to learn from, as in: throughtime fit generate chorales.json"


def show(metrics: MusicMetrics) -> None:
    """Print the figures for people."""
    others = [(one.label, one, one.note) for one in metrics.baselines.values()]
    print_scores(
        f"Music: {metrics.test.pieces:,} test pieces, {metrics.test.steps:,} steps",
        ("nats per step", "notes foretold"),
        [
            (label, f"{scores.nats_per_step:.3f}", f"{scores.frame_accuracy:.1%}", note)
            for label, scores, note in [("network", metrics.test, ""), *others]
        ],
    )
    print(f"The first step of each piece is left out; it costs {metrics.first_step_nats:.2f} nats.")


def evaluate_model(folder: Path, data: str | None, *, as_json: bool) -> int:
    """Measure a trained composer beside its baselines."""
    print_metrics(Composer.load(folder).evaluate(data), as_json=as_json, show=show)
    return 0


def predict_with(folder: Path, data: str | None, *, out: Path | None, as_json: bool) -> int:
    """One line for each piece of a file or folder: its name and its nats per step."""
    if data is None:
        raise SettingsError("predict: expected a file or folder of music; its pieces are measured one by one")
    composer = Composer.load(folder)
    music = read_music(data, grid=composer.settings.grid)

    nats = composer.predict(music).tolist()

    def answer(found: list[tuple[Roll, float]]) -> Iterator[str]:
        return (_line(roll, cost, as_json=as_json) for roll, cost in found)

    write_answers(in_groups(zip(music.pieces, nats, strict=True)), answer, out)
    return 0


def generate_with(folder: Path, options: dict[str, Any], *, out: Path | None, as_json: bool) -> int:
    """Make a piece, and write it as a MIDI file, or as JSON to standard output."""
    if out is None and not as_json:
        raise SettingsError("generate: expected a file for the music, as in --out tune.mid, or --json")
    wanted = MusicSampling.checked(**parse_options(MusicSampling, options))
    composer = Composer.load(folder)
    prompt = None if wanted.prompt is None else composer.read_prompt(wanted.prompt)
    seed = secrets.randbelow(2**32) if wanted.seed is None else wanted.seed
    made = composer.compose(
        wanted.length,
        prompt=prompt,
        temperature=wanted.temperature,
        most=wanted.most,
        threshold=wanted.threshold,
        seed=seed,
    )
    given = () if prompt is None else prompt.steps
    steps = [*given, *made]
    tempo = wanted.tempo or (prompt and prompt.tempo) or composer.card_.tempo or TEMPO
    grid = composer.settings.grid
    if out is not None:
        voices = not wanted.one_track
        write_midi(out, steps, grid=grid, tempo=tempo, instrument=wanted.instrument, voices=voices)
        said = f", of which {len(given):,} are the prompt" if given else ""
        print(f"Wrote {len(steps):,} steps{said} to {out} (seed {seed})", file=sys.stderr)
    if as_json:
        found = {"steps": steps, "given": len(given), "grid": grid, "tempo": tempo, "seed": seed}
        print(json.dumps(found))
    return 0


def _line(roll: Roll, nats: float, *, as_json: bool) -> str:
    if not as_json:
        return f"{roll.name}\t{nats:.4f}"
    known = None if math.isnan(nats) else nats
    return json.dumps({"piece": roll.name, "steps": len(roll), "nats_per_step": known})

"""Learn from piano rolls what comes next, and make music: one-to-many.

    composer = throughtime.Composer().fit("chorales.json")
    tune = list(composer.compose(64, seed=1))
    throughtime.data.write_midi("tune.mid", tune)

Follows the conventions of scikit-learn; see `throughtime.tasks.estimator`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from throughtime.data.music import read_music
from throughtime.data.rolls import Music, Roll, Step, as_step
from throughtime.errors import DataError
from throughtime.nn.music_network import MusicNetwork
from throughtime.tasks.estimator import Estimator
from throughtime.tasks.fitting import Fitting
from throughtime.tasks.music_card import MusicCard, MusicRun
from throughtime.tasks.music_composing import compose
from throughtime.tasks.music_data import batches_of, part_of, prepare_music
from throughtime.tasks.music_evaluation import evaluate_other, evaluate_parts, piece_nats
from throughtime.tasks.music_network import build_network, note_logits, objective
from throughtime.tasks.music_report import note_of
from throughtime.tasks.music_results import make_card, make_texts
from throughtime.tasks.music_scores import MusicMetrics
from throughtime.tasks.music_settings import MusicSettings
from throughtime.tasks.sources import check_same, place_of, source_of
from throughtime.training import Display


class Composer(Estimator[MusicSettings]):
    """A recurrent network that hears a piano roll, gives each next note a probability, and makes music.

    Args:
        **settings: Any field of `throughtime.tasks.music_settings.MusicSettings`: `grid="16th"`,
            `hidden=200`, `transpose=5`, `epochs=20`, ...

    Attributes:
        network_: The trained `throughtime.nn.music_network.MusicNetwork`.
        lowest_: MIDI number of the first of its N notes.
        highest_: Of the last.
        metrics_: Figures beside the baselines, on validation and test.
        fit_result_: Loss of each epoch and how the fit ended (not after `load`).

    Raises:
        TypeError: a setting that does not exist.
    """

    settings_class = MusicSettings
    run_class = MusicRun
    card_class = MusicCard
    metrics_class = MusicMetrics
    card_: MusicCard
    run_: MusicRun
    network_: MusicNetwork

    def fit(self, data: Any, *, folder: str | Path | None = None, display: Display | None = None) -> Self:
        """Read, split, train and measure.

        Args:
            data: Path of a JSON or MIDI file or of a folder of MIDI files, or pieces as lists; see
                `throughtime.data.read_music`.
            folder: Where to keep checkpoints while training, and the model when done. None keeps nothing.
            display: Shows progress, and what was left out; None: a bar on a terminal, else lines, on
                stderr. `throughtime.training.QuietDisplay()` shows nothing.

        Returns:
            Itself.

        Raises:
            SettingsError: settings that contradict each other.
            DataError: the music cannot be used; says file, piece and step.
            NonFiniteError: training produced a number that is not finite.
            OutputError: `folder` cannot be written.
            MachineError: the package mido is missing.
        """
        settings = self.settings
        music = read_music(data, grid=settings.grid)
        run = MusicRun(settings=settings, source=source_of(music))
        return self._fit(music, Fitting(run, folder, display))

    @classmethod
    def resume(cls, folder: str | Path, data: Any = None, *, display: Display | None = None) -> Composer:
        """Continue a fit that was killed or interrupted, bit for bit as if it had not been.

        Args:
            folder: The `folder` of that fit.
            data: Where the music is now; None reads it from where it was.
            display: As in `fit`.

        Raises:
            ModelFolderError: there is nothing to continue, or it is damaged.
            DataError: the music is no longer the same.
        """
        fitting = Fitting.again(folder, MusicRun, display)
        music = _again(fitting.run, data)
        return cls._with(fitting.run.settings)._fit(music, fitting)

    def compose(
        self,
        length: int = 64,
        *,
        prompt: Any = None,
        temperature: float = 1.0,
        most: int | None = None,
        threshold: float | None = None,
        seed: int | None = None,
    ) -> Iterator[Step]:
        """Make music, one step at a time: each step is drawn from the network's answer and heard in turn.

        Args:
            length: Steps to make.
            prompt: Steps to go on from: lists of MIDI numbers, a `Roll`, or the path of a file with one
                piece. None begins a piece.
            temperature: Below 1 surer and tamer, above 1 wilder.
            most: Let at most so many notes sound in a step, the likeliest of those drawn.
            threshold: Instead of drawing, sound every note at least so likely; gives the same piece always.
            seed: Of the draws; None: another piece each time.

        Returns:
            The MIDI numbers of each new step; the prompt is not among them.

        Raises:
            ValueError: a number is out of its range.
            DataError: the prompt cannot be read, or holds a note that the network does not know.
        """
        self._check_fitted("compose")
        for name, value, right in (
            ("length", length, length >= 1),
            ("temperature", temperature, 0 < temperature < float("inf")),
            ("most", most, most is None or most >= 1),
            ("threshold", threshold, threshold is None or 0 < threshold < 1),
        ):
            if not right:
                wanted = "between 0 and 1" if name == "threshold" else "above 0"
                raise ValueError(f"Composer.compose: {name}={value!r} must be {wanted}.")
        steps = () if prompt is None else self.read_prompt(prompt).steps
        return compose(
            self.network_,
            length,
            lowest=self.lowest_,
            prompt=steps,
            temperature=temperature,
            most=most,
            threshold=threshold,
            seed=seed,
        )

    def read_prompt(self, prompt: Any) -> Roll:
        """One piece to go on from, checked.

        Args:
            prompt: As `compose` takes it.

        Raises:
            DataError: it cannot be read, is not one piece, or holds a note that the network does not know.
        """
        if isinstance(prompt, str | os.PathLike):
            pieces = read_music(prompt, grid=self.settings.grid).pieces
            if len(pieces) != 1:
                raise DataError(f"{prompt}: holds {len(pieces):,} pieces; a prompt is one.")
            roll = pieces[0]
        elif isinstance(prompt, Roll):
            roll = prompt
        else:
            roll = Roll(tuple(map(as_step, prompt)), "the prompt")
        part_of([roll], self.lowest_, self.highest_)
        return roll

    def predict(self, data: Any) -> npt.NDArray[np.float64]:
        """How unexpected each piece is: nats per step, (pieces,), the first left out; NaN for one step.

        Args:
            data: As `fit` takes it; the pieces of all its parts.
        """
        logits, part = self._answered(read_music(data, grid=self.settings.grid))
        nats = [float(one[1:].mean()) for one in piece_nats(logits, part)]
        return np.array(nats)

    def predict_proba(self, steps: Sequence[Sequence[int]] | Roll) -> npt.NDArray[np.float64]:
        """Probability of each note from `lowest_` on, given the steps before, at each step: (T, N)."""
        self._check_fitted("predict_proba")
        part = part_of([self.read_prompt(steps)], self.lowest_, self.highest_)
        (logits,) = note_logits(self.network_, part.bits)
        found: npt.NDArray[np.float64] = logits.double().sigmoid().numpy()
        return found

    def evaluate(self, data: Any = None) -> MusicMetrics:
        """Measure the network beside its baselines.

        Args:
            data: None, or the music it was trained on: its test part again. Other music: all its pieces,
                without the baselines that need the training pieces, which are not kept.

        Raises:
            DataError: the music cannot be used, or a note was never within the network's range.
        """
        self._check_fitted("evaluate")
        run = self.run_
        if data is not None:
            music = read_music(data, grid=self.settings.grid)
            if music.fingerprint != run.source.fingerprint:
                part = part_of(music.pieces, self.lowest_, self.highest_)
                if not any(len(roll) > 1 for roll in part.rolls):
                    raise DataError(f"{music.name}: holds no piece of two steps or more to foretell.")
                return evaluate_other(self.network_, torch.tensor(self.card_.rates), part).metrics
        return evaluate_parts(self.network_, prepare_music(_again(run, data), self.settings)).metrics

    def _rebuild(self, folder: Path) -> MusicNetwork:
        card = self.card_
        self.lowest_, self.highest_ = card.lowest, card.highest
        return build_network(card.settings, torch.tensor(card.rates))

    def _answered(self, music: Music) -> tuple[list[torch.Tensor], Any]:
        self._check_fitted("predict")
        part = part_of(music.pieces, self.lowest_, self.highest_)
        return note_logits(self.network_, part.bits), part

    def _fit(self, music: Music, fitting: Fitting[MusicRun]) -> Self:
        data = prepare_music(music, fitting.run.settings)
        fitting.begin(data.repairs)
        self.run_, self.lowest_, self.highest_ = fitting.run, data.lowest, data.highest
        torch.manual_seed(fitting.run.settings.seed)
        self.network_ = build_network(fitting.run.settings, data.rates)
        batches = batches_of(data, fitting.run.settings)
        note = partial(note_of, data.lowest)
        self.fit_result_ = fitting.train(self.network_, batches, objective, note=note)
        evaluation = evaluate_parts(self.network_, data)
        self.metrics_ = evaluation.metrics
        fitted = fitting.measured(data, self.network_, self.fit_result_, evaluation)
        return self._finish(make_card(fitted), make_texts(fitted), fitting.folder)


def _again(run: MusicRun, data: Any = None) -> Music:
    """The music of a fit once more. Raises `DataError` if it is gone or changed."""
    music = read_music(place_of(run.source) if data is None else data, grid=run.settings.grid)
    check_same(music, run.source)
    return music

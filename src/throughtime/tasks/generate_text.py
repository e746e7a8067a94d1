"""Go on from the beginning of a text: one-to-many.

    generator = throughtime.TextGenerator().fit("plays.txt")
    "".join(generator.generate("ROMEO:", length=200, temperature=0.8))

Follows the conventions of scikit-learn; see `throughtime.tasks.estimator`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from throughtime.data import PlainText, read_plain_text
from throughtime.nn.generate_network import GenerateNetwork
from throughtime.tasks.estimator import Estimator
from throughtime.tasks.fitting import Fitting
from throughtime.tasks.generate_text_card import SYMBOLS, TextCard, TextRun
from throughtime.tasks.generate_text_data import (
    TextData,
    batches_of,
    open_sources,
    other_part,
    prepare_text,
    run_of,
    sources_again,
)
from throughtime.tasks.generate_text_evaluation import evaluate_other, evaluate_parts
from throughtime.tasks.generate_text_network import build_network, objective
from throughtime.tasks.generate_text_results import make_card, make_texts
from throughtime.tasks.generate_text_sampling import Drawn, check_prompt, go_on, line_surprises
from throughtime.tasks.generate_text_scores import TextMetrics
from throughtime.tasks.generate_text_settings import TextSampling, TextSettings
from throughtime.tasks.generate_text_units import TextUnits, read_units
from throughtime.tasks.sources import Sources
from throughtime.training import Display

NOTED = TextSampling(length=300, temperature=0.8)  # the sample that is kept after each epoch


class TextGenerator(Estimator[TextSettings]):
    """A recurrent network that reads a text by characters, words or pieces of words, and foresees the next.

    Args:
        **settings: Any field of `throughtime.tasks.generate_text_settings.TextSettings`: `hidden=512`,
            `steps=100`, `validation="late_plays.txt"`, `epochs=10`, ...

    Attributes:
        network_: The trained `throughtime.nn.generate_network.GenerateNetwork`.
        symbols_: The alphabet, or the vocabulary of pieces.
        metrics_: Figures beside the baselines.
        fit_result_: Loss and a sample of each epoch, and how the fit ended (not after `load`).

    Raises:
        TypeError: a setting that does not exist.
    """

    settings_class = TextSettings
    run_class = TextRun
    card_class = TextCard
    metrics_class = TextMetrics
    card_: TextCard
    run_: TextRun
    network_: GenerateNetwork

    def fit(self, data: Any, *, folder: str | Path | None = None, display: Display | None = None) -> Self:
        """Read, split, train and measure.

        Args:
            data: Path of a text file; or the text itself, if it has several lines.
            folder: Where to keep checkpoints while training, and the model when done. None keeps nothing.
            display: Shows progress, and what a reader must know; None: a bar on a terminal, else lines, on
                stderr. `throughtime.training.QuietDisplay()` shows nothing.

        Returns:
            Itself.

        Raises:
            SettingsError: settings that contradict each other.
            DataError: the text cannot be used, or has not as many pieces as `vocabulary` asks for.
            NonFiniteError: training produced a number that is not finite.
            OutputError: `folder` cannot be written.
            MachineError: `unit` is "bpe", and the package `tokenizers` is missing.
        """
        settings = self.settings
        sources = open_sources(data, settings)
        return self._fit(sources, Fitting(run_of(sources, settings), folder, display))

    @classmethod
    def resume(cls, folder: str | Path, data: Any = None, *, display: Display | None = None) -> TextGenerator:
        """Continue a fit that was killed or interrupted, bit for bit as if it had not been.

        Args:
            folder: The `folder` of that fit.
            data: Where the text is now; None reads it from where it was.
            display: As in `fit`.

        Raises:
            ModelFolderError: there is nothing to continue, or it is damaged.
            DataError: the text is no longer the same.
        """
        fitting = Fitting.again(folder, TextRun, display)
        return cls._with(fitting.run.settings)._fit(sources_again(fitting.run, data), fitting)

    def generate(self, prompt: str = "", **sampling: Any) -> Iterator[str]:
        """Go on from `prompt`, one character or piece at a time; whole characters alone.

        Args:
            prompt: Read first, and not repeated. The empty one begins as after a line end.
            **sampling: length=500, temperature=1.0 (0: always the likeliest), top_p=None, top_k=None, seed=0;
                see `throughtime.tasks.generate_text_settings.TextSampling`.

        Raises:
            SettingsError: an argument is out of range.
            DataError: the prompt holds a character that training never saw.
            TypeError: an argument that does not exist.
        """
        return (drawn.text for drawn in self.draw(prompt, **sampling) if drawn.text)

    def draw(self, prompt: str = "", **sampling: Any) -> Iterator[Drawn]:
        """As `generate`, each character or piece with the probability that the network gave it."""
        self._check_fitted("generate")
        if unknown := sorted(set(sampling) - set(TextSampling.model_fields)):
            known = ", ".join(TextSampling.model_fields)
            raise TypeError(
                f"TextGenerator.generate: no argument named {', '.join(unknown)}; there are {known}"
            )
        chosen = TextSampling.checked(prompt=prompt, **sampling)
        check_prompt(self.symbols_, chosen.prompt)
        return go_on(self.network_, self.symbols_, chosen)

    def predict(self, lines: Sequence[str]) -> npt.NDArray[np.float64]:
        """Nats per character of each line, (N,), read by itself; NaN where no character is known.

        Raises:
            TypeError: `lines` is one text instead of a list.
        """
        means = [
            nats[~np.isnan(nats)].mean() if (~np.isnan(nats)).any() else np.nan
            for nats in self.surprise(lines)
        ]
        return np.array(means, dtype=np.float64)

    def surprise(self, lines: Sequence[str]) -> list[npt.NDArray[np.float64]]:
        """-log of the probability of each character of each line, nats; NaN for unknown characters.

        The nats of a piece are shared out evenly among its characters.
        """
        self._check_fitted("predict")
        if isinstance(lines, str):
            raise TypeError("TextGenerator.predict: lines is one text; give a list of lines")
        self.network_.eval()
        return line_surprises(self.network_, self.symbols_, lines) if len(lines) else []

    def evaluate(self, data: Any = None) -> TextMetrics:
        """Measure the network beside its baselines.

        Args:
            data: None, or the text it was trained on: its validation and test parts again. Another text: all
                of it, without the baselines that need the training text, which is not kept.

        Raises:
            DataError: the text cannot be used.
        """
        self._check_fitted("evaluate")
        if data is not None:
            text = read_plain_text(data)
            if text.fingerprint != self.run_.source.fingerprint:
                part = other_part(text, self.symbols_)
                return evaluate_other(self.network_, self.symbols_, self.card_.shares, part).metrics
        again = prepare_text(sources_again(self.run_, data), self.settings, self.symbols_)
        return evaluate_parts(self.network_, again).metrics

    def _rebuild(self, folder: Path) -> GenerateNetwork:
        self.symbols_ = self._read_text(folder, SYMBOLS, partial(read_units, unit=self.card_.settings.unit))
        return build_network(self.card_.settings, symbols=len(self.symbols_))

    def _fit(self, sources: Sources[PlainText], fitting: Fitting[TextRun]) -> Self:
        data = prepare_text(sources, fitting.run.settings)
        fitting.begin(data.repairs)
        self.run_, self.symbols_ = fitting.run, data.symbols
        self._train(data, fitting)
        evaluation = evaluate_parts(self.network_, data)
        self.metrics_ = evaluation.metrics
        fitted = fitting.measured(data, self.network_, self.fit_result_, evaluation)
        return self._finish(make_card(fitted), make_texts(fitted), fitting.folder)

    def _train(self, data: TextData, fitting: Fitting[TextRun]) -> None:
        settings = self.run_.settings
        torch.manual_seed(settings.seed)
        self.network_ = build_network(settings, symbols=len(data.symbols))
        self.fit_result_ = fitting.train(
            self.network_,
            batches_of(data, settings),
            objective,
            note=partial(_sample, data.symbols),
        )


def _sample(symbols: TextUnits, network: nn.Module) -> str:
    """What the network writes, after an epoch; with a generator of its own."""
    assert isinstance(network, GenerateNetwork)
    return "".join(drawn.text for drawn in go_on(network, symbols, NOTED))

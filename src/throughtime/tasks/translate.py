"""Translate sentences: many-to-many, from one sequence to another of its own length.

    translator = throughtime.Translator().fit("train.de", "train.en")
    translator.predict(["Ein Hund rennt."])

Follows the conventions of scikit-learn; see `throughtime.tasks.estimator`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch

from throughtime.data import Pairs, Subwords
from throughtime.nn.seq2seq import Seq2Seq
from throughtime.tasks.estimator import Estimator
from throughtime.tasks.fitting import Fitting, shared_card
from throughtime.tasks.sources import Sources
from throughtime.tasks.translate_answers import Translation, answer
from throughtime.tasks.translate_card import SOURCE_PIECES, TARGET_PIECES, TranslateCard, TranslateRun
from throughtime.tasks.translate_data import Pieces, TranslateData, batches_of, other_part, prepare_pairs
from throughtime.tasks.translate_evaluation import evaluate_other, evaluate_parts
from throughtime.tasks.translate_network import build_network, objective_of
from throughtime.tasks.translate_results import make_texts
from throughtime.tasks.translate_scores import TranslateMetrics
from throughtime.tasks.translate_settings import TranslateSettings
from throughtime.tasks.translate_sources import open_pairs, open_sources, pairs_again, run_of
from throughtime.training import Display


class Translator(Estimator[TranslateSettings]):
    """An encoder that reads a sentence, and a decoder with attention that writes its translation.

    Args:
        **settings: Any field of `throughtime.tasks.translate_settings.TranslateSettings`:
            `validation=("val.de", "val.en")`, `attention="additive"`, `hidden=128`, `epochs=10`, ...

    Attributes:
        network_: The trained `throughtime.nn.seq2seq.Seq2Seq`.
        pieces_: The vocabularies of both sides.
        metrics_: Figures beside the baselines, on validation and test.
        fit_result_: Loss of each epoch and how the fit ended (not after `load`).

    Raises:
        TypeError: a setting that does not exist.
    """

    settings_class = TranslateSettings
    run_class = TranslateRun
    card_class = TranslateCard
    metrics_class = TranslateMetrics
    card_: TranslateCard
    run_: TranslateRun
    network_: Seq2Seq

    def fit(
        self,
        source: Any,
        target: Any = None,
        *,
        folder: str | Path | None = None,
        display: Display | None = None,
    ) -> Self:
        """Read, split, train and measure.

        Args:
            source: Path of the source sentences, one a line, or of a table; or a list of sentences.
            target: Path of the translations, line by line; None beside a table; a list beside a list.
            folder: Where to keep checkpoints while training, and the model when done. None keeps nothing.
            display: Shows progress, and what was left out; None: a bar on a terminal, else lines, on
                stderr. `throughtime.training.QuietDisplay()` shows nothing.

        Returns:
            Itself.

        Raises:
            SettingsError: settings that contradict each other.
            DataError: the pairs cannot be used; says file and line.
            NonFiniteError: training produced a number that is not finite.
            OutputError: `folder` cannot be written.
            MachineError: the package `tokenizers` or `sacrebleu` is missing.
        """
        settings = self.settings
        sources = open_sources(source, target, settings)
        return self._fit(sources, Fitting(run_of(sources, settings), folder, display))

    @classmethod
    def resume(
        cls,
        folder: str | Path,
        source: Any = None,
        target: Any = None,
        *,
        display: Display | None = None,
    ) -> Translator:
        """Continue a fit that was killed or interrupted, bit for bit as if it had not been.

        Args:
            folder: The `folder` of that fit.
            source: Where the training sources are now; None reads the pairs from where they were.
            target: As in `fit`.
            display: As in `fit`.

        Raises:
            ModelFolderError: there is nothing to continue, or it is damaged.
            DataError: the pairs are no longer the same.
        """
        fitting = Fitting.again(folder, TranslateRun, display)
        sources = pairs_again(fitting.run, source, target)
        return cls._with(fitting.run.settings)._fit(sources, fitting)

    def predict(self, sentences: Sequence[str]) -> list[str]:
        """The best translation of each sentence; an empty one of an empty sentence.

        Raises:
            TypeError: `sentences` is one text instead of a list.
        """
        return [found[0].text for found in self.translations(sentences)]

    def translations(self, sentences: Sequence[str], *, best: int = 1) -> list[list[Translation]]:
        """At most `best` translations of each sentence, the best first, with scores and attention.

        An empty sentence has one translation, the empty one.

        Raises:
            TypeError: `sentences` is one text instead of a list.
            ValueError: `best` is below 1.
        """
        self._check_fitted("predict")
        if isinstance(sentences, str):
            raise TypeError("Translator.predict: sentences is one text; give a list of texts")
        if best < 1:
            raise ValueError(f"Translator.translations: best={best}, expected 1 or more")
        return answer(self.network_, self.pieces_, list(sentences), self.settings, best=best)

    def evaluate(self, source: Any = None, target: Any = None) -> TranslateMetrics:
        """Measure the network beside its baselines.

        Args:
            source: None, or the pairs it was trained on: its test part again. Other pairs: all of them,
                without the baseline that needs the training pairs, which are not kept.
            target: As in `fit`.

        Raises:
            DataError: the pairs cannot be used.
        """
        self._check_fitted("evaluate")
        settings = self.settings
        if source is not None:
            pairs = open_pairs(source, target, settings)
            if pairs.fingerprint != self.run_.source.fingerprint:
                part = other_part(pairs, self.pieces_)
                return evaluate_other(self.network_, self.pieces_, settings, part).metrics
        again = prepare_pairs(pairs_again(self.run_, source, target), settings, self.pieces_)
        return evaluate_parts(self.network_, self.pieces_, settings, again).metrics

    def _rebuild(self, folder: Path) -> Seq2Seq:
        source, target = (
            self._read_text(folder, name, Subwords.read) for name in (SOURCE_PIECES, TARGET_PIECES)
        )
        self.pieces_ = Pieces(source, target)
        return build_network(self.card_.settings, sources=len(source), targets=len(target))

    def _fit(self, sources: Sources[Pairs], fitting: Fitting[TranslateRun]) -> Self:
        settings = fitting.run.settings
        data = prepare_pairs(sources, settings)
        fitting.begin(data.repairs)
        self.run_, self.pieces_ = fitting.run, data.pieces
        self._train(data, fitting)
        evaluation = evaluate_parts(self.network_, self.pieces_, settings, data)
        self.metrics_ = evaluation.metrics
        fitted = fitting.measured(data, self.network_, self.fit_result_, evaluation)
        return self._finish(TranslateCard(**shared_card(fitted)), make_texts(fitted), fitting.folder)

    def _train(self, data: TranslateData, fitting: Fitting[TranslateRun]) -> None:
        settings = self.run_.settings
        torch.manual_seed(settings.seed)
        self.network_ = build_network(
            settings, sources=len(data.pieces.source), targets=len(data.pieces.target)
        )
        self.fit_result_ = fitting.train(
            self.network_,
            batches_of(data, settings),
            objective_of(settings),
        )

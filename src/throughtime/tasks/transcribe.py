"""Write down what is said in a recording: speech to text, many-to-many with CTC.

    transcriber = throughtime.Transcriber().fit("recordings/")
    transcriber.predict(["one.wav", "two.flac"])

Follows the conventions of scikit-learn; see `throughtime.tasks.estimator`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch

from throughtime.data import Speech, Spelling
from throughtime.data.speech import open_sound
from throughtime.nn.transcribe_network import TranscribeNetwork
from throughtime.tasks.estimator import Estimator
from throughtime.tasks.fitting import Fitting
from throughtime.tasks.sources import Sources
from throughtime.tasks.transcribe_answers import Decoding, Transcript, answer, decodings
from throughtime.tasks.transcribe_card import LEXICON, SYMBOLS, TranscribeCard, TranscribeRun
from throughtime.tasks.transcribe_data import TranscribeData, batches_of, other_part, prepare_speech
from throughtime.tasks.transcribe_evaluation import evaluate_other, evaluate_parts
from throughtime.tasks.transcribe_listen import features_of
from throughtime.tasks.transcribe_network import build_network, log_probabilities, objective
from throughtime.tasks.transcribe_results import make_card, make_texts
from throughtime.tasks.transcribe_scores import TranscribeMetrics
from throughtime.tasks.transcribe_settings import TranscribeSettings
from throughtime.tasks.transcribe_sources import open_sources, open_speech, run_of, speech_again
from throughtime.tasks.transcribe_words import (
    DecoderName,
    given_words,
    known_words,
    wanted_decoder,
    words_from_json,
)
from throughtime.training import Display

Recordings = Sequence[Any]
"""Paths of sound files, or (samples, samples a second)."""


class Transcriber(Estimator[TranscribeSettings]):
    """A recurrent network that reads a recording in both directions and writes what is said.

    Args:
        **settings: Any field of `throughtime.tasks.transcribe_settings.TranscribeSettings`: `unit="word"`,
            `validation="dev/"`, `hidden=64`, `epochs=10`, ...

    Attributes:
        network_: The trained `throughtime.nn.transcribe_network.TranscribeNetwork`.
        symbols_: What it writes with.
        words_: The words it knows, from `lexicon` or the training transcripts; none with `unit="word"`.
        mel_: How sound becomes features.
        metrics_: Figures beside the baselines, on validation and test.
        fit_result_: Loss of each epoch and how the fit ended (not after `load`).

    Raises:
        TypeError: a setting that does not exist.
    """

    settings_class = TranscribeSettings
    run_class = TranscribeRun
    card_class = TranscribeCard
    metrics_class = TranscribeMetrics
    card_: TranscribeCard
    run_: TranscribeRun
    network_: TranscribeNetwork
    metrics_: TranscribeMetrics
    words_: tuple[str, ...]

    def fit(
        self,
        data: Any,
        texts: Sequence[str] | None = None,
        *,
        folder: str | Path | None = None,
        display: Display | None = None,
    ) -> Self:
        """Read, split, train and measure.

        Args:
            data: A folder with sound files and a table of transcripts, the table itself, or a list of
                recordings: paths, or tuples (samples, samples a second).
            texts: One for each recording, where `data` is a list.
            folder: Where to keep checkpoints while training, and the model when done. None keeps nothing.
            display: Shows progress, and what was left out; None: a bar on a terminal, else lines, on
                stderr. `throughtime.training.QuietDisplay()` shows nothing.

        Returns:
            Itself.

        Raises:
            SettingsError: settings that contradict each other.
            DataError: the recordings cannot be used; says file and line.
            NonFiniteError: training produced a number that is not finite.
            OutputError: `folder` cannot be written.
            MachineError: the package `soundfile` or `jiwer` is missing.
        """
        settings = self.settings
        sources = open_sources(data, texts, settings)
        return self._fit(sources, Fitting(run_of(sources, settings), folder, display))

    @classmethod
    def resume(
        cls,
        folder: str | Path,
        data: Any = None,
        texts: Sequence[str] | None = None,
        *,
        display: Display | None = None,
    ) -> Transcriber:
        """Continue a fit that was killed or interrupted, bit for bit as if it had not been.

        Args:
            folder: The `folder` of that fit.
            data: Where the training recordings are now; None reads them from where they were.
            texts: As in `fit`.
            display: As in `fit`.

        Raises:
            ModelFolderError: there is nothing to continue, or it is damaged.
            DataError: the recordings or transcripts are no longer the same.
        """
        fitting = Fitting.again(folder, TranscribeRun, display)
        sources = speech_again(fitting.run, data, texts)
        return cls._with(fitting.run.settings)._fit(sources, fitting)

    def predict(self, recordings: Recordings, *, words: Sequence[str] | None = None) -> list[str]:
        """What is said in each recording.

        Args:
            recordings: Paths of sound files, or tuples (samples, samples a second).
            words: Answer with these words alone, such as the commands that a device knows. None answers as
                was found best when the network was trained, see `decoder_`.

        Raises:
            DataError: a recording cannot be used; names it.
            ValueError: a word cannot be written with the network's symbols.
            TypeError: `recordings` is one path instead of a list.
        """
        return [one.text for one in self.transcribe(recordings, words=words)]

    def transcribe(self, recordings: Recordings, *, words: Sequence[str] | None = None) -> list[Transcript]:
        """As `predict`, with confidence, the time of each symbol, and the likeliest alternatives."""
        self._check_fitted("transcribe")
        if isinstance(recordings, str | Path):
            raise TypeError("Transcriber.predict: recordings is one path; give a list of recordings")
        rate, decoding = self.mel_.rate, self._decoding(words)
        sounds = (open_sound(one, row, rate) for row, one in enumerate(recordings))
        logs = log_probabilities(self.network_, [features_of(sound, self.mel_) for sound in sounds])
        return [answer(one, decoding, self.mel_, self.settings.stack) for one in logs]

    def evaluate(self, data: Any = None, texts: Sequence[str] | None = None) -> TranscribeMetrics:
        """Measure the network beside its baselines.

        Args:
            data: None, or the recordings it was trained on: its test part again. Other recordings: all of
                them, without the baseline that needs the training recordings, which are not kept.
            texts: One for each recording, where `data` is a list.

        Raises:
            DataError: the recordings cannot be used.
        """
        self._check_fitted("evaluate")
        settings, run = self.settings, self.run_
        ways = decodings(settings, self.symbols_, self.words_)
        if data is not None:
            speech = open_speech(data, texts, settings)
            if speech.fingerprint != run.source.fingerprint:
                part = other_part(speech, self.mel_, settings, self.symbols_)
                frequent = self.card_.most_frequent
                return evaluate_other(self.network_, part, ways, self.decoder_, frequent).metrics
        again = prepare_speech(speech_again(run, data, texts), settings, self.symbols_, self.mel_.rate)
        return evaluate_parts(self.network_, again, ways, self.decoder_).metrics

    @property
    def decoder_(self) -> DecoderName:
        """How it answers: "words", "beam" or "greedy"; with `decoder="auto"` the validation part chose it."""
        return self.metrics_.decoder

    def _decoding(self, words: Sequence[str] | None) -> Decoding:
        if words is not None:
            known = given_words(words, self.symbols_)
            return Decoding("words", self.symbols_, self.settings.beam_width, known)
        ways = decodings(self.settings, self.symbols_, self.words_)
        return next(one for one in ways if one.decoder == self.decoder_)

    def _rebuild(self, folder: Path) -> TranscribeNetwork:
        card = self.card_
        self.symbols_ = self._read_text(folder, SYMBOLS, Spelling.read)
        self.words_ = ()
        if card.settings.unit == "character":
            self.words_ = self._read_text(folder, LEXICON, words_from_json)
        self.mel_ = card.settings.features(card.sample_rate)
        return build_network(card.settings, symbols=len(self.symbols_))

    def _fit(self, sources: Sources[Speech], fitting: Fitting[TranscribeRun]) -> Self:
        settings = fitting.run.settings
        data = prepare_speech(sources, settings)
        self.words_ = known_words(data.train.texts, settings, data.symbols, data.repairs)
        fitting.begin(data.repairs)
        self.run_: TranscribeRun = fitting.run
        self.symbols_ = data.symbols
        self.mel_ = data.mel
        self._train(data, fitting)
        ways = decodings(settings, data.symbols, self.words_)
        evaluation = evaluate_parts(self.network_, data, ways, wanted_decoder(settings))
        self.metrics_ = evaluation.metrics
        fitted = fitting.measured(data, self.network_, self.fit_result_, evaluation)
        return self._finish(make_card(fitted), make_texts(fitted, self.words_), fitting.folder)

    def _train(self, data: TranscribeData, fitting: Fitting[TranscribeRun]) -> None:
        settings = self.run_.settings
        torch.manual_seed(settings.seed)
        self.network_ = build_network(settings, symbols=len(data.symbols))
        batches = batches_of(data, settings)
        self.fit_result_ = fitting.train(self.network_, batches, objective)

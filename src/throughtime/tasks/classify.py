"""Tell which class a text or a sequence of numbers belongs to: many-to-one.

    classifier = throughtime.Classifier().fit("reviews.csv")
    classifier.predict(["a fine film", "two hours too long"])

    classifier = throughtime.Classifier().fit(arrays, labels)  # each (T,) or (T, I)
    classifier.predict(arrays[:3])

Follows the conventions of scikit-learn; see `throughtime.tasks.estimator`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from throughtime.nn.classify_network import Ensemble
from throughtime.tasks.classify_card import ClassifyCard, ClassifyRun
from throughtime.tasks.classify_data import ClassifyData, Labelled, batches_of, other_part, prepare_parts
from throughtime.tasks.classify_encoders import ENCODERS, Encoder, NumberEncoder, TextEncoder
from throughtime.tasks.classify_evaluation import evaluate_other, evaluate_parts
from throughtime.tasks.classify_kind import is_readable
from throughtime.tasks.classify_network import (
    at_temperature,
    build_network,
    find_temperature,
    first_vectors,
    log_probabilities,
    objective,
)
from throughtime.tasks.classify_results import make_card, make_texts
from throughtime.tasks.classify_scores import ClassifyMetrics
from throughtime.tasks.classify_settings import ClassifySettings
from throughtime.tasks.classify_sources import (
    open_labelled,
    open_numbers,
    open_sources,
    parts_again,
    run_of,
)
from throughtime.tasks.estimator import Estimator
from throughtime.tasks.fitting import Fitting
from throughtime.tasks.sources import Sources
from throughtime.training import Display


class Classifier(Estimator[ClassifySettings]):
    """Recurrent networks that read a text or a sequence and give a probability to each class.

    Args:
        **settings: Any field of `throughtime.tasks.classify_settings.ClassifySettings`: `text="review"`,
            `label="stars"`, `validation="dev.csv"`, `hidden=64`, `epochs=10`, ...

    Attributes:
        network_: The trained `throughtime.nn.classify_network.Ensemble`.
        encoder_: What makes the network's inputs; of texts `.words` is the vocabulary, of sequences of
            numbers `.channels` names and scales the values of a step.
        classes_: Labels in the order of the probabilities, text.
        temperature_: Makes the probabilities mean what they say; found on the validation part.
        metrics_: Figures beside the baselines, on validation and test.
        fit_result_: Loss of each epoch and how the fit ended (not after `load`).

    Raises:
        TypeError: a setting that does not exist.
    """

    settings_class = ClassifySettings
    run_class = ClassifyRun
    card_class = ClassifyCard
    metrics_class = ClassifyMetrics
    card_: ClassifyCard
    run_: ClassifyRun
    encoder_: Encoder
    network_: Ensemble

    def fit(
        self,
        data: Any,
        labels: Sequence[Any] | None = None,
        *,
        folder: str | Path | None = None,
        display: Display | None = None,
    ) -> Self:
        """Read, split, train, calibrate and measure.

        Args:
            data: Path of a file, a pandas, polars or pyarrow frame, or a list of texts.
            labels: One for each text, where `data` is a list.
            folder: Where to keep checkpoints while training, and the model when done. None keeps nothing.
            display: Shows progress, and what was left out; None: a bar on a terminal, else lines, on
                stderr. `throughtime.training.QuietDisplay()` shows nothing.

        Returns:
            Itself.

        Raises:
            SettingsError: settings that contradict each other.
            DataError: the data cannot be used; says file and line.
            NonFiniteError: training produced a number that is not finite.
            OutputError: `folder` cannot be written.
            MachineError: texts are to be cut, and the package `tokenizers` is missing.
        """
        settings = self.settings
        sources = open_sources(data, labels, settings)
        return self._fit(sources, Fitting(run_of(sources, settings), folder, display))

    @classmethod
    def resume(
        cls,
        folder: str | Path,
        data: Any = None,
        labels: Sequence[Any] | None = None,
        *,
        display: Display | None = None,
    ) -> Classifier:
        """Continue a fit that was killed or interrupted, bit for bit as if it had not been.

        Args:
            folder: The `folder` of that fit.
            data: Where the training data are now; None reads them from where they were.
            labels: As in `fit`.
            display: As in `fit`.

        Raises:
            ModelFolderError: there is nothing to continue, or it is damaged.
            DataError: the data are no longer the same.
        """
        fitting = Fitting.again(folder, ClassifyRun, display)
        sources = parts_again(fitting.run, data, labels)
        return cls._with(fitting.run.settings)._fit(sources, fitting)

    def predict(self, data: Any) -> npt.NDArray[np.str_]:
        """The likeliest label of each text or sequence, (N,)."""
        places = self.predict_proba(data).argmax(axis=1)
        found: npt.NDArray[np.str_] = np.array(self.classes_)[places]
        return found

    def predict_proba(self, data: Any) -> npt.NDArray[np.float64]:
        """Probability of each class, (N, K), in the order of `classes_`.

        Args:
            data: A list of texts; one without a word is read as one unknown word. For a classifier of
                sequences whatever `fit` takes, without labels.

        Raises:
            TypeError: `data` is one text instead of a list.
            DataError: a sequence is empty, or its steps hold other values than in training.
        """
        self._check_fitted("predict")
        if isinstance(self.encoder_, TextEncoder):
            if isinstance(data, str):
                raise TypeError("Classifier.predict: texts is one text; give a list of texts")
            items: Sequence[Any] = list(data)
        elif not is_readable(data) and not len(data):
            items = ()
        else:
            items = open_numbers(data, self.settings, self.encoder_.channels.names).items
        if not len(items):
            return np.zeros((0, len(self.classes_)))
        logs = log_probabilities(self.network_, self.encoder_.inputs(items))
        return at_temperature(logs, self.temperature_)

    def evaluate(self, data: Any = None, labels: Sequence[Any] | None = None) -> ClassifyMetrics:
        """Measure the network beside its baselines.

        Args:
            data: None, or what it was trained on: its test part again. Other data: all of them, without
                the baselines that need the training data, which are not kept.
            labels: One for each text, where `data` is a list.

        Raises:
            DataError: the data cannot be used, or a label never occurred in training.
        """
        self._check_fitted("evaluate")
        settings, run = self.settings, self.run_
        if data is not None:
            names = self.encoder_.channels.names if isinstance(self.encoder_, NumberEncoder) else None
            given = open_labelled(data, labels, settings, run.kind, names)
            if given.fingerprint != run.source.fingerprint:
                part = other_part(given, self.classes_, self.encoder_)
                shares = self.card_.shares
                return evaluate_other(
                    self.network_, self.temperature_, self.classes_, shares, part, self.encoder_
                ).metrics
        again = prepare_parts(parts_again(run, data, labels), settings, self.encoder_)
        return evaluate_parts(self.network_, self.temperature_, again).metrics

    def _rebuild(self, folder: Path) -> Ensemble:
        card = self.card_
        self.classes_, self.temperature_ = card.classes, card.temperature
        encoder = ENCODERS[card.kind]
        read: Callable[[str], TextEncoder | NumberEncoder] = encoder.read
        self.encoder_ = self._read_text(folder, encoder.file, read)
        return build_network(card.settings, self.encoder_, classes=len(card.classes))

    def _fit(self, sources: Sources[Labelled], fitting: Fitting[ClassifyRun]) -> Self:
        data = prepare_parts(sources, fitting.run.settings)
        fitting.begin(data.repairs)
        self.run_, self.encoder_, self.classes_ = fitting.run, data.encoder, data.classes
        self._train(data, fitting)
        logs = log_probabilities(self.network_, data.validation.inputs)
        self.temperature_ = find_temperature(logs, data.validation.truth)
        evaluation = evaluate_parts(self.network_, self.temperature_, data)
        self.metrics_ = evaluation.metrics
        fitted = fitting.measured(data, self.network_, self.fit_result_, evaluation)
        return self._finish(make_card(fitted, self.temperature_), make_texts(fitted), fitting.folder)

    def _train(self, data: ClassifyData, fitting: Fitting[ClassifyRun]) -> None:
        settings = self.run_.settings
        torch.manual_seed(settings.seed)
        vectors = first_vectors(settings, data.train.inputs, data.encoder)
        self.network_ = build_network(settings, data.encoder, classes=len(data.classes), vectors=vectors)
        batches = batches_of(data, settings)
        self.fit_result_ = fitting.train(self.network_, batches, objective)

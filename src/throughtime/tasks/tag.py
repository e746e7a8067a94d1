"""Tag the tokens of sentences, and so find and name spans in them: many-to-many, aligned.

    tagger = throughtime.Tagger(validation="dev.conll", test="test.conll").fit("train.conll")
    tagger.predict([["Paris", "sleeps"], "Ann came from Rome."])

Follows the conventions of scikit-learn; see `throughtime.tasks.estimator`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from throughtime.data import Sentences, cut_line, tag_names
from throughtime.data.conll import check_sentence
from throughtime.nn.tag_network import TagEnsemble
from throughtime.tasks.estimator import Estimator
from throughtime.tasks.fitting import Fitting
from throughtime.tasks.sources import Sources
from throughtime.tasks.tag_answers import (
    FoundSpan,
    Readings,
    answer,
    best_tags,
    read_sentences,
    tag_probabilities,
)
from throughtime.tasks.tag_card import VOCABULARY, TagCard, TagRun
from throughtime.tasks.tag_data import TagData, batches_of, other_part, prepare_sentences
from throughtime.tasks.tag_evaluation import evaluate_other, evaluate_parts, find_offset
from throughtime.tasks.tag_network import (
    TagObjective,
    build_network,
    first_vectors,
    scaled_vectors,
)
from throughtime.tasks.tag_results import make_card, make_texts
from throughtime.tasks.tag_scores import TagMetrics
from throughtime.tasks.tag_settings import TagSettings
from throughtime.tasks.tag_sources import check_vectors, open_sentences, open_sources, run_of, sentences_again
from throughtime.tasks.tag_vocabulary import Vocabulary
from throughtime.training import Display


class Tagger(Estimator[TagSettings]):
    """Recurrent networks with a CRF that read a sentence and give each token a tag.

    A sentence is a list of tokens, or a line, which is then cut into tokens (see the setting `cut_at`).

    Args:
        **settings: Any field of `throughtime.tasks.tag_settings.TagSettings`: `validation="dev.conll"`,
            `vectors="glove.txt"`, `hidden=64`, `epochs=10`, ...

    Attributes:
        network_: The trained `throughtime.nn.tag_network.TagEnsemble`.
        vocabulary_: Words and characters known.
        classes_: Of the spans.
        tags_: O, and B- and I- of each class.
        offset_: Added to the scores of every B-; found on the validation part.
        metrics_: Figures beside the baselines, on validation and test.
        fit_result_: Loss of each epoch and how the fit ended (not after `load`).

    Raises:
        TypeError: a setting that does not exist.
    """

    settings_class = TagSettings
    run_class = TagRun
    card_class = TagCard
    metrics_class = TagMetrics
    card_: TagCard
    run_: TagRun
    network_: TagEnsemble

    @property
    def tags_(self) -> tuple[str, ...]:
        """O, and B- and I- of each class, in the order of `predict_proba`."""
        return tag_names(self.classes_)

    def fit(
        self,
        data: Any,
        tags: Sequence[Any] | None = None,
        *,
        folder: str | Path | None = None,
        display: Display | None = None,
    ) -> Self:
        """Read, split, train and measure.

        Args:
            data: Path of a CoNLL file, a list of sentences, or a list of pairs (tokens, tags).
            tags: A list of tags for each sentence, where `data` is a list of sentences.
            folder: Where to keep checkpoints while training, and the model when done. None keeps nothing.
            display: Shows progress, and what was left out; None: a bar on a terminal, else lines, on
                stderr. `throughtime.training.QuietDisplay()` shows nothing.

        Returns:
            Itself.

        Raises:
            SettingsError: settings that contradict each other.
            DataError: the sentences or the word vectors cannot be used; says file and line.
            NonFiniteError: training produced a number that is not finite.
            OutputError: `folder` cannot be written.
        """
        settings = self.settings
        sources = open_sources(data, tags, settings)
        return self._fit(sources, Fitting(run_of(sources, settings), folder, display))

    @classmethod
    def resume(
        cls,
        folder: str | Path,
        data: Any = None,
        tags: Sequence[Any] | None = None,
        *,
        display: Display | None = None,
    ) -> Tagger:
        """Continue a fit that was killed or interrupted, bit for bit as if it had not been.

        Args:
            folder: The `folder` of that fit.
            data: Where the training sentences are now; None reads them from where they were.
            tags: As in `fit`.
            display: As in `fit`.

        Raises:
            ModelFolderError: there is nothing to continue, or it is damaged.
            DataError: the sentences or the word vectors are no longer the same.
        """
        fitting = Fitting.again(folder, TagRun, display)
        check_vectors(fitting.run)
        sources = sentences_again(fitting.run, data, tags)
        return cls._with(fitting.run.settings)._fit(sources, fitting)

    def predict(self, sentences: Sequence[Sequence[str] | str]) -> list[list[str]]:
        """The likeliest tags of each sentence, a tag for each token; none for a line without a token."""
        readings = self._read(sentences, "predict")
        return best_tags(readings, self.offset_, self.tags_)

    def predict_spans(self, sentences: Sequence[Sequence[str] | str]) -> list[list[FoundSpan]]:
        """The spans of each sentence, with the probability that exactly these borders and class are right."""
        found = answer(self._read(sentences, "predict_spans"), self.offset_, self.classes_)
        return [
            [FoundSpan(*span, confidence) for span, confidence in zip(spans, sure, strict=True)]
            for spans, sure in zip(found.spans, found.confidences, strict=True)
        ]

    def predict_proba(self, sentences: Sequence[Sequence[str] | str]) -> list[npt.NDArray[np.float64]]:
        """Probability of each tag at each token of each sentence, (T, K), in the order of `tags_`."""
        readings = self._read(sentences, "predict_proba")
        return [shares.numpy() for shares in tag_probabilities(readings, self.offset_, len(self.tags_))]

    def cut(self, sentence: Sequence[str] | str) -> list[str]:
        """The tokens of a sentence: as they are, or a line cut as the settings say."""
        if isinstance(sentence, str):
            return [token.text for token in cut_line(sentence, at_blanks=self.settings.cut_at == "blanks")]
        return list(sentence)

    def evaluate(self, data: Any = None, tags: Sequence[Any] | None = None) -> TagMetrics:
        """Measure the network beside its baselines.

        Args:
            data: None, or the sentences it was trained on: its test part again. Other sentences: all of
                them, without the baselines, which need the training sentences, and those are not kept.
            tags: A list of tags for each sentence, where `data` is a list of sentences.

        Raises:
            DataError: the sentences cannot be used, or a class never occurred in training.
        """
        self._check_fitted("evaluate")
        settings, run = self.settings, self.run_
        if data is not None:
            sentences = open_sentences(data, tags, settings)
            if sentences.fingerprint != run.source.fingerprint:
                part = other_part(sentences, self.classes_, self.vocabulary_)
                return evaluate_other(
                    self.network_, self.offset_, self.classes_, self.vocabulary_, part
                ).metrics
        again = prepare_sentences(sentences_again(run, data, tags), settings, self.vocabulary_)
        return evaluate_parts(self.network_, self.offset_, again).metrics

    def _rebuild(self, folder: Path) -> TagEnsemble:
        card = self.card_
        self.classes_, self.offset_ = card.classes, card.offset
        read = partial(Vocabulary.read, settings=card.settings)
        self.vocabulary_ = self._read_text(folder, VOCABULARY, read)
        return build_network(card.settings, self.vocabulary_, card.classes, vector_size=card.vector_size)

    def _read(self, sentences: Sequence[Sequence[str] | str], what: str) -> Readings:
        """What the network says of the sentences."""
        self._check_fitted(what)
        if isinstance(sentences, str):
            raise TypeError(f"Tagger.{what}: sentences is one text; give a list of sentences")
        for number, sentence in enumerate(sentences, 1):
            if not isinstance(sentence, str):
                check_sentence(sentence, number)
        inputs = [self.vocabulary_.number(self.cut(sentence)) for sentence in sentences]
        return read_sentences(self.network_, inputs)

    def _fit(self, sources: Sources[Sentences], fitting: Fitting[TagRun]) -> Self:
        vectors = None if fitting.run.vectors is None else fitting.run.vectors.path
        data = prepare_sentences(sources, fitting.run.settings, vectors_path=vectors)
        fitting.begin(data.repairs)
        self.run_, self.vocabulary_, self.classes_ = fitting.run, data.vocabulary, data.classes
        self._train(data, fitting)
        self.offset_ = find_offset(self.network_, data)
        evaluation = evaluate_parts(self.network_, self.offset_, data)
        self.metrics_ = evaluation.metrics
        fitted = fitting.measured(data, self.network_, self.fit_result_, evaluation)
        return self._finish(make_card(fitted), make_texts(fitted), fitting.folder)

    def _train(self, data: TagData, fitting: Fitting[TagRun]) -> None:
        settings = self.run_.settings
        torch.manual_seed(settings.seed)
        self.network_ = build_network(
            settings,
            data.vocabulary,
            data.classes,
            vector_size=0 if data.vectors is None else data.vectors.size,
            vectors=scaled_vectors(data.vectors),
            start=first_vectors(settings, data.learnt.inputs, len(data.vocabulary.words)),
        )
        batches = batches_of(data, settings)
        objective = TagObjective(data.classes, settings.folds)
        self.fit_result_ = fitting.train(self.network_, batches, objective)

"""The network of a tagger, built from its settings, and the loss it learns by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from throughtime.data import WordVectors, spans_of, tag_names, word_vectors
from throughtime.data.lexicon import SPECIAL
from throughtime.data.tag_schemes import may_follow
from throughtime.data.tokens import SHAPES
from throughtime.data.words import PADDING, UNKNOWN
from throughtime.nn.characters import CharacterCNN
from throughtime.nn.crf import CRF, CRFScores, log_likelihood
from throughtime.nn.tag_network import WORD, TagEnsemble, TagNetwork, averaged
from throughtime.tasks.recurrent import build_recurrent, describe_recurrent
from throughtime.tasks.tag_answers import Reading, Readings, best_tags
from throughtime.tasks.tag_settings import TagSettings
from throughtime.tasks.tag_vocabulary import Vocabulary
from throughtime.training import Outcome

LOSS_NAME = "−log p of the true tags, nats per sentence"
VALIDATION_NAME = "1 − span F1, at three offsets of B- together"
OFFSETS = (0.0, 1.5, 3.0)  # added to the scores of B- when epochs are judged
SHAPE_SIZE = 10
WIDTHS = (3,)  # characters under a filter
SPREAD = 0.3  # standard deviation of the word vectors that come from co-occurrence
NOISE = 0.03  # and of what makes the members differ


def build_network(
    settings: TagSettings,
    vocabulary: Vocabulary,
    classes: Sequence[str],
    *,
    vector_size: int = 0,
    vectors: Tensor | None = None,
    start: Tensor | None = None,
) -> TagEnsemble:
    """Make the network with fresh weights.

    Args:
        settings: Cell, sizes, members.
        vocabulary: What is known.
        classes: Of the spans.
        vector_size: F, length of a pretrained vector; 0 for none.
        vectors: Pretrained, (words with one, F); None leaves them zero, to be read from a file.
        start: What the word vectors start from, (V, E), unit variance; None starts from chance.
    """
    fixed = None
    if vector_size:
        fixed = torch.zeros(len(vocabulary.fixed), vector_size)
        if vectors is not None:
            fixed[SPECIAL:] = vectors
    members = [_member(settings, vocabulary, classes, vector_size, start) for _ in range(settings.members)]
    return TagEnsemble(members, fixed)


def first_vectors(settings: TagSettings, inputs: Sequence[Tensor], words: int) -> Tensor | None:
    """What the word vectors start from; None for chance."""
    if settings.word_vectors == "random":
        return None
    return word_vectors([one[:, WORD] for one in inputs], words, settings.embedding, seed=settings.seed)


def scaled_vectors(vectors: WordVectors | None) -> Tensor | None:
    """Pretrained vectors brought to the spread of the others, (N, F)."""
    if vectors is None:
        return None
    return torch.from_numpy(vectors.vectors * (SPREAD / max(float(vectors.vectors.std()), 1e-8)))


def describe_network(settings: TagSettings) -> str:
    """The network in words."""
    members = "" if settings.members == 1 else f"{settings.members} networks averaged, each a "
    return f"{members}bidirectional {describe_recurrent(settings)}, on words and characters, with a CRF"


class TagObjective:
    """What a tagger learns by, and what its epochs are judged by.

    In training: the negative log-likelihood of the true tags, the mean over sentences and the members that
    learn from them; member m of M holds out the share m mod F of the validation part. Else: 1 - span F1, each
    sentence read by the members that held it out as one chain, its counts those at all of `OFFSETS` together.
    That and not the likelihood, which falls while the spans still get better: on sentences of another kind
    the network is too sure of O. As F1 is 2 right / (true + found), its mean weighted by (true + found) over
    any batches is exactly that of all.

    Args:
        classes: Of the spans.
        folds: F, shares of the validation part.
    """

    def __init__(self, classes: Sequence[str], folds: int) -> None:
        self.names, self.folds = tag_names(classes), folds

    def __call__(self, model: nn.Module, batch: Any, state: Any = None) -> Outcome:
        """Loss of a batch.

        Args:
            model: A `TagEnsemble`, or a wrapper around one.
            batch: Targets (B, 1 + at least T), long: the share of the validation part that the sentence is
                in, 0 to F - 1, or -1 for the training part; then its tags.
            state: Not used: each sentence is read whole.
        """
        fold, tags = batch.targets[:, 0], batch.targets[:, 1 : 1 + len(batch.inputs)].T
        scores, crf = model(batch.inputs, batch.lengths)  # (T, M, B, K)
        if model.training:
            likelihood = log_likelihood(scores, crf, tags, batch.lengths)  # (M, B)
            held = torch.arange(len(likelihood), device=fold.device) % self.folds  # by each member
            learns = (held[:, None] != fold).to(likelihood)
            count = float(learns.sum())
            return Outcome(-(likelihood * learns).sum() / max(count, 1.0), count)
        right = total = 0
        for number in range(self.folds):
            rows = (fold == number).nonzero()[:, 0]
            if not len(rows):
                continue
            judges = slice(number, None, self.folds)
            chain = averaged(scores[:, judges, rows], CRFScores(*(part[judges] for part in crf)))
            reading = Reading(torch.arange(len(rows)), *chain, batch.lengths[rows])
            counts = self._counts(Readings([reading], len(rows)), tags[:, rows], reading.lengths)
            right, total = right + counts[0], total + counts[1]
        return Outcome(scores.new_tensor(1 - 2 * right / max(total, 1)), total)

    def _counts(self, readings: Readings, tags: Tensor, lengths: Tensor) -> tuple[int, int]:
        """Spans that are right, and true and found ones together, over all of `OFFSETS`."""
        truth = [
            set(spans_of([self.names[number] for number in path[:length]]))
            for path, length in zip(tags.T.tolist(), lengths.tolist(), strict=True)
        ]
        right = total = 0
        for offset in OFFSETS:
            for true, found in zip(truth, best_tags(readings, offset, self.names), strict=True):
                spans = spans_of(found)
                right += len(true.intersection(spans))
                total += len(true) + len(spans)
        return right, total


def _member(
    settings: TagSettings,
    vocabulary: Vocabulary,
    classes: Sequence[str],
    vector_size: int,
    start: Tensor | None,
) -> TagNetwork:
    names = tag_names(classes)
    noise = torch.randn(len(vocabulary.words), settings.embedding) * (0.1 if start is None else NOISE)
    characters = CharacterCNN(
        len(vocabulary.characters),
        settings.character_size,
        settings.character_filters,
        WIDTHS,
        padding=PADDING,
        dropout=settings.character_dropout,
    )
    inputs = settings.embedding + characters.output_size + SHAPE_SIZE + vector_size
    return TagNetwork(
        noise if start is None else noise + SPREAD * start,
        characters,
        len(SHAPES),
        SHAPE_SIZE,
        build_recurrent(settings, inputs, dropout=settings.dropout, bidirectional=True),
        CRF(
            len(names),
            allowed=torch.tensor([[may_follow(first, second) for second in names] for first in names]),
            first=torch.tensor([may_follow(None, name) for name in names]),
        ),
        tags=len(names),
        padding=PADDING,
        unknown=UNKNOWN,
        dropout=settings.dropout,
        input_dropout=settings.input_dropout,
        word_dropout=settings.word_dropout,
    )

"""From recordings with transcripts to the parts that a transcriber is trained and measured on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from throughtime.data import LogMel, Repair, SequenceBatches, Speech, Spelling
from throughtime.data.augment import rng_of
from throughtime.data.spelling import BLANK, steps_needed
from throughtime.data.table import counted, listed
from throughtime.errors import DataError
from throughtime.tasks.sources import Sources
from throughtime.tasks.splitting import split_rows
from throughtime.tasks.transcribe_listen import Heard, Listening, too_short
from throughtime.tasks.transcribe_settings import TranscribeSettings

BATCH_OF_VALIDATION = 64

Rows = list[Heard]


@dataclass(frozen=True)
class Part:
    """Recordings of one part.

    Attributes:
        heard: N recordings with their normalised features and transcripts.
        labels: The known symbols of each transcript, as numbers.
    """

    heard: Rows
    labels: list[list[int]]

    def __len__(self) -> int:
        """How many recordings there are."""
        return len(self.heard)

    @property
    def features(self) -> list[Tensor]:
        """Normalised features of each, (T, I)."""
        return [one.features for one in self.heard]

    @property
    def texts(self) -> list[str]:
        """Transcript of each, as it is learnt and compared."""
        return [one.text for one in self.heard]

    @property
    def seconds(self) -> float:
        """Length of all of them."""
        return sum(one.seconds for one in self.heard)


@dataclass(frozen=True)
class TranscribeData:
    """Recordings laid out for one transcriber.

    Attributes:
        symbols: Learnt from the training part alone.
        mel: How sound becomes features.
        train: To learn from.
        validation: To choose the best epoch by.
        test: To measure on.
        repairs: What was changed or left out, and what a reader must know.
    """

    symbols: Spelling
    mel: LogMel
    train: Part
    validation: Part
    test: Part
    repairs: list[Repair]

    @property
    def most_frequent(self) -> str:
        """The transcript that training holds most of; of equals the first by letters."""
        counts = Counter(self.train.texts)
        return min(counts, key=lambda text: (-counts[text], text))


def prepare_speech(
    sources: Sources[Speech],
    settings: TranscribeSettings,
    symbols: Spelling | None = None,
    rate: int | None = None,
) -> TranscribeData:
    """Listen to every recording, cut off the parts that were not given, and learn the symbols.

    Args:
        sources: What was read.
        settings: Features, symbols, shares of the parts.
        symbols: To use instead of learning them: those of a trained model.
        rate: Samples a second to bring sound to; None: as the settings say.

    Raises:
        DataError: a recording cannot be used, or a part would be empty.
    """
    mel = settings.features(rate or settings.rate or sources.train.rate())
    listening = Listening(mel, settings)
    named = {"training": sources.train, "validation": sources.validation, "test": sources.test}
    given = {name: listening.hear(one) for name, one in named.items() if one is not None}
    parts = _split(given, settings)
    repairs = listening.repairs()
    _keep_apart(parts, repairs)
    symbols = symbols or Spelling.learn(
        (one.text for one in parts["training"]), settings.unit, keep_case=settings.keep_case
    )
    if len(symbols) < 2:
        raise DataError(f"{sources.train.name}: the transcripts hold no symbol to learn.")
    fitting = {name: _long_enough(rows, name, symbols, settings, repairs) for name, rows in parts.items()}
    made = {name: part_of(rows, symbols) for name, rows in fitting.items()}
    for name in ("validation", "test"):
        _note_unknown(made[name], name, symbols, repairs)
    return TranscribeData(symbols, mel, made["training"], made["validation"], made["test"], repairs)


def other_part(speech: Speech, mel: LogMel, settings: TranscribeSettings, symbols: Spelling) -> Part:
    """All of other recordings with transcripts. Raises `DataError`."""
    return part_of(Listening(mel, settings).hear(speech), symbols)


def part_of(rows: Rows, symbols: Spelling) -> Part:
    """Recordings with the numbers of their symbols."""
    return Part(rows, [symbols.number(one.text) for one in rows])


def batches_of(data: TranscribeData, settings: TranscribeSettings) -> tuple[SequenceBatches, SequenceBatches]:
    """Training batches, changed a little each time, and validation batches."""
    least = [steps_needed(labels) * settings.stack for labels in data.train.labels]
    augmentation = settings.augmentation()

    def change(features: Tensor, row: int, epoch: int) -> Tensor:
        return augmentation(features, rng_of(settings.seed, epoch, row), least[row])

    return (
        SequenceBatches(
            data.train.features,
            targets_of(data.train.labels),
            settings.batch_size,
            seed=settings.seed,
            change=change,
        ),
        SequenceBatches(
            data.validation.features, targets_of(data.validation.labels), BATCH_OF_VALIDATION, shuffle=False
        ),
    )


def targets_of(labels: Sequence[Sequence[int]]) -> Tensor:
    """Spelling of each transcript, (N, S) long, blanks (0) behind."""
    targets = torch.full((len(labels), max(map(len, labels), default=0)), BLANK)
    for row, numbers in enumerate(labels):
        targets[row, : len(numbers)] = torch.tensor(numbers, dtype=torch.long)
    return targets


def _split(given: dict[str, Rows], settings: TranscribeSettings) -> dict[str, Rows]:
    """Cut off the parts that were not given, by chance, the same recording into one part."""
    return split_rows(
        given,
        settings.split,
        settings.seed,
        noun="recording",
        alike=lambda one: one.digest,
    )


def _keep_apart(parts: dict[str, Rows], repairs: list[Repair]) -> None:
    """Leave out of training what stands in the validation or test part too, or the figures would flatter."""
    held = {one.digest for name in ("validation", "test") for one in parts[name]}
    kept = [one for one in parts["training"] if one.digest not in held]
    gone = len(parts["training"]) - len(kept)
    if gone:
        said = (
            f"{counted(gone, 'training recording')} left out, as the validation or test part holds the same."
        )
        repairs.append(Repair(kind="in two parts", count=gone, text=said))
        parts["training"] = kept
    if not kept:
        raise DataError("no training recording is left: the validation and test parts hold them all.")


def _long_enough(
    rows: Rows, name: str, symbols: Spelling, settings: TranscribeSettings, repairs: list[Repair]
) -> Rows:
    """Recordings whose steps are enough for their transcript; the test part keeps the others, as errors."""
    short = [why for one in rows if (why := too_short(one, symbols, settings.stack))]
    if not short:
        return rows
    if name == "test":
        said = f"{counted(len(short), 'test recording')} cannot be answered right: {short[0]}"
        repairs.append(Repair(kind="too short", count=len(short), text=said))
        return rows
    if settings.on_bad_audio == "error":
        many = f"{counted(len(short), 'such recording')} in the {name} part"
        raise DataError(f"{short[0]} {many}; --on-bad-audio leave-out goes on without.")
    kept = [one for one in rows if not too_short(one, symbols, settings.stack)]
    said = f"{counted(len(short), f'{name} recording')} left out, the first: {short[0]}"
    repairs.append(Repair(kind="too short", count=len(short), text=said))
    if not kept:
        raise DataError(f"the {name} part holds no recording that is long enough for its transcript.")
    return kept


def _note_unknown(part: Part, name: str, symbols: Spelling, repairs: list[Repair]) -> None:
    """Say which symbols of a part were never learnt: what they stand in cannot be answered right."""
    found = Counter(symbol for text in part.texts for symbol in symbols.unknown(text))
    if found:
        told = listed([symbol for symbol, _ in found.most_common()], 5)
        said = f"The {name} transcripts hold {told}, which training does not: counted as errors."
        repairs.append(Repair(kind="unknown symbols", count=found.total(), text=said))

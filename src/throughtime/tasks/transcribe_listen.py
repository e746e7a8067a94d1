"""Listening to recordings: each becomes features, and what was wrong or changed is counted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from torch import Tensor

from throughtime.data import LogMel, Repair, Sound, Speech, Spelling
from throughtime.data.log_mel import normalise
from throughtime.data.spelling import steps_needed
from throughtime.data.table import counted
from throughtime.errors import DataError
from throughtime.tasks.transcribe_settings import TranscribeSettings

TOLD = 3  # faults that a message names one by one


@dataclass(frozen=True)
class Heard:
    """One recording once it was listened to.

    Attributes:
        speech: Where it stands ...
        row: ... and as which.
        text: Its transcript, as it is learnt and compared.
        features: Normalised, (T, I).
        seconds: How long it lasts.
        digest: SHA-256 of its samples.
    """

    speech: Speech
    row: int
    text: str
    features: Tensor
    seconds: float
    digest: str

    @property
    def place(self) -> str:
        """What messages call it."""
        return self.speech.place(self.row)


@dataclass
class Listening:
    """Listens to the recordings of every part in the same way.

    Attributes:
        mel: How sound becomes features.
        settings: What to do with a recording that cannot be used.
    """

    mel: LogMel
    settings: TranscribeSettings
    _notes: list[Repair] = field(default_factory=list)
    _faults: list[str] = field(default_factory=list)
    _mixed: list[str] = field(default_factory=list)
    _resampled: list[str] = field(default_factory=list)
    _empty: list[str] = field(default_factory=list)

    def hear(self, speech: Speech) -> list[Heard]:
        """Every recording of a source with its features.

        Raises:
            DataError: recordings cannot be used and are not to be left out, or none is left.
        """
        self._notes += speech.repairs
        normal = Spelling(self.settings.unit, self.settings.keep_case, ()).normal
        heard, faults = [], []
        for row, text in enumerate(speech.texts):
            if not normal(text):
                self._empty.append(speech.place(row))
                continue
            try:
                heard.append(self._one(speech, row, normal(text)))
            except DataError as error:
                faults.append(_at_line(speech, row, error))
        if faults and self.settings.on_bad_audio == "error":
            raise DataError(_several(faults, len(speech)))
        self._faults += faults
        if not heard:
            raise DataError(
                f"{speech.name}: no recording with a transcript can be used. {' '.join(faults[:1])}"
            )
        return heard

    def repairs(self) -> list[Repair]:
        """What was changed or left out so far."""
        told = [
            ("bad audio", self._faults, "that cannot be used left out"),
            ("no transcript", self._empty, "with an empty transcript left out"),
            ("channels", self._mixed, "with several channels, which were averaged"),
            ("sample rate", self._resampled, f"brought down to {self.mel.rate:,} Hz"),
        ]
        made = [
            Repair(kind=kind, count=len(found), text=_counted_sentence(found, what))
            for kind, found, what in told
            if found
        ]
        return [*self._notes, *made]

    def _one(self, speech: Speech, row: int, text: str) -> Heard:
        sound = speech.sound(row, self.mel.rate)
        if sound.channels > 1:
            self._mixed.append(speech.place(row))
        if sound.recorded_rate != self.mel.rate:
            self._resampled.append(speech.place(row))
        digest = hashlib.sha256(sound.samples.tobytes()).hexdigest()
        return Heard(speech, row, text, features_of(sound, self.mel), sound.seconds, digest)


def features_of(sound: Sound, mel: LogMel) -> Tensor:
    """What the network sees of a sound, (T, I). Raises `DataError` if it is shorter than a frame."""
    return normalise(mel(sound.samples, sound.name))


def too_short(one: Heard, symbols: Spelling, stack: int) -> str | None:
    """Why a recording cannot be written as its transcript in so few steps; None if it can."""
    numbers = symbols.number(one.text)
    steps, needed = -(-len(one.features) // stack), steps_needed(numbers)
    if steps >= needed:
        return None
    repeats = needed - len(numbers)
    return (
        f"{one.place}: {one.seconds:.2f} s are {counted(steps, 'step')}, too short for its transcript "
        f"{one.text!r}, which needs {needed}: {counted(len(numbers), 'symbol')} and "
        f"{counted(repeats, 'blank')} between equal ones; a smaller --stack gives more steps."
    )


def _counted_sentence(found: list[str], what: str) -> str:
    return f"{counted(len(found), 'recording')} {what}; the first: {found[0].rstrip('.')}."


def _at_line(speech: Speech, row: int, error: DataError) -> str:
    """The fault, with the line of the table where there is one."""
    return str(error) if speech.lines is None else f"{speech.name} line {speech.lines[row]}: {error}"


def _several(faults: list[str], recordings: int) -> str:
    if len(faults) == 1:
        return faults[0]
    more = [f"and {len(faults) - TOLD:,} more."] if len(faults) > TOLD else []
    return "\n  ".join(
        [
            f"{len(faults):,} of {recordings:,} recordings cannot be used; --on-bad-audio leave-out goes on "
            "without them:",
            *faults[:TOLD],
            *more,
        ]
    )

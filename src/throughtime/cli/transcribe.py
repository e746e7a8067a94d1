"""Commands for transcribers: fit transcribe; measuring and using a trained transcriber."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter

from throughtime.cli.answering import in_groups, lines_of_stdin, write_answers
from throughtime.cli.codes import USER_ERROR
from throughtime.cli.fitting import (
    AsJson,
    Out,
    Quiet,
    Resume,
    network_groups,
    print_metrics,
    print_scores,
    run_fit,
)
from throughtime.cli.options import settings_as_options
from throughtime.data.decode import read_file, to_utf8
from throughtime.data.speech import AUDIO
from throughtime.errors import DataError
from throughtime.tasks.transcribe import Transcriber
from throughtime.tasks.transcribe_card import TASK
from throughtime.tasks.transcribe_scores import TranscribeMetrics
from throughtime.tasks.transcribe_settings import TranscribeSettings

NETWORK, TRAINING = network_groups(4)
SPEECH, SOUND = Group("Recordings", sort_key=1), Group("Sound", sort_key=2)
GROUPS = {
    "network": NETWORK,
    "epochs": TRAINING,
    "file": SPEECH,
    "rate": SOUND,
    "tempo": TRAINING,
    "hidden": NETWORK,
    "decoder": Group("Answers", sort_key=3),
}


@settings_as_options(TranscribeSettings, GROUPS)
def transcribe(
    data: Annotated[
        str | None,
        Parameter(help="Folder of WAV, FLAC or OGG files with a table of transcripts, or the table"),
    ] = None,
    /,
    *,
    out: Out = None,
    resume: Resume = None,
    json: AsJson = False,
    quiet: Quiet = False,
    **options: Any,
) -> int:
    """Train a recurrent network to write what is said in recordings, and measure it beside baselines."""
    return run_fit(
        TASK,
        Transcriber,
        data,
        options,
        out=out,
        resume=resume,
        as_json=json,
        quiet=quiet,
        expected=(
            "a folder of sound files with a table of transcripts (file,text), as in: "
            "throughtime fit transcribe recordings/"
        ),
        show=_show,
    )


def evaluate_model(folder: Path, data: str | None, *, as_json: bool) -> int:
    """Measure a trained transcriber beside its baselines."""
    print_metrics(Transcriber.load(folder).evaluate(data), as_json=as_json, show=_show)
    return 0


def predict_with(folder: Path, data: str | None, *, out: Path | None, as_json: bool) -> int:
    """Answer each recording with one line: text and probability, or a JSON object.

    DATA is a sound file, a folder of them, or a text file with a path on each line; without it, each line of
    standard input is a path, answered as it comes. A recording that cannot be used gets a line with an empty
    text (with --json: an "error"), is named on stderr, and makes the exit code 2.
    """
    transcriber = Transcriber.load(folder)
    groups = lines_of_stdin() if data is None else in_groups(_paths(Path(data)))
    answers = _Answers(transcriber, as_json=as_json)
    write_answers(groups, answers, out)
    return USER_ERROR if answers.faults else 0


class _Answers:
    """Answers recordings one by one, and counts those that cannot be used."""

    def __init__(self, transcriber: Transcriber, *, as_json: bool) -> None:
        self.transcriber, self.as_json = transcriber, as_json
        self.faults = 0

    def __call__(self, paths: list[str]) -> Iterator[str]:
        """One line for each path."""
        for path in paths:
            try:
                found = self.transcriber.transcribe([path])[0]
            except DataError as error:
                self.faults += 1
                print(f"throughtime: {error}", file=sys.stderr)
                yield self._line({"file": path, "error": str(error)}, "\t0.0000")
            else:
                fields = {"file": path, **found.model_dump(mode="json")}
                yield self._line(fields, f"{found.text}\t{found.confidence:.4f}")

    def _line(self, fields: dict[str, Any], plain: str) -> str:
        return json_module.dumps(fields, ensure_ascii=False) if self.as_json else plain


def _paths(data: Path) -> Iterable[str]:
    """The recordings that an argument of `predict` means. Raises `DataError`."""
    if data.is_dir():
        found = sorted(one for one in data.iterdir() if one.suffix.lower() in AUDIO)
        if not found:
            raise DataError(f"{data}: holds no sound file ({', '.join(AUDIO)}).")
        return map(str, found)
    content = read_file(data)
    if b"\0" in content[:1024] or data.suffix.lower() in AUDIO:
        return [str(data)]
    lines = to_utf8(content, data.name)[0].decode().splitlines()
    return [line.strip() for line in lines if line.strip()]


def _show(metrics: TranscribeMetrics) -> None:
    methods = [*metrics.decoders.values(), *metrics.baselines.values()]
    methods.sort(key=lambda one: one is not metrics.decoders[metrics.decoder])
    rows = [
        (one.label, f"{one.test.wer:.2%}", f"{one.test.cer:.2%}", f"{one.test.sentences:.2%}", one.note)
        for one in methods
    ]
    title = f"{metrics.test.recordings:,} test recordings, {metrics.test.words:,} words"
    print_scores(title, ("word errors", "character errors", "all right"), rows)
    sure, right = f"{100 * metrics.confidence:.1f} %", f"{100 * metrics.test.sentences:.1f} %"
    print(f"On average it is {sure} sure of a whole answer; {right} of them are right.")

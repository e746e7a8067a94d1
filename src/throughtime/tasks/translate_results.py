"""What a finished fit of a translator leaves behind: pieces, metrics.json, history.csv, report."""

from __future__ import annotations

from throughtime.page.translate_report import render_translate_report
from throughtime.tasks.model_folder import HISTORY, METRICS, REPORT
from throughtime.tasks.results import history_as_csv
from throughtime.tasks.translate_card import SOURCE_PIECES, TARGET_PIECES
from throughtime.tasks.translate_report import TranslateFitted, build_report


def make_texts(fitted: TranslateFitted) -> dict[str, str]:
    """Content of the text files of the model folder, by name."""
    pieces = fitted.data.pieces
    return {
        SOURCE_PIECES: pieces.source.to_json(),
        TARGET_PIECES: pieces.target.to_json(),
        METRICS: fitted.evaluation.metrics.model_dump_json(indent=2) + "\n",
        HISTORY: history_as_csv(fitted.result),
        REPORT: render_translate_report(build_report(fitted)),
    }

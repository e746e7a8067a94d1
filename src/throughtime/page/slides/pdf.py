"""The same deck as PDF, where LibreOffice is there to make it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from throughtime import files
from throughtime.errors import MachineError

_PROGRAMS = ("soffice", "libreoffice")
_PATIENCE = 300  # seconds


def libreoffice() -> str | None:
    """The program, or None where it is not installed."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


def write_pdf(deck: Path, program: str) -> Path:
    """Convert a deck; the PDF stands beside it.

    Raises:
        MachineError: LibreOffice gave no PDF.
        OutputError: the PDF cannot be written.
    """
    with tempfile.TemporaryDirectory() as folder:
        profile = f"-env:UserInstallation={(Path(folder) / 'profile').as_uri()}"
        command = [program, profile, "--headless", "--convert-to", "pdf", "--outdir", folder, str(deck)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            raise MachineError(f"{program}: made no PDF of {deck} within {_PATIENCE} s") from None
        made = Path(folder) / f"{deck.stem}.pdf"
        if not made.is_file():
            raise MachineError(
                f"{program}: made no PDF of {deck}: {done.stderr.strip() or done.stdout.strip()}"
            )
        files.write_bytes(deck.with_suffix(".pdf"), made.read_bytes())
    return deck.with_suffix(".pdf")

"""`throughtime slides`: a deck that walks the journey of the study page."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from throughtime.cli.study import read_source
from throughtime.errors import MachineError, SettingsError


def slides(
    source: Annotated[
        Path | None, Parameter(help="A recording, or the folder of a trained model. [default: tiny LSTM]")
    ] = None,
    /,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"], help="The .pptx file.")] = Path("throughtime.pptx"),
    step: Annotated[
        int | None, Parameter(help="Time step to show, from 1. [default: the middle one]")
    ] = None,
    unit: Annotated[int, Parameter(help="Unit to show, from 1.")] = 1,
    sequence: Annotated[int, Parameter(help="Sequence to show, from 1.")] = 1,
    full: Annotated[bool, Parameter(help="Walk through every time step.", negative=())] = False,
    pdf: Annotated[bool, Parameter(help="A PDF too, where LibreOffice is there.")] = True,
) -> int:
    """Write slides of native shapes and text: forward, routes, backward, update, with recorded numbers."""
    if importlib.util.find_spec("pptx") is None:
        raise MachineError("slides: python-pptx is not installed; pip install 'throughtime[slides]'")
    from throughtime.page.slides.deck import write_slides
    from throughtime.page.slides.pdf import libreoffice, write_pdf

    recording = read_source(source)
    place = {"step": None if step is None else step - 1, "unit": unit - 1, "sequence": sequence - 1}
    try:
        count = write_slides(recording, out, full=full, **place)  # type: ignore[arg-type]
    except ValueError as error:
        raise SettingsError(str(error)) from error
    print(f"Wrote {out}, {count} slides")
    program = libreoffice() if pdf else None
    if program is not None:
        print(f"Wrote {write_pdf(out, program)}")
    elif pdf:
        print("No PDF: LibreOffice is not installed here.")
    return 0

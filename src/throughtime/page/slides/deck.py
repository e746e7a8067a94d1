"""The deck: title, the unfolded network, then the journey, one small step on each slide."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from pptx import Presentation
from pptx.util import Inches

from throughtime import files
from throughtime.page.slides.page import BlockSlides
from throughtime.page.slides.plain import loss_slide, title_slide, unfolded_slide, update_slide
from throughtime.page.slides.story import steps
from throughtime.page.study.data import study_data
from throughtime.page.study.equations import equations_of
from throughtime.page.study.evaluate import LayerNumbers, Place
from throughtime.page.study.lines import Journey
from throughtime.recording import LayerRecord, Recording

WIDTH, HEIGHT = Inches(13.333), Inches(7.5)


def write_slides(
    recording: Recording,
    path: str | os.PathLike[str],
    *,
    step: int | None = None,
    unit: int = 0,
    sequence: int = 0,
    full: bool = False,
) -> int:
    """Write a deck of native shapes and text.

    Args:
        recording: What to show; its first layer.
        path: The .pptx file.
        step: Time step, from 0; None takes the middle one.
        unit: From 0.
        sequence: From 0.
        full: Walk through every time step instead of one.

    Returns:
        The number of slides.

    Raises:
        ValueError: the recording is empty, or there is no such step, unit or sequence.
        OutputError: the file cannot be written.
    """
    if not recording.layers:
        raise ValueError("slides: the recording is empty; run the model inside the block of record().")
    layer = next(iter(recording.layers.values()))
    journey, drawing, lacks = equations_of(layer)
    numbers = LayerNumbers(layer)
    places = _places(layer, numbers, step, unit, sequence, full)
    show: Any = Presentation()
    show.slide_width, show.slide_height = WIDTH, HEIGHT
    told = {chapter["id"]: chapter["text"] for chapter in study_data(recording).fields["chapters"]}
    title_slide(show, recording, layer)
    unfolded_slide(show, layer, numbers, places[0], told)
    block = BlockSlides(show, layer, numbers, drawing, lacks, told)
    _walk(block, journey, numbers, places)
    files.write_with(path, lambda temporary: show.save(os.fspath(temporary)))
    return len(show.slides)


def _walk(block: BlockSlides, journey: Journey, numbers: LayerNumbers, places: list[Place]) -> None:
    """Forward through all places, J, backward through them in reverse, the update."""
    for place in places:
        for one in steps(journey, numbers, place):
            if one.phase == "forward":
                block.add(one)
    loss_slide(block.show, block.told)
    for place in reversed(places):
        for one in steps(journey, numbers, place):
            if one.phase == "backward":
                block.add(one, journey.shares)
    if journey.backward:
        update_slide(block.show)


def _places(
    layer: LayerRecord, numbers: LayerNumbers, step: int | None, unit: int, sequence: int, full: bool
) -> list[Place]:
    for given, count, what in (
        (unit, layer.hidden_size, "unit"),
        (sequence, layer.B, "sequence"),
        (step or 0, numbers.length(sequence) if sequence in range(layer.B) else 0, "step"),
    ):
        if given not in range(count):
            raise ValueError(f"slides: {what}={given}, expected 0 to {count - 1}.")
    order = [numbers.step(s, sequence) for s in range(numbers.length(sequence))]
    chosen: Iterable[int] = order if full else [order[len(order) // 2] if step is None else step]
    return [Place(t, sequence, unit) for t in chosen]

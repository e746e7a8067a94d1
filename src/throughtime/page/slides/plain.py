"""The slides without the block: title, the unfolded network, the loss, the update."""

from __future__ import annotations

from typing import Any

from pptx.enum.shapes import MSO_CONNECTOR, MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Inches, Pt

from throughtime.page.slides.page import text_box, write_title
from throughtime.page.slides.picture import HALO, INK, SOFT, WIRE, colour
from throughtime.page.slides.words import Run, write_runs
from throughtime.page.study.equations import layer_name
from throughtime.page.study.evaluate import LayerNumbers, Place
from throughtime.page.study.shown import shown
from throughtime.recording import LayerRecord, Recording

_BLANK = 6
_SHOWN = 9  # steps of the unfolded network
_GAP, _SIDE = 1.36, 0.9  # inches


def title_slide(show: Any, recording: Recording, layer: LayerRecord) -> None:
    """What was recorded."""
    slide = show.slides.add_slide(show.slide_layouts[_BLANK])
    title = recording.notes.get("title", "Forward and backward through time")
    text_box(slide, 0.9, 2.3, 11.5, 1.4, [Run(title)], 36, bold=True)
    sizes = f"{layer.input_size} inputs · {layer.hidden_size} units · {layer.T} time steps"
    text_box(slide, 0.9, 3.8, 11.5, 0.9, [Run(f"{layer_name(layer)} · {sizes}")], 20, ink=SOFT)
    words = "Every number on these slides was recorded: nothing is made up."
    text_box(slide, 0.9, 4.8, 11.5, 0.5, [Run(words)], 20, ink=SOFT)
    slide.notes_slide.notes_text_frame.text = words


def unfolded_slide(
    show: Any, layer: LayerRecord, numbers: LayerNumbers, place: Place, told: dict[str, str]
) -> None:
    """The network once for each time step, the same parameters under all."""
    slide = show.slides.add_slide(show.slide_layouts[_BLANK])
    write_title(slide, "The network unfolded in time")
    length = numbers.length(place.b)
    count = min(_SHOWN, length)
    first = max(0, min(place.t - count // 2, length - count))
    left = (13.333 - (count - 1) * _GAP - _SIDE) / 2
    for n in range(count):
        _step(
            slide, layer, numbers, Place(first + n, place.b, place.k), left + n * _GAP, first + n == place.t
        )
        if n:
            before, after = left + (n - 1) * _GAP + _SIDE, left + n * _GAP
            _arrow(slide, *((after, before) if layer.reverse else (before, after)), 3.15)
    names = ", ".join(layer.parameters)
    text_box(slide, 0.9, 4.6, 11.5, 0.8, [Run(f"{names}: the same at every step")], 20, align=PP_ALIGN.CENTER)
    words = f"The same network, once for each of {layer.T} time steps. Only the drawing is copied."
    text_box(slide, 0.9, 5.5, 11.5, 0.6, [Run(words)], 16, ink=SOFT, align=PP_ALIGN.CENTER)
    slide.notes_slide.notes_text_frame.text = f"{words} {told.get('time', '')}".strip()


def _step(
    slide: Any, layer: LayerRecord, numbers: LayerNumbers, place: Place, left: float, now: bool
) -> None:
    value = float(numbers.vector(layer.output, 0, place.t, place.b)[place.k])
    fill, ink = colour(value, 1.0, "value")
    box = slide.shapes.add_shape(
        MSO_SHAPE.ROUNDED_RECTANGLE, Inches(left), Inches(2.8), Inches(_SIDE), Inches(0.7)
    )
    box.shadow.inherit = False
    box.fill.solid()
    box.fill.fore_color.rgb = fill
    box.line.color.rgb, box.line.width = (HALO, Pt(3)) if now else (WIRE, Pt(1))
    frame = box.text_frame
    frame.margin_left = frame.margin_right = 0
    frame.vertical_anchor = MSO_ANCHOR.MIDDLE
    frame.paragraphs[0].alignment = PP_ALIGN.CENTER
    write_runs(frame.paragraphs[0], [Run(shown(value, 2))], 16, ink, bold=now)
    text_box(slide, left, 2.2, _SIDE, 0.4, [Run(f"t = {place.t + 1}")], 14, ink=SOFT, align=PP_ALIGN.CENTER)


def _arrow(slide: Any, start: float, end: float, y: float) -> None:
    line = slide.shapes.add_connector(
        MSO_CONNECTOR.STRAIGHT, Inches(start), Inches(y), Inches(end), Inches(y)
    )
    line.line.color.rgb, line.line.width = WIRE, Pt(2)
    pen = line.line._get_or_add_ln()
    pen.append(pen.makeelement(qn("a:tailEnd"), {"type": "triangle"}))


def loss_slide(show: Any, told: dict[str, str]) -> None:
    """The turning point."""
    words = (
        "The forward journey is over: from the outputs the head forms the loss J. Now the errors travel "
        "back, "
        "from the last step to the first."
    )
    _plain(show, "The loss J", words, told.get("errors", ""))


def update_slide(show: Any) -> None:
    """Once, at the end."""
    words = (
        "The gradient of each parameter is the sum of the shares of all time steps, over all sequences. "
        "Once, at the end, every parameter moves: θ ← θ − η ∂J/∂θ."
    )
    _plain(show, "The one update", words, words)


def _plain(show: Any, title: str, words: str, notes: str) -> None:
    slide = show.slides.add_slide(show.slide_layouts[_BLANK])
    write_title(slide, title)
    text_box(slide, 0.9, 2.4, 11.5, 1.8, [Run(words)], 24, ink=INK)
    slide.notes_slide.notes_text_frame.text = notes

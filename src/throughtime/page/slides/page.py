"""One slide of the journey: what became known, the drawing, the equation and its numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.util import Emu, Inches

from throughtime.page.slides.picture import GHOST, INK, PAPER, SOFT, Frame, Looks, draw
from throughtime.page.slides.story import Step, lit_wires, read, shown_terms
from throughtime.page.slides.words import Run, line_runs, put_in, symbol_runs, term_runs, write_runs
from throughtime.page.study.drawing import Drawing
from throughtime.page.study.evaluate import LayerNumbers
from throughtime.page.study.lines import Share
from throughtime.page.study.shown import shown
from throughtime.page.study.symbols import reader_name, value_symbol
from throughtime.recording import LayerRecord

_BLANK = 6  # layout without placeholders
_MOST_ROWS = 15
_SIZES = ((85, 16), (110, 13), (150, 10), (10_000, 8))  # of an equation's letters, by how many there are
_CHAPTERS = {
    "c": "forget",
    "d_y": "errors",
    "d_h": "routes",
    "d_c": "routes",
    "o": "peepholes",
    "share": "gradient",
}
_SCALES = frozenset({"i", "f", "o", "y", "h", "z", "h_c"})


@dataclass(frozen=True)
class BlockSlides:
    """Slides that show the block.

    Attributes:
        show: The presentation.
        layer: The layer.
        numbers: Its numbers.
        drawing: Its drawing.
        lacks: What the drawing shows as ghosts.
        told: Texts of the tour, by chapter.
    """

    show: Any
    layer: LayerRecord
    numbers: LayerNumbers
    drawing: Drawing
    lacks: frozenset[str]
    told: dict[str, str]

    def add(self, step: Step, shares: tuple[Share, ...] = ()) -> None:
        """Add the slide of one step."""
        slide = self.show.slides.add_slide(self.show.slide_layouts[_BLANK])
        write_title(slide, self._title(step))
        scale = Inches(8.3) / self.drawing.box[0]
        scale = min(scale, Inches(4.75) / self.drawing.box[1])
        looks = Looks(
            self.lacks,
            step.phase == "backward",
            lit_wires(step, self.numbers),
            lambda what: read(step, self.numbers, what),
            self._scale,
        )
        draw(slide, self.drawing, Frame(Inches(0.35), Inches(1.15), scale), looks)
        self._words(slide, step, shares)
        self._footer(slide, step)
        slide.notes_slide.notes_text_frame.text = self._notes(step)

    def _title(self, step: Step) -> str:
        title = step.moment.title[0].upper() + step.moment.title[1:]
        if step.routes is not None and step.line is not None:
            reader = reader_name(shown_terms(step, self.numbers)[-1].route)
            return f"{title}: the route through {reader}"
        if step.moment.id == "loss":
            return f"{title}, and on to t+1"
        return title

    def _words(self, slide: Any, step: Step, shares: tuple[Share, ...]) -> None:
        line = step.line
        if line is None:
            self._shares(slide, step, shares)
            return
        terms = shown_terms(step, self.numbers)
        if not line.terms:
            self._result(slide, step, [])
            return
        rows = [
            (term_runs(term), put_in(term, self.numbers, step.place), shown(self._term(step, term)))
            for term in terms
        ]
        if not line.function:
            table(slide, ["part", "numbers put in", "is"], rows)
        self._result(slide, step, line_runs(line, self.numbers.terms(line, step.place)))

    def _term(self, step: Step, term: Any) -> float:
        return self.numbers.term(term, step.place)

    def _result(self, slide: Any, step: Step, equation: list[Run]) -> None:
        line = step.line
        if line is None:
            return
        if equation:
            letters = sum(len(run.text) for run in equation)
            size = next(size for most, size in _SIZES if letters <= most)
            text_box(slide, 0.45, 6.0, 12.4, 0.45, equation, size)
        if step.routes is not None:
            total = sum(self.numbers.term(term, step.place) for term in shown_terms(step, self.numbers))
            result = [Run(f"so far {shown(total)}")]
        elif line.target == "x":
            result = [Run(f"x(t) has {self.layer.input_size} numbers")]
        else:
            found = shown(self.numbers.result(line, step.place), 4)
            result = [*symbol_runs(value_symbol(line.target)), Run(f" = {found}")]
        text_box(slide, 0.45, 6.45, 12.4, 0.5, result, 24, bold=True)

    def _shares(self, slide: Any, step: Step, shares: tuple[Share, ...]) -> None:
        place, rows = step.place, []
        for share in shares[:_MOST_ROWS]:
            error = float(self.numbers.vector(share.error, 0, place.t, place.b)[place.k])
            met = 1.0
            if share.value:
                vector = self.numbers.vector(share.value, share.time, place.t, place.b)
                met = float(vector[0 if share.matrix else place.k])
            text = f"{shown(error)} · {shown(met)}" if share.value else shown(error)
            index = [Run(" [k, 1]")] if share.matrix else []
            rows.append(([*symbol_runs(share.symbol), *index], text, shown(error * met)))
        table(slide, ["of J by", "error · what it met", "share"], rows)
        more = f" ({len(shares) - _MOST_ROWS} more are not shown)" if len(shares) > _MOST_ROWS else ""
        words = f"Each parameter is the same at every step, so each step adds its share{more}."
        text_box(slide, 0.45, 6.0, 12.4, 0.45, [Run(words)], 14)

    def _footer(self, slide: Any, step: Step) -> None:
        place = step.place
        where = f"{step.phase}, time step {place.t + 1} of {self.layer.T}"
        words = f"{where} · unit {place.k + 1} · sequence {place.b + 1}"
        text_box(slide, 0.45, 7.05, 12.4, 0.3, [Run(words)], 11, ink=SOFT)

    def _notes(self, step: Step) -> str:
        chapter = _CHAPTERS.get(step.line.target if step.line and step.routes is None else step.moment.id, "")
        about = self.told.get(chapter, "")
        if step.line is None:
            return about
        result = f"{value_symbol(step.line.target).as_text()} is now known."
        if step.routes is not None:
            result = "One more reader of this value sends back its error times its own local derivative."
        return f"{result} {about}".strip()

    def _scale(self, name: str) -> float:
        for arrays in (self.layer.values, self.layer.errors):
            if name in arrays:
                largest = float(arrays[name].abs().max())
                return 1.0 if name in _SCALES and largest <= 1 else largest
        return 1.0


def write_title(slide: Any, words: str) -> None:
    """What just became known."""
    text_box(slide, 0.45, 0.3, 12.4, 0.7, [Run(words)], 24, bold=True)


def text_box(
    slide: Any,
    left: float,
    top: float,
    width: float,
    height: float,
    runs: Iterable[Run],
    size: float,
    *,
    bold: bool = False,
    ink: Any = INK,
    align: Any = PP_ALIGN.LEFT,
) -> None:
    """A line or paragraph of text; places and sizes in inches."""
    box = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(width), Inches(height))
    frame = box.text_frame
    frame.word_wrap = True
    frame.vertical_anchor = MSO_ANCHOR.MIDDLE
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    frame.paragraphs[0].alignment = align
    write_runs(frame.paragraphs[0], runs, size, ink, bold=bold)


def table(slide: Any, heads: list[str], rows: list[tuple[list[Run], str, str]]) -> None:
    """A native table at the right: symbols, numbers, result."""
    widths = (1.5, 1.4, 1.4)
    size, height = (12.0, 0.42) if len(rows) <= 8 else (10.0, 0.28)
    shape = slide.shapes.add_table(
        len(rows) + 1, 3, Inches(8.8), Inches(1.25), Inches(sum(widths)), Inches(height * (len(rows) + 1))
    )
    grid = shape.table
    for column, width in enumerate(widths):
        grid.columns[column].width = Inches(width)
    cells = [
        [[Run(head)] for head in heads],
        *[[runs, [Run(text)], [Run(found)]] for runs, text, found in rows],
    ]
    for row, line in enumerate(cells):
        grid.rows[row].height = Inches(height)
        for column, runs in enumerate(line):
            _cell(grid.cell(row, column), runs, size, head=row == 0, right=column == 2)


def _cell(cell: Any, runs: Iterable[Run], size: float, *, head: bool, right: bool) -> None:
    cell.margin_left = cell.margin_right = Emu(50_000)
    cell.margin_top = cell.margin_bottom = Emu(15_000)
    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    cell.fill.solid()
    cell.fill.fore_color.rgb = GHOST if head else PAPER
    paragraph = cell.text_frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.RIGHT if right else PP_ALIGN.LEFT
    write_runs(paragraph, runs, size, SOFT if head else INK, bold=right and not head)

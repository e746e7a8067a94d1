"""A drawing of the block in native shapes of a slide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Pt

from throughtime.page.slides.path import points_of
from throughtime.page.study.drawing import Chip, Drawing, Label, Node, Read, Wire
from throughtime.page.study.shown import on_wire


def _rgb(text: str) -> RGBColor:
    made: RGBColor = RGBColor.from_string(text)  # type: ignore[no-untyped-call]
    return made


INK, SOFT, WIRE, GHOST = map(_rgb, ("16191D", "565D66", "8B939C", "D5D9DD"))
PEEPHOLE, HALO, PAPER = map(_rgb, ("00704F", "E69F00", "FFFFFF"))
_ENDS = {"value": ((91, 58, 153), (194, 81, 10)), "error": ((23, 99, 166), (179, 32, 44))}
_ZERO = (238, 240, 242)
_LETTER = 0.58  # width of a letter, in its height


@dataclass(frozen=True)
class Frame:
    """Where a drawing lies on the slide.

    Attributes:
        left: Of its left edge, EMU.
        top: Of its upper edge, EMU.
        scale: EMU for each unit of the drawing.
    """

    left: int
    top: int
    scale: float

    def at(self, x: float, y: float) -> tuple[Emu, Emu]:
        """A point of the drawing on the slide."""
        return Emu(round(self.left + x * self.scale)), Emu(round(self.top + y * self.scale))

    def size(self, length: float) -> Emu:
        """A length of the drawing on the slide."""
        return Emu(round(length * self.scale))

    def points(self, units: float) -> Pt:
        """A height of letters."""
        return Pt(max(8, round(units * self.scale / 12700)))


@dataclass(frozen=True)
class Looks:
    """What the drawing shows at one step.

    Attributes:
        lacks: What the layer has not.
        backward: Whether the wires carry errors.
        lit: Wires that light up.
        read: A number, or None while it is not known.
        scale: The number drawn in the strongest colour, by name.
    """

    lacks: frozenset[str]
    backward: bool
    lit: frozenset[str]
    read: Callable[[Read], float | None]
    scale: Callable[[str], float]

    def ghost(self, needs: tuple[str, ...]) -> bool:
        """Whether the layer lacks what a part belongs to."""
        return any(need in self.lacks for need in needs)


def draw(slide: Any, drawing: Drawing, frame: Frame, looks: Looks) -> None:
    """Draw the block on a slide."""
    for name, wire in drawing.wires.items():
        _wire(slide, wire, frame, looks, lit=name in looks.lit)
    for label in drawing.labels:
        _label(slide, label, frame, looks)
    for node in drawing.nodes:
        _node(slide, node, frame, looks)
    for chip in drawing.chips:
        if not looks.ghost(chip.needs):
            _chip(slide, chip, frame, looks)


def colour(value: float, scale: float, kind: str) -> tuple[RGBColor, RGBColor]:
    """Fill for a number, and ink that can be read on it."""
    ratio = max(-1.0, min(1.0, value / scale)) if scale else 0.0
    share = abs(ratio) ** 0.5 if kind == "error" else abs(ratio)
    end = _ENDS[kind][ratio > 0]
    fill = "".join(f"{round(a + (b - a) * share):02X}" for a, b in zip(_ZERO, end, strict=True))
    return _rgb(fill), PAPER if share > 0.62 else INK


def _wire(slide: Any, wire: Wire, frame: Frame, looks: Looks, *, lit: bool) -> None:
    corners = [frame.at(*point) for point in points_of(wire.d)]
    builder = slide.shapes.build_freeform(*corners[0], scale=1.0)
    builder.add_line_segments(corners[1:], close=False)
    shape = builder.convert_to_shape()
    shape.shadow.inherit = False
    shape.fill.background()
    ghost = looks.ghost(wire.needs)
    shape.line.color.rgb = GHOST if ghost else HALO if lit else PEEPHOLE if "peephole" in wire.kind else WIRE
    shape.line.width = Pt(0.75 if ghost else 3.5 if lit else 2.5 if wire.kind == "rail" else 1.25)
    line = shape.line._get_or_add_ln()
    if "past" in wire.kind or "next" in wire.kind or ghost:
        line.append(line.makeelement(qn("a:prstDash"), {"val": "sysDot"}))
    if wire.arrow and not ghost:
        end = qn("a:headEnd" if looks.backward else "a:tailEnd")
        line.append(line.makeelement(end, {"type": "triangle", "w": "med", "len": "med"}))


def _node(slide: Any, node: Node, frame: Frame, looks: Looks) -> None:
    width, height = {"gate": (104, 70), "squash": (60, 34), "dot": (10, 10), "cell": (108, 108)}.get(
        node.kind, (34, 34)
    )
    kind = MSO_SHAPE.ROUNDED_RECTANGLE if node.kind in ("gate", "squash") else MSO_SHAPE.OVAL
    shape = _box(slide, kind, node.x, node.y, width, height, frame)
    ghost = looks.ghost(node.needs)
    lit = not ghost and any(wire in looks.lit for wire in node.wires)
    shape.line.color.rgb = GHOST if ghost else HALO if lit else INK
    shape.line.width = Pt(2.5 if lit else 1)
    shape.fill.solid()
    shape.fill.fore_color.rgb = INK if node.kind == "dot" and not ghost else PAPER
    ink = GHOST if ghost else INK
    if node.kind in ("times", "plus"):
        _write(shape, [("⊙" if node.kind == "times" else "+", 20, False, ink)], frame)
        return
    read = node.error if looks.backward else node.value
    found = None if read is None or ghost else looks.read(read)
    rows: list[tuple[str, float, bool, RGBColor]] = [
        (f"{node.function} {node.letter}".strip(), 19 if node.kind != "squash" else 17, False, ink)
    ]
    if found is not None:
        rows.append((on_wire(found), 16, True, ink))
    if node.kind != "dot":
        _write(shape, rows, frame)


def _chip(slide: Any, chip: Chip, frame: Frame, looks: Looks) -> None:
    error = looks.backward and chip.error is not None
    read, label = (chip.error, chip.error_label) if error else (chip.value, chip.label)
    if read is None:
        return
    found = looks.read(read)
    text = label if found is None else f"{label} {on_wire(found)}".strip()
    width = max(34, len(text) * 16 * _LETTER + 14)
    shape = _box(slide, MSO_SHAPE.ROUNDED_RECTANGLE, chip.x, chip.y, width, 27, frame)
    fresh = chip.wire in looks.lit and found is not None
    shape.line.color.rgb = HALO if fresh else WIRE
    shape.line.width = Pt(1.75 if fresh else 0.5)
    shape.fill.solid()
    shape.fill.fore_color.rgb, ink = PAPER, SOFT
    if found is not None and (error or not looks.backward):
        kind = "error" if error else "value"
        shape.fill.fore_color.rgb, ink = colour(found, looks.scale(read.name), kind)
    _write(shape, [(text, 15, fresh, ink)], frame)


def _label(slide: Any, label: Label, frame: Frame, looks: Looks) -> None:
    size = {"small": 16.0, "faint": 14.0}.get(label.kind, 17.0)
    width = len(label.text) * size * _LETTER + 16
    middle = label.x + {"start": width / 2 - 8, "middle": 0.0, "end": 8 - width / 2}[label.anchor]
    left, top = frame.at(middle - width / 2, label.y - size)
    box = slide.shapes.add_textbox(left, top, frame.size(width), frame.size(size * 1.35))
    ink = GHOST if looks.ghost(label.needs) else SOFT if label.kind == "faint" else INK
    align = {"start": PP_ALIGN.LEFT, "middle": PP_ALIGN.CENTER, "end": PP_ALIGN.RIGHT}[label.anchor]
    _write(box, [(label.text, size, False, ink)], frame, align)


def _box(slide: Any, kind: Any, x: float, y: float, width: float, height: float, frame: Frame) -> Any:
    left, top = frame.at(x - width / 2, y - height / 2)
    shape = slide.shapes.add_shape(kind, left, top, frame.size(width), frame.size(height))
    shape.shadow.inherit = False
    return shape


def _write(
    shape: Any, rows: list[tuple[str, float, bool, RGBColor]], frame: Frame, align: Any = PP_ALIGN.CENTER
) -> None:
    text = shape.text_frame
    text.margin_left = text.margin_right = text.margin_top = text.margin_bottom = 0
    text.vertical_anchor = MSO_ANCHOR.MIDDLE
    text.word_wrap = False
    for place, (words, size, bold, ink) in enumerate(rows):
        paragraph = text.paragraphs[0] if place == 0 else text.add_paragraph()
        paragraph.alignment = align
        run = paragraph.add_run()
        run.text = words
        run.font.size, run.font.bold, run.font.color.rgb = frame.points(size), bold, ink

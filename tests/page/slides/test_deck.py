"""The deck: every step on a slide, numbers from the recording, text inside its box."""

from __future__ import annotations

import itertools
import unicodedata

import pytest

pptx = pytest.importorskip("pptx")

from throughtime.page.slides import write_slides  # noqa: E402
from throughtime.page.slides.path import points_of  # noqa: E402
from throughtime.page.slides.pdf import libreoffice, write_pdf  # noqa: E402

from ..study.reading import digits, number  # noqa: E402
from ..study.recorded import recording  # noqa: E402

LETTER = 0.62  # generous width of a letter, in its height
POINT = 12700  # EMU


REGULAR = ["vanilla regularised", "rnn-tanh regularised"]


def deck(tmp_path, kind="vanilla", **options):
    path = tmp_path / "deck.pptx"
    plain, _, regular = kind.partition(" ")
    more = {"layer_norm": True, "zoneout": 0.2, "recurrent_dropout": 0.3} if regular else {}
    rec = recording(plain, T=6, B=2, H=4, **more)
    count = write_slides(rec, path, **options)
    show = pptx.Presentation(str(path))
    assert len(show.slides) == count
    return rec, show


def texts(slide):
    return [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame and shape.text_frame.text]


def titles(show):
    return [texts(slide)[0] for slide in show.slides]


def test_a_short_deck_walks_one_step_forward_and_back(tmp_path):
    _, show = deck(tmp_path)
    found = titles(show)
    assert found[1:4] == ["The network unfolded in time", "The input arrives", "Block input"]
    middle = found.index("The loss J")
    assert found[middle + 1] == "Error from above"
    routes = [title for title in found if title.startswith("Error of the cell: the route through")]
    readers = [unicodedata.normalize("NFC", route.split("through ")[1]) for route in routes]
    assert readers == ["y(t)", "ō(t)", "ī(t+1)", "f̄(t+1)", "c(t+1)"]
    assert found[-2:] == ["This step’s share of the gradients", "The one update"]
    assert 30 <= len(found) <= 45


@pytest.mark.parametrize("kind", ["vanilla", "CIFG", "NOG", "FGR", "NP", "rnn-tanh", *REGULAR])
def test_results_are_the_recorded_numbers(tmp_path, kind):
    rec, show = deck(tmp_path, kind, step=2, unit=1, sequence=1)
    layer = rec.layers["layer0"]
    checked = 0
    for slide in show.slides:
        for text in texts(slide):
            name, _, value = text.partition("(t) = ")
            marks = {"\u0304": "_bar", "\u0303": "_tilde", "δ": "d_", "Δ": "d_above"}
            plain = "".join(marks.get(letter, letter) for letter in name)
            if "\u0302" in plain:
                plain = f"{plain.replace(chr(0x302), '')}_hat"
            array = layer.errors.get(plain, layer.values.get(plain))
            if value and array is not None and "(" not in value.replace("×10", ""):
                assert number(value) == digits(float(array[2, 1, 1]), 4), text
                checked += 1
    assert checked >= 6


@pytest.mark.parametrize("kind", ["vanilla", "FGR", "rnn-tanh", "NIG+NFG+NOG", *REGULAR])
def test_no_text_leaves_its_box_and_no_box_its_slide(tmp_path, kind):
    _, show = deck(tmp_path, kind)
    for slide in show.slides:
        for shape in slide.shapes:
            assert shape.left >= 0
            assert shape.top >= 0
            assert shape.left + shape.width <= show.slide_width
            assert shape.top + shape.height <= show.slide_height
            if shape.has_text_frame and shape.text_frame.text:
                assert _height_needed(shape) <= shape.height + POINT, shape.text_frame.text
            if shape.has_table:
                _check_table(shape.table)


def _height_needed(shape):
    total = 0.0
    for paragraph in shape.text_frame.paragraphs:
        size = max((run.font.size for run in paragraph.runs), default=0)
        width = sum(len(run.text) * run.font.size * LETTER for run in paragraph.runs)
        rows = -(-width // shape.width) if shape.text_frame.word_wrap else 1
        total += max(1, rows) * size * 1.2
    return total


def _check_table(table):
    for row, column in itertools.product(range(len(table.rows)), range(len(table.columns))):
        paragraph = table.cell(row, column).text_frame.paragraphs[0]
        longest = max((word for run in paragraph.runs for word in run.text.split()), key=len, default="")
        size = paragraph.runs[0].font.size if paragraph.runs else 0
        assert len(longest) * size * LETTER <= table.columns[column].width, longest


def test_every_slide_has_notes(tmp_path):
    _, show = deck(tmp_path)
    assert all(slide.notes_slide.notes_text_frame.text for slide in itertools.islice(show.slides, 2))
    notes = [slide.notes_slide.notes_text_frame.text for slide in show.slides]
    assert sum(bool(note) for note in notes) >= len(notes) - 1


def test_the_full_deck_takes_every_step_forward_then_back(tmp_path):
    _, show = deck(tmp_path, "rnn-tanh", full=True)
    footers = [
        texts(slide)[-1] for slide in show.slides if texts(slide)[-1].startswith(("forward", "backward"))
    ]
    order = [int(text.split("time step ")[1].split()[0]) for text in footers]
    phases = [text.split(",")[0] for text in footers]
    assert [step for step, _ in itertools.groupby(order)] == [1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1]
    assert [phase for phase, _ in itertools.groupby(phases)] == ["forward", "backward"]


@pytest.mark.parametrize("wrong", [{"step": 6}, {"unit": 4}, {"sequence": 2}, {"unit": -1}])
def test_a_place_that_is_not_there_is_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match=f"slides: {next(iter(wrong))}="):
        deck(tmp_path, **wrong)


def test_paths_become_points():
    assert points_of("M1 2H5V7L0 0") == [(1, 2), (5, 2), (5, 7), (0, 0)]
    curve = points_of("M0 0Q10 0 10 10")
    assert curve[-1] == (10, 10)
    assert all(x >= y for x, y in curve)
    hop = points_of("M0 10a6 6 0 0 1 12 0H20")
    assert hop[8] == pytest.approx((12, 10))
    assert min(y for _, y in hop) == pytest.approx(4)
    with pytest.raises(ValueError, match="begins without M"):
        points_of("H3")


@pytest.mark.skipif(libreoffice() is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_it(tmp_path):
    deck(tmp_path, "rnn-tanh")
    pdf = write_pdf(tmp_path / "deck.pptx", str(libreoffice()))
    assert pdf.read_bytes().startswith(b"%PDF")

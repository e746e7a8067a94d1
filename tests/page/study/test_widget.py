"""The page as a notebook widget, and in a frame where there are no widgets."""

from __future__ import annotations

import html
import re

import pytest

pytest.importorskip("anywidget")

import throughtime as tt
from throughtime.page.study.widget import Study

from .reading import caption
from .recorded import recording
from .test_live import replay

HARNESS = """<!doctype html><html><head><meta charset="utf-8"></head><body><div id="here"></div>
<p data-study-frame="here">frame</p>
<script type="application/json" id="fields">{fields}</script>{arrays}
<script type="module">{esm}
const text = (id) => document.querySelector(`[data-array="${{id}}"]`).textContent;
const bytes = (id) => Uint8Array.from(atob(text(id)), (letter) => letter.charCodeAt(0));
const read = (id) => new DataView(bytes(id).buffer);
const arrays = new Proxy({{}}, {{ get: (_, id) => read(id) }});
const fields = JSON.parse(document.getElementById("fields").textContent);
const model = {{ get: (name) => ({{ fields, arrays, live: false, frame: "here" }})[name] }};
__render({{ model, el: document.getElementById("here") }});
document.documentElement.dataset.ready = "";
</script></body></html>"""


def test_it_is_found_at_its_place():
    assert tt.page.Study is Study
    with pytest.raises(ValueError, match="give a recording, or a replay"):
        Study()


def test_numbers_travel_beside_the_fields():
    rec = recording(T=4)
    widget = Study(rec)
    layer = widget.fields["layers"][0]
    assert widget.arrays[layer["arrays"]["c"]["id"]] == rec["layer0.c"].numpy().astype("<f4").tobytes()
    assert "export default { render }" in widget._esm
    assert not re.search(r"^import ", widget._esm, re.MULTILINE)


def test_a_change_is_computed_and_answered():
    widget = Study(replay=replay())
    answers = []
    widget.send = lambda message: answers.append(message)
    before = dict(widget.arrays)
    widget._changed(None, {"kind": "input", "t": 0, "b": 0, "j": 0, "value": 3.0}, None)
    assert answers == [{"done": True}]
    assert widget.arrays != before
    widget._changed(None, {"kind": "input", "t": 99, "b": 0, "j": 0, "value": 3.0}, None)
    assert "expected 0 to 4" in answers[1]["error"]
    quiet = Study(recording(T=4))
    quiet.send = lambda message: answers.append(message)
    quiet._changed(None, {"kind": "reset"}, None)
    assert "no network" in answers[2]["error"]


@pytest.mark.browser
def test_it_renders_from_a_model(study):
    widget = Study(recording(T=4))
    text = HARNESS.format(
        fields=widget._data.fields and _json(widget),
        arrays=widget._data.arrays.as_elements(),
        esm=_plain(widget),
    )
    opened = study(text)
    page = opened.page
    assert caption(page).startswith("forward 1/4")
    assert not page.locator("[data-study-frame]").is_visible()
    page.locator("#here h1").click()
    page.locator(".transport input").press("ArrowRight")
    assert caption(page) == "forward 1/4: block input"
    assert opened.complaints == []


def _json(widget):
    from throughtime.page.embed import json_for_html

    return json_for_html(widget._data.fields)


def _plain(widget):
    return widget._esm.replace("export default { render };", "const __render = render;")


@pytest.mark.browser
def test_a_static_export_shows_it_in_a_frame(study, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append(data))
    widget = Study(recording(T=4))
    widget._ipython_display_()
    frame_html, live = shown
    assert "application/vnd.jupyter.widget-view+json" in live
    opened = study(f"<!doctype html><html data-ready><body>{frame_html['text/html']}</body></html>")
    frame = opened.page.frame_locator("iframe")
    frame.locator(".caption").wait_for()
    assert frame.locator(".caption").inner_text() == "forward 1/4: the input arrives"
    assert opened.complaints == []
    assert f'data-study-frame="{widget.frame}"' in frame_html["text/html"]
    assert len(widget.frame) == 16
    assert html.escape('<div id="study">') in frame_html["text/html"]

"""The study page as a learner meets it: opened from disk, offline, with keys, pointer and screen reader."""

from __future__ import annotations

import random
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from throughtime.page.study.equations import equations
from throughtime.page.study.evaluate import LayerNumbers, Place
from throughtime.page.study.page import render_study

from .reading import caption, digits, number, outputs, settled_hash
from .recorded import recording, truncated

pytestmark = pytest.mark.browser

HOSTILE = "</script><img src=x onerror=\"document.body.dataset.hacked='yes'\">"
LSTM = recording("vanilla", T=12, B=3, H=5, names=["temperature", "humidity", "pressure"])
RNN = recording("rnn-tanh", T=6, B=1)
HOW = {"layer_norm": True, "zoneout": 0.2, "recurrent_dropout": 0.3}
REGULAR = recording("vanilla", T=6, B=2, H=4, **HOW)
REGULAR_RNN = recording("rnn-tanh", T=6, B=2, H=4, **HOW)


def moments(layer):
    journey, _ = equations(layer, dict(layer.values))
    return [("forward", moment) for moment in journey.forward] + [("backward", m) for m in journey.backward]


def expected(rec, target, t, b, k):
    layer = rec.layers["layer0"]
    array = layer.errors.get(target) if target.startswith("d_") else layer.values[target]
    return digits(float(array[t, b, k]), 4)


def parts(layer, line, t, b, k):
    """Sizes of a sum's terms."""
    numbers, place = LayerNumbers(layer), Place(t, b, k)
    return [abs(numbers.term(term, place)) for term in numbers.terms(line, place)]


def parts_shown(page, moment, line):
    if not line.terms:
        return []
    shown = page.locator(".lines > .line").nth(moment.lines.index(line))
    texts = shown.locator(
        ".piece.term .sum" if not line.function else ".piece.term .numbers"
    ).all_text_contents()
    return [abs(number(text.partition("(")[2] if line.function else text)) for text in texts]


@pytest.mark.parametrize(
    "rec", [LSTM, RNN, REGULAR, REGULAR_RNN], ids=["lstm", "rnn", "regularised lstm", "regularised rnn"]
)
def test_every_number_of_ten_places_is_the_recorded_one(study, rec):
    opened = study(rec)
    page, layer, chance = opened.page, rec.layers["layer0"], random.Random(5)
    for _ in range(10):
        t, b, k = chance.randrange(layer.T), chance.randrange(layer.B), chance.randrange(layer.hidden_size)
        for phase, moment in moments(layer):
            page.evaluate(f"location.hash = '#seq={b + 1}&unit={k + 1}&at={phase}.{t + 1}.{moment.id}'")
            expect(page.locator(".caption")).to_contain_text(f"{phase} {t + 1}/{layer.T}: {moment.title}")
            found = outputs(page)
            for line in moment.lines:
                if line.target != "x" and moment.id != "loss":
                    assert found[line.target] == expected(rec, line.target, t, b, k), (
                        phase,
                        moment.id,
                        t,
                        b,
                        k,
                    )
                assert parts_shown(page, moment, line) == pytest.approx(parts(layer, line, t, b, k), rel=6e-3)
                if line.routes:
                    assert found["routes"] == pytest.approx(found[line.target], rel=2e-3, abs=1e-7)
    assert opened.complaints == []
    assert opened.requests == []


def test_numbers_on_the_wires_are_the_recorded_ones(study):
    page = study(LSTM, fragment="#seq=2&unit=4&at=forward.7.y").page
    values = LSTM.layers["layer0"].values
    chips = {
        text.split()[0]: number(text)
        for text in page.locator(".circuit .chip").all_text_contents()
        if text.split()[1:]
    }
    for name in ("f", "i", "z", "o"):
        assert chips[name] == pytest.approx(float(values[name][6, 1, 3]), rel=0.06)
    gates = page.locator(".circuit .node.gate .number").all_text_contents()
    bars = [float(values[f"{gate}_bar"][6, 1, 3]) for gate in "fizo"]
    assert [number(text) for text in gates] == pytest.approx(bars, rel=0.06)


def test_the_journey_is_walked_by_keys_alone(study):
    opened = study(RNN, fragment="#view=rnncell")
    page = opened.page
    page.keyboard.press("Home")
    seen = [caption(page)]
    while True:
        page.keyboard.press("ArrowRight")
        if caption(page) == seen[-1]:
            break
        seen.append(caption(page))
    forward = [
        f"forward {t}/6: {m.title}"
        for t in range(1, 7)
        for p, m in moments(RNN.layers["layer0"])
        if p == "forward"
    ]
    backward = [
        f"backward {t}/6: {m.title}"
        for t in range(6, 0, -1)
        for p, m in moments(RNN.layers["layer0"])
        if p == "backward"
    ]
    middle, end = "the loss J: the errors turn round here", "the update: every parameter, once"
    assert seen == [*forward, middle, *backward, end]
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    assert caption(page).startswith("backward 2/6")
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    assert caption(page) == "forward 2/6: the input arrives"
    page.keyboard.press("End")
    assert caption(page) == end
    assert opened.complaints == []


def test_what_is_not_known_yet_shows_no_number(study):
    page = study(LSTM, fragment="#unit=2&at=forward.5.f").page
    known = page.locator(".circuit .chip:not(.unknown)").all_text_contents()
    assert [text.split()[0] for text in known if text.strip()] == ["c", "c·f", "f", "i", "z", "z·i", "y", "x"]
    assert page.locator(".step.unknown").count() == 12 - 4


def test_space_plays_and_escape_stops(study):
    page = study(RNN).page
    page.keyboard.press("Home")
    page.locator(".transport select").select_option(index=3)
    page.locator("h1").click()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator(".caption")).to_contain_text("forward 2/6")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


@pytest.mark.parametrize(
    "fragment",
    ["#seq=3&unit=2&at=backward.4.d_c&view=odyssey", "#seq=1&unit=5&at=update", "#at=loss&view=neurons"],
)
def test_the_address_restores_the_state(study, fragment):
    page = study(LSTM, fragment=fragment).page
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    wanted = settled_hash(page)
    again = study(LSTM, fragment=wanted).page
    assert caption(again) == caption(page)
    assert outputs(again) == outputs(page)
    assert settled_hash(again) == wanted
    for part in fragment[1:].split("&"):
        assert part in wanted


@pytest.mark.parametrize(
    "fragment", ["#at=backward.99.nonsense&unit=-3&seq=1e9&view=<b>&layer=7", "#%%%", "#at=.."]
)
def test_a_spoilt_address_shows_the_page_all_the_same(study, fragment):
    opened = study(LSTM, fragment=fragment)
    assert caption(opened.page)
    assert opened.complaints == []


def test_pointing_at_a_term_lights_its_wires_and_the_other_way_round(study):
    page = study(LSTM, fragment="#at=forward.5.i").page
    page.locator(".piece.term").nth(2).hover()
    expect(page.locator(".wire.pointed")).to_have_attribute("data-wire", "p_i")
    page.evaluate(
        "document.querySelector('[data-wire=p_i] .touch').dispatchEvent(new PointerEvent('pointerenter'))"
    )
    expect(page.locator(".piece.term.pointed")).to_have_count(1)
    expect(page.locator(".piece.term.pointed .numbers")).to_contain_text("·")


def test_a_sum_opens_into_its_terms(study):
    page = study(LSTM, fragment="#unit=3&at=forward.5.z").page
    page.locator(".open-sum").first.click()
    names = page.locator(".summands th").all_text_contents()
    assert names == ["temperature", "humidity", "pressure"]
    whole = number(page.locator(".piece.term .sum").first.inner_text())
    parts = [number(text) for text in page.locator(".summands td.number").all_text_contents()]
    assert sum(parts) == pytest.approx(whole, rel=0.01, abs=1e-3)
    page.keyboard.press("Escape")
    expect(page.locator(".summands")).to_have_count(0)


def test_the_shares_add_up_to_the_gradient(study):
    page = study(LSTM, fragment="#unit=2&seq=1&at=backward.1.share").page
    rows = page.locator(".shares tbody tr")
    layer = LSTM.layers["layer0"]
    bias = next(row for row in rows.all() if str(row.locator("th").text_content()).startswith("b"))
    whole = float(layer.errors["d_i_bar"][:, 0, 1].sum())
    assert number(bias.locator("td").nth(2).inner_text()) == digits(whole, 3)


@pytest.mark.parametrize(
    "kind", ["NIG", "NFG", "NOG", "NP", "CIFG", "FGR", "NIAF", "CIFG+FGR", "NIG+NFG+NOG"]
)
@pytest.mark.parametrize("view", ["circuit", "odyssey"])
def test_a_variant_draws_what_it_lacks_as_a_ghost(study, kind, view):
    rec = recording(kind, T=3, B=1)
    opened = study(rec, fragment=f"#view={view}")
    page = opened.page
    ghosts = set(page.locator(".wire.ghost").evaluate_all("nodes => nodes.map((node) => node.dataset.wire)"))
    lacks = {
        "NIG": {"i_out", "x_i", "p_i"},
        "NFG": {"f_out", "p_f"},
        "NOG": {"o_out", "p_o"},
        "NP": {"p_i", "p_f", "p_o"},
    }
    assert lacks.get(kind, set()) <= ghosts
    if kind in ("FGR", "NIAF"):
        assert ghosts == set()
    for _ in range(len(moments(rec.layers["layer0"])) * 3 + 2):
        page.keyboard.press("ArrowRight")
    assert caption(page) == "the update: every parameter, once"
    assert opened.complaints == []


def test_several_layers_directions_and_lengths(study):
    rec = recording("vanilla", T=5, B=3, lengths=[5, 2, 0], num_layers=2, bidirectional=True)
    opened = study(rec, fragment="#layer=3&seq=2&at=forward.2.f")
    page = opened.page
    assert (
        page.locator(".about")
        .inner_text()
        .startswith("LSTM with peepholes · 8 inputs · 4 units · runs backwards")
    )
    page.keyboard.press("Shift+ArrowRight")
    assert caption(page) == "forward 1/5: forget gate"
    page.locator(".choices select").nth(1).select_option(index=2)
    assert caption(page) == "this sequence has no time step"
    page.locator(".choices select").nth(1).select_option(index=0)
    assert caption(page).startswith("forward")
    assert opened.complaints == []


def test_a_recording_without_errors_has_the_forward_journey_alone(study):
    rec = recording("vanilla", T=3, B=1)
    for run in rec.runs["layer0"]:
        run.errors = {}
        run.final_errors = {}
    page = study(rec).page
    page.keyboard.press("End")
    assert caption(page) == "the loss J: the errors turn round here"


def test_names_are_shown_as_text_whatever_they_hold(study):
    rec = recording("vanilla", T=3, B=2, names=[HOSTILE] * 3)
    rec.notes |= {"title": HOSTILE, "sequence_names": f"{HOSTILE}\n{HOSTILE}", HOSTILE: HOSTILE}
    rec.loss_reduction = HOSTILE
    opened = study(rec, fragment=f"#at={HOSTILE}&view={HOSTILE}&hide={HOSTILE}", width=360)
    page = opened.page
    page.keyboard.press("End")
    for moment in ("forward.1.x", "forward.2.z", "backward.2.share"):
        page.evaluate(f"location.hash = '#at={moment}'")
        page.wait_for_timeout(50)
    assert page.locator("img").count() == 0
    assert page.evaluate("document.body.dataset.hacked") is None
    expect(page.locator("h1")).to_have_text(HOSTILE)
    assert page.title() == HOSTILE
    assert opened.complaints == []


def test_light_and_dark_and_panels(study):
    page = study(LSTM, color_scheme="dark").page
    paper = "() => getComputedStyle(document.querySelector('.tt-study')).backgroundColor"
    assert page.evaluate(paper) == "rgb(18, 21, 24)"
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    page.locator("summary", has_text="Show").click()
    page.get_by_label("unfolded network").uncheck()
    assert not page.locator(".pane.time").is_visible()
    assert "hide=time" in settled_hash(page)


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_nothing_is_wider_than_the_screen(study, width):
    page = study(LSTM, width=width, fragment="#at=backward.3.d_c").page
    for place in ("#at=backward.3.d_c", "#at=backward.3.share", "#at=forward.3.i", "#at=update&view=neurons"):
        page.evaluate(f"location.hash = '{place}'")
        page.wait_for_timeout(60)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("fragment", ["#at=forward.5.y", "#at=backward.5.d_c"])
@pytest.mark.parametrize("view", ["circuit", "odyssey"])
def test_no_label_lies_on_another(study, view, fragment):
    page = study(LSTM, fragment=f"{fragment}&view={view}").page
    overlaps = page.evaluate(
        """() => {
          const parts = ".chip:not(.absent), .labels text, .node.gate, .node.squash";
          const boxes = [...document.querySelectorAll(parts)]
            .map((node) => ({ text: node.textContent, box: node.getBoundingClientRect() }))
            .filter(({ box }) => box.width > 0);
          const across = (a, b) => a.left < b.right - 1 && b.left < a.right - 1;
          const along = (a, b) => a.top < b.bottom - 1 && b.top < a.bottom - 1;
          const hit = ({ box: a }, { box: b }) => across(a, b) && along(a, b);
          const pairs = boxes.flatMap((a, i) => boxes.slice(i + 1).map((b) => [a, b]));
          return pairs.filter(([a, b]) => hit(a, b)).map(([a, b]) => `${a.text} | ${b.text}`);
        }"""
    )
    assert overlaps == []


@pytest.mark.parametrize(
    ("scheme", "width", "fragment"),
    [
        ("light", 360, "#at=forward.5.i"),
        ("dark", 1280, "#at=backward.5.d_c"),
        ("light", 1280, "#at=backward.5.share&view=odyssey"),
    ],
)
def test_no_barrier_that_axe_can_find(study, scheme, width, fragment):
    page = study(LSTM, width=width, color_scheme=scheme, fragment=fragment, bypass_csp=True).page
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    assert [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in serious] == []


def test_changes_are_announced(study):
    page = study(LSTM, fragment="#unit=1&at=forward.5.i").page
    page.keyboard.press("ArrowRight")
    expect(page.locator(".transport [aria-live=polite]")).to_have_text(
        re.compile(r"^forward 5/12: forget gate: 0\.\d+$")
    )


def test_a_page_too_large_is_cut_down_with_a_word(study):
    whole = render_study(LSTM)
    rec = recording("vanilla", T=60, B=4, H=5)
    opened = study(render_study(rec, limit=20_000), fragment="#unit=2&at=backward.50.d_c")
    page: Page = opened.page
    expect(page.locator(".notice")).to_contain_text("the first of 4 sequences and the last")
    assert outputs(page)["d_c"] == expected(rec, "d_c", 49, 0, 1)
    page.keyboard.press("Home")
    first = int(caption(page).split()[1].split("/")[0])
    assert first > 1
    page.evaluate(f"location.hash = '#unit=2&at=forward.{first}.c'")
    expect(page.locator(".caption")).to_contain_text(f"forward {first}/60: cell")
    assert outputs(page)["c"] == expected(rec, "c", first - 1, 0, 1)
    terms = [number(text) for text in page.locator(".piece.term .sum").all_text_contents()]
    assert sum(terms) == pytest.approx(outputs(page)["c"], abs=2e-3)
    assert len(whole) < 400_000


def test_at_a_cut_the_routes_from_the_next_step_are_closed(study):
    rec = truncated()
    opened = study(rec, fragment="#unit=2&at=backward.3.d_c")
    page = opened.page
    parts = [
        number(text) for text in page.locator("table.routes tbody td.number:not(.share)").all_text_contents()
    ]
    assert [part == 0 for part in parts] == [False, False, True, True, True]
    assert outputs(page)["d_c"] == expected(rec, "d_c", 2, 0, 1)
    assert outputs(page)["routes"] == pytest.approx(outputs(page)["d_c"], rel=1e-3)
    assert page.locator(".time-wire.cut").count() == 1
    assert opened.complaints == []

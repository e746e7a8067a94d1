// The study page: one state, one journey, and the panes that show them.

import { el } from "../dom.js";
import { makeAddress } from "./address.js";
import { contextOf } from "./context.js";
import { drawDiagram } from "./diagram.js";
import { equationPane } from "./equations.js";
import { savePng, saveSvg } from "./exporting.js";
import { makeHub } from "./hub.js";
import { makeJourney } from "./journey.js";
import { livePanel } from "./live.js";
import { mapsPane } from "./maps.js";
import { MOST_UNITS, neurons } from "./neurons.js";
import { makePalette } from "./palette.js";
import { shareTable, updateTable } from "./shares.js";
import { captionOf, showLegend, spokenOf } from "./saying.js";
import { openLayer } from "./store.js";
import { timeStrip } from "./strip.js";
import { topbar } from "./topbar.js";
import { tourBand } from "./tour.js";
import { transport } from "./transport.js";

const PANELS = [
  { id: "picture", name: "the block" },
  { id: "equations", name: "equations" },
  { id: "time", name: "unfolded network" },
  { id: "maps", name: "maps" },
];

export function mountStudy(root, store, { hash = false, whole = false, recompute = null } = {}) {
  const { fields } = store;
  const hub = makeHub();
  const address = makeAddress(hash);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const state = { layer: 0, sequence: 0, unit: 0, index: 0, input: 0, from: 0, view: "", tab: "", other: null, chapter: null, hidden: [], theme: dark.matches ? "dark" : "light" };
  let views = fields.layers.map((layer) => openLayer(store, layer));
  let view = views[0];
  let journey = makeJourney(view, 0);
  let drawing = null;
  let palette = null;
  let stood = journey.position(0); // where the reader was before a sequence without steps was chosen

  // Parts
  const bar = topbar({ fields, state, set, toggleTheme: () => set({ theme: state.theme === "dark" ? "light" : "dark" }), panels: PANELS.map((panel) => ({ ...panel, toggle: (on) => set({ hidden: on ? state.hidden.filter((id) => id !== panel.id) : [...state.hidden, panel.id] }) })), actions: [
    { name: "Drawing as SVG", act: () => saveSvg(drawing.element, paper(), fileName()) },
    { name: "Drawing as PNG", act: () => savePng(drawing.element, paper(), fileName()) },
    { name: "Print", act: () => print() },
  ], startTour: fields.chapters.length ? () => openChapter(state.chapter ?? 0) : null });
  const tour = tourBand(fields.chapters, { open: openChapter, close: () => set({ chapter: null }) });
  const choice = el("div", { class: "views", role: "group", "aria-label": "Drawing" });
  const canvas = el("div", { class: "canvas", tabindex: "0", role: "region", "aria-label": "Drawing of the block" });
  const legend = el("div", { class: "legend" });
  const equations = equationPane(hub);
  const strip = timeStrip(hub);
  const maps = mapsPane(hub);
  const controls = transport({ move, go, setPlaying });
  const panes = {
    picture: el("section", { class: "pane picture", "aria-label": "The block" }, el("div", { class: "pane-head" }, choice, legend), canvas),
    equations: el("section", { class: "pane words", "aria-label": "Equations of this moment" }, equations.element),
    time: el("section", { class: "pane time", "aria-label": "The network unfolded in time" }, strip.element),
    maps: el("section", { class: "pane maps-pane", "aria-label": "Maps of the whole recording" }, maps.element),
  };
  const notice = fields.word ? el("p", { class: "notice" }, fields.word) : null;
  root.classList.add("tt-study");
  root.replaceChildren(...[bar.element, notice, tour.element, el("main", { class: "panes" }, Object.values(panes)), controls.element].filter(Boolean));

  // State
  function set(changes) {
    if (journey.steps) stood = journey.position(state.index);
    const moment = journey.moment(stood);
    Object.assign(state, changes);
    if ("layer" in changes || "sequence" in changes) {
      view = views[state.layer];
      journey = makeJourney(view, state.sequence);
      state.index = Math.max(0, journey.indexOf(stood.phase, stood.t, moment.id));
    }
    render();
  }

  function go(index) {
    state.index = journey.position(index).index;
    render();
  }

  function move(by) {
    const next = journey.position(state.index + by).index;
    const moved = next !== state.index;
    state.index = next;
    if (moved) render();
    return moved;
  }

  function setPlaying(on) {
    controls.show(on);
  }

  hub.jump = ({ s, forward, backward }) => {
    const place = journey.position(state.index);
    if (s !== undefined) {
      const t = view.timeOf(s, state.sequence);
      const phase = place.phase === "forward" || place.phase === "backward" ? place.phase : "forward";
      return go(journey.indexOf(phase, t, journey.moment(place).id));
    }
    const back = backward && (place.phase === "backward" || !forward);
    return go(journey.indexOf(back ? "backward" : "forward", place.t, back ? backward : forward));
  };
  const paper = () => getComputedStyle(root).backgroundColor;
  const fileName = () => captionOf(makeContext()).replace(/[^\w]+/g, "-");

  function openChapter(index) {
    const chapter = fields.chapters[Math.max(0, Math.min(fields.chapters.length - 1, index))];
    setPlaying(false);
    recall(new URLSearchParams({ hide: state.hidden.join("."), ...chapter.state }));
    state.chapter = fields.chapters.indexOf(chapter);
    render();
  }

  hub.goTo = ({ t, unit }) => {
    if (unit !== undefined) state.unit = unit;
    hub.jump({ s: view.placeOf(t, state.sequence) });
  };
  hub.unit = (unit) => set({ unit });

  // Drawing
  function drawings() {
    const list = view.layer.drawings.map(({ id, title }) => [id, title]);
    if (view.H <= MOST_UNITS && view.layer.input_size <= MOST_UNITS) list.push(["neurons", "neurons"]);
    return list;
  }

  // Ask the library to compute with another number, and show what it found.
  async function renew(change) {
    store.replace(await recompute(change));
    views = fields.layers.map((layer) => openLayer(store, layer));
    view = views[state.layer];
    journey = makeJourney(view, state.sequence);
    drawing = null;
    maps.forget();
    strip.forget();
    render();
  }

  function ensureDrawing() {
    const names = drawings();
    if (!names.some(([id]) => id === state.view)) state.view = names[0][0];
    const key = `${state.view}:${view.layer.path}`;
    if (drawing?.key === key) return;
    const made = state.view === "neurons" ? neurons(view, hub, view.layer.input_names) : drawDiagram(view.layer.drawings.find(({ id }) => id === state.view), hub, view.layer.lacks);
    drawing = { key, ...made };
    canvas.replaceChildren(drawing.element);
    choice.replaceChildren(
      ...names.map(([id, name]) => {
        const button = el("button", { type: "button", "aria-pressed": String(id === state.view) }, name);
        button.addEventListener("click", () => set({ view: id }));
        return button;
      }),
    );
  }

  function ensureTheme() {
    if (palette?.theme === state.theme) return;
    palette = { theme: state.theme, ...makePalette(state.theme) };
    root.dataset.theme = state.theme;
    if (whole) document.documentElement.dataset.theme = state.theme;
  }

  const makeContext = () => contextOf({ store, view, journey, palette, hub, set, state });

  function render() {
    ensureTheme();
    ensureDrawing();
    bar.update(state, view.layer);
    for (const [id, pane] of Object.entries(panes)) pane.hidden = state.hidden.includes(id);
    if (!journey.steps) return controls.update({ place: journey.position(0), journey }, "this sequence has no time step", "this sequence has no time step");
    const context = makeContext();
    root.dataset.phase = context.place.phase;
    drawing.update(context);
    const extra = context.place.phase === "update" ? updateTable(context) : context.moment.id === "share" ? shareTable(context) : null;
    equations.update(context, extra, recompute ? livePanel(context, renew) : null);
    strip.update(context);
    if (!panes.maps.hidden) maps.update(context, state.tab);
    showLegend(legend, context);
    controls.update(context, captionOf(context), spokenOf(context));
    tour.update(state.chapter);
    address.write(addressOf(context));
    follow();
  }

  // On a narrow screen the drawing scrolls by itself to what just became known.
  function follow() {
    if (canvas.scrollWidth <= canvas.clientWidth + 1) return;
    const focus = canvas.querySelector(".node.lit.gate, .wire.result .line, .node.lit, .wire.lit .line");
    if (!focus) return;
    const box = focus.getBoundingClientRect();
    const frame = canvas.getBoundingClientRect();
    canvas.scrollLeft += (box.left + box.right) / 2 - (frame.left + frame.right) / 2;
  }

  // Address
  function addressOf({ place, moment, t }) {
    const at = place.phase === "forward" || place.phase === "backward" ? `${place.phase}.${t + 1}.${moment.id}` : place.phase;
    return { layer: state.layer || null, seq: state.sequence + 1, unit: state.unit + 1, at, view: state.view, tab: state.tab || null, beside: state.other === null ? null : state.other + 1, input: state.input ? state.input + 1 : null, from: state.from ? state.from + 1 : null, theme: state.chosen ? state.theme : null, hide: state.hidden.join(".") || null, chapter: state.chapter === null ? null : fields.chapters[state.chapter].id };
  }

  function recall(values) {
    const whole = (name, most) => Math.min(Math.max(1, Number.parseInt(values.get(name), 10) || 1), most) - 1;
    state.layer = Math.min(Math.max(0, Number.parseInt(values.get("layer"), 10) || 0), views.length - 1);
    view = views[state.layer];
    state.sequence = whole("seq", view.layer.window.batch);
    state.unit = whole("unit", view.H);
    state.input = whole("input", view.layer.input_size);
    state.from = whole("from", view.H);
    state.view = values.get("view") ?? state.view;
    state.tab = values.get("tab") ?? "";
    state.other = values.has("beside") ? whole("beside", views.length) : null;
    const chapter = fields.chapters.findIndex(({ id }) => id === values.get("chapter"));
    state.chapter = chapter < 0 ? null : chapter;
    state.hidden = (values.get("hide") ?? "").split(".").filter((id) => id in panes);
    journey = makeJourney(view, state.sequence);
    const [phase, step, id] = (values.get("at") ?? "").split(".");
    const known = ["forward", "backward", "loss", "update"].includes(phase);
    state.index = known ? journey.indexOf(phase, (Number.parseInt(step, 10) || 1) - 1, id) : 0;
  }

  // Keys
  function pressed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { target, key } = event;
    const typing = target.closest?.("select, textarea, input:not([type=range]):not([type=checkbox])");
    if (typing && key !== "Escape") return;
    const onButton = target.closest?.("button, summary, a, input[type=checkbox]");
    const acts = {
      ArrowRight: () => (event.shiftKey ? go(journey.nextStep(journey.position(state.index), 1).index) : move(1)),
      ArrowLeft: () => (event.shiftKey ? go(journey.nextStep(journey.position(state.index), -1).index) : move(-1)),
      Home: () => go(0),
      End: () => go(Infinity),
      Escape: () => escape(),
      " ": onButton ? null : () => setPlaying(!controls.isPlaying()),
    };
    if (/^[1-9]$/.test(key) && fields.chapters.length >= Number(key)) acts[key] = () => openChapter(Number(key) - 1);
    if (!acts[key]) return;
    acts[key]();
    event.preventDefault();
  }

  function escape() {
    const closed = [equations.closeSum(), ...bar.menus.map((menu) => menu.open), controls.isPlaying()].includes(true);
    setPlaying(false);
    for (const menu of bar.menus) menu.open = false;
    if (!closed && state.chapter !== null) set({ chapter: null });
  }

  const listening = whole ? document : root;
  listening.addEventListener("keydown", pressed);
  const observer = new ResizeObserver(() => render());
  observer.observe(strip.element);
  const follows = () => set({ theme: dark.matches ? "dark" : "light" });
  dark.addEventListener("change", follows);
  address.onChange((values) => {
    recall(values);
    render();
  });
  recall(address.read());
  render();

  function close() {
    listening.removeEventListener("keydown", pressed);
    observer.disconnect();
    dark.removeEventListener("change", follows);
    setPlaying(false);
  }
  return { close };
}

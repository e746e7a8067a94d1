// The whole recording at a glance: rasters of gates, cell and errors, the error map, gradients by step.

import { el } from "../dom.js";
import { compare } from "./compare.js";
import { errorMap } from "./errormap.js";
import { lineChart } from "./linechart.js";
import { raster } from "./raster.js";
import { plural } from "./numbers.js";

const WORDS = { i: "input gate i", f: "forget gate f", o: "output gate o", z: "block input z", c: "cell c", y: "block output y", h: "hidden value h", a: "before the activation a" };

// The chosen sequence's time steps, in the order of time.
export function timesOf(context) {
  const { view, b, journey } = context;
  const low = Math.min(view.timeOf(0, b), view.timeOf(journey.steps - 1, b));
  return Array.from({ length: journey.steps }, (_, index) => low + index);
}

function valueRaster(context, name, title, kind) {
  const { view, b, palette } = context;
  const times = timesOf(context);
  const scale = context.scale(name);
  return raster(context, {
    title,
    columns: times,
    rows: view.H,
    color: (k, t) => palette.rgb(view.value(name, 0, t, b, k), scale, kind),
    number: (k, t) => view.value(name, 0, t, b, k),
    name: title,
  });
}

function gates(context) {
  const { layer, view } = context;
  const names = layer.kind === "RNN" ? ["a", "h"] : ["i", "f", "z", "o"].filter((name) => !layer.lacks.includes(name) && view.has(name));
  return el("div", { class: "map-grid" }, names.map((name) => valueRaster(context, name, WORDS[name], "value")));
}

function cell(context) {
  const { layer, view, b, k } = context;
  const names = layer.kind === "RNN" ? ["h"] : ["c", "y"];
  const times = timesOf(context);
  const series = (layer.kind === "RNN" ? ["h"] : ["c", "y", "f"].filter((name) => !layer.lacks.includes(name))).map((name) => ({ name, values: times.map((t) => view.value(name, 0, t, b, k)) }));
  return el(
    "div",
    { class: "map-grid" },
    names.map((name) => valueRaster(context, name, WORDS[name], "value")),
    lineChart(context, { title: `unit ${k + 1} over time`, times, series }),
    view.layer.attached.prediction && view.layer.attached.target ? fit(context, times) : null,
  );
}

function fit(context, times) {
  const { view, b } = context;
  const series = ["target", "prediction"].map((name) => ({ name, values: times.map((t) => view.attached(name, t, b) ?? 0) }));
  return lineChart(context, { title: "target and prediction", times, series });
}

function errors(context) {
  const { layer } = context;
  const names = layer.kind === "RNN" ? ["h", "a"] : ["c", "y"];
  return el("div", { class: "map-grid" }, names.map((name) => valueRaster(context, `d_${name}`, `error δ${name}`, "error")));
}

function gradients(context) {
  const { view, store, layer } = context;
  const times = timesOf(context);
  const charts = Object.entries(layer.maps.norms).map(([name, reference]) => {
    const norms = store.array(reference);
    return lineChart(context, { title: `‖share of step t‖ in the gradient of ${name}`, times, series: [{ name, values: times.map((t) => norms[t - layer.window.start]) }], zero: true });
  });
  const scope = view.layer.window.batch > 1 ? `, over ${plural(view.layer.window.batch, "sequence")}` : "";
  return el("div", {}, el("p", { class: "soft" }, `How much each time step contributes to the gradient of each parameter${scope}. A peak at one step is what clipping cuts.`), el("div", { class: "map-grid" }, charts));
}

export function mapsPane(hub) {
  const tabs = el("div", { class: "tabs", role: "tablist", "aria-label": "Maps" });
  const body = el("div", { class: "map-body", role: "tabpanel" });
  const element = el("div", { class: "maps" }, tabs, body);
  let drawn = "";

  function choices({ layer, store }) {
    const list = [
      { id: "gates", name: layer.kind === "RNN" ? "values" : "gates", draw: gates },
      { id: "cell", name: layer.kind === "RNN" ? "hidden value" : "cell and output", draw: cell },
    ];
    if (layer.journey.backward.length) {
      list.push({ id: "errors", name: "errors", draw: errors });
      if (layer.maps.error_map) list.push({ id: "map", name: "error map", draw: errorMap });
      list.push({ id: "gradients", name: "gradients by step", draw: gradients });
    }
    if (store.fields.layers.length > 1) list.push({ id: "compare", name: "compare", draw: compare });
    return list;
  }

  function update(context, chosen) {
    const list = choices(context);
    const tab = list.find((entry) => entry.id === chosen) ?? list[0];
    const key = [tab.id, context.layer.path, context.layer.group, context.b, context.palette.theme, tab.id === "cell" ? context.k : "", context.other].join();
    if (key !== drawn) {
      drawn = key;
      tabs.replaceChildren(
        ...list.map((entry) => {
          const button = el("button", { type: "button", role: "tab", "aria-selected": String(entry === tab), tabindex: entry === tab ? "0" : "-1" }, entry.name);
          button.addEventListener("click", () => context.set({ tab: entry.id }));
          return button;
        }),
      );
      body.replaceChildren(tab.draw(context));
      body.setAttribute("aria-label", tab.name);
    }
    hub.mark(context);
  }
  return { element, update, forget: () => (drawn = "") };
}

// Two layers side by side, of one recording or of two: outputs, errors over time, error maps.

import { el } from "../dom.js";
import { mapOf, mapRaster, reachOf } from "./errormap.js";
import { lineChart } from "./linechart.js";
import { raster } from "./raster.js";
import { openLayer } from "./store.js";
import { makeJourney } from "./journey.js";

function otherOf(context) {
  const { layers } = context.store.fields;
  const own = layers.indexOf(context.layer);
  const wanted = layers[context.other];
  if (wanted && wanted !== context.layer) return wanted;
  return layers.find((layer) => layer.group !== context.layer.group) ?? layers[own === 0 ? 1 : 0];
}

function side(context, layer) {
  const { store, palette } = context;
  const view = openLayer(store, layer);
  const b = Math.min(context.b, layer.window.batch - 1);
  const journey = makeJourney(view, b);
  const name = layer.kind === "RNN" ? "h" : "y";
  const low = journey.steps ? Math.min(view.timeOf(0, b), view.timeOf(journey.steps - 1, b)) : 0;
  const times = Array.from({ length: journey.steps }, (_, index) => low + index);
  const one = { ...context, hub: { ...context.hub, goTo: ({ t }) => context.hub.goTo({ t }) } };
  const scale = layer.scales[name];
  const error = layer.maps.error_norms ? store.array(layer.maps.error_norms) : null;
  return {
    times,
    errors: error && times.map((t) => error[(t - layer.window.start) * layer.window.batch + b]),
    column: el(
      "div",
      { class: "side" },
      el("h3", {}, layer.label),
      layer.label.startsWith(layer.name) ? null : el("p", { class: "soft" }, layer.name),
      times.length ? raster(one, { title: `output ${name}`, columns: times, rows: view.H, color: (k, t) => palette.rgb(view.value(name, 0, t, b, k), scale, "value"), number: (k, t) => view.value(name, 0, t, b, k) }) : null,
      error && times.length ? raster(one, { title: `error δ${name}`, columns: times, rows: view.H, color: (k, t) => palette.rgb(view.value(`d_${name}`, 0, t, b, k), layer.scales[`d_${name}`], "error"), number: (k, t) => view.value(`d_${name}`, 0, t, b, k) }) : null,
      layer.maps.error_map ? mapRaster(one, layer, "error map: loss at t (row), step k (column)") : null,
      layer.maps.memory ? el("p", { class: "memory" }, layer.maps.memory) : null,
    ),
  };
}

function reaches(context, layers) {
  const maps = layers.map((layer) => mapOf(context.store, layer));
  if (maps.includes(null)) return null;
  const all = maps.map((map, index) => reachOf(map, layers[index].reverse));
  const length = Math.min(...all.map((reach) => reach.filter((share) => share !== null).length));
  const series = all.map((reach, index) => ({ name: layers[index].kind === "RNN" ? "simple RNN" : "LSTM", values: reach.slice(0, length).map((share) => Math.max(share, 1e-12)) }));
  return lineChart(context, { title: "median share of the error that is left, by steps back", times: Array.from({ length }, (_, index) => index - 1), series, log: true, mark: false });
}

export function compare(context) {
  const { layers } = context.store.fields;
  const other = otherOf(context);
  const options = layers.map((layer, index) => (layer === context.layer ? null : el("option", { value: index, selected: layer === other }, layer.label)));
  const choice = el("select", {}, options);
  choice.addEventListener("change", () => context.set({ other: Number(choice.value) }));
  const pair = [context.layer, other];
  const sides = pair.map((layer) => side(context, layer));
  return el(
    "div",
    {},
    el("p", { class: "choose" }, el("label", {}, "beside ", choice)),
    el("div", { class: "map-grid" }, sides.map(({ column }) => column)),
    reaches(context, pair),
  );
}

// How far the error of one step's loss reaches back: each row a loss, each column a step it reaches.

import { el } from "../dom.js";
import { lineChart } from "./linechart.js";
import { raster } from "./raster.js";
import { shown } from "./numbers.js";

const DECADES = 6;
const RAMPS = { light: [[255, 255, 255], [253, 224, 168], [217, 95, 14], [84, 39, 15]], dark: [[16, 19, 22], [84, 44, 24], [217, 108, 30], [255, 226, 160]] };

// 0 at the loss's own step down to -DECADES.
function rampOf(theme) {
  const stops = RAMPS[theme];
  return (share) => {
    const at = Math.max(0, Math.min(1, 1 + share / DECADES)) * (stops.length - 1);
    const low = Math.min(stops.length - 2, Math.floor(at));
    return stops[low].map((part, index) => Math.round(part + (stops[low + 1][index] - part) * (at - low)));
  };
}

// Norms (R, T) of a layer, its rows spread evenly over time.
export function mapOf(store, layer) {
  const reference = layer.maps.error_map;
  if (!reference) return null;
  const norms = store.array(reference);
  const [rows, T] = reference.shape;
  const own = (row) => {
    let found = 0;
    for (let k = 0; k < T; k += 1) if (norms[row * T + k] > 0) found = layer.reverse ? (found === 0 ? k : found) : k;
    return found;
  };
  const owns = Array.from({ length: rows }, (_, row) => own(row));
  const share = (row, k) => {
    const value = norms[row * T + k];
    const first = norms[row * T + owns[row]];
    return value > 0 && first > 0 ? Math.log10(value / first) : -Infinity;
  };
  return { norms, rows, T, owns, share };
}

export function mapRaster(context, layer, title) {
  const map = mapOf(context.store, layer);
  const ramp = rampOf(context.palette.theme);
  return raster(context, {
    title,
    columns: Array.from({ length: map.T }, (_, k) => k),
    rows: map.rows,
    rowName: "loss",
    color: (row, k) => ramp(map.share(row, k)),
    number: (row, k) => map.norms[row * map.T + k],
  });
}

// Median share of the error left after so many steps.
export function reachOf(map, reverse) {
  return Array.from({ length: map.T }, (_, distance) => {
    const found = [];
    for (let row = 0; row < map.rows; row += 1) {
      const k = reverse ? map.owns[row] + distance : map.owns[row] - distance;
      if (k >= 0 && k < map.T && map.norms[row * map.T + map.owns[row]] > 0) found.push(10 ** map.share(row, k));
    }
    found.sort((a, b) => a - b);
    return found.length ? found[Math.floor((found.length - 1) / 2)] : null;
  });
}

export function errorMap(context) {
  const { layer, store } = context;
  const map = mapOf(store, layer);
  const figure = mapRaster(context, layer, "error of the loss at step t (row) at step k (column)");
  figure.classList.add("error-map");
  const reach = reachOf(map, layer.reverse).filter((share) => share !== null);
  const chart = lineChart(context, { title: "median share of the error that is left, by steps back", times: reach.map((_, index) => index - 1), series: [{ name: "share", values: reach.map((share) => Math.max(share, 1e-12)) }], log: true, mark: false });
  const words = layer.maps.memory ? el("p", { class: "memory" }, layer.maps.memory) : null;
  return el("div", {}, words, el("div", { class: "map-grid" }, el("div", {}, figure, ramp(context.palette.theme)), chart));
}

function ramp(theme) {
  const color = rampOf(theme);
  const blocks = Array.from({ length: 31 }, (_, index) => {
    const block = el("i", {});
    block.style.background = `rgb(${color(-DECADES + (DECADES * index) / 30).join(" ")})`;
    return block;
  });
  return el("p", { class: "legend" }, el("span", {}, shown(10 ** -DECADES, 1)), el("span", { class: "scale", "aria-hidden": "true" }, blocks), el("span", {}, "1 of the error at its own step"));
}

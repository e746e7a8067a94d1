// How far back the network sees: what is left of an error by distance, the error map, the gates.

import { chart } from "./charts.js";
import { el, table, tableOnDemand } from "./dom.js";
import { fixed, percent, significant } from "./format.js";
import { heat } from "./heat.js";

const DISTANCES = [0.25, 0.5, 1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 720];
const FAINTEST = -6; // log10 of the smallest share the map tells apart
const plainNumber = (at) => String(Number(at.toPrecision(6)));

function hoursText(hours) {
  if (hours >= 48) return `${plainNumber(hours / 24)} d`;
  return hours >= 1 || hours === 0 ? `${plainNumber(hours)} h` : `${plainNumber(hours * 60)} min`;
}

function curve(reach) {
  const known = reach.left.map((share, index) => ({ share, hours: index * reach.step_hours })).filter(({ share }) => share !== null);
  const last = known.findLastIndex(({ share }) => share >= 0.001) + 1; // beyond, the line lies on its axis
  const shown = known.slice(0, Math.max(last + 1, 7));
  const xs = shown.map(({ hours }) => hours);
  const name = `Share of an error of the ${reach.value} that is left, by how far it went back`;
  const drawn = chart({
    name,
    height: (width) => (width < 560 ? 210 : 240),
    xs,
    x: { kind: "linear", domain: [0, xs[xs.length - 1]], steps: DISTANCES, format: plainNumber, title: "hours back" },
    y: { title: "% of the error left (median)", zero: true },
    bands: [],
    lines: [{ ys: shown.map(({ share }) => 100 * share), className: "k-forecast", label: "", unmarked: true }],
    rules: [],
    read: (index) => ({ head: `${hoursText(xs[index])} back`, entries: [{ label: "left", value: percent(shown[index].share, shown[index].share < 0.001 ? 4 : 1), className: "k-forecast" }] }),
  });
  const numbers = tableOnDemand(name, () =>
    table({
      caption: `${name}.`,
      columns: [{ head: "Back" }, { head: "Share left", number: true }],
      rows: known.map(({ share, hours }) => [hoursText(hours), significant(share)]),
    }),
  );
  return el("div", { class: "small" }, drawn.readout, drawn.plot, numbers.element);
}

function errorMap(reach) {
  const flat = reach.map.flat().filter((value) => value !== null);
  const top = Math.max(0, ...flat);
  const hours = (step) => hoursText(step * reach.step_hours);
  return heat({
    name: "Error map: what is left of each forecast's error at every step before it",
    className: "square",
    rows: reach.map,
    shareOf: (value) => (value - FAINTEST) / (top - FAINTEST),
    low: "10⁻⁶ or less",
    high: top > 0.01 ? `${significant(10 ** top, 2)} times` : "all of it",
    across: "step of the window, from its beginning on",
    down: "forecast made at",
    hint: "Point at the map to read a share.",
    read: (row, column) =>
      `Forecast made ${hours(reach.map_losses[row])} into the window: ${percent(10 ** reach.map[row][column], reach.map[row][column] < -3 ? 4 : 1)} left at ${hours(reach.map_steps[column])}, ${hours(reach.map_losses[row] - reach.map_steps[column])} before.`,
  });
}

function gates(reach) {
  return reach.rasters.map((raster) => {
    const value = (percentage) => raster.low + ((raster.high - raster.low) * percentage) / 100;
    const gate = raster.low === 0;
    return heat({
      name: `${raster.name[0].toUpperCase()}${raster.name.slice(1)}: ${raster.units} units over the last test window`,
      rows: raster.percent,
      shareOf: (percentage) => percentage / 100,
      low: gate ? "shut, 0" : fixed(raster.low, 1),
      high: gate ? "open, 1" : fixed(raster.high, 1),
      across: "time of the window, from its beginning on",
      down: "units",
      hint: "",
      read: (row, column) => `${hoursText(reach.map_steps[column] * reach.step_hours)} into the window: ${fixed(value(raster.percent[row][column]), 2)}`,
    });
  });
}

export function reachFigure(reach) {
  return el(
    "div",
    { class: "reach" },
    el("p", { class: "lede" }, `An error is what a forecast passes back to the network's past: where nothing of it is left, nothing can be learnt from what came before. Memory length: ${reach.memory}, the distance beyond which less than 1 % is left.`),
    curve(reach),
    el("div", { class: "pair" }, errorMap(reach), reach.rasters.length ? el("div", {}, gates(reach)) : null),
  );
}

// The parts of a line chart, drawn as SVG from a spec (see charts.js) and the geometry of its size.

import { svg } from "./dom.js";
import { fixed } from "./format.js";
import { extent, keptApart, linear, lowerBound, niceTicks, runs, timeTicks, touched, typicalStep } from "./scale.js";

const LETTER = 6.7;
const LONGEST_LABEL = 26;
const MARKERS = {
  circle: "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z",
  square: "M-2.7 -2.7h5.4v5.4h-5.4z",
  triangle: "M0 -3.6L3.6 2.8H-3.6z",
  diamond: "M0 -3.9L3.4 0L0 3.9L-3.4 0z",
};

function path(points) {
  return points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

function shortened(label) {
  return label.length > LONGEST_LABEL ? `${label.slice(0, LONGEST_LABEL - 1).trimEnd()}…` : label;
}

function visible(spec) {
  const first = Math.max(0, lowerBound(spec.xs, spec.x.domain[0]) - 1);
  const last = Math.min(spec.xs.length, lowerBound(spec.xs, spec.x.domain[1]) + 2);
  return { first, last };
}

function columnsOf(spec) {
  return [...spec.lines.map((line) => line.ys), ...spec.bands.flatMap((band) => [band.low, band.high])];
}

export function geometryOf(spec, width) {
  const height = spec.height(width);
  const { first, last } = visible(spec);
  const found = extent(columnsOf(spec).map((column) => column.slice(first, last))) ?? [0, 1];
  const wanted = Math.max(3, Math.round(height / 52));
  const y = niceTicks(spec.y.zero ? Math.min(0, found[0]) : found[0], found[1], wanted);
  const tickTexts = y.ticks.map((tick) => fixed(tick, y.decimals));
  const labelled = width >= (spec.labelsFrom ?? 0);
  const labels = [...spec.lines, ...spec.bands].map((part) => shortened(part.label ?? ""));
  const longest = Math.max(0, ...labels.map((label) => label.length));
  const box = {
    left: Math.max(...tickTexts.map((text) => text.length)) * LETTER + 12,
    right: width - (labelled && longest ? longest * LETTER + 16 : 10),
    top: 26,
    bottom: height - (spec.x.title ? 46 : spec.x.kind === "time" ? 38 : 26),
  };
  return {
    width,
    height,
    first,
    last,
    labelled,
    box,
    tickTexts,
    ticks: y.ticks,
    x: linear(spec.x.domain, [box.left + (spec.x.inset ?? 0), box.right - (spec.x.inset ?? 0)]),
    y: linear([y.ticks[0], y.ticks[y.ticks.length - 1]], [box.bottom, box.top]),
    gap: spec.x.kind === "time" ? 1.6 * typicalStep(spec.xs) : Infinity,
  };
}

function xTicks(spec, geometry) {
  const { box } = geometry;
  const wanted = Math.max(2, Math.floor((box.right - box.left) / 72));
  if (spec.x.kind === "time") return timeTicks(...spec.x.domain, wanted);
  const [first, last] = spec.x.domain;
  const most = Math.floor((box.right - box.left) / (spec.x.room ?? 40));
  const step = spec.x.steps.find((size) => (last - first) / size <= most) ?? (last - first) / most;
  return Array.from({ length: Math.floor((last - first) / step) + 2 }, (_, index) => (Math.ceil(first / step) + index) * step)
    .filter((at) => at <= last)
    .map((at) => ({ at, text: spec.x.format(at) }));
}

export function drawAxes(spec, geometry) {
  const { box, x, y } = geometry;
  const rows = geometry.ticks.map((tick, index) => [
    svg("line", { class: "grid", x1: box.left, x2: box.right, y1: y(tick), y2: y(tick) }),
    svg("text", { class: "tick", x: box.left - 8, y: y(tick) + 4, "text-anchor": "end" }, geometry.tickTexts[index]),
  ]);
  const columns = xTicks(spec, geometry).map((tick) => [
    svg("line", { class: "axis", x1: x(tick.at), x2: x(tick.at), y1: box.bottom, y2: box.bottom + 4 }),
    svg("text", { class: "tick", x: x(tick.at), y: box.bottom + 18, "text-anchor": "middle" }, tick.text),
    tick.context
      ? svg("text", { class: "tick strong", x: x(tick.at), y: box.bottom + 33, "text-anchor": "middle" }, tick.context)
      : null,
  ]);
  const title = spec.x.title
    ? svg("text", { class: "tick", x: (box.left + box.right) / 2, y: geometry.height - 6, "text-anchor": "middle" }, spec.x.title)
    : null;
  return svg(
    "g",
    {},
    rows.flat(),
    svg("line", { class: "axis", x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom }),
    columns.flat(),
    svg("text", { class: "tick", x: 0, y: 13 }, spec.y.title),
    title,
  );
}

export function drawBand(band, spec, geometry) {
  const { x, y } = geometry;
  const parts = runs(spec.xs, [band.low, band.high], geometry.first, geometry.last, geometry.gap).map((run) => {
    const upper = touched(run, spec.xs, band.high, x).map((index) => [x(spec.xs[index]), y(band.high[index])]);
    const lower = touched(run, spec.xs, band.low, x).map((index) => [x(spec.xs[index]), y(band.low[index])]);
    if (run.length === 1) {
      upper.splice(0, 1, [upper[0][0] - 5, upper[0][1]], [upper[0][0] + 5, upper[0][1]]);
      lower.splice(0, 1, [lower[0][0] - 5, lower[0][1]], [lower[0][0] + 5, lower[0][1]]);
    }
    return `${path([...upper, ...lower.reverse()])}Z`;
  });
  return svg("path", { class: `band ${band.className}`, d: parts.join("") });
}

export function drawLine(line, spec, geometry) {
  const { x, y } = geometry;
  const found = runs(spec.xs, [line.ys], geometry.first, geometry.last, geometry.gap);
  const places = (indices) => indices.map((index) => [x(spec.xs[index]), y(line.ys[index])]);
  const drawn = found.map((run) => path(places(touched(run, spec.xs, line.ys, x)))).join("");
  const all = found.flat();
  const marked = line.markers || all.length <= 60 ? all : found.filter((run) => run.length === 1).flat();
  const shape = MARKERS[line.marker ?? "circle"];
  return svg(
    "g",
    { class: `line ${line.className}` },
    svg("path", { class: "stroke", d: drawn }),
    line.unmarked ? [] : places(marked).map(([px, py]) => svg("path", { class: "marker", d: shape, transform: `translate(${px.toFixed(1)} ${py.toFixed(1)})` })),
  );
}

function lastValue(ys, spec, geometry) {
  for (let index = geometry.last - 1; index >= geometry.first; index -= 1) {
    const inside = spec.xs[index] <= spec.x.domain[1];
    if (inside && ys[index] !== null && ys[index] !== undefined) return ys[index];
  }
  return null;
}

export function drawLabels(spec, geometry) {
  const parts = [
    ...spec.lines.map((line) => ({ ...line, end: lastValue(line.ys, spec, geometry) })),
    ...spec.bands.map((band) => ({ ...band, end: lastValue(band.high, spec, geometry) })),
  ].filter((part) => part.label && part.end !== null);
  const { box, y } = geometry;
  const places = keptApart(parts.map((part) => y(part.end)), 16, box.top, box.bottom - 4);
  return svg(
    "g",
    {},
    parts.map((part, index) =>
      svg("text", { class: `label ${part.className}`, x: box.right + 8, y: places[index] + 4 }, shortened(part.label)),
    ),
  );
}

export function drawRules(spec, geometry) {
  const { box, x } = geometry;
  return (spec.rules ?? []).map((rule) => {
    const at = x(rule.at);
    const left = at > (box.left + box.right) / 2;
    return svg(
      "g",
      { class: "rule" },
      svg("line", { x1: at, x2: at, y1: box.top - 8, y2: box.bottom }),
      svg("text", { x: at + (left ? -6 : 6), y: box.top, "text-anchor": left ? "end" : "start" }, rule.text),
    );
  });
}

export function drawCursor(layer, spec, geometry, at) {
  layer.replaceChildren();
  const where = at === null ? null : spec.xs[at];
  if (where === null || where < spec.x.domain[0] || where > spec.x.domain[1]) return;
  const { box, x, y } = geometry;
  layer.append(svg("line", { class: "cursor", x1: x(where), x2: x(where), y1: box.top, y2: box.bottom }));
  for (const line of spec.lines) {
    const value = line.ys[at];
    if (value === null || value === undefined) continue;
    layer.append(svg("circle", { class: `dot ${line.className}`, cx: x(where), cy: y(value), r: 4 }));
  }
}

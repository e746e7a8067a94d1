// Forecast against truth over the test part: a window into a long series, moved by pointer or keys.

import { chart } from "./charts.js";
import { el, table, tableOnDemand } from "./dom.js";
import { DAY, NBSP, decimalsFor, fixed, instant, moment, significant, span, withUnit } from "./format.js";
import { overview } from "./overview.js";
import { extent, lowerBound, typicalStep } from "./scale.js";
import { onRecall, recall, remember } from "./state.js";

const MOST_ROWS = 1000;

export const intervalBands = (part) =>
  [
    { low: part.lower95, high: part.upper95, className: "wide", label: `95${NBSP}%` },
    { low: part.lower80, high: part.upper80, className: "narrow", label: `80${NBSP}%` },
  ].filter((band) => band.low.length && band.high.length);

// How one time is read out: truth, forecast, intervals, difference.
export function reader(part, xs, unit) {
  const [low, high] = extent([part.truth, part.forecast]) ?? [0, 1];
  const decimals = decimalsFor(high - low || Math.abs(high));
  const say = (value) => fixed(value, decimals);
  const has = (values, index) => values[index] !== null && values[index] !== undefined;
  return (index) => {
    const entries = [];
    const add = (label, value, className) => entries.push({ label, value: withUnit(value, unit), className });
    if (has(part.truth, index)) add("truth", say(part.truth[index]), "k-truth");
    if (has(part.forecast, index)) add("forecast", say(part.forecast[index]), "k-forecast");
    if (has(part.truth, index) && has(part.forecast, index)) {
      add("off by", say(Math.abs(part.forecast[index] - part.truth[index])));
    }
    for (const level of ["80", "95"]) {
      const [lower, upper] = [part[`lower${level}`], part[`upper${level}`]];
      if (has(lower, index) && has(upper, index)) add(`${level}${NBSP}%`, `${say(lower[index])} to ${say(upper[index])}`);
    }
    return { head: moment(xs[index]), entries };
  };
}

export function numbersTable(part, xs, unit, first, last, note) {
  const bands = intervalBands(part);
  const [low, high] = extent([part.truth, part.forecast]) ?? [0, 1];
  const decimals = decimalsFor(high - low || Math.abs(high), 4);
  const say = (values, index) => fixed(values[index], decimals);
  const columns = [{ head: "Time" }, { head: "Truth", number: true }, { head: "Forecast", number: true }];
  for (const band of [...bands].reverse()) {
    columns.push({ head: `${band.label} from`, number: true }, { head: "to", number: true });
  }
  const rows = [];
  for (let index = first; index < Math.min(last, first + MOST_ROWS); index += 1) {
    const cells = [...bands].reverse().flatMap((band) => [say(band.low, index), say(band.high, index)]);
    rows.push([moment(xs[index]), say(part.truth, index), say(part.forecast, index), ...cells]);
  }
  const cut = last - first > MOST_ROWS ? ` The first ${MOST_ROWS} rows of the part in view; zoom in to see others.` : "";
  return table({ caption: `${note}${unit ? ` In ${unit}.` : ""}${cut}`, columns, rows });
}

function meanError(part, first, last) {
  let sum = 0;
  let seen = 0;
  for (let index = first; index < last; index += 1) {
    if (part.truth[index] === null || part.forecast[index] === null) continue;
    sum += Math.abs(part.truth[index] - part.forecast[index]);
    seen += 1;
  }
  return seen ? sum / seen : null;
}

// Two weeks or so whose mean error comes closest to that of the whole part: neither a lucky nor a bad stretch.
function typicalView(part, xs) {
  const whole = meanError(part, 0, xs.length);
  const length = Math.max(2 * 7 * DAY, 60 * typicalStep(xs));
  let best = [xs[0], Math.min(xs[0] + length, xs[xs.length - 1])];
  let distance = Infinity;
  for (let from = xs[0]; from + length <= xs[xs.length - 1]; from += length / 2) {
    const [first, last] = [lowerBound(xs, from), lowerBound(xs, from + length)];
    const apart = Math.abs((meanError(part, first, last) ?? Infinity) - whole);
    const complete = last - first >= (0.95 * length) / typicalStep(xs);
    if (complete && apart < distance) [best, distance] = [[from, from + length], apart];
  }
  return best;
}

export function seriesFigure(part, { unit, target, horizon }) {
  const xs = part.times.map(instant);
  const bounds = [xs[0], xs[xs.length - 1]];
  const least = Math.min(bounds[1] - bounds[0], 6 * typicalStep(xs));
  const typical = typicalView(part, xs);
  let view = typical;

  const inView = () => [lowerBound(xs, view[0]), lowerBound(xs, view[1] + 1)];
  const numbers = tableOnDemand("Forecast against truth", () => numbersTable(part, xs, unit, ...inView(), `${target}, forecast ${horizon} before.`));
  const range = el("p", { class: "range", "aria-live": "polite" });
  const main = chart({
    name: `${target}: forecast made ${horizon} before, against truth, with intervals`,
    hint: "Point at the chart to read values, drag to zoom. Keys: ← → read, + − zoom, Page Up and Page Down move, 0 shows all.",
    height: (width) => (width < 560 ? 280 : 360),
    xs,
    x: { kind: "time", domain: view },
    y: { title: unit },
    bands: intervalBands(part),
    lines: [
      { ys: part.forecast, className: "k-forecast", label: "forecast", unmarked: xs.length > 60 },
      { ys: part.truth, className: "k-truth", label: "truth" },
    ],
    read: reader(part, xs, unit),
    onKey: (event, self) => onKey(event, self),
    onBrush: (from, to) => show(from, to),
  });
  const strip = overview(part, xs, (from, to) => show(from, to), () => view);

  function show(from, to, quietly = false) {
    const width = Math.max(least, Math.min(to - from, bounds[1] - bounds[0]));
    const start = Math.max(bounds[0], Math.min((from + to - width) / 2, bounds[1] - width));
    view = [start, start + width];
    const [first, last] = inView();
    const error = meanError(part, first, last);
    main.update({ x: { kind: "time", domain: view } });
    strip.draw();
    numbers.refresh();
    const all = width >= bounds[1] - bounds[0];
    range.replaceChildren(
      el("strong", {}, span(...view)),
      all ? ", the whole test part" : "",
      error === null ? "" : `; mean error in view ${withUnit(significant(error), unit)}`,
    );
    if (!quietly) remember("view", view.map((at) => new Date(at).toISOString().slice(0, 16)).join("~"));
  }

  function zoom(factor) {
    const center = main.at !== null && xs[main.at] >= view[0] && xs[main.at] <= view[1] ? xs[main.at] : (view[0] + view[1]) / 2;
    const width = (view[1] - view[0]) * factor;
    const share = (center - view[0]) / (view[1] - view[0] || 1);
    show(center - share * width, center + (1 - share) * width);
  }

  const pan = (share) => show(view[0] + share * (view[1] - view[0]), view[1] + share * (view[1] - view[0]));

  function follow(self, index) {
    self.move(index, true);
    const at = xs[self.at];
    const width = view[1] - view[0];
    if (at < view[0]) show(at, at + width);
    else if (at > view[1]) show(at - width, at);
  }

  function onKey(event, self) {
    const [first, last] = inView();
    const stride = event.shiftKey ? 10 : 1;
    const action = {
      "+": () => zoom(0.5),
      "=": () => zoom(0.5),
      "-": () => zoom(2),
      "0": () => show(...bounds),
      PageUp: () => pan(-0.8),
      PageDown: () => pan(0.8),
      ArrowRight: () => follow(self, self.at === null ? first : self.at + stride),
      ArrowLeft: () => follow(self, self.at === null ? last - 1 : self.at - stride),
      Home: () => follow(self, 0),
      End: () => follow(self, xs.length - 1),
    }[event.key];
    action?.();
    return Boolean(action);
  }

  function restore() {
    const [from, to] = (recall("view") ?? "").split("~").map((text) => Date.parse(`${text}Z`));
    if (from < to) show(from, to, true);
    else show(...typical, true);
  }

  const button = (text, name, action) => el("button", { type: "button", title: name, "aria-label": name, onclick: action }, text);
  const tools = el(
    "div",
    { class: "tools", role: "group", "aria-label": "Part of the test series in view" },
    button("←", "Earlier", () => pan(-0.5)),
    button("→", "Later", () => pan(0.5)),
    button("+", "Zoom in", () => zoom(0.5)),
    button("−", "Zoom out", () => zoom(2)),
    button("All", "Whole test part", () => show(...bounds)),
    button("Typical", "A typical stretch", () => show(...typical)),
  );
  onRecall(restore);
  restore();
  return el("div", { class: "series" }, el("div", { class: "bar" }, range, tools), main.readout, main.plot, strip.element, numbers.element);
}

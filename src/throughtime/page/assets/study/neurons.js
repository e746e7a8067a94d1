// A layer of few units as neurons and connections, at t−1, t and t+1. The weights are the same at every step:
// pointing at one lights the same weight everywhere.

import { svg } from "../dom.js";
import { shown } from "./numbers.js";
import { share } from "./palette.js";

export const MOST_UNITS = 12;
const COLUMN = 265;
const STEPS = [-1, 0, 1];

function places(view) {
  const inputs = view.layer.input_size;
  const gap = Math.min(56, 400 / view.H);
  const low = Math.min(46, 220 / inputs);
  const top = 66;
  const bottom = top + gap * view.H + 46;
  return {
    hidden: (s, k) => [150 + COLUMN * s, top + gap * (k + 0.5)],
    input: (s, j) => [50 + COLUMN * s, bottom + low * (j + 0.5)],
    radius: Math.min(23, gap * 0.43),
    small: Math.min(19, low * 0.43),
    height: bottom + low * inputs + 20,
  };
}

export function neurons(view, hub, names) {
  const at = places(view);
  const letter = view.layer.kind === "RNN" ? "h" : "y";
  const lines = svg("g", { class: "weights" });
  const circles = svg("g", { class: "neurons-circles" });
  const element = svg(
    "svg",
    { class: "diagram neurons", viewBox: `0 0 ${150 + COLUMN * 2 + 60} ${at.height}`, role: "img", "aria-label": "The layer as neurons and connections at three time steps" },
    STEPS.map((shift, s) => svg("text", { class: "label", x: at.hidden(s, 0)[0], y: 26, "text-anchor": "middle" }, shift < 0 ? "t−1" : shift > 0 ? "t+1" : "t")),
    lines,
    circles,
  );
  const weights = [];
  const units = [];

  function connect(parameter, k, j, from, to, s) {
    const line = svg("line", { class: parameter === "weight_hh" ? "weight recurrent" : "weight", x1: from[0], y1: from[1], x2: to[0], y2: to[1] });
    const key = `${parameter}:${k}:${j}`;
    line.addEventListener("pointerenter", () => hub.weight({ parameter, k, j }));
    line.addEventListener("pointerleave", () => hub.weight(null));
    weights.push({ line, key, parameter, k, j, s });
    lines.append(line);
  }

  STEPS.forEach((_, s) => {
    for (let k = 0; k < view.H; k += 1) {
      for (let j = 0; j < view.layer.input_size; j += 1) connect("weight_ih", k, j, at.input(s, j), at.hidden(s, k), s);
      for (let j = 0; j < view.H && s > 0; j += 1) connect("weight_hh", k, j, at.hidden(s - 1, j), at.hidden(s, k), s);
    }
  });
  STEPS.forEach((shift, s) => {
    for (let k = 0; k < view.H; k += 1) units.push(unit(at.hidden(s, k), at.radius, { name: letter, k, shift, s }));
    for (let j = 0; j < view.layer.input_size; j += 1) units.push(unit(at.input(s, j), at.small, { name: "x", k: j, shift, s }));
  });

  function unit([x, y], r, what) {
    const circle = svg("circle", { cx: x, cy: y, r });
    const text = svg("text", { x, y: y + 4, "text-anchor": "middle", class: "number" });
    const title = svg("title", {});
    const group = svg("g", { class: what.name === "x" ? "unit input" : "unit" }, title, circle, text);
    if (what.name !== "x") group.addEventListener("click", () => hub.unit(what.k));
    circles.append(group);
    return { group, circle, text, title, r, ...what };
  }

  hub.onWeight((weight) => {
    const key = weight && `${weight.parameter}:${weight.k}:${weight.j}`;
    element.classList.toggle("comparing", Boolean(weight));
    for (const entry of weights) entry.line.classList.toggle("same", entry.key === key);
  });

  const blockOf = (id) => Math.max(0, (view.layer.blocks ?? []).indexOf(id.replace("d_", "").replace("_bar", "")));

  function update(context) {
    const { place, t, b, k, palette } = context;
    const backward = place.phase === "backward" || place.phase === "update";
    const block = view.layer.kind === "RNN" ? 0 : blockOf(context.moment.id);
    for (const entry of weights) {
      const { data, shape } = view.parameter(entry.parameter);
      const weight = data[(block * view.H + entry.k) * shape[1] + entry.j];
      const size = context.weightScale(entry.parameter);
      entry.line.style.stroke = palette.stroke(weight, size, "value");
      entry.line.style.strokeWidth = String(0.4 + 3.2 * Math.abs(share(weight, size, "value")));
      entry.line.classList.toggle("into", entry.s === 1 && entry.k === k);
    }
    for (const entry of units) {
      const at = entry.shift === 0 ? t : entry.shift < 0 ? view.before(t, b) : view.after(t, b);
      const error = backward && entry.name !== "x";
      const name = error ? `d_${entry.name}` : entry.name;
      const exists = at !== null || entry.shift < 0;
      const known = exists && (at === null ? entry.name !== "x" && !error : context.isKnown(name, at));
      const number = known ? view.value(name, entry.shift, t, b, entry.k) : null;
      entry.group.classList.toggle("absent", !exists || (at === null && entry.name === "x"));
      entry.group.classList.toggle("unknown", number === null);
      entry.group.classList.toggle("focus", entry.name !== "x" && entry.k === k && entry.shift === 0);
      const kind = error ? "error" : "value";
      entry.circle.style.fill = number === null ? "" : palette.fill(number, context.scale(name), kind);
      entry.text.style.fill = number === null ? "" : palette.text(number, context.scale(name), kind);
      entry.text.textContent = number === null || entry.r < 15 || entry.shift !== 0 ? "" : brief(number);
      const label = entry.name === "x" ? (names[entry.k] ?? `x${entry.k + 1}`) : `unit ${entry.k + 1}`;
      entry.title.textContent = number === null ? label : `${label}: ${error ? "δ" : ""}${entry.name} = ${shown(number)}`;
    }
  }
  return { element, update };
}

function brief(number) {
  const size = Math.abs(number);
  if (size !== 0 && size < 0.005) return "≈0";
  return number.toFixed(size < 9.95 ? 2 : 0).replace("-", "−");
}

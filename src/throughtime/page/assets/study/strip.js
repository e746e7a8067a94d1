// The network unfolded in time: one block for each step, the same parameters under all of them.

import { el, svg } from "../dom.js";
import { shown } from "./numbers.js";

const CELL = 74;
const HEIGHT = 148;

export function timeStrip(hub) {
  const drawing = svg("svg", { class: "unfolded", height: HEIGHT, role: "img", "aria-label": "The network unfolded in time" });
  const overview = el("canvas", { class: "overview-strip", height: "14" });
  const element = el("div", { class: "strip" }, drawing, overview);
  let last = null;

  overview.addEventListener("pointerdown", (event) => {
    const box = overview.getBoundingClientRect();
    const step = Math.floor(((event.clientX - box.left) / box.width) * last.journey.steps);
    hub.jump({ s: Math.max(0, Math.min(last.journey.steps - 1, step)) });
  });

  function update(context) {
    last = context;
    const width = element.clientWidth || 900;
    drawing.setAttribute("width", width);
    drawing.replaceChildren(...unfolded(context, width, hub));
    paintOverview(overview, context, width);
  }
  return { element, update, forget: () => delete overview.dataset.key };
}

// The steps in the picture, in order of storage, so that time runs to the right in both directions.
function inView(context, width) {
  const { view, b, t, journey } = context;
  const count = Math.max(1, Math.min(journey.steps, Math.floor((width - 40) / CELL)));
  const low = Math.min(view.timeOf(0, b), view.timeOf(journey.steps - 1, b));
  const first = Math.max(low, Math.min(t - Math.floor(count / 2), low + journey.steps - count));
  return { first, count, low, high: low + journey.steps - 1 };
}

function unfolded(context, width, hub) {
  const { view, journey, place, t, layer } = context;
  const { first, count, low, high } = inView(context, width);
  const left = (width - count * CELL) / 2;
  const nodes = [];
  for (let index = 0; index < count; index += 1) nodes.push(step(context, first + index, left + (index + 0.5) * CELL, hub));
  const middle = 62;
  const arrows = [];
  for (let index = 0; index <= count; index += 1) {
    const at = first + index;
    const x = left + index * CELL;
    if ((index === 0 && first > low) || (index === count && at <= high)) continue;
    const outside = at <= low || at > high;
    const cut = !outside && view.severed(layer.reverse ? at : at - 1);
    const lit = place.phase !== "loss" && place.phase !== "update" && (layer.reverse ? at === t + 1 : at === t);
    const ends = layer.reverse ? `M${x + 13} ${middle}H${x - 13}` : `M${x - 13} ${middle}H${x + 13}`;
    arrows.push(svg("path", { class: `time-wire${outside ? " end" : ""}${lit ? " lit" : ""}${cut ? " cut" : ""}`, d: ends }));
  }
  const more = [
    first > low ? svg("text", { class: "label small", x: 6, y: middle + 4 }, "…") : null,
    first + count - 1 < high ? svg("text", { class: "label small", x: width - 6, y: middle + 4, "text-anchor": "end" }, "…") : null,
  ].filter(Boolean);
  return [...arrows, ...nodes, ...fronts(context, first, count, left), parameters(context, left, count), ...more];
}

function step(context, at, x, hub) {
  const { view, b, k, t, place, palette, journey } = context;
  const name = view.layer.kind === "RNN" ? "h" : "y";
  const number = context.isKnown(name, at) ? view.value(name, 0, at, b, k) : null;
  const error = context.isKnown(`d_${name}`, at) ? view.value(`d_${name}`, 0, at, b, k) : null;
  const box = svg("rect", { x: -24, y: 44, width: 48, height: 36, rx: 5 });
  const text = svg("text", { y: 67, class: "number", "text-anchor": "middle" }, number === null ? "" : brief(number));
  if (number !== null) {
    box.style.fill = palette.fill(number, context.scale(name), "value");
    text.style.fill = palette.text(number, context.scale(name), "value");
  }
  const back = svg("rect", { class: "error", x: -24, y: 82, width: 48, height: 6, rx: 2 });
  if (error !== null) back.style.fill = palette.fill(error, context.scale(`d_${name}`), "error");
  const group = svg(
    "g",
    { class: `step${at === t ? " current" : ""}${number === null ? " unknown" : ""}${error === null ? " no-error" : ""}`, transform: `translate(${x} 0)` },
    svg("title", {}, `time step ${at + 1}${number === null ? "" : `: ${name} = ${shown(number)}`}${error === null ? "" : `, δ${name} = ${shown(error)}`}`),
    svg("path", { class: "tap", d: "M0 44V32" }),
    svg("path", { class: "tap", d: "M0 110V90" }),
    box,
    text,
    back,
    svg("text", { class: "when", y: 16, "text-anchor": "middle" }, String(at + 1)),
  );
  group.addEventListener("click", () => hub.jump({ s: view.placeOf(at, b) }));
  return group;
}

function brief(number) {
  if (number !== 0 && Math.abs(number) < 0.005) return "≈0";
  return number.toFixed(Math.abs(number) < 9.95 ? 2 : 0).replace("-", "−");
}

// Two markers: how far the journey forward has come, and how far back.
function fronts(context, first, count, left) {
  const { place, view, b, journey } = context;
  const x = (s) => left + (view.timeOf(s, b) - first + 0.5) * CELL;
  const forward = place.phase === "forward" ? place.s : journey.steps - 1;
  const marks = [{ s: forward, kind: "forward", d: view.layer.reverse ? "M6 22L-6 27.5L6 33z" : "M-6 22L6 27.5L-6 33z" }];
  if (place.phase === "backward") marks.push({ s: place.s, kind: "backward", d: view.layer.reverse ? "M-6 96L6 101.5L-6 107z" : "M6 96L-6 101.5L6 107z" });
  return marks
    .filter(({ s }) => view.timeOf(s, b) >= first && view.timeOf(s, b) < first + count)
    .map(({ s, kind, d }) => svg("path", { class: `front ${kind}`, d, transform: `translate(${x(s) + (kind === "forward" ? 15 : -15)} 0)` }));
}

function parameters(context, left, count) {
  const names = context.layer.kind === "RNN" ? "U, W, b" : `W, R${context.layer.lacks.includes("p") ? "" : ", p"}, b`;
  const right = left + count * CELL;
  const middle = (left + right) / 2;
  const half = 7.4 * (names.length + 22) * 0.5;
  return svg(
    "g",
    { class: "same" },
    svg("path", { d: `M${left + 12} 112V118H${right - 12}V112` }),
    svg("rect", { x: middle - half, y: 110, width: 2 * half, height: 17 }),
    svg("text", { x: middle, y: 124, "text-anchor": "middle" }, svg("tspan", { class: "letter" }, names), ": the same at every step"),
  );
}

// All time steps as one line of colours, the current one marked.
function paintOverview(canvas, context, width) {
  const { view, journey, b, k, palette, place, t } = context;
  const name = view.layer.kind === "RNN" ? "h" : "y";
  const key = [view.layer.path, b, k, width, palette.theme, place.phase === "backward"].join();
  if (canvas.dataset.key !== key) {
    canvas.dataset.key = key;
    canvas.width = journey.steps;
    const pen = canvas.getContext("2d");
    const shownName = place.phase === "backward" ? `d_${name}` : name;
    const kind = place.phase === "backward" ? "error" : "value";
    const low = Math.min(view.timeOf(0, b), view.timeOf(journey.steps - 1, b));
    for (let step = 0; step < journey.steps; step += 1) {
      pen.fillStyle = palette.fill(view.value(shownName, 0, low + step, b, k), context.scale(shownName), kind);
      pen.fillRect(step, 0, 1, 14);
    }
  }
  const mark = canvas.parentElement.querySelector(".overview-mark") ?? canvas.parentElement.appendChild(el("span", { class: "overview-mark" }));
  const low = Math.min(view.timeOf(0, b), view.timeOf(journey.steps - 1, b));
  mark.style.left = `${(100 * (t - low + 0.5)) / journey.steps}%`;
}

// What one time step adds to each parameter's gradient, and the sum as it grows while the journey goes back.

import { el, svg } from "../dom.js";
import { formula, math, symbolNode } from "./mathml.js";
import { bracketed, plural, shown } from "./numbers.js";

// The share of step t in one entry: its error times what the parameter met.
function shareAt(view, share, t, b, k, j) {
  const error = view.value(share.error, 0, t, b, k);
  if (!share.value) return { error, met: null, product: error };
  const met = view.value(share.value, share.time, t, b, share.matrix ? j : k);
  return { error, met, product: error * met };
}

// Σ over the steps the journey has passed, from the end back to step s, and over all.
export function sums(view, share, s, b, k, j) {
  let soFar = 0;
  let whole = 0;
  for (let step = view.length(b) - 1; step >= 0; step -= 1) {
    const { product } = shareAt(view, share, view.timeOf(step, b), b, k, j);
    whole += product;
    if (step >= s) soFar += product;
  }
  return { soFar, whole };
}

function indexOf(share, context) {
  return share.value === "x" ? Math.min(context.input, context.view.layer.input_size - 1) : Math.min(context.from, context.view.H - 1);
}

function symbol(share, j) {
  const indices = share.matrix ? `k${j + 1}` : "";
  return formula(symbolNode(share.symbol), indices ? math("mtext", { class: "index" }, ` [k, ${j + 1}]`) : null);
}

export function shareTable(context) {
  const { view, t, b, k, place, palette } = context;
  const rows = view.layer.journey.shares.map((share) => {
    const j = indexOf(share, context);
    const { error, met, product } = shareAt(view, share, t, b, k, j);
    return { share, j, error, met, product, ...sums(view, share, place.s, b, k, j) };
  });
  const scale = Math.max(...rows.map((row) => Math.max(Math.abs(row.whole), Math.abs(row.soFar))), 1e-30);
  const body = rows.map((row) => {
    const at = (value) => 30 + 29 * Math.max(-1, Math.min(1, value / scale));
    const bar = svg("rect", { x: Math.min(30, at(row.soFar)), y: 4, width: Math.max(0.5, Math.abs(at(row.soFar) - 30)), height: 8 });
    bar.style.fill = palette.stroke(row.soFar, scale, "error");
    const goal = svg("line", { class: "goal", x1: at(row.whole), x2: at(row.whole), y1: 1, y2: 15 });
    const text = row.met === null ? shown(row.error) : `${shown(row.error)} · ${bracketed(row.met)}`;
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, symbol(row.share, row.j)),
      el("td", { class: "put" }, text),
      el("td", { class: "number" }, shown(row.product)),
      el("td", { class: "number" }, shown(row.soFar)),
      el("td", { class: "bar" }, svg("svg", { width: 60, height: 16, viewBox: "0 0 60 16", "aria-hidden": "true" }, svg("line", { class: "axis", x1: 30, x2: 30, y1: 0, y2: 16 }), goal, bar)),
    );
  });
  const heads = ["of J by", "error · what it met", "share of step t", "Σ so far", ""];
  return el(
    "div",
    { class: "shares" },
    chooser(context),
    el(
      "table",
      { class: "routes" },
      el("caption", {}, `Parameters of unit ${k + 1}: the same at every step, so each step adds its share; the line marks where the sum will end`),
      el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, body),
    ),
  );
}

function select(name, count, chosen, label, set) {
  const options = Array.from({ length: count }, (_, index) => el("option", { value: index, selected: index === chosen }, label(index)));
  const box = el("select", {}, options);
  box.addEventListener("change", () => set(Number(box.value)));
  return el("label", {}, `${name} `, box);
}

function chooser({ view, input, from, names, set }) {
  return el(
    "div",
    { class: "choose" },
    select("weights from input", view.layer.input_size, Math.min(input, view.layer.input_size - 1), (j) => names[j] ?? `x${j + 1}`, (j) => set({ input: j })),
    select("and from unit", view.H, Math.min(from, view.H - 1), (j) => String(j + 1), (j) => set({ from: j })),
  );
}

// After the journey: θ − η · gradient, once.
export function updateTable(context) {
  const { view, b, k, store } = context;
  const eta = Number(store.fields.notes.learning_rate);
  const known = Number.isFinite(eta) && eta > 0;
  const many = view.layer.window.batch > 1;
  const rows = view.layer.journey.shares.map((share) => {
    const j = indexOf(share, context);
    const { data, shape } = view.parameter(share.parameter);
    const place = shape.length === 2 && share.matrix ? ((share.block * view.H + k) * shape[1]) + share.part * view.H + j : share.block * view.H + k;
    const gradients = view.layer.gradients?.[share.parameter];
    const gradient = gradients ? store.array(gradients)[place] : sums(view, share, 0, b, k, j).whole;
    return [symbol(share, j), shown(data[place], 4), shown(gradient), known ? shown(data[place] - eta * gradient, 4) : null];
  });
  const scope = view.layer.gradients && many ? `over all time steps and ${plural(view.layer.window.batch, "sequence")}` : "over all time steps";
  return el(
    "div",
    { class: "shares" },
    el("p", {}, formula(math("mi", {}, "θ"), math("mo", {}, "←"), math("mi", {}, "θ"), math("mo", {}, "−"), math("mi", {}, "η"), math("mrow", {}, math("munder", {}, math("mo", {}, "∑"), math("mi", {}, "t")), math("msup", {}, math("mrow", {}, math("mo", {}, "("), math("mfrac", {}, math("mrow", {}, math("mi", {}, "∂"), math("mi", {}, "J")), math("mrow", {}, math("mi", {}, "∂"), math("mi", {}, "θ"))), math("mo", {}, ")")), math("mrow", {}, math("mo", {}, "("), math("mi", {}, "t"), math("mo", {}, ")"))))), known ? `, η = ${shown(eta)}` : ""),
    chooser(context),
    el(
      "table",
      { class: "routes" },
      el("caption", {}, `The gradient is the sum ${scope}; each parameter moves once`),
      el("thead", {}, el("tr", {}, ["θ", "now", "gradient", known ? "after" : null].filter(Boolean).map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, rows.map(([name, ...numbers]) => el("tr", {}, el("th", { scope: "row" }, name), numbers.filter((number) => number !== null).map((number) => el("td", { class: "number" }, number))))),
    ),
  );
}

// The ways an error arrives: for each reader of the value its own local derivative, the error it multiplies, the product.

import { el, svg } from "../dom.js";
import { factorsNode, formula, math } from "./mathml.js";
import { bracketed, shown } from "./numbers.js";
import { evaluateLine } from "./terms.js";

const ABOVE = { bar: "\u0304", hat: "\u0302", tilde: "\u0303" };
const ROWS = { x: "x", r: "y(t−1)", c: "c" };
const READERS = { head: "head", state: "returned state" };

function reader(route) {
  if (READERS[route]) return READERS[route];
  const [name, time] = route.split("(");
  const [first, second, third] = name.split("_");
  if (second === "mean" || second === "spread") return `${second} of the row of ${ROWS[first]}`;
  const above = ABOVE[third ?? second] ?? "";
  const letter = `${first}${above}${second && !(second in ABOVE) ? `_${second}` : ""}`;
  return `${letter}(${time.replace("-", "−")}`;
}

function split(factors) {
  const errors = factors.filter(({ factor }) => factor.value?.startsWith("d_"));
  const local = factors.filter((entry) => !errors.includes(entry));
  return { errors, local };
}

// Numbers of the local derivative, or how many entries of the matrix take part.
function localCell(found, column) {
  if (column) return [formula(math("mrow", {}, factorsNode([{ symbols: [column.symbols[0]] }])))];
  const { local } = split(found.factors);
  return local.length ? [local.map(({ value }, index) => (index ? bracketed(value) : shown(value))).join(" · ")] : ["1"];
}

function errorCell(found, column) {
  if (column) return [formula(factorsNode([{ symbols: [column.symbols[1]] }]))];
  return [split(found.factors).errors.map(({ value }) => shown(value)).join(" · ")];
}

export function routesTable(line, context) {
  const { view, t, b, k, palette, hub } = context;
  const found = evaluateLine(view, line, t, b, k);
  const scale = Math.max(...found.terms.map((term) => Math.abs(term.value)), 1e-30);
  const whole = found.terms.reduce((sum, term) => sum + term.value, 0);
  const rows = found.terms.map((entry) => {
    const column = entry.factors.find(({ factor }) => factor.kind === "column")?.factor;
    const width = 29 * Math.min(1, Math.abs(entry.value) / scale);
    const bar = svg("rect", { x: entry.value < 0 ? 30 - width : 30, y: 3, width: Math.max(0.5, width), height: 10 });
    bar.style.fill = palette.stroke(entry.value, scale, "error");
    const row = el(
      "tr",
      { "data-route": entry.term.route },
      el("th", { scope: "row" }, reader(entry.term.route)),
      el("td", {}, localCell(entry, column)),
      el("td", {}, errorCell(entry, column)),
      el("td", { class: "number" }, shown(entry.value)),
      el("td", { class: "bar" }, svg("svg", { width: 60, height: 16, viewBox: "0 0 60 16", "aria-hidden": "true" }, svg("line", { class: "axis", x1: 30, x2: 30, y1: 0, y2: 16 }), bar)),
      el("td", { class: "number share" }, whole ? `${Math.round((100 * entry.value) / whole)} %`.replace("-", "−") : "–"),
    );
    row.dataset.wires = entry.term.wires.join(" ");
    row.addEventListener("pointerenter", () => hub.point(entry.term.wires, "equation"));
    row.addEventListener("pointerleave", () => hub.point([], "equation"));
    return row;
  });
  const heads = ["read by", "local derivative", "its error", "product", "", "share"];
  return el(
    "table",
    { class: "routes" },
    el("caption", {}, "Routes: every line that reads this value sends one part of its error"),
    el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, rows),
    el("tfoot", {}, el("tr", {}, el("th", { scope: "row", colspan: "3" }, "Sum"), el("td", { class: "number" }, el("output", { "data-value": "routes" }, shown(whole, 4))), el("td", { colspan: "2", class: "badge" }, badge(line, context)))),
  );
}

// Central differences of J in float64, made when the page was written.
function badge(line, { view, t, b, k }) {
  const check = view.layer.checks.find((entry) => entry.value === line.target && entry.t === t && entry.b === b && entry.k === k);
  if (!check) return null;
  const title = `central differences in float64 give ${shown(check.differences, 6)}`;
  return el("span", { class: check.agrees ? "checked" : "checked apart", title }, `${check.agrees ? "checked" : "apart"}: ${shown(check.apart, 1)}`);
}

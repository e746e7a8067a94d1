// The equations of this moment, three rows each: symbols, the numbers put in, the result.

import { el, svg } from "../dom.js";
import { factorsNode, formula, math, symbolNode, symbolText } from "./mathml.js";
import { bracketed, plural, shown } from "./numbers.js";
import { evaluateLine } from "./terms.js";
import { routesTable } from "./routes.js";

const SIGNS = { plus: "+", minus: "−" };

const cell = (className, ...children) => el("span", { class: className }, children.filter((child) => child !== null));

function operator(text) {
  return cell("piece operator", cell("symbols", text), cell("numbers", text), cell("sum", text));
}

// A dot product names its number of summands; a product of numbers is written out.
function numbersOf(found) {
  return found.factors.flatMap(({ factor, value, pairs }, index) => {
    const dot = index ? [" · "] : [];
    if (pairs) return [...dot, pairs.length ? `Σ of ${pairs.length}` : "0"];
    return [...dot, factor.kind === "one" ? "1" : found.factors.length > 1 ? bracketed(value) : shown(value)];
  });
}

function termNode(found, context, index) {
  const { term, factors, value } = found;
  const pairs = factors.find((entry) => entry.pairs)?.pairs;
  const size = term.minus ? -value : value;
  const node = cell(
    "piece term",
    cell("symbols", formula(factorsNode(term.factors))),
    cell("numbers", numbersOf(found)),
    cell("sum", index ? bracketed(size) : shown(size)),
  );
  node.dataset.wires = term.wires.join(" ");
  node.style.setProperty("--order", String(index));
  node.addEventListener("pointerenter", () => context.hub.point(term.wires, "equation"));
  node.addEventListener("pointerleave", () => context.hub.point([], "equation"));
  if (!pairs?.length) return node;
  const name = term.factors[0].symbols.map(symbolText).join(" ");
  const button = el("button", { type: "button", class: "open-sum", "aria-label": `Open the ${plural(pairs.length, "summand")} of ${name}` }, node.children[1].textContent);
  button.addEventListener("click", () => context.openSum(name, pairs, factors.find((entry) => entry.pairs).factor));
  node.children[1].replaceChildren(button);
  return node;
}

function lineNode(line, context) {
  const { view, t, b, k } = context;
  const found = evaluateLine(view, line, t, b, k);
  if (!line.terms.length) return givenNode(line, context);
  const target = cell("piece target", cell("symbols", formula(symbolNode(line.symbol))), cell("numbers", ""), cell("sum", ""));
  const pieces = found.terms.map((entry, index) => {
    const sign = entry.term.minus ? SIGNS.minus : index ? SIGNS.plus : "";
    const node = line.function ? applied(line, entry, context) : termNode(entry, context, index);
    return cell("summand", index ? null : [target, operator("=")], sign ? operator(sign) : null, node);
  });
  const result = el("p", { class: "result" }, "= ", el("output", { "data-value": line.target }, shown(found.result, 4)));
  const kind = line.function ? " function-line" : found.terms.length === 1 ? " single" : "";
  return el("div", { class: `line${kind}` }, el("div", { class: "pieces" }, pieces), result);
}

function applied(line, entry, context) {
  const node = termNode(entry, context, 0);
  const argument = entry.term.factors.map((factor) => factor.symbols.map(symbolNode));
  node.children[0].replaceChildren(formula(math("mrow", {}, math("mi", {}, line.function), math("mo", {}, "("), argument, math("mo", {}, ")"))));
  node.children[1].replaceChildren(`${line.function}(${shown(entry.value)})`);
  node.children[2].replaceChildren("");
  return node;
}

// A value that comes from outside: the input vector, Δ.
function givenNode(line, context) {
  const { view, t, b, k, names } = context;
  if (line.target === "x") {
    const { data, from, size } = view.vector("x", 0, t, b);
    const rows = Array.from({ length: size }, (_, j) => ({ name: names[j] ?? `x${j + 1}`, value: data[from + j] }));
    return el("div", { class: "line given" }, el("p", {}, formula(symbolNode(line.symbol)), ` has ${plural(size, "number")}`), bars(rows, context, context.scale("x"), "value", 8));
  }
  const number = view.value(line.target, 0, t, b, k);
  const words = line.target === "d_above" ? "what the head, or the layer above, sends back to this output: ∂J/∂y(t) without what comes through time" : "";
  return el("div", { class: "line given" }, el("p", {}, formula(symbolNode(line.symbol)), " = ", el("output", { "data-value": line.target }, shown(number, 4))), words ? el("p", { class: "soft" }, words) : null);
}

// A small bar chart with names and numbers; the largest first beyond `most`.
export function bars(rows, context, scale, kind, most = 12) {
  const sorted = rows.length > most ? [...rows].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, most) : rows;
  const list = sorted.map((row) => {
    const width = 60 * Math.min(1, scale ? Math.abs(row.value) / scale : 0);
    const bar = svg("rect", { x: row.value < 0 ? 60 - width : 60, y: 3, width: Math.max(0.5, width), height: 10 });
    bar.style.fill = context.palette.stroke(row.value, scale, kind);
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, row.name),
      row.detail ? el("td", { class: "detail" }, row.detail) : null,
      el("td", { class: "bar" }, svg("svg", { width: 120, height: 16, viewBox: "0 0 120 16", "aria-hidden": "true" }, svg("line", { class: "axis", x1: 60, x2: 60, y1: 0, y2: 16 }), bar)),
      el("td", { class: "number" }, shown(row.value)),
    );
  });
  const rest = rows.length - sorted.length;
  return el("table", { class: "bars" }, el("tbody", {}, list), rest > 0 ? el("caption", {}, `the largest ${most}; ${plural(rest, "smaller one")} not shown`) : null);
}

function lossNode(context) {
  const { view, t, b, place } = context;
  const one = view.attached("loss", t, b);
  if (one === null) {
    return el("p", { class: "soft" }, place.phase === "loss" ? "The forward journey is over: from the outputs the head forms the loss J. Now the errors travel back." : "The output goes to the head, which forms its part of the loss J.");
  }
  if (place.phase !== "loss") return el("p", { class: "line given" }, formula(math("mi", {}, "J"), math("mo", {}, "("), math("mi", {}, "t"), math("mo", {}, ")")), " = ", el("output", { "data-value": "loss" }, shown(one, 4)));
  return el("p", { class: "line given" }, "Every step has added its part. Now the errors travel back, from the last step to the first.");
}

export function equationPane(hub) {
  const head = el("div", { class: "moments", role: "group", "aria-label": "Moments of this time step" });
  const body = el("div", { class: "lines" });
  const sum = el("div", { class: "open" });
  const element = el("div", { class: "equations" }, head, body, sum);
  let opened = null;

  function openSum(context, name, pairs, factor) {
    opened = { name };
    const vector = factor.symbols[1];
    const label = (j) => (vector.name === "x" ? (context.names[j] ?? `x${j + 1}`) : `unit ${j + 1}`);
    const rows = pairs.map(([weight, value], j) => ({ name: label(j), value: weight * value, detail: `${bracketed(weight)} · ${bracketed(value)}` }));
    const scale = Math.max(...rows.map((row) => Math.abs(row.value)));
    const close = el("button", { type: "button", class: "close", "aria-label": "Close the summands" }, "×");
    close.addEventListener("click", closeSum);
    sum.replaceChildren(el("div", { class: "summands" }, el("div", { class: "head" }, el("h4", {}, `${name}: ${plural(pairs.length, "summand")}`), close), bars(rows, context, scale, factor.value.startsWith("d_") ? "error" : "value")));
  }
  function closeSum() {
    const was = opened !== null;
    opened = null;
    sum.replaceChildren();
    return was;
  }

  hub.onPoint((ids, from) => {
    for (const node of body.querySelectorAll("[data-wires]")) {
      const hit = ids.length && node.dataset.wires.split(" ").some((id) => ids.includes(id));
      node.classList.toggle("pointed", Boolean(hit) && from !== "equation");
    }
  });

  function update(context, extra, live) {
    const { moment, place, journey } = context;
    closeSum();
    const inner = { ...context, openSum: (...parts) => openSum(context, ...parts) };
    track(head, context, journey, hub);
    const nodes = moment.lines.filter((line) => moment.id !== "loss").map((line) => lineNode(line, inner));
    if (moment.id === "loss" || moment.id === "J") nodes.push(lossNode(context));
    if (extra) nodes.push(extra);
    const routed = moment.lines.find((line) => line.routes);
    if (routed) nodes.push(routesTable(routed, inner));
    if (live) nodes.push(live);
    body.replaceChildren(...nodes);
  }
  return { element, update, closeSum };
}

function track(head, context, journey, hub) {
  const { place } = context;
  const moments = place.phase === "forward" ? journey.forward : place.phase === "backward" ? journey.backward : [];
  if (head.dataset.phase !== place.phase || head.childElementCount !== moments.length) {
    head.dataset.phase = place.phase;
    head.replaceChildren(
      ...moments.map((moment) => {
        const button = el("button", { type: "button", title: moment.title, tabindex: "-1" }, momentText(moment));
        button.addEventListener("click", () => hub.jump({ [place.phase]: moment.id }));
        return button;
      }),
    );
  }
  [...head.children].forEach((button, m) => {
    button.classList.toggle("known", m < place.m);
    if (m === place.m) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  });
}

function momentText(moment) {
  if (moment.id === "share") return "Σ";
  if (moment.id === "loss") return "J";
  const symbol = moment.lines[moment.lines.length - 1].symbol;
  return symbolText({ ...symbol, time: undefined });
}

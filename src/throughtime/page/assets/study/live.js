// Inputs and weights that can be changed. The library computes everything anew; this page only asks.

import { el } from "../dom.js";
import { symbolText } from "./mathml.js";

const MOST = 24;

// The numbers that the moment's lines read and a reader may change.
function changeable(context) {
  const { moment, view, t, b, k, names } = context;
  const inputName = (j) => names[j] ?? `x${j + 1}`;
  const found = [];
  for (const line of moment.lines) {
    if (line.target === "x") for (let j = 0; j < view.layer.input_size; j += 1) found.push({ label: inputName(j), now: view.value("x", 0, t, b, j), change: { kind: "input", t, b, j } });
    for (const { factors } of line.terms) {
      for (const factor of factors) {
        if (factor.kind !== "row" && factor.kind !== "parameter") continue;
        const { data, shape } = view.parameter(factor.parameter);
        const block = (factor.block ?? 0) * view.H;
        const letter = symbolText({ ...factor.symbols[0], time: undefined });
        if (factor.kind === "parameter") {
          found.push({ label: letter, now: data[block + k], change: { kind: "parameter", name: factor.parameter, index: block + k } });
          continue;
        }
        const size = view.vector(factor.value, factor.time ?? 0, t, b)?.size ?? 0;
        for (let j = 0; j < size; j += 1) {
          const index = (block + k) * shape[1] + (factor.part ?? 0) * view.H + j;
          const of = factor.value === "x" ? inputName(j) : `unit ${j + 1}`;
          found.push({ label: `${letter}[${of}]`, now: data[index], change: { kind: "parameter", name: factor.parameter, index } });
        }
      }
    }
  }
  return found;
}

export function livePanel(context, recompute) {
  const all = changeable(context);
  if (!all.length) return null;
  const said = el("p", { class: "soft", role: "status" }, "");
  const send = (message) => {
    said.textContent = "computing …";
    recompute(message).catch((error) => (said.textContent = error.message));
  };
  const fields = all.slice(0, MOST).map(({ label, now, change }) => {
    const input = el("input", { type: "number", step: "any", value: Number(now.toPrecision(6)) });
    input.addEventListener("change", () => {
      if (Number.isFinite(input.valueAsNumber)) send({ layer: context.layer.path, ...change, value: input.valueAsNumber });
    });
    return el("label", {}, label, input);
  });
  const reset = el("button", { type: "button" }, "As it was");
  reset.addEventListener("click", () => send({ kind: "reset" }));
  const more = all.length > MOST ? el("p", { class: "soft" }, `${all.length - MOST} more weights are not listed`) : null;
  return el("div", { class: "live" }, el("h4", {}, "Change a number; the library computes all anew"), el("div", { class: "fields" }, fields), more, reset, said);
}

// Where the reader stands, in words: on the page, and read aloud.

import { el } from "../dom.js";

export function captionOf({ place, moment, journey: { steps }, t, view }) {
  if (place.phase === "loss") return "the loss J: the errors turn round here";
  if (place.phase === "update") return "the update: every parameter, once";
  return steps ? `${place.phase} ${t + 1}/${view.layer.window.steps}: ${moment.title}` : "this sequence has no time step";
}

export function spokenOf(context) {
  const { moment, view, t, b, k } = context;
  const target = moment.lines.at(-1)?.target;
  if (!target || target === "x") return captionOf(context);
  return `${captionOf(context)}: ${view.value(target, 0, t, b, k).toPrecision(3)}`;
}

// The colours of values or of errors, whichever the wires carry.
export function showLegend(legend, { place, palette }) {
  const kind = place.phase === "backward" || place.phase === "update" ? "error" : "value";
  const key = `${kind}${palette.theme}`;
  if (legend.dataset.key === key) return;
  legend.dataset.key = key;
  const blocks = palette.legend(kind).map((color) => {
    const block = el("i", {});
    block.style.background = color;
    return block;
  });
  const scale = el("span", { class: "scale", "aria-hidden": "true" }, blocks);
  legend.replaceChildren(el("span", {}, kind === "error" ? "errors −" : "values −"), scale, el("span", {}, "+"));
}

// A picture of many values: one small cell each, coloured from dark blue to yellow (after cividis, which
// colour-blind people read alike), with a scale beside it and a word on the cell under the pointer.

import { el, uniqueId } from "./dom.js";

const STOPS = [
  [0, 32, 77],
  [0, 51, 111],
  [63, 75, 108],
  [97, 99, 112],
  [127, 124, 117],
  [161, 151, 115],
  [198, 181, 104],
  [231, 211, 86],
  [255, 234, 70],
];

export function colour(share) {
  const place = Math.min(1, Math.max(0, share)) * (STOPS.length - 1);
  const index = Math.min(STOPS.length - 2, Math.floor(place));
  return STOPS[index].map((from, part) => Math.round(from + (place - index) * (STOPS[index + 1][part] - from)));
}

// Rows of values as pixels; null stays transparent.
export function paint(canvas, rows, shareOf) {
  canvas.width = rows[0].length;
  canvas.height = rows.length;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  rows.flat().forEach((value, index) => {
    if (value === null) return;
    image.data.set([...colour(shareOf(value)), 255], 4 * index);
  });
  context.putImageData(image, 0, 0);
}

export function scale(low, high) {
  const canvas = el("canvas", { class: "scale", "aria-hidden": "true" });
  paint(canvas, [Array.from({ length: 64 }, (_, index) => index / 63)], (value) => value);
  return el("p", { class: "scale-line" }, el("span", {}, low), canvas, el("span", {}, high));
}

// spec: {name, rows: [[value or null]], shareOf(value) -> 0...1, low, high, across, down, read(row, column) -> text}
export function heat(spec) {
  const canvas = el("canvas", { class: "cells", role: "img", "aria-label": spec.name, id: uniqueId("heat") });
  paint(canvas, spec.rows, spec.shareOf);
  const word = el("p", { class: "heat-word", "aria-hidden": "true" }, spec.hint ?? "");
  const show = (event) => {
    const box = canvas.getBoundingClientRect();
    const column = Math.min(canvas.width - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * canvas.width)));
    const row = Math.min(canvas.height - 1, Math.max(0, Math.floor(((event.clientY - box.top) / box.height) * canvas.height)));
    word.textContent = spec.rows[row][column] === null ? (spec.hint ?? "") : spec.read(row, column);
  };
  canvas.addEventListener("pointermove", show);
  canvas.addEventListener("pointerdown", show);
  canvas.addEventListener("pointerleave", () => (word.textContent = spec.hint ?? ""));
  return el(
    "figure",
    { class: "heat" },
    el("figcaption", {}, spec.name),
    el("div", { class: `frame ${spec.className ?? ""}` }, el("span", { class: "down" }, spec.down), canvas, el("span", { class: "across" }, spec.across)),
    el("div", { class: "under" }, scale(spec.low, spec.high), word),
  );
}

// A line chart in SVG: bands, lines, direct labels, and a cursor for pointer and keyboard.
//
// spec: {
//   name, height(width), xs, hint, labelsFrom,
//   x: {kind: "time", domain} or {kind: "linear", domain, steps, format, room?, inset?, title?}, y: {title, zero?, decimals?},
//   bands: [{low, high, className, label?}], lines: [{ys, className, label, marker?, markers?}],
//   rules: [{at, text}], read(index) -> {head, entries: [{label, value, className?}]},
//   onKey?(event, chart) -> handled, onBrush?(from, to)
// }

import { el, svg, uniqueId } from "./dom.js";
import { drawAxes, drawBand, drawCursor, drawLabels, drawLine, drawRules, geometryOf } from "./drawing.js";
import { nearest } from "./scale.js";

function showReading(readout, spec, at, byKey) {
  readout.setAttribute("aria-live", byKey ? "polite" : "off");
  if (at === null) {
    readout.replaceChildren(el("span", { class: "quiet" }, spec.hint ?? "Point at the chart, or focus it and press ← →, to read values."));
    return;
  }
  const { head, entries } = spec.read(at);
  readout.replaceChildren(
    el("strong", {}, head),
    ...entries.flatMap((entry) => [
      " ",
      el("span", { class: `reading ${entry.className ?? ""}` }, el("span", { class: "name" }, entry.label), " ", el("span", { class: "value" }, entry.value)),
    ]),
  );
}

export function chart(firstSpec) {
  let spec = firstSpec;
  let geometry = null;
  let at = null;
  const readout = el("p", { class: "readout", id: uniqueId("readout"), role: "status" });
  const canvas = svg("svg", { "aria-hidden": "true", focusable: "false" });
  const layer = svg("g", {});
  const brush = svg("rect", { class: "brush" });
  const plot = el(
    "div",
    { class: "plot", tabindex: "0", role: "application", "aria-roledescription": "chart", "aria-label": spec.name, "aria-describedby": readout.id },
    canvas,
  );

  const draw = () => {
    const width = Math.floor(plot.clientWidth);
    if (width < 40) return;
    geometry = geometryOf(spec, width);
    canvas.setAttribute("viewBox", `0 0 ${width} ${geometry.height}`);
    const { box } = geometry;
    const clip = uniqueId("clip");
    canvas.replaceChildren(
      svg("clipPath", { id: clip }, svg("rect", { x: box.left - 4, y: 0, width: Math.max(0, box.right - box.left + 8), height: geometry.height })),
      drawAxes(spec, geometry),
      svg("g", { "clip-path": `url(#${clip})` }, spec.bands.map((band) => drawBand(band, spec, geometry)), drawRules(spec, geometry), spec.lines.map((line) => drawLine(line, spec, geometry))),
      ...(geometry.labelled ? [drawLabels(spec, geometry)] : []),
      layer,
      brush,
    );
    drawCursor(layer, spec, geometry, at);
  };

  const move = (index, byKey = false) => {
    at = index === null || !spec.xs.length ? null : Math.max(0, Math.min(spec.xs.length - 1, index));
    if (geometry) drawCursor(layer, spec, geometry, at);
    showReading(readout, spec, at, byKey);
  };

  const self = {
    plot,
    readout,
    get at() {
      return at;
    },
    move,
    update(changes) {
      spec = { ...spec, ...changes };
      plot.setAttribute("aria-label", spec.name);
      if (at !== null && at >= spec.xs.length) at = null;
      draw();
      showReading(readout, spec, at, false);
    },
  };
  plot.addEventListener("keydown", (event) => onKey(event, spec, self));
  listenToPointer(plot, brush, self, () => spec, () => geometry);
  showReading(readout, spec, null, false);
  new ResizeObserver(draw).observe(plot);
  return self;
}

function onKey(event, spec, self) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (spec.onKey?.(event, self)) {
    event.preventDefault();
    return;
  }
  const stride = event.shiftKey ? 10 : 1;
  const last = spec.xs.length - 1;
  const from = self.at;
  const target = {
    ArrowRight: from === null ? 0 : from + stride,
    ArrowLeft: from === null ? last : from - stride,
    Home: 0,
    End: last,
    Escape: null,
  };
  if (!(event.key in target)) return;
  event.preventDefault();
  self.move(target[event.key], true);
}

function listenToPointer(plot, brush, self, currentSpec, currentGeometry) {
  let start = null;
  const pixel = (event) => event.clientX - plot.getBoundingClientRect().left;
  const reset = () => {
    start = null;
    brush.setAttribute("width", 0);
  };
  plot.addEventListener("pointermove", (event) => {
    const geometry = currentGeometry();
    if (!geometry) return;
    self.move(nearest(currentSpec().xs, geometry.x.invert(pixel(event))));
    if (start === null) return;
    const [from, to] = [start, Math.max(geometry.box.left, Math.min(geometry.box.right, pixel(event)))].sort((a, b) => a - b);
    for (const [name, value] of Object.entries({ x: from, width: to - from, y: geometry.box.top, height: geometry.box.bottom - geometry.box.top })) {
      brush.setAttribute(name, value);
    }
  });
  plot.addEventListener("pointerdown", (event) => {
    if (!currentSpec().onBrush || event.pointerType === "touch" || event.button !== 0) return;
    start = pixel(event);
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointerup", (event) => {
    const from = start;
    reset();
    if (from === null || Math.abs(pixel(event) - from) < 6) return;
    const { x } = currentGeometry();
    const ends = [x.invert(from), x.invert(pixel(event))].sort((a, b) => a - b);
    currentSpec().onBrush(...ends);
  });
  plot.addEventListener("pointercancel", reset);
  plot.addEventListener("pointerleave", () => {
    if (start === null && document.activeElement !== plot) self.move(null);
  });
}

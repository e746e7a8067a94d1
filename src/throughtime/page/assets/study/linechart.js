// Lines over time steps, with the number under the pointer.

import { el, svg } from "../dom.js";
import { shown } from "./numbers.js";

const BOX = { width: 560, height: 150, left: 76, right: 92, top: 12, bottom: 8 };

export function lineChart(context, { title, times, series, zero = false, log = false, mark = true }) {
  const all = series.flatMap(({ values }) => values).filter((value) => value !== null);
  const transform = log ? (value) => Math.log10(Math.max(value, 1e-30)) : (value) => value;
  const low = transform(Math.min(...all, zero ? 0 : Infinity));
  const high = transform(Math.max(...all, zero ? 0 : -Infinity));
  const span = high - low || 1;
  const x = (index) => BOX.left + ((BOX.width - BOX.left - BOX.right) * index) / Math.max(1, times.length - 1);
  const y = (value) => BOX.top + (BOX.height - BOX.top - BOX.bottom) * (1 - (transform(value) - low) / span);
  const readout = el("span", { class: "readout" });
  const cursor = svg("line", { class: "cursor", y1: BOX.top, y2: BOX.height - BOX.bottom });
  const places = apart(series.map(({ values }) => y(values.at(-1) ?? 0)));
  const drawing = svg(
    "svg",
    { viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img", "aria-label": `${title}: ${series.map(({ name }) => name).join(", ")}` },
    svg("line", { class: "axis", x1: BOX.left, x2: BOX.left, y1: BOX.top, y2: BOX.height - BOX.bottom }),
    [high, low].map((value, index) => svg("text", { class: "tick", x: BOX.left - 6, y: index ? BOX.height - BOX.bottom : BOX.top + 8, "text-anchor": "end" }, shown(log ? 10 ** value : value, 2))),
    low < 0 && high > 0 && !log ? svg("line", { class: "zero", x1: BOX.left, x2: BOX.width - BOX.right, y1: y(0), y2: y(0) }) : null,
    series.map(({ values }, index) => svg("path", { class: `series s${index}`, d: pathOf(values, x, y) })),
    series.length > 1 ? series.map(({ name }, index) => svg("text", { class: `series-name s${index}`, x: BOX.width - BOX.right + 8, y: places[index] + 4 }, name)) : null,
    mark ? cursor : null,
  );
  drawing.addEventListener("pointermove", (event) => {
    const box = drawing.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * BOX.width;
    const index = Math.round(((at - BOX.left) / (BOX.width - BOX.left - BOX.right)) * (times.length - 1));
    if (index < 0 || index >= times.length) return;
    readout.textContent = `${mark ? "step" : "steps back:"} ${times[index] + 1}${mark ? ":" : ","} ${series.map(({ name, values }) => `${series.length > 1 ? `${name} ` : ""}${shown(values[index])}`).join(", ")}`;
  });
  drawing.addEventListener("pointerleave", () => (readout.textContent = ""));
  if (mark) context.hub.onMark((now) => {
    if (!drawing.isConnected) return false;
    const at = times.indexOf(now.t);
    cursor.style.display = at < 0 ? "none" : "";
    cursor.setAttribute("x1", x(Math.max(0, at)));
    cursor.setAttribute("x2", x(Math.max(0, at)));
    return true;
  });
  return el("figure", { class: "lines" }, el("figcaption", {}, el("span", {}, title), readout), drawing);
}

function pathOf(values, x, y) {
  let pen = "M";
  return values
    .map((value, index) => {
      if (value === null) {
        pen = "M";
        return "";
      }
      const part = `${pen}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
      return part;
    })
    .join("");
}

function apart(places) {
  const order = places.map((at, index) => ({ at, index })).sort((a, b) => a.at - b.at);
  order.forEach((entry, index) => {
    if (index) entry.at = Math.max(entry.at, order[index - 1].at + 16);
  });
  const found = [];
  for (const { at, index } of order) found[index] = at;
  return found;
}

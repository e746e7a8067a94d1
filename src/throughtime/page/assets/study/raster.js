// A picture of units by time steps, one pixel each, that can be pointed at and clicked.

import { el } from "../dom.js";
import { shown } from "./numbers.js";

// {title, columns: time steps, rows, color: (row, t) => [r, g, b], number: (row, t)}
export function raster(context, { title, columns, rows, color, number, rowName = "unit", select = true }) {
  const canvas = el("canvas", { width: columns.length, height: rows, role: "img", "aria-label": `${title}: ${rows} rows by ${columns.length} time steps` });
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(columns.length, rows);
  for (let row = 0; row < rows; row += 1) {
    columns.forEach((t, column) => {
      const at = 4 * (row * columns.length + column);
      [image.data[at], image.data[at + 1], image.data[at + 2]] = color(row, t);
      image.data[at + 3] = 255;
    });
  }
  pen.putImageData(image, 0, 0);
  const readout = el("span", { class: "readout" });
  const time = el("span", { class: "mark time" });
  const unit = el("span", { class: "mark unit" });
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const column = Math.min(columns.length - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * columns.length)));
    const row = Math.min(rows - 1, Math.max(0, Math.floor(((event.clientY - box.top) / box.height) * rows)));
    return { t: columns[column], row };
  };
  canvas.addEventListener("pointermove", (event) => {
    const { t, row } = place(event);
    readout.textContent = `step ${t + 1}, ${rowName} ${row + 1}: ${shown(number(row, t))}`;
  });
  canvas.addEventListener("pointerleave", () => (readout.textContent = ""));
  if (select) {
    canvas.addEventListener("click", (event) => {
      const { t, row } = place(event);
      context.hub.goTo({ t, unit: rowName === "unit" ? row : undefined });
    });
  }
  canvas.style.height = `${Math.max(64, Math.min(220, 7 * rows))}px`;
  context.hub.onMark((now) => {
    if (!canvas.isConnected) return false;
    const column = columns.indexOf(now.t);
    time.hidden = column < 0;
    time.style.left = `${(100 * (column + 0.5)) / columns.length}%`;
    unit.hidden = rowName !== "unit" || now.k >= rows;
    unit.style.top = `${(100 * (now.k + 0.5)) / rows}%`;
    return true;
  });
  return el("figure", { class: "raster" }, el("figcaption", {}, el("span", {}, title), readout), el("div", { class: "frame" }, canvas, time, unit), el("div", { class: "ends" }, el("span", {}, String(columns[0] + 1)), el("span", {}, "time step"), el("span", {}, String(columns.at(-1) + 1))));
}

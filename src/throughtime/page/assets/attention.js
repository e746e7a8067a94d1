// Where a decoder looked while it wrote: a matrix of weights, read by pointer and by arrow keys.

import { el, scroller } from "./dom.js";
import { percent } from "./format.js";

// A space before a piece is part of it, and says that a word begins.
const shown = (piece) => (piece.startsWith(" ") ? piece.slice(1) : piece);
const END = "(end)";
const spoken = (piece) => (piece === END ? "the end" : `“${shown(piece)}”`);

const MOVES = {
  ArrowLeft: ([row, column]) => [row, column - 1],
  ArrowRight: ([row, column]) => [row, column + 1],
  ArrowUp: ([row, column]) => [row - 1, column],
  ArrowDown: ([row, column]) => [row + 1, column],
  Home: ([row]) => [row, 0],
  End: ([row]) => [row, Infinity],
};

function head(piece, index, scope) {
  const begins = index === 0 || piece.startsWith(" ") || piece === END;
  return el("th", { scope, class: begins ? null : "goes-on" }, el("span", {}, shown(piece)));
}

// {read: [piece], written: [piece], weights: [[share]]} -> element
export function attentionMatrix({ read, written, weights }) {
  const hint = "Point at a cell, or go to it with the arrow keys.";
  const word = el("p", { class: "attention-word", "aria-live": "polite" }, hint);
  const rows = weights.map((row, r) =>
    row.map((share, c) => {
      const cell = el("td", { role: "gridcell", tabindex: r + c ? "-1" : "0", "data-at": `${r},${c}`, "aria-label": `${spoken(written[r])} looked at ${spoken(read[c])}: ${percent(share)}` });
      cell.style.setProperty("--share", `${(100 * share).toFixed(1)}%`);
      return cell;
    }),
  );
  const corner = el("td", { class: "corner" }, el("span", {}, "read →"), el("span", {}, "written ↓"));
  const top = el("tr", {}, corner, read.map((piece, c) => head(piece, c, "col")));
  const lines = rows.map((cells, r) => el("tr", {}, head(written[r], r, "row"), cells));
  const grid = el("table", { class: "attention", role: "grid", "aria-label": "Attention: rows are written pieces, columns pieces that were read" }, el("thead", {}, top), el("tbody", {}, lines));

  const mark = (r, c) => {
    grid.querySelectorAll(".looked").forEach((node) => node.classList.remove("looked"));
    if (r === null) {
      word.textContent = hint;
      return;
    }
    for (const node of [rows[r][c], lines[r].cells[0], top.cells[c + 1]]) node.classList.add("looked");
    word.textContent = `While it wrote ${spoken(written[r])}, ${percent(weights[r][c])} of its attention was on ${spoken(read[c])}.`;
  };
  const placeOf = (event) => event.target.dataset?.at?.split(",").map(Number) ?? null;

  grid.addEventListener("pointerover", (event) => mark(...(placeOf(event) ?? [null])));
  grid.addEventListener("pointerleave", () => mark(null));
  grid.addEventListener("focusin", (event) => mark(...(placeOf(event) ?? [null])));
  grid.addEventListener("keydown", (event) => {
    const from = placeOf(event);
    if (!from || !MOVES[event.key]) return;
    event.preventDefault();
    const [r, c] = MOVES[event.key](from);
    const next = rows[Math.min(rows.length - 1, Math.max(0, r))][Math.min(read.length - 1, Math.max(0, c))];
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  return el("div", {}, scroller("Attention matrix", grid), word);
}

// A piano roll: what the network gave each note as heat, the notes that sounded as boxes, and below, how much each step
// cost, where that is known. The cursor goes by pointer, by arrow keys, and along while the piece plays.

import { el, uniqueId } from "./dom.js";
import { fixed } from "./format.js";
import { colour, scale } from "./heat.js";
import { play } from "./sound.js";

const NAMES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
const ROW = 7; // pixels of a note
const COSTS = 46; // pixels of the costs below
const LEFT = 34; // room for the names of notes
const LIKELIEST = 4;
const LEAST = 7; // pixels of a step, at least; wider rolls scroll
const MOST = 14;

export const noteName = (note) => `${NAMES[note % 12]}${Math.floor(note / 12) - 1}`;

function chord(notes) {
  return notes.length ? notes.map(noteName).join(" ") : "silence";
}

function reading(roll, t) {
  const heard = `Step ${t + 1} of ${roll.steps.length}${t < roll.given ? " (given)" : ""}: ${chord(roll.steps[t])}.`;
  if (!roll.chances.length) return heard;
  const chances = roll.chances[t].map((chance, row) => ({ chance, note: roll.lowest + row }));
  const likely = chances.sort((a, b) => b.chance - a.chance).slice(0, LIKELIEST).filter(({ chance }) => chance >= 1);
  const foretold = likely.map(({ note, chance }) => `${noteName(note)} ${chance} %`).join(", ") || "hardly any note";
  return `${heard} Expected: ${foretold}. ${fixed(roll.nats[t], 1)} nats.`;
}

function drawHeat(context, roll, size, rows) {
  context.fillStyle = `rgb(${colour(0).join(" ")})`;
  context.fillRect(LEFT, 0, Math.floor(roll.steps.length * size), rows * ROW);
  roll.chances.forEach((chances, t) => {
    const from = Math.floor(t * size);
    const width = Math.floor((t + 1) * size) - from; // whole pixels: no seams
    chances.forEach((chance, row) => {
      const [red, green, blue] = colour(Math.sqrt(chance / 100)); // so that small chances show
      context.fillStyle = `rgb(${red} ${green} ${blue})`;
      context.fillRect(LEFT + from, (rows - 1 - row) * ROW, width, ROW);
    });
  });
}

function drawNotes(context, roll, size, rows) {
  roll.steps.forEach((notes, t) => {
    for (const note of notes) {
      const [x, y] = [LEFT + t * size, (rows - 1 - (note - roll.lowest)) * ROW];
      context.fillStyle = "#000";
      context.fillRect(x, y, size, ROW);
      context.fillStyle = "#fff";
      context.fillRect(x + 1, y + 1, size - 2, ROW - 2);
    }
  });
}

function drawFrame(context, roll, size, rows, ink) {
  context.fillStyle = ink;
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  for (let note = Math.ceil(roll.lowest / 12) * 12; note < roll.lowest + rows; note += 12) {
    context.fillText(noteName(note), 2, (rows - 1 - (note - roll.lowest) + 0.5) * ROW);
  }
  if (!roll.nats.length) return;
  const most = Math.max(...roll.nats, 1);
  const bottom = rows * ROW + COSTS;
  roll.nats.forEach((nats, t) => {
    const height = (nats / most) * (COSTS - 8);
    context.globalAlpha = t < roll.given ? 0.4 : 0.9;
    context.fillRect(LEFT + t * size + 1, bottom - height, Math.max(1, size - 2), height);
  });
  context.globalAlpha = 1;
  context.fillText("nats", 2, bottom - COSTS / 2);
}

function drawCursor(context, x, height, size, ink) {
  context.strokeStyle = ink;
  context.lineWidth = 2;
  context.strokeRect(x + 1, 1, Math.max(2, size - 2), height - 2);
}

// first: {title, text, steps, lowest, rows, chances, nats, given}, chances and nats empty where they are not known;
// seconds: how long a step sounds. change(roll) shows another of as many rows.
export function rollFigure(first, seconds) {
  let roll = first;
  const rows = roll.rows ?? roll.chances[0].length;
  const height = rows * ROW + (roll.nats.length ? COSTS : 0);
  let cursor = 0;
  let stop = null;
  let size = MOST;
  const canvas = el("canvas", { class: "notes", "aria-hidden": "true" });
  const said = el("p", { class: "heat-word", id: uniqueId("step"), role: "status", "aria-live": "off" });
  const slider = el(
    "div",
    {
      class: "roll",
      role: "slider",
      tabindex: "0",
      "aria-label": `${roll.title}: step`,
      "aria-valuemin": 1,
      "aria-valuemax": roll.steps.length,
    },
    canvas,
  );
  const button = el("button", { type: "button" });
  const text = el("p", { class: "prose" }, roll.text);

  const draw = () => {
    const scaled = window.devicePixelRatio || 1;
    size = Math.max(LEAST, Math.min(MOST, (slider.clientWidth - LEFT) / roll.steps.length));
    const width = Math.floor(LEFT + size * roll.steps.length);
    canvas.width = width * scaled;
    canvas.height = height * scaled;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.scale(scaled, scaled);
    const ink = getComputedStyle(slider).color;
    drawHeat(context, roll, size, rows);
    drawNotes(context, roll, size, rows);
    drawFrame(context, roll, size, rows, ink);
    drawCursor(context, LEFT + cursor * size, height, size, getComputedStyle(slider).getPropertyValue("--k1"));
  };
  const goTo = (t) => {
    cursor = Math.max(0, Math.min(roll.steps.length - 1, t));
    const read = reading(roll, cursor);
    slider.setAttribute("aria-valuenow", cursor + 1);
    slider.setAttribute("aria-valuetext", read);
    said.textContent = read;
    draw();
    const x = LEFT + cursor * size;
    if (x < slider.scrollLeft + LEFT || x > slider.scrollLeft + slider.clientWidth - 2 * size) slider.scrollLeft = x - LEFT;
  };
  const labelled = (word) => {
    button.textContent = word;
    button.setAttribute("aria-label", `${word}: ${roll.title}`);
  };
  const toggle = () => {
    if (stop) {
      stop();
      return;
    }
    labelled("Stop");
    const from = cursor >= roll.steps.length - 1 ? 0 : cursor;
    stop = play(roll.steps, {
      from,
      seconds,
      onStep: goTo,
      onEnd: () => {
        stop = null;
        labelled("Play");
      },
    });
  };
  button.addEventListener("click", toggle);
  const moves = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: -8, PageDown: 8, Home: -Infinity, End: Infinity };
  slider.addEventListener("keydown", (event) => {
    if (!(event.key in moves)) return;
    event.preventDefault();
    goTo(cursor + moves[event.key]);
  });
  const point = (event) => goTo(Math.floor((event.clientX - canvas.getBoundingClientRect().left - LEFT) / size));
  slider.addEventListener("pointerdown", point);
  slider.addEventListener("pointermove", (event) => (event.buttons && event.pointerType === "mouse" ? point(event) : null));
  const watched = new ResizeObserver(draw);
  watched.observe(slider);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  labelled("Play");
  goTo(0);
  const element = el(
    "figure",
    { class: "heat piece" },
    el("figcaption", {}, el("span", {}, roll.title), button),
    text,
    slider,
    el("div", { class: "under" }, roll.chances.length ? scale("0 %", "100 %") : null, said),
  );
  const change = (other) => {
    stop?.();
    roll = other;
    text.textContent = roll.text;
    slider.setAttribute("aria-valuemax", roll.steps.length);
    goTo(0);
  };
  return { element, change };
}

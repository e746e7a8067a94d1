// Sequences of numbers with the answer: lines where a step holds few values, else a picture of them all.

import { chart } from "./charts.js";
import { points, verdictOf } from "./classes.js";
import { el } from "./dom.js";
import { fixed } from "./format.js";
import { heat } from "./heat.js";

const MOST_LINES = 5;
const MARKERS = ["circle", "square", "triangle", "diamond", "circle"];
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];
const CLASSES = ["k-forecast", "k1", "k2", "k3", "k4"];
const SHOWN = 0.005; // what counts less is not named

export const inLines = ({ channels }) => channels.length <= MOST_LINES;
const valuesOf = ({ channels }) => channels.flatMap(({ values }) => values).filter((value) => value !== null);
const range = ({ first, last }) => (first === last ? `step ${first}` : `steps ${first}–${last}`);

function strongest({ stretches }) {
  const ordered = stretches.filter(({ counts }) => Math.abs(counts) >= SHOWN).sort((a, b) => Math.abs(b.counts) - Math.abs(a.counts));
  const named = ordered.slice(0, 3).map((stretch) => `${range(stretch)} ${points(stretch.counts)}`);
  return named.length ? `Counts most: ${named.join(", ")}.` : "No single stretch counts for much.";
}

// The stretch that speaks most for the answer, as a band from the lowest to the highest value.
function shaded(example) {
  const best = example.stretches.reduce((most, stretch) => (stretch.counts > (most?.counts ?? SHOWN) ? stretch : most), null);
  if (!best) return [];
  const values = valuesOf(example);
  const inside = (bound) => example.steps.map((step) => (step >= best.first && step <= best.last ? bound : null));
  return [{ low: inside(Math.min(...values)), high: inside(Math.max(...values)), className: "wide", label: "" }];
}

function lines(example) {
  const { steps, channels } = example;
  const alone = channels.length === 1;
  const drawn = chart({
    name: `Sequence answered ${example.answer}, true class ${example.truth}`,
    height: () => 170,
    xs: steps,
    labelsFrom: 260,
    x: { kind: "linear", domain: [steps[0], steps[steps.length - 1]], steps: STEPS, format: (at) => fixed(at, 0), inset: 4 },
    y: { title: "" },
    bands: shaded(example),
    lines: channels.map(({ name, values }, index) => ({
      ys: values,
      className: CLASSES[index],
      label: alone ? "" : name,
      marker: MARKERS[index],
      unmarked: true,
    })),
    rules: [],
    read: (index) => ({
      head: `Step ${steps[index]}`,
      entries: channels.map(({ name, values }, at) => ({ label: name, value: fixed(values[index], 2), className: CLASSES[at] })),
    }),
  });
  return [drawn.plot, drawn.readout];
}

function picture(example) {
  const values = valuesOf(example);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return heat({
    name: `${example.channels.length} channels over ${example.steps[example.steps.length - 1]} steps`,
    rows: example.channels.map((channel) => channel.values),
    shareOf: (value) => (high > low ? (value - low) / (high - low) : 0.5),
    low: fixed(low, 1),
    high: fixed(high, 1),
    across: "step",
    down: "channel",
    hint: "Point at the picture to read a value.",
    read: (row, column) => `${example.channels[row].name}, step ${example.steps[column]}: ${fixed(example.channels[row].values[column], 2)}`,
  });
}

export function curvesOf(group) {
  return [
    el("h3", {}, group.title),
    el("p", { class: "lede" }, group.text),
    el(
      "ol",
      { class: "sequences" },
      group.examples.map((example) =>
        el(
          "li",
          {},
          el("p", { class: "note" }, verdictOf(example), strongest(example)),
          inLines(example) ? lines(example) : picture(example),
        ),
      ),
    ),
  ];
}

// Error by lead time and by hour of day, with methods to show or hide; the curves of learning.

import { chart } from "./charts.js";
import { el, svg, table, tableOnDemand } from "./dom.js";
import { decimalsFor, fixed, significant, withUnit } from "./format.js";
import { onRecall, recall, remember } from "./state.js";

const LEAD_STEPS = [0.25, 0.5, 1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 720];
const EPOCH_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const plainNumber = (at) => String(Number(at.toPrecision(6)));
const MARKERS = ["circle", "square", "triangle", "diamond"];

export const methodClass = (scores, name) => {
  const baselines = scores.filter((score) => score.kind === "baseline").map((score) => score.name);
  return baselines.includes(name) ? `k${1 + (baselines.indexOf(name) % 5)}` : "k-forecast";
};

const markerOf = (scores, name) => MARKERS[scores.findIndex((score) => score.name === name) % MARKERS.length];

export function swatch(className) {
  return svg(
    "svg",
    { class: "swatch", viewBox: "0 0 22 10", width: 22, height: 10, "aria-hidden": "true", focusable: "false" },
    svg("g", { class: `line ${className}` }, svg("path", { class: "stroke", d: "M1 5H21" })),
  );
}

// One set of shown methods for all charts that compare them.
export function methodChoice(scores) {
  const listeners = [];
  let hidden = new Set();
  const restore = () => {
    const names = (recall("hide") ?? "").split(",");
    hidden = new Set(scores.map((score) => score.name).filter((name) => names.includes(encodeURIComponent(name))));
    for (const listener of listeners) listener();
  };
  const toggle = (name) => {
    if (hidden.has(name)) hidden.delete(name);
    else if (hidden.size < scores.length - 1) hidden.add(name);
    remember("hide", [...hidden].map(encodeURIComponent).join(","));
    for (const listener of listeners) listener();
  };
  onRecall(restore);
  restore();
  return { shown: () => scores.filter((score) => !hidden.has(score.name)), isShown: (name) => !hidden.has(name), toggle, onChange: (listener) => listeners.push(listener) };
}

function chips(scores, choice) {
  const buttons = scores.map((score) =>
    el(
      "button",
      { type: "button", class: "chip", "aria-pressed": String(choice.isShown(score.name)), onclick: () => choice.toggle(score.name) },
      swatch(methodClass(scores, score.name)),
      score.label,
    ),
  );
  choice.onChange(() => {
    scores.forEach((score, index) => buttons[index].setAttribute("aria-pressed", String(choice.isShown(score.name))));
  });
  return el("div", { class: "chips", role: "group", "aria-label": "Methods shown" }, buttons);
}

// rows: [{x, name, mae: {score: value}}]
function comparison({ name, rows, x, axis, first, scores, unit, choice }) {
  const xs = rows.map((row) => row.x);
  const decimals = decimalsFor(Math.max(...rows.flatMap((row) => Object.values(row.mae))));
  const lines = () =>
    choice
      .shown()
      .filter((score) => rows.some((row) => (row.mae[score.name] ?? null) !== null))
      .reverse()
      .map((score) => ({
        ys: rows.map((row) => row.mae[score.name] ?? null),
        className: methodClass(scores, score.name),
        label: score.label,
        marker: markerOf(scores, score.name),
        markers: rows.length <= 60,
        unmarked: rows.length > 60,
      }));
  const drawn = chart({
    name,
    labelsFrom: 620,
    height: (width) => (width < 560 ? 250 : 290),
    xs,
    x: { kind: "linear", inset: 8, ...x },
    y: { title: unit ? `MAE, ${unit}` : "MAE", zero: true },
    bands: [],
    lines: lines(),
    read: (index) => ({
      head: rows[index].name,
      entries: choice.shown().map((score) => ({
        label: score.label,
        value: withUnit(fixed(rows[index].mae[score.name], decimals), unit),
        className: methodClass(scores, score.name),
      })),
    }),
  });
  choice.onChange(() => drawn.update({ lines: lines() }));
  const numbers = tableOnDemand(name, () =>
    table({
      caption: `${name}${unit ? `, in ${unit}` : ""}.`,
      columns: [{ head: first }, ...scores.map((score) => ({ head: score.label, number: true }))],
      rows: rows.map((row) => [row.name, ...scores.map((score) => fixed(row.mae[score.name], decimals))]),
    }),
  );
  return el("div", { class: "comparison", "data-axis": axis }, chips(scores, choice), drawn.readout, drawn.plot, numbers.element);
}

export function leadFigure(report, choice) {
  const rows = report.by_lead.map((entry) => ({ x: entry.lead_hours, name: entry.lead_text, mae: entry.mae }));
  return comparison({
    name: "Test error by lead time",
    rows,
    x: { domain: [rows[0].x, rows[rows.length - 1].x], steps: LEAD_STEPS, format: plainNumber, title: "hours ahead" },
    axis: "lead",
    first: "Lead time",
    scores: report.scores,
    unit: report.unit,
    choice,
  });
}

export function hourFigure(report, choice) {
  const pad = (hour) => `${String(hour).padStart(2, "0")}:00`;
  const rows = report.by_hour.map((entry) => ({ x: entry.hour, name: pad(entry.hour), mae: entry.mae }));
  return comparison({
    name: "Test error by hour of day",
    rows,
    x: { domain: [0, 23], steps: [3, 6, 12], format: pad, room: 60, title: "hour of the time that is forecast" },
    axis: "hour",
    first: "Hour",
    scores: report.scores,
    unit: report.unit,
    choice,
  });
}

function epochChart(report, { name, title, lines, zero, height, rule }) {
  const xs = report.history.map((entry) => entry.epoch);
  const drawn = chart({
    name,
    height: () => height,
    xs,
    x: { kind: "linear", inset: 8, domain: [xs[0], xs[xs.length - 1]], steps: EPOCH_STEPS, format: plainNumber, title: "epoch" },
    y: { title, zero },
    bands: [],
    lines: lines.map((line) => ({ ...line, ys: report.history.map((entry) => entry[line.field]), unmarked: xs.length > 40 })),
    rules: rule && report.best_epoch !== null ? [{ at: report.best_epoch, text: `best: epoch ${report.best_epoch}` }] : [],
    read: (index) => ({
      head: `Epoch ${xs[index]}`,
      entries: lines.map((line) => ({ label: line.label || title, value: significant(report.history[index][line.field]), className: line.className })),
    }),
  });
  return el("div", { class: "small" }, drawn.readout, drawn.plot);
}

export function learningFigure(report) {
  const known = (field) => report.history.some((entry) => entry[field] !== null);
  const losses = [
    { field: "validation_loss", className: "k1", label: "validation", marker: "square" },
    { field: "train_loss", className: "k-forecast", label: "training" },
  ].filter((line) => known(line.field));
  const apart = report.validation_name && losses.length > 1; // two kinds of loss share no axis
  const charts = apart
    ? losses.map((line) => ({ lines: [{ ...line, label: "" }], title: line.field === "train_loss" ? report.loss_name : report.validation_name, height: 200 }))
    : losses.length
      ? [{ lines: losses, title: report.loss_name, height: 280 }]
      : [];
  const small = [
    { field: "gradient_norm", title: "gradient norm" },
    { field: "learning_rate", title: "learning rate" },
  ].filter((line) => known(line.field));
  const columns = [
    ["epoch", "Epoch"],
    ["train_loss", "Training loss"],
    ["validation_loss", "Validation loss"],
    ["gradient_norm", "Gradient norm"],
    ["learning_rate", "Learning rate"],
    ["seconds", "Seconds"],
  ].filter(([field]) => known(field));
  const numbers = tableOnDemand("Learning curves", () =>
    table({
      caption: report.validation_name ? `Training loss: ${report.loss_name}. Validation loss: ${report.validation_name}.` : `Loss: ${report.loss_name}.`,
      columns: columns.map(([, head]) => ({ head, number: true })),
      rows: report.history.map((entry) => columns.map(([field]) => (field === "epoch" ? String(entry.epoch) : significant(entry[field], 4)))),
    }),
  );
  return el(
    "div",
    { class: "learning" },
    charts.map((one) => epochChart(report, { ...one, name: `Loss by epoch: ${one.title}`, rule: true })),
    el(
      "div",
      { class: "pair" },
      small.map((line) => epochChart(report, { name: `${line.title} by epoch`, title: line.title, lines: [{ ...line, className: "k-truth", label: "" }], zero: true, height: 170 })),
    ),
    numbers.element,
  );
}

// Figures of a tagger: methods, classes, errors, confidence, transitions, sentences with their spans.

import { methodClass, swatch } from "./errors.js";
import { el, scroller, table } from "./dom.js";
import { count, percent, signed } from "./format.js";

const numbers = (...heads) => heads.map((head) => ({ head, number: true }));

export function methodTable(scores) {
  const ordered = [...scores].sort((a, b) => b.test.f1 - a.test.f1);
  const method = (score, index) => [
    el(
      "span",
      { class: "method" },
      swatch(methodClass(scores, score.name)),
      el("span", {}, score.label, index === 0 && ordered.length > 1 ? [" ", el("span", { class: "tag" }, "highest")] : null),
    ),
    score.note ? el("span", { class: "note" }, score.note) : null,
  ];
  const built = table({
    className: "scores",
    columns: [{ head: "Method" }, ...numbers("Test F1", "Precision", "Recall", "Surface F1", "Validation F1")],
    rows: ordered.map((score, index) => [
      method(score, index),
      percent(score.test.f1),
      percent(score.test.precision),
      percent(score.test.recall),
      percent(score.test.surface_f1),
      percent(score.validation.f1),
    ]),
  });
  ordered.forEach((score, index) => {
    if (score.kind === "network") built.tBodies[0].rows[index].className = "network";
  });
  return scroller("Figures of the network and the baselines", built);
}

export function classTable(rows) {
  return scroller(
    "Figures of each class",
    table({
      className: "compact",
      columns: [{ head: "Class" }, ...numbers("F1", "Precision", "Recall", "True", "Found", "Right")],
      rows: rows.map((row) => [row.label, percent(row.f1), percent(row.precision), percent(row.recall), count(row.true), count(row.found), count(row.right)]),
    }),
  );
}

export function outcomeTable(outcomes) {
  const named = [
    ["Found with borders and class", outcomes.right],
    ["Right borders, another class", outcomes.other_class],
    ["Other borders", outcomes.other_borders],
    ["Missed", outcomes.missed],
  ];
  const total = named.reduce((sum, [, spans]) => sum + spans, 0);
  return scroller(
    "What became of the true spans",
    table({
      className: "compact",
      columns: [{ head: "True spans" }, ...numbers("Spans", "Share")],
      rows: [
        ...named.map(([name, spans]) => [name, count(spans), total ? percent(spans / total) : ""]),
        ["Invented, where there is none", count(outcomes.invented), ""],
      ],
    }),
  );
}

export function confusionTable({ classes, confusion }) {
  const names = ["O", ...classes];
  const built = table({
    className: "confusion",
    caption: "Test tokens: rows are the true class, columns the answer. Shading is the share of the row.",
    columns: [{ head: "True class" }, ...numbers(...names)],
    rows: confusion.map((row, index) => [names[index], ...row.map(count)]),
  });
  shade(built, confusion, (value, row) => value / Math.max(1, row.reduce((sum, tokens) => sum + tokens, 0)), (_, row, column) => row === column);
  return scroller("Tokens by class", built);
}

// Shades every cell of a table by share(value, row), in one colour where good(value, row, column), else in the other.
function shade(built, rows, share, good) {
  rows.forEach((row, index) =>
    row.forEach((value, column) => {
      if (value === null) return;
      const cell = built.tBodies[0].rows[index].cells[column + 1];
      cell.classList.add(good(value, index, column) ? "right" : "wrong");
      cell.style.setProperty("--share", `${Math.round(100 * share(value, row))}%`);
    }),
  );
}

export function confidenceTable(bins) {
  return scroller(
    "Confidence against share right",
    table({
      className: "compact",
      columns: [{ head: "It was so sure" }, ...numbers("So many were right", "Spans found")],
      rows: bins.map((bin) => [percent(bin.confidence), percent(bin.right), count(bin.spans)]),
    }),
  );
}

export function transitionTable({ rows, columns, scores }) {
  const known = scores.flat().filter((value) => value !== null);
  const largest = Math.max(1e-6, ...known.map(Math.abs));
  const built = table({
    className: "confusion transitions",
    columns: [{ head: "From" }, ...numbers(...columns.map((name) => el("span", { class: "upright" }, name)))],
    rows: scores.map((row, index) => [rows[index], ...row.map((value) => (value === null ? "–" : signed(value, 1)))]),
  });
  shade(built, scores, (value) => Math.abs(value) / largest, (value) => value >= 0);
  return scroller("Scores of tags that follow each other", built);
}

const KINDS = {
  right: "found, and right",
  wrong: "named, but not so",
  missed: "missed",
};

export function key() {
  return el(
    "p",
    { class: "lede spans-key" },
    Object.entries(KINDS).map(([kind, meaning]) => [el("span", { class: `span ${kind}` }, meaning), " "]),
    "The class stands behind the words; with a wrong one, what is true.",
  );
}

const equal = (one, other) => one.start === other.start && one.stop === other.stop && one.label === other.label;
const touches = (one, other) => one.start < other.stop && other.start < one.stop;

// The spans to draw, in order and without overlap: those found, and the true ones that none of them touches.
function drawn({ truth, found }) {
  const named = found.map((span) => {
    const near = truth.filter((one) => touches(one, span));
    return { ...span, kind: truth.some((one) => equal(one, span)) ? "right" : "wrong", near };
  });
  const missed = truth.filter((one) => !found.some((span) => touches(one, span))).map((one) => ({ ...one, kind: "missed", near: [one] }));
  return [...named, ...missed].sort((a, b) => a.start - b.start);
}

function labelOf(span, tokens) {
  if (span.kind === "right") return `${span.label}, ${percent(span.confidence)}`;
  if (span.kind === "missed") return `missed: ${span.label}, ${percent(span.confidence)}`;
  const said = `${span.label}, ${percent(span.confidence)}`;
  if (!span.near.length) return `${said}; true: O`;
  const true_ = span.near.map((one) => (one.start === span.start && one.stop === span.stop ? one.label : `“${tokens.slice(one.start, one.stop).join(" ")}” ${one.label}`));
  return `${said}; true: ${true_.join(", ")}`;
}

function sentence(example) {
  const { tokens } = example;
  const pieces = [];
  let at = 0;
  for (const span of drawn(example)) {
    if (at < span.start) pieces.push(`${tokens.slice(at, span.start).join(" ")} `);
    pieces.push(
      el("span", { class: `span ${span.kind}` }, tokens.slice(span.start, span.stop).join(" "), el("span", { class: "says" }, ` ${labelOf(span, tokens)}`)),
      " ",
    );
    at = span.stop;
  }
  pieces.push(tokens.slice(at).join(" "));
  return pieces;
}

export function examplesOf(group) {
  return [
    el("h3", {}, group.title),
    el("p", { class: "lede" }, group.text),
    el("ol", { class: "texts" }, group.examples.map((example) => el("li", {}, el("p", { class: "text" }, sentence(example))))),
  ];
}

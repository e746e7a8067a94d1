// Figures of a classifier: methods, classes, the confusion matrix, confidence, and texts with their words.

import { swatch, methodClass } from "./errors.js";
import { el, scroller, table } from "./dom.js";
import { NBSP, count, fixed, percent, signed } from "./format.js";

export function methodTable(scores) {
  const best = Math.max(...scores.map((score) => score.test.accuracy));
  const ordered = [...scores].sort((a, b) => b.test.accuracy - a.test.accuracy);
  const method = (score) => [
    el(
      "span",
      { class: "method" },
      swatch(methodClass(scores, score.name)),
      el("span", {}, score.label, score.test.accuracy === best ? [" ", el("span", { class: "tag" }, "highest")] : null),
    ),
    score.note ? el("span", { class: "note" }, score.note) : null,
  ];
  const built = table({
    className: "scores",
    columns: [
      { head: "Method" },
      { head: "Test accuracy", number: true },
      { head: "Test macro F1", number: true },
      { head: "Test log loss", number: true },
      { head: "Validation accuracy", number: true },
    ],
    rows: ordered.map((score) => [
      method(score),
      percent(score.test.accuracy),
      percent(score.test.macro_f1),
      fixed(score.test.log_loss, 3),
      percent(score.validation.accuracy),
    ]),
  });
  ordered.forEach((score, index) => {
    if (score.kind === "network") built.tBodies[0].rows[index].className = "network";
  });
  return scroller("Figures of the network and the baselines", built);
}

export function confusionTable({ classes, confusion, noun }) {
  const built = table({
    className: "confusion",
    caption: `Test ${noun}s: rows are the true class, columns the answer.`,
    columns: [{ head: "True class" }, ...classes.map((label) => ({ head: label, number: true }))],
    rows: confusion.map((row, index) => [classes[index], ...row.map((held) => count(held))]),
  });
  confusion.forEach((row, index) => {
    const total = row.reduce((sum, held) => sum + held, 0);
    row.forEach((held, column) => {
      const cell = built.tBodies[0].rows[index].cells[column + 1];
      cell.classList.add(index === column ? "right" : "wrong");
      cell.style.setProperty("--share", `${total ? Math.round((100 * held) / total) : 0}%`);
    });
  });
  return scroller("Confusion matrix", built);
}

export function classTable(rows, noun) {
  return scroller(
    "Figures of each class",
    table({
      className: "compact",
      columns: [
        { head: "Class" },
        { head: "Precision", number: true },
        { head: "Recall", number: true },
        { head: "F1", number: true },
        { head: `Test ${noun}s`, number: true },
      ],
      rows: rows.map((row) => [row.label, percent(row.precision), percent(row.recall), percent(row.f1), count(row.count)]),
    }),
  );
}

export function confidenceTable(bins, noun) {
  return scroller(
    "Confidence against share right",
    table({
      className: "compact",
      columns: [{ head: "It was so sure" }, { head: "So many were right", number: true }, { head: `Test ${noun}s`, number: true }],
      rows: bins.map((bin) => [percent(bin.confidence), percent(bin.accuracy), count(bin.count)]),
    }),
  );
}

export const points = (value) => `${signed(100 * value, 1)}${NBSP}points`;

function strongest({ words }) {
  const ordered = words.filter((word) => Math.abs(word.counts) >= 0.005).sort((a, b) => Math.abs(b.counts) - Math.abs(a.counts));
  const named = ordered.slice(0, 3).map((word) => `“${word.text}” ${points(word.counts)}`);
  return named.length ? `Counts most: ${named.join(", ")}.` : "No single word counts for much.";
}

function sentence({ words }) {
  return words.map((word) => {
    const node = el("span", { class: word.counts < 0 ? "word against" : "word for", title: points(word.counts) }, word.text);
    node.style.setProperty("--counts", `${Math.min(70, Math.round(Math.abs(word.counts) * 200))}%`);
    return [node, " "];
  });
}

export function verdictOf(example) {
  return [
    el("strong", {}, example.answer),
    `, ${percent(example.confidence)} sure; `,
    example.answer === example.truth ? "right. " : ["true class ", el("strong", {}, example.truth), ". "],
  ];
}

export function examplesOf(group) {
  return [
    el("h3", {}, group.title),
    el("p", { class: "lede" }, group.text),
    el(
      "ol",
      { class: "texts" },
      group.examples.map((example) =>
        el("li", {}, el("p", { class: "text" }, sentence(example)), el("p", { class: "note" }, verdictOf(example), strongest(example))),
      ),
    ),
  ];
}

// Figures of a transcriber: methods beside each other, words taken for others, the parts of the data.

import { el, scroller, table } from "./dom.js";
import { methodClass, swatch } from "./errors.js";
import { count, fixed, percent } from "./format.js";

export function errorTable(methods) {
  const least = Math.min(...methods.map((method) => method.test.wer));
  const ordered = [...methods].sort((a, b) => a.test.wer - b.test.wer);
  const name = (method) => [
    el(
      "span",
      { class: "method" },
      swatch(methodClass(methods, method.name)),
      el("span", {}, method.label, method.test.wer === least ? [" ", el("span", { class: "tag" }, "lowest")] : null),
    ),
    method.note ? el("span", { class: "note" }, method.note) : null,
  ];
  const built = table({
    className: "scores",
    columns: [
      { head: "Method" },
      { head: "Test word errors", number: true },
      { head: "Test character errors", number: true },
      { head: "Test recordings all right", number: true },
      { head: "Validation word errors", number: true },
    ],
    rows: ordered.map((method) => [
      name(method),
      percent(method.test.wer, 2),
      percent(method.test.cer, 2),
      percent(method.test.sentences),
      percent(method.validation.wer, 2),
    ]),
  });
  ordered.forEach((method, index) => {
    if (method.kind === "network") built.tBodies[0].rows[index].className = "network";
  });
  return scroller("Errors of the network and the baselines", built);
}

export function confusedWords(confusions) {
  return scroller(
    "Said and answered",
    table({
      className: "compact",
      columns: [{ head: "Said" }, { head: "Answered" }, { head: "Times", number: true }],
      rows: confusions.map(({ said, answered, count: times }) => [said || "(nothing)", answered || "(left out)", count(times)]),
    }),
  );
}

export function partTable(parts) {
  return scroller(
    "Parts of the data",
    table({
      className: "compact",
      columns: [{ head: "Part" }, { head: "Recordings", number: true }, { head: "Minutes", number: true }, { head: "Words", number: true }],
      rows: parts.map((part) => [part.part, count(part.recordings), fixed(part.seconds / 60, 1), count(part.words)]),
    }),
  );
}

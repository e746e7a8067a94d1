// The page of a generator of text: its sections in order, each left out when the report has nothing for it.

import { el, scroller, table } from "./dom.js";
import { methodClass, swatch } from "./errors.js";
import { count, fixed, percent } from "./format.js";
import { groupOf, readablePassage, samplesFigure } from "./passages.js";
import { learning, lede, masthead, report, section, settings, show, words } from "./shell.js";
import { repairTable } from "./tables.js";

const judged = (score) => score[report.part];
const pieces = report.unit === "piece";

function methodTable(scores) {
  const best = Math.min(...scores.map((score) => judged(score).nats));
  const ordered = [...scores].sort((a, b) => judged(a).nats - judged(b).nats);
  const both = report.part === "test" && scores.some((score) => score.validation);
  const method = (score) => [
    el(
      "span",
      { class: "method" },
      swatch(methodClass(scores, score.name)),
      el("span", {}, score.label, judged(score).nats === best ? [" ", el("span", { class: "tag" }, "lowest")] : null),
    ),
    score.note ? el("span", { class: "note" }, score.note) : null,
  ];
  const built = table({
    className: "scores",
    columns: [
      { head: "Method" },
      { head: "Nats", number: true },
      { head: "Bits", number: true },
      { head: "Perplexity", number: true },
      ...(pieces ? [{ head: "Perplexity of a piece", number: true }] : []),
      ...(both ? [{ head: "Validation nats", number: true }] : []),
    ],
    rows: ordered.map((score) => [
      method(score),
      fixed(judged(score).nats, 3),
      fixed(judged(score).bits, 3),
      fixed(judged(score).perplexity, 2),
      ...(pieces ? [fixed(judged(score).piece_perplexity, 2)] : []),
      ...(both ? [score.validation ? fixed(score.validation.nats, 3) : "–"] : []),
    ]),
  });
  ordered.forEach((score, index) => {
    if (score.kind === "network") built.tBodies[0].rows[index].className = "network";
  });
  return scroller("Figures of the network and the baselines", built);
}

function surprise() {
  section(
    "accuracy",
    "Surprise",
    "Against the baselines",
    lede(`Per character of the ${report.part} part, lower is better. The counting models look up what followed the last few ${report.unit}s in the training part.`),
    methodTable(report.scores),
  );
  if (report.passage) {
    section(
      "passage",
      "Passage",
      "How much each character surprised it",
      lede(`A passage of the ${report.part} part of about average difficulty. The darker a character, the less it was foreseen; from 2.5 nats on it is underlined.${pieces ? " The nats of a piece are shared out evenly among its characters." : ""}`),
      readablePassage(report.passage, report.unit),
    );
  }
  if (report.places.length) {
    section(
      "places",
      "Where",
      "Where it is unsure",
      lede(`Mean surprise by where a character stands, and how much of the whole comes from there; below, lines of the ${report.part} part.`),
      scroller(
        "Surprise by place in the text",
        table({
          className: "compact",
          columns: [{ head: "Character" }, { head: "Mean nats", number: true }, { head: "Share of all surprise", number: true }, { head: "Characters", number: true }],
          rows: report.places.map((row) => [row.place, fixed(row.nats, 2), percent(row.share), count(row.characters)]),
        }),
      ),
      report.groups.map(groupOf),
    );
  }
}

function samples() {
  if (report.written.length) {
    section(
      "written",
      "Written",
      "What it writes",
      lede(`From a line end on, drawn ${report.unit} by ${report.unit}. At a low temperature it keeps to what is likely; at 1 it draws by its own probabilities.`),
      report.written.map(({ temperature, text }) => [el("h3", {}, `Temperature ${temperature}`), el("pre", { class: "written", tabindex: "0" }, text)]),
    );
  }
  if (report.samples.length) {
    section(
      "samples",
      "Samples",
      "What it wrote after each epoch",
      lede("Always drawn with the same seed, at temperature 0.8."),
      samplesFigure(report.samples, report.best_epoch, report.unit),
    );
  }
}

function data() {
  section(
    "data",
    "Data",
    "What was read",
    lede(`Read from ${report.source}; ${count(report.alphabet)} ${pieces ? "pieces learnt from" : "different characters in"} the training part.`),
    scroller(
      "Parts of the text",
      table({
        className: "compact",
        columns: [{ head: "Part" }, { head: "Characters", number: true }],
        rows: report.parts.map((part) => [part.part, count(part.characters)]),
      }),
    ),
    el("h3", {}, "Repairs"),
    report.repairs.length ? repairTable(report.repairs) : el("p", { class: "prose" }, "None: the text was taken as it is."),
  );
}

surprise();
samples();
learning();
words();
data();
settings();
show(masthead("Text generator report", [report.network, `${count(report.alphabet)} ${report.unit}s known`]));

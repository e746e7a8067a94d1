// The page of a tagger: its sections in order, each left out when the report has nothing for it.

import { el, scroller, table } from "./dom.js";
import { count, fixed, percent } from "./format.js";
import { learning, lede, masthead, report, section, settings, show, words } from "./shell.js";
import { repairTable } from "./tables.js";
import { confidenceTable, confusionTable, classTable, examplesOf, key, methodTable, outcomeTable, transitionTable } from "./tags.js";

function figures() {
  section(
    "spans",
    "Spans",
    report.scores.length > 1 ? "Against the baselines" : "Spans found",
    lede("A span counts as right only with exactly the true borders and class. Surface F1 counts each form of words with its class once, however often it occurs."),
    methodTable(report.scores),
  );
  section(
    "classes",
    "Classes",
    "Class by class",
    classTable(report.per_class),
    el("h3", {}, "What became of the true spans"),
    outcomeTable(report.outcomes),
    el("h3", {}, "Tokens by class"),
    confusionTable(report),
  );
}

function confidence() {
  if (!report.calibration.length) return;
  section(
    "confidence",
    "Confidence",
    "Does its confidence mean something?",
    lede(
      `Spans found in the test part by the probability that exactly they are there. The two columns differ by ${percent(report.calibration_error)} on average. ${fixed(report.offset, 2)} was added to the scores of every B-, chosen by F1 on the validation part.`,
    ),
    confidenceTable(report.calibration),
  );
}

function sentences() {
  if (!report.groups.length) return;
  section("sentences", "Sentences", "Sentences, truth and errors", key(), report.groups.map(examplesOf));
}

function chain() {
  section(
    "transitions",
    "Transitions",
    "What the CRF learnt of tags that follow each other",
    lede("The score of going from the tag of a row to that of a column, the mean over the networks: above 0 it is favoured, below 0 avoided. A dash: not allowed, as an I- needs its B-."),
    transitionTable(report.transitions),
  );
}

function data() {
  section(
    "data",
    "Data",
    "What was read",
    lede(`Read from ${report.source}; ${count(report.words)} words known, which are ${percent(report.known)} of the test tokens.`),
    scroller(
      "Parts of the data",
      table({
        className: "compact",
        columns: [{ head: "Part" }, ...["Sentences", "Tokens", ...report.classes].map((head) => ({ head, number: true }))],
        rows: report.parts.map((part) => [part.part, count(part.sentences), count(part.tokens), ...part.spans.map(count)]),
      }),
    ),
    el("h3", {}, "Repairs"),
    report.repairs.length ? repairTable(report.repairs) : el("p", { class: "prose" }, "None: every sentence was taken as it is."),
  );
}

figures();
confidence();
sentences();
chain();
learning();
words();
data();
settings();
show(masthead("Tagger report", [report.network, `${report.classes.length} classes`]));

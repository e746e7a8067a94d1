// The page of a classifier: its sections in order, each left out when the report has nothing for it.

import { classTable, confidenceTable, confusionTable, examplesOf, methodTable } from "./classes.js";
import { curvesOf, inLines } from "./curves.js";
import { el, scroller, table } from "./dom.js";
import { count, percent } from "./format.js";
import { learning, lede, masthead, report, section, settings, show, words } from "./shell.js";
import { repairTable } from "./tables.js";

function accuracy() {
  const others = report.scores.length > 1;
  section(
    "accuracy",
    "Accuracy",
    others ? "Against the baselines" : "Accuracy",
    lede("All methods answered for the same test part. Macro F1 weighs every class the same; log loss also asks how sure a method was, and is lower where it is better."),
    methodTable(report.scores),
  );
  section("classes", "Classes", "Class by class", confusionTable(report), classTable(report.per_class, report.noun));
  section(
    "confidence",
    "Confidence",
    "Does its confidence mean something?",
    lede(
      `Test ${report.noun}s by the probability of the answer. The two columns differ by ${percent(report.calibration_error)} on average. Probabilities were brought to the temperature ${report.temperature.toFixed(2)}, found on the validation part.`,
    ),
    confidenceTable(report.calibration, report.noun),
  );
}

function examples() {
  if (!report.groups.length) return;
  if (report.noun !== "text") {
    section(
      "sequences",
      "Sequences",
      "Sequences and the steps that count",
      lede("As the network reads them: in standard deviations of each channel over the training part, gaps filled. A stretch counts by how much the probability of the answer falls when that stretch alone is put at the training mean.", inLines(report.groups[0].examples[0]) ? " Shaded is the one that counts most." : ""),
      report.groups.map(curvesOf),
    );
    return;
  }
  section(
    "texts",
    "Texts",
    "Texts and the words that count",
    lede("A word counts by how much the probability of the answer falls when that word alone is made unknown. A solid line under a word: it speaks for the answer; a dotted one: against it."),
    report.groups.map(examplesOf),
  );
}

function data() {
  section(
    "data",
    "Data",
    "What was read",
    lede(`Read from ${report.source}; ${report.known} known.`),
    scroller(
      "Parts of the data",
      table({
        className: "compact",
        columns: [{ head: "Part" }, ...report.classes.map((label) => ({ head: label, number: true })), { head: "All", number: true }],
        rows: report.parts.map((part) => [part.part, ...part.counts.map(count), count(part.counts.reduce((sum, held) => sum + held, 0))]),
      }),
    ),
    el("h3", {}, "Repairs"),
    report.repairs.length ? repairTable(report.repairs) : el("p", { class: "prose" }, `None: every ${report.noun} was taken as it is.`),
  );
}

accuracy();
examples();
learning();
words();
data();
settings();
show(masthead("Classifier report", [report.network, `${report.classes.length} classes`]));

// The page of a classifier: its sections in order, each left out when the report has nothing for it.

import { classTable, confidenceTable, confusionTable, examplesOf, methodTable } from "./classes.js";
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
    lede("All methods answered for the same texts. Macro F1 weighs every class the same; log loss also asks how sure a method was, and is lower where it is better."),
    methodTable(report.scores),
  );
  section("classes", "Classes", "Class by class", confusionTable(report), classTable(report.per_class));
  section(
    "confidence",
    "Confidence",
    "Does its confidence mean something?",
    lede(
      `Test texts by the probability of the answer. The two columns differ by ${percent(report.calibration_error)} on average. Probabilities were brought to the temperature ${report.temperature.toFixed(2)}, found on the validation part.`,
    ),
    confidenceTable(report.calibration),
  );
}

function examples() {
  if (!report.groups.length) return;
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
    lede(`Read from ${report.source}; ${count(report.words)} words known.`),
    scroller(
      "Parts of the data",
      table({
        className: "compact",
        columns: [{ head: "Part" }, ...report.classes.map((label) => ({ head: label, number: true })), { head: "Texts", number: true }],
        rows: report.parts.map((part) => [part.part, ...part.texts.map(count), count(part.texts.reduce((sum, texts) => sum + texts, 0))]),
      }),
    ),
    el("h3", {}, "Repairs"),
    report.repairs.length ? repairTable(report.repairs) : el("p", { class: "prose" }, "None: every text was taken as it is."),
  );
}

accuracy();
examples();
learning();
words();
data();
settings();
show(masthead("Classifier report", [report.network, `${report.classes.length} classes`]));

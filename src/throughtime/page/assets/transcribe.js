// The page of a transcriber: its sections in order, each left out when the report has nothing for it.

import { el } from "./dom.js";
import { count } from "./format.js";
import { listen } from "./listen.js";
import { learning, lede, masthead, report, section, settings, show, words } from "./shell.js";
import { confusedWords, errorTable, partTable } from "./speech.js";
import { repairTable } from "./tables.js";

section(
  "errors",
  "Errors",
  "Against the baselines",
  lede("All methods answered the same recordings. Word errors are words taken for others, put in and left out, by the number of words said."),
  errorTable(report.methods),
);

if (report.recordings.length) {
  section(
    "listen",
    "Listen",
    "What it heard when",
    lede("Above, the recording as the network gets it: power by pitch over time. Below, how likely each symbol is at each step; ∅ is the blank, which writes nothing. Between them the symbols of the answer, where its likeliest path writes them."),
    listen(report.recordings, report.highest),
  );
}

if (report.confusions.length) {
  section("words", "Words", "Words taken for others", lede("On the test part, the most frequent first."), confusedWords(report.confusions));
}

learning();
words();
section(
  "data",
  "Data",
  "What was read",
  lede(`Read from ${report.source}; ${count(report.symbols.length)} symbols known.`),
  partTable(report.parts),
  el("h3", {}, "Repairs"),
  report.repairs.length ? repairTable(report.repairs) : el("p", { class: "prose" }, "None: every recording was taken as it is."),
);
settings();
show(masthead("Transcriber report", [report.network, `${count(report.symbols.length)} symbols`]));

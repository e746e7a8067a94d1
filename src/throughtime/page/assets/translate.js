// The page of a translator: its sections in order, each left out when the report has nothing for it.

import { attentionMatrix } from "./attention.js";
import { el, scroller, table } from "./dom.js";
import { methodClass, swatch } from "./errors.js";
import { count, fixed } from "./format.js";
import { learning, lede, masthead, report, section, settings, show, words } from "./shell.js";
import { onRecall, recall, remember } from "./state.js";
import { repairTable } from "./tables.js";

function methodTable(scores) {
  const best = Math.max(...scores.map((score) => score.test.bleu));
  const ordered = [...scores].sort((a, b) => b.test.bleu - a.test.bleu);
  const method = (score) => [
    el(
      "span",
      { class: "method" },
      swatch(methodClass(scores, score.name)),
      el("span", {}, score.label, scores.length > 1 && score.test.bleu === best ? [" ", el("span", { class: "tag" }, "highest")] : null),
    ),
    score.note ? el("span", { class: "note" }, score.note) : null,
  ];
  const heads = ["Test BLEU", "Test chrF", "Words against reference", "Validation BLEU", "Validation chrF"];
  const built = table({
    className: "scores",
    columns: [{ head: "Method" }, ...heads.map((head) => ({ head, number: true }))],
    rows: ordered.map((score) => [
      method(score),
      fixed(score.test.bleu, 1),
      fixed(score.test.chrf, 1),
      fixed(score.test.length_ratio, 2),
      fixed(score.validation.bleu, 1),
      fixed(score.validation.chrf, 1),
    ]),
  });
  ordered.forEach((score, index) => {
    if (score.kind === "network") built.tBodies[0].rows[index].className = "network";
  });
  return scroller("Figures of the network and the baselines", built);
}

function accuracy() {
  section(
    "accuracy",
    "Accuracy",
    report.scores.length > 1 ? "Against the baselines" : "Accuracy",
    lede("All methods translated the same sentences, and were held against one reference each. BLEU counts word sequences in common, chrF sequences of letters; 100 is the reference itself, and higher is better."),
    methodTable(report.scores),
    el("p", { class: "note" }, "Counted by sacrebleu: ", Object.values(report.signatures).map((text) => [el("code", {}, text), " "])),
  );
}

function byLength() {
  if (report.by_length.length < 2) return;
  const range = (group) => (group.shortest === group.longest ? count(group.shortest) : `${count(group.shortest)} to ${count(group.longest)}`);
  section(
    "length",
    "By length",
    "Short and long sentences",
    lede("Test sentences by the words of their source, in groups of about the same size."),
    scroller(
      "Figures by length of the source",
      table({
        className: "compact",
        columns: [{ head: "Words of the source" }, ...["Sentences", "BLEU", "chrF"].map((head) => ({ head, number: true }))],
        rows: report.by_length.map((group) => [range(group), count(group.sentences), fixed(group.bleu, 1), fixed(group.chrf, 1)]),
      }),
    ),
  );
}

const line = (name, text) => el("div", {}, el("dt", {}, name), el("dd", {}, text));

function sentenceView({ source, found, reference, chrf, read, written, weights }) {
  return [
    el("dl", { class: "facts" }, line("Source", source), line("Translation", el("strong", {}, found || "(nothing)")), line("Reference", reference), line("chrF", fixed(chrf, 1))),
    weights.length ? attentionMatrix({ read, written, weights }) : null,
  ];
}

function picker(sentences) {
  const view = el("div", { class: "sentence", "aria-live": "polite" });
  const groups = [...new Set(sentences.map((sentence) => sentence.group))];
  const options = (group) => sentences.map((sentence, index) => (sentence.group === group ? el("option", { value: index }, sentence.source) : null));
  const select = el("select", { "aria-label": "Test sentence", onchange: () => choose(Number(select.value)) }, groups.map((group) => el("optgroup", { label: group }, options(group))));
  const button = (text, name, step) => el("button", { type: "button", title: name, "aria-label": name, onclick: () => choose(Number(select.value) + step) }, text);
  const choose = (wanted, quietly = false) => {
    const index = Math.max(0, Math.min(sentences.length - 1, wanted));
    select.value = index;
    view.replaceChildren(...sentenceView(sentences[index]).filter(Boolean));
    if (!quietly) remember("sentence", index ? String(index + 1) : null);
  };
  const restore = () => choose((Number.parseInt(recall("sentence") ?? "1", 10) || 1) - 1, true);
  onRecall(restore);
  restore();
  return el("div", {}, el("div", { class: "tools pick" }, button("←", "Sentence before", -1), select, button("→", "Next sentence", 1)), view);
}

function sentences() {
  if (!report.sentences.length) return;
  const looked = report.sentences.some((sentence) => sentence.weights.length);
  section(
    "sentences",
    "Sentences",
    looked ? "What it looked at" : "Translations",
    looked
      ? lede("Each row is a piece that it wrote, each column a piece that it read; the stronger its colour, the more of the attention was there. A row adds up to 100 %. A dotted line: the piece goes on the word before it.")
      : lede("Without attention the decoder has the last states of the encoder alone, so there is nothing to look at."),
    picker(report.sentences),
  );
}

function data() {
  section(
    "data",
    "Data",
    "What was read",
    lede(`Read from ${report.source}; ${count(report.pieces[0])} pieces of source words and ${count(report.pieces[1])} of target words known.`),
    scroller(
      "Parts of the data",
      table({
        className: "compact",
        columns: [{ head: "Part" }, ...["Pairs", "Source words", "Target words"].map((head) => ({ head, number: true }))],
        rows: report.parts.map((part) => [part.part, count(part.pairs), count(part.source_words), count(part.target_words)]),
      }),
    ),
    el("h3", {}, "Repairs"),
    report.repairs.length ? repairTable(report.repairs) : el("p", { class: "prose" }, "None: every pair was taken as it is."),
  );
}

accuracy();
byLength();
sentences();
learning();
words();
data();
settings();
show(masthead("Translator report", [report.network]));

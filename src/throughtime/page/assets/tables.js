// The parts of the page that are words and tables: verdict, scores, intervals, data, settings.

import { el, scroller, table } from "./dom.js";
import { methodClass, swatch } from "./errors.js";
import { DAY, NBSP, count, day, decimalsFor, fixed, instant, moment, percent, signed, significant, span, withUnit } from "./format.js";

export function figures(verdict) {
  return el(
    "dl",
    { class: "figures" },
    verdict.figures.map((figure) =>
      el(
        "div",
        {},
        el("dt", {}, figure.label),
        el("dd", { class: "value" }, figure.value, figure.unit ? el("span", { class: "unit" }, `${NBSP}${figure.unit}`) : null),
        el("dd", { class: "note" }, figure.note),
      ),
    ),
  );
}

const bestBaseline = (scores) =>
  scores.filter((score) => score.kind === "baseline").reduce((best, score) => (best && best.test.mae <= score.test.mae ? best : score), null);

function barOf(score, scores, decimals) {
  const most = Math.max(...scores.map((other) => other.test.mae));
  const bar = el("span", { class: `fill ${methodClass(scores, score.name)}` });
  bar.style.width = `${most > 0 ? (100 * score.test.mae) / most : 0}%`;
  return el("span", { class: "measure" }, el("span", { class: "track", "aria-hidden": "true" }, bar), el("span", {}, fixed(score.test.mae, decimals)));
}

function skill(score, best) {
  if (!best || !(best.test.mae > 0)) return "–";
  if (score === best) return "–";
  return `${signed(100 * (score.test.mae / best.test.mae - 1), 1)}${NBSP}%`;
}

export function scoreTable(report) {
  const { scores, unit } = report;
  const best = bestBaseline(scores);
  const lowest = Math.min(...scores.map((score) => score.test.mae));
  const figuresOf = (part) => scores.flatMap((score) => [score[part].mae, score[part].rmse]);
  const decimals = decimalsFor(Math.max(...figuresOf("test"), ...figuresOf("validation")));
  const tag = (score) => {
    if (scores.length > 1 && score.test.mae === lowest) return [" ", el("span", { class: "tag" }, "lowest")];
    return score === best ? [" ", el("span", { class: "tag" }, "best baseline")] : null;
  };
  const method = (score) => [
    el("span", { class: "method" }, swatch(methodClass(scores, score.name)), el("span", {}, score.label, tag(score))),
    score.note ? el("span", { class: "note" }, score.note) : null,
  ];
  const built = table({
    className: "scores",
    caption: unit ? `Errors in ${unit}` : null,
    columns: [
      { head: "Method" },
      { head: "Test MAE", number: true },
      ...(best ? [{ head: "Against best baseline", number: true }] : []),
      { head: "Test RMSE", number: true },
      { head: "Validation MAE", number: true },
      { head: "Validation RMSE", number: true },
    ],
    rows: [...scores]
      .sort((a, b) => a.test.mae - b.test.mae)
      .map((score) => [
        method(score),
        barOf(score, scores, decimals),
        ...(best ? [skill(score, best)] : []),
        fixed(score.test.rmse, decimals),
        fixed(score.validation.mae, decimals),
        fixed(score.validation.rmse, decimals),
      ]),
  });
  [...scores].sort((a, b) => a.test.mae - b.test.mae).forEach((score, index) => {
    if (score.kind === "network") built.tBodies[0].rows[index].className = "network";
  });
  return scroller("Errors of the network and the baselines", built);
}

export function coverageTable(report) {
  const decimals = decimalsFor(Math.max(...report.coverage.map((entry) => entry.mean_width ?? 0)));
  return scroller(
    "Coverage of the intervals",
    table({
      className: "compact",
      columns: [
        { head: "Promised" },
        { head: "Held on test", number: true },
        { head: "Held on validation", number: true },
        { head: report.unit ? `Mean width, ${report.unit}` : "Mean width", number: true },
      ],
      rows: report.coverage.map((entry) => [
        percent(entry.level, Number.isInteger(entry.level * 100) ? 0 : 1).replace(/\.0/, ""),
        percent(entry.test),
        percent(entry.validation),
        fixed(entry.mean_width, decimals),
      ]),
    }),
  );
}

// The chronological split as one strip, in proportion to its times.
export function splitStrip(split) {
  const lengths = split.map((part) => Math.max(instant(part.to) - instant(part.from), 1));
  const strip = el("div", { class: "split", "aria-hidden": "true" });
  split.forEach((part, index) => {
    const piece = el("span", { class: `part part${index % 3}` }, part.part);
    piece.style.flexGrow = String(lengths[index]);
    strip.append(piece);
  });
  return strip;
}

export function splitTable(split) {
  const short = split.some((part) => instant(part.to) - instant(part.from) < 3 * DAY);
  const when = short ? moment : day;
  return scroller(
    "Parts of the data",
    table({
      className: "compact",
      columns: [{ head: "Part" }, { head: "From" }, { head: "To" }, { head: "Windows", number: true }],
      rows: split.map((part) => [part.part, when(instant(part.from)), when(instant(part.to)), count(part.windows)]),
    }),
  );
}

export function sourceList(source) {
  const entries = [
    ["Read from", source.name],
    ["Rows", count(source.rows)],
    ["Time", span(instant(source.first), instant(source.last)) + (source.step ? `, every ${source.step}` : "")],
    ["Columns used", source.columns.length ? el("ul", { class: "words" }, source.columns.map((name) => el("li", {}, name))) : null],
  ].filter(([, value]) => value);
  return el("dl", { class: "facts" }, entries.map(([term, value]) => el("div", {}, el("dt", {}, term), el("dd", {}, value))));
}

export function repairTable(repairs) {
  return scroller(
    "Repairs",
    table({
      columns: [{ head: "What" }, { head: "Column" }, { head: "Count", number: true }, { head: "What was done" }],
      rows: repairs.map((repair) => [repair.kind, repair.column ?? "all", count(repair.count), repair.text]),
    }),
  );
}

function settingText(value) {
  if (value === null) return "none";
  if (value === true) return "yes";
  if (value === false) return "no";
  return typeof value === "number" ? String(value).replace("-", "\u2212") : value;
}

export function settingsList(settings) {
  return el(
    "dl",
    { class: "settings" },
    Object.entries(settings).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, settingText(value)))),
  );
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedByHand(text); // No clipboard for a file opened from disk, in some browsers.
  }
}

function copiedByHand(text) {
  const area = el("textarea", { class: "offscreen", "aria-hidden": "true", tabindex: "-1", readonly: true });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

export function commandBox(command) {
  const said = el("span", { role: "status", class: "said" });
  const button = el("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    const done = await copied(command);
    button.focus();
    said.textContent = done ? "Copied" : "Select the command and copy it";
    setTimeout(() => (said.textContent = ""), 2500);
  });
  return el("div", { class: "command" }, el("pre", { tabindex: "0", role: "region", "aria-label": "Command" }, el("code", {}, command.split(/( +)/).map((word) => (word.trim() ? el("span", {}, word) : word)))), el("div", { class: "copy" }, button, said));
}

// What the lines say, in one sentence.
export function leadSentence(report) {
  const network = report.scores.find((score) => score.kind === "network").name;
  const rows = report.by_lead.filter((row) => (row.mae[network] ?? null) !== null);
  if (rows.length < 2) return "";
  const wins = rows.filter((row) => Object.values(row.mae).every((mae) => mae === null || mae >= row.mae[network])).length;
  const [first, last] = [rows[0], rows[rows.length - 1]];
  const ends = `The network's mean error is ${significant(first.mae[network])} at ${first.lead_text} and ${withUnit(significant(last.mae[network]), report.unit)} at ${last.lead_text}`;
  return report.scores.length > 1 ? `${ends}; it is the lowest at ${wins} of ${rows.length} lead times.` : `${ends}.`;
}

export function hourSentence(report) {
  const network = report.scores.find((score) => score.kind === "network").name;
  const rows = report.by_hour.filter((row) => (row.mae[network] ?? null) !== null);
  if (!rows.length) return "";
  const sorted = [...rows].sort((a, b) => a.mae[network] - b.mae[network]);
  const [least, most] = [sorted[0], sorted[sorted.length - 1]];
  const at = (row) => `${String(row.hour).padStart(2, "0")}:00`;
  return `The network errs least at ${at(least)} (${significant(least.mae[network])}) and most at ${at(most)} (${withUnit(significant(most.mae[network]), report.unit)}).`;
}

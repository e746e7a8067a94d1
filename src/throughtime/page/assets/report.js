// The page: its sections in order, each left out when the report has nothing for it.

import { el } from "./dom.js";
import { seriesFigure } from "./series.js";
import { examplesFigure } from "./examples.js";
import { hourFigure, leadFigure, methodChoice } from "./errors.js";
import { reachFigure } from "./reach.js";
import { learning, lede, masthead, report, section, settings, show, words } from "./shell.js";
import { coverageTable, hourSentence, leadSentence, repairTable, scoreTable, sourceList, splitStrip, splitTable } from "./tables.js";

function facts() {
  const reads = `reads ${report.history_span} of history`;
  return [report.network, reads, report.steps === "all" ? `forecasts every step up to ${report.horizon}` : `forecasts the value ${report.horizon} ahead`];
}

function zone() {
  const first = report.series?.times[0] ?? report.source?.first ?? "";
  return report.time_zone || (first.endsWith("Z") ? "UTC" : "");
}

function accuracy() {
  const others = report.scores.length > 1;
  section(
    "accuracy",
    "Accuracy",
    others ? "Against the baselines" : "Accuracy",
    others ? lede("All methods answered for the same times. MAE is the mean absolute error, RMSE weighs large errors more; lower is better.") : null,
    scoreTable(report),
    report.coverage.length
      ? [el("h3", {}, "Do the intervals hold?"), lede("An interval is honest when it holds about the promised share of the values, and useful when it is narrow."), coverageTable(report)]
      : null,
  );
}

function charts() {
  const context = { unit: report.unit, target: report.target, horizon: report.horizon };
  const clock = zone() ? ` Times in ${zone()}.` : "";
  if (report.series?.times.length) {
    section(
      "series",
      "Forecast and truth",
      "Forecast against truth",
      lede(`Each point of the forecast was made ${report.horizon} before. The page opens at a typical stretch of the test part, one whose error is closest to that of the whole; the strip below the chart shows all of it.${clock}`),
      seriesFigure(report.series, context),
    );
  }
  if (report.examples.length) {
    section("examples", "Single forecasts", "Single forecasts", lede("What the network had seen, what it forecast, and what came."), examplesFigure(report.examples, context));
  }
  const choice = methodChoice(report.scores);
  if (report.by_lead.length > 1) {
    section("lead", "By lead time", "Error by lead time", lede(leadSentence(report)), leadFigure(report, choice));
  }
  if (report.by_hour.length > 1) {
    section("hour", "By hour of day", "Error by hour of day", lede(hourSentence(report)), hourFigure(report, choice));
  }
  learning();
}

function reach() {
  if (!report.reach) return;
  section("reach", "Memory", "How far back does it see?", el("p", { class: "finding" }, report.reach.summary), el("p", { class: "prose" }, report.reach.exploded), reachFigure(report.reach));
}

function data() {
  const { source, repairs } = report;
  if (!source && !repairs.length) return;
  section(
    "data",
    "Data",
    "What was read and repaired",
    source ? sourceList(source) : null,
    source?.split.length ? [el("h3", {}, "Split in time"), splitStrip(source.split), splitTable(source.split)] : null,
    el("h3", {}, "Repairs"),
    repairs.length ? repairTable(repairs) : el("p", { class: "prose" }, "None: the table was taken as it is."),
  );
}

accuracy();
charts();
reach();
words();
data();
settings();
show(masthead("Forecast report", facts()));

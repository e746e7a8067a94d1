// The page: its sections in order, each left out when the report has nothing for it.

import { el } from "./dom.js";
import { day, instant } from "./format.js";
import { currentTheme, onTheme, recall, setTheme } from "./state.js";
import { seriesFigure } from "./series.js";
import { examplesFigure } from "./examples.js";
import { hourFigure, leadFigure, learningFigure, methodChoice } from "./errors.js";
import { reachFigure } from "./reach.js";
import {
  commandBox,
  coverageTable,
  figures,
  hourSentence,
  leadSentence,
  repairTable,
  scoreTable,
  settingsList,
  sourceList,
  splitStrip,
  splitTable,
} from "./tables.js";

const report = JSON.parse(document.getElementById("report-data").textContent);
const sections = [];

function section(id, name, title, ...content) {
  const heading = el("h2", { id: `${id}-title`, tabindex: "-1" }, title);
  sections.push({ id, name, element: el("section", { id, "aria-labelledby": heading.id }, heading, content) });
}

const lede = (...text) => el("p", { class: "lede" }, text);

function zone() {
  const first = report.series?.times[0] ?? report.source?.first ?? "";
  return report.time_zone || (first.endsWith("Z") ? "UTC" : "");
}

function masthead() {
  const facts = [report.network, `reads ${report.history_span} of history`, report.steps === "all" ? `forecasts every step up to ${report.horizon}` : `forecasts the value ${report.horizon} ahead`];
  const toggle = el("button", { type: "button", class: "theme" });
  const label = () => (toggle.textContent = currentTheme() === "dark" ? "Light" : "Dark");
  toggle.addEventListener("click", () => setTheme(currentTheme() === "dark" ? "light" : "dark"));
  onTheme(label);
  label();
  toggle.setAttribute("aria-label", "Switch between light and dark");
  return el(
    "header",
    {},
    el("div", { class: "eyebrow" }, el("p", {}, "Forecast report"), toggle),
    el("h1", {}, report.title),
    el("p", { class: "verdict" }, report.verdict.headline),
    report.verdict.detail ? el("p", { class: "verdict second" }, report.verdict.detail) : null,
    figures(report.verdict),
    el("p", { class: "about" }, facts.join(" · ")),
  );
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
  if (report.history.length > 1) section("learning", "Learning", "How it learnt", lede(learningSentence()), learningFigure(report));
}

function reach() {
  if (!report.reach) return;
  section("reach", "Memory", "How far back does it see?", el("p", { class: "finding" }, report.reach.summary), el("p", { class: "prose" }, report.reach.exploded), reachFigure(report.reach));
}

function learningSentence() {
  const total = report.history.length;
  const took = `The fit took ${report.fit_time}.`;
  if (report.best_epoch === null) return took;
  return `Validation loss was lowest after epoch ${report.best_epoch} of ${total}; the weights of that epoch are the ones kept. ${took}`;
}

function words() {
  const { diagnosis, limits } = report;
  if (diagnosis || limits.length) {
    section(
      "diagnosis",
      diagnosis ? "Diagnosis" : "Limits",
      diagnosis ? "Diagnosis" : "Limits of these figures",
      diagnosis ? [el("p", { class: "finding" }, diagnosis.verdict), el("p", { class: "prose" }, diagnosis.text)] : null,
      diagnosis?.advice.length ? [el("h3", {}, "What to try"), el("ol", { class: "prose" }, diagnosis.advice.map((text) => el("li", {}, text)))] : null,
      diagnosis && limits.length ? el("h3", {}, "Limits of these figures") : null,
      limits.length ? el("ul", { class: "prose" }, limits.map((text) => el("li", {}, text))) : null,
    );
  }
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

function settings() {
  const known = Object.keys(report.settings).length > 0;
  if (!known && !report.command) return;
  section(
    "settings",
    "Settings",
    report.command ? "To repeat this run" : "Settings",
    report.command ? commandBox(report.command) : null,
    known ? settingsList(report.settings) : null,
  );
}

function contents() {
  const nav = document.getElementById("contents");
  const links = sections.map(({ id, name }) => el("a", { href: `#${id}` }, name));
  nav.append(el("ol", {}, links.map((link) => el("li", {}, link))));
  nav.hidden = false;
  const mark = () => {
    const bottom = scrollY + innerHeight >= document.documentElement.scrollHeight - 4;
    const reached = sections.findLastIndex(({ element }) => element.getBoundingClientRect().top < 0.35 * innerHeight);
    const current = bottom ? sections.length - 1 : reached;
    links.forEach((link, index) => (index === current ? link.setAttribute("aria-current", "location") : link.removeAttribute("aria-current")));
  };
  addEventListener("scroll", mark, { passive: true });
  // The address after "#" keeps the reader's settings, so a jump leaves it alone.
  nav.addEventListener("click", (event) => {
    const index = links.indexOf(event.target);
    if (index < 0) return;
    event.preventDefault();
    document.getElementById(`${sections[index].id}-title`).focus({ preventScroll: true });
    sections[index].element.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  });
}

function footer() {
  document.getElementById("footer").append(
    el("p", {}, `throughtime ${report.version} · written ${day(instant(report.created))} · this file needs no network`),
  );
}

accuracy();
charts();
reach();
words();
data();
settings();
document.getElementById("report").replaceChildren(masthead(), ...sections.map(({ element }) => element));
contents();
footer();
const target = location.hash.includes("=") ? recall("at") : location.hash.slice(1);
if (target) document.getElementById(target)?.scrollIntoView();
document.documentElement.dataset.ready = "";

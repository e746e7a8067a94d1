// What the pages of all tasks share: head, sections in order, contents, learning, diagnosis, settings.

import { el } from "./dom.js";
import { learningFigure } from "./errors.js";
import { day, instant } from "./format.js";
import { currentTheme, onTheme, recall, setTheme } from "./state.js";
import { commandBox, figures, settingsList } from "./tables.js";

export const report = JSON.parse(document.getElementById("report-data").textContent);
const sections = [];

export function section(id, name, title, ...content) {
  const heading = el("h2", { id: `${id}-title`, tabindex: "-1" }, title);
  sections.push({ id, name, element: el("section", { id, "aria-labelledby": heading.id }, heading, content) });
}

export const lede = (...text) => el("p", { class: "lede" }, text);

export function masthead(eyebrow, facts) {
  const toggle = el("button", { type: "button", class: "theme" });
  const label = () => (toggle.textContent = currentTheme() === "dark" ? "Light" : "Dark");
  toggle.addEventListener("click", () => setTheme(currentTheme() === "dark" ? "light" : "dark"));
  onTheme(label);
  label();
  toggle.setAttribute("aria-label", "Switch between light and dark");
  return el(
    "header",
    {},
    el("div", { class: "eyebrow" }, el("p", {}, eyebrow), toggle),
    el("h1", {}, report.title),
    el("p", { class: "verdict" }, report.verdict.headline),
    report.verdict.detail ? el("p", { class: "verdict second" }, report.verdict.detail) : null,
    figures(report.verdict),
    el("p", { class: "about" }, facts.join(" · ")),
  );
}

export function learning() {
  if (report.history.length > 1) section("learning", "Learning", "How it learnt", lede(learningSentence()), learningFigure(report));
}

function learningSentence() {
  const total = report.history.length;
  const took = `The fit took ${report.fit_time}.`;
  if (report.best_epoch === null) return took;
  return `Validation loss was lowest after epoch ${report.best_epoch} of ${total}; the weights of that epoch are the ones kept. ${took}`;
}

export function words() {
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

export function settings() {
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

export function show(head) {
  document.getElementById("report").replaceChildren(head, ...sections.map(({ element }) => element));
  contents();
  footer();
  const target = location.hash.includes("=") ? recall("at") : location.hash.slice(1);
  if (target) document.getElementById(target)?.scrollIntoView();
  document.documentElement.dataset.ready = "";
}

// Single forecasts: what the network had seen, what it forecast, what came.

import { chart } from "./charts.js";
import { el, tableOnDemand } from "./dom.js";
import { instant, moment, significant, withUnit } from "./format.js";
import { intervalBands, numbersTable, reader } from "./series.js";
import { onRecall, recall, remember } from "./state.js";

// History and forecast in one set of columns, so that one cursor reads both.
function joined(example) {
  const gap = example.history_times.map(() => null);
  const after = (values) => (values.length ? [...gap, ...values] : []);
  return {
    times: [...example.history_times, ...example.times],
    truth: [...example.history_values, ...example.truth],
    forecast: after(example.forecast),
    lower80: after(example.lower80),
    upper80: after(example.upper80),
    lower95: after(example.lower95),
    upper95: after(example.upper95),
  };
}

function meanError(example) {
  const errors = example.times
    .map((_, index) => [example.truth[index], example.forecast[index]])
    .filter(([truth, forecast]) => truth !== null && forecast !== null)
    .map(([truth, forecast]) => Math.abs(truth - forecast));
  return errors.length ? errors.reduce((a, b) => a + b) / errors.length : null;
}

function specOf(example, { target, unit }) {
  const part = joined(example);
  const xs = part.times.map(instant);
  return {
    name: `${target}: forecast issued ${moment(instant(example.origin))}`,
    height: (width) => (width < 560 ? 250 : 300),
    xs,
    x: { kind: "time", domain: [xs[0], xs[xs.length - 1]] },
    y: { title: unit },
    bands: intervalBands(part),
    lines: [
      { ys: part.forecast, className: "k-forecast", label: "forecast", unmarked: example.times.length > 1 },
      { ys: part.truth, className: "k-truth", label: "truth" },
    ],
    rules: [{ at: instant(example.origin), text: "issued" }],
    read: reader(part, xs, unit),
  };
}

export function examplesFigure(examples, context) {
  let chosen = 0;
  const drawn = chart(specOf(examples[0], context));
  const range = el("p", { class: "range", "aria-live": "polite" });
  const slider = el("input", {
    type: "range",
    min: 1,
    max: examples.length,
    step: 1,
    value: 1,
    "aria-label": "Single forecast",
    oninput: () => choose(Number(slider.value) - 1),
  });
  const numbers = tableOnDemand("Single forecast", () => {
    const example = examples[chosen];
    return numbersTable(example, example.times.map(instant), context.unit, 0, example.times.length, `${context.target}, issued ${moment(instant(example.origin))}.`);
  });

  function choose(index, quietly = false) {
    chosen = Math.max(0, Math.min(examples.length - 1, index));
    const example = examples[chosen];
    const issued = moment(instant(example.origin));
    const error = meanError(example);
    slider.value = chosen + 1;
    slider.setAttribute("aria-valuetext", `${chosen + 1} of ${examples.length}, issued ${issued}`);
    range.replaceChildren(
      el("strong", {}, `Issued ${issued}`),
      error === null ? "" : `; mean error ${withUnit(significant(error), context.unit)}`,
    );
    drawn.update(specOf(example, context));
    numbers.refresh();
    if (!quietly) remember("example", chosen ? String(chosen + 1) : null);
  }

  const restore = () => choose((Number.parseInt(recall("example") ?? "1", 10) || 1) - 1, true);
  onRecall(restore);
  restore();
  const several = examples.length > 1;
  const button = (text, name, step) =>
    el("button", { type: "button", title: name, "aria-label": name, onclick: () => choose(chosen + step) }, text);
  const tools = several ? el("div", { class: "tools" }, button("←", "Forecast before", -1), slider, button("→", "Next forecast", 1)) : null;
  return el("div", { class: "examples" }, el("div", { class: "bar" }, range, tools), drawn.readout, drawn.plot, numbers.element);
}

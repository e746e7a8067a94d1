// Text coloured by how little each character was foreseen, and texts that a network wrote.

import { el } from "./dom.js";
import { fixed, percent } from "./format.js";
import { onRecall, recall, remember } from "./state.js";

// Steps of the scale in nats: a shade each, and a mark below the character for the last ones, so that the
// shade is not all that tells them.
const STEPS = [0.25, 0.75, 1.5, 2.5, 4];
const stepOf = (nats) => (nats === null ? "none" : STEPS.filter((step) => nats >= step).length);
const probability = (nats) => percent(Math.exp(-nats));

function sentenceOf(character, nats, unit) {
  const name = { "\n": "line end", " ": "space" }[character] ?? `“${character}”`;
  if (nats === null) return `${name}: not judged`;
  if (unit === "piece") return `${name}: ${fixed(nats, 2)} nats, its share of its piece`;
  return `${name}: probability ${probability(nats)}, ${fixed(nats, 2)} nats`;
}

export function passageOf(passage, readout, unit) {
  const characters = Array.from(passage.text);
  const block = el(
    "p",
    { class: "passage" },
    characters.map((character, index) =>
      el("span", { class: `nats-${stepOf(passage.nats[index])}`, "data-index": index }, character === "\n" ? "↵\n" : character),
    ),
  );
  if (readout) {
    block.addEventListener("pointerover", (event) => {
      const index = event.target.dataset?.index;
      if (index !== undefined) readout.textContent = sentenceOf(characters[index], passage.nats[index], unit);
    });
  }
  return block;
}

export function scaleOfSurprise() {
  const names = ["below 0.25", ...STEPS.slice(0, -1).map((step, index) => `${step}–${STEPS[index + 1]}`), `${STEPS[STEPS.length - 1]} and more`];
  return el(
    "p",
    { class: "surprise-scale" },
    "Nats: ",
    names.map((name, step) => [el("span", { class: `nats-${step}` }, name), " "]),
  );
}

// A passage that can be read by arrow keys too: the readout says what the character under the cursor cost.
export function readablePassage(passage, unit) {
  const characters = Array.from(passage.text);
  const readout = el("p", { class: "readout-line", "aria-live": "polite" }, "Point at a character, or move along the text with the arrow keys.");
  const block = passageOf(passage, readout, unit);
  block.tabIndex = 0;
  block.setAttribute("role", "application");
  block.setAttribute("aria-label", "Passage with the surprise of each character; arrow keys move along it");
  let at = -1;
  block.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 20, ArrowUp: -20 }[event.key];
    if (!step) return;
    event.preventDefault();
    block.querySelector(".here")?.classList.remove("here");
    at = Math.max(0, Math.min(characters.length - 1, at + step));
    const node = block.querySelector(`[data-index="${at}"]`);
    node.classList.add("here");
    readout.textContent = sentenceOf(characters[at], passage.nats[at], unit);
  });
  return el("div", {}, scaleOfSurprise(), block, readout);
}

export function groupOf(group) {
  const item = (passage) => {
    const judged = passage.nats.filter((nats) => nats !== null);
    const mean = judged.reduce((sum, nats) => sum + nats, 0) / judged.length;
    return el("li", {}, passageOf(passage, null), el("p", { class: "note" }, `${fixed(mean, 2)} nats per character`));
  };
  return [el("h3", {}, group.title), el("p", { class: "lede" }, group.text), el("ol", { class: "lines" }, group.passages.map(item))];
}

// Samples by epoch: a slider over the epochs.
export function samplesFigure(samples, best, unit) {
  const range = el("p", { class: "range", "aria-live": "polite" });
  const block = el("pre", { class: "written", tabindex: "0" });
  const slider = el("input", {
    type: "range",
    min: 1,
    max: samples.length,
    step: 1,
    value: samples.length,
    "aria-label": "Epoch of the sample",
    oninput: () => choose(Number(slider.value) - 1),
  });

  function choose(index, quietly = false) {
    const chosen = Math.max(0, Math.min(samples.length - 1, index));
    const sample = samples[chosen];
    const loss = sample.validation_loss === null ? "" : `; validation ${fixed(sample.validation_loss, 3)} nats per ${unit}`;
    slider.value = chosen + 1;
    slider.setAttribute("aria-valuetext", `after epoch ${sample.epoch}`);
    range.replaceChildren(el("strong", {}, `After epoch ${sample.epoch}`), `${loss}${sample.epoch === best ? "; the weights that were kept" : ""}`);
    block.textContent = sample.text;
    if (!quietly) remember("sample", chosen === samples.length - 1 ? null : String(chosen + 1));
  }

  const restore = () => choose((Number.parseInt(recall("sample") ?? String(samples.length), 10) || 1) - 1, true);
  onRecall(restore);
  restore();
  const step = (by) => choose(Number(slider.value) - 1 + by);
  const button = (text, name, by) => el("button", { type: "button", title: name, "aria-label": name, onclick: () => step(by) }, text);
  const tools = samples.length > 1 ? el("div", { class: "tools" }, button("←", "Epoch before", -1), slider, button("→", "Next epoch", 1)) : null;
  return el("div", { class: "examples" }, el("div", { class: "bar" }, range, tools), block);
}


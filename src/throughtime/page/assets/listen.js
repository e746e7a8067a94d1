// One recording as the network heard it: its spectrogram, under it what was written when, and the
// probability of every symbol over time. One cursor runs through all three, by pointer, keyboard or sound.

import { el, scroller, table, tableOnDemand } from "./dom.js";
import { fixed, percent } from "./format.js";
import { paint, scale } from "./heat.js";
import { onRecall, recall, remember } from "./state.js";

const BLANK = "∅";
const named = (symbol) => (symbol === " " ? "␣" : symbol);
const spoken = (symbol) => (symbol === " " ? "the space" : symbol === BLANK ? "the blank" : symbol);
const seconds = (value) => `${fixed(value, 2)}\u00a0s`;
const HINT = "Point at the pictures, or focus them and press ← →, to read values; space plays.";

// The words of the answer; where they differ from what was said, both.
function wordsOf(recording) {
  const told = ([said, answered]) => {
    if (said === answered) return said;
    const text = !answered ? `${said} (left out)` : said ? `${answered} (said: ${said})` : `${answered} (not said)`;
    return el("span", { class: "wrong" }, text);
  };
  return recording.words.flatMap((pair, index) => (index ? [" ", told(pair)] : [told(pair)]));
}

function pathOf(recording) {
  const steps = recording.posterior[0].length;
  return recording.path.map(({ symbol, start, end }) => {
    const node = el("span", { class: "written" }, named(symbol));
    node.style.left = `${(100 * start) / steps}%`;
    node.style.width = `${(100 * (end - start)) / steps}%`;
    return node;
  });
}

function pathTable(recording) {
  return table({
    className: "compact",
    caption: `${recording.name}: what was written when`,
    columns: [{ head: "Symbol" }, { head: "From", number: true }, { head: "To", number: true }],
    rows: recording.path.map(({ symbol, start, end }) => [spoken(symbol), seconds(start * recording.step), seconds(end * recording.step)]),
  });
}

function reading(recording, step) {
  const shares = recording.posterior.map((row, index) => [row[step], recording.symbols[index]]);
  const likely = shares.filter(([share]) => share >= 1).sort((a, b) => b[0] - a[0]).slice(0, 3);
  const here = recording.path.find(({ start, end }) => start <= step && step < end);
  return [
    el("strong", {}, seconds(step * recording.step)),
    " ",
    likely.map(([share, symbol]) => `${spoken(symbol)} ${percent(share / 100, 0)}`).join(", "),
    here ? `; written: ${spoken(here.symbol)}` : "",
  ];
}

export function listen(recordings, highest) {
  let chosen = 0;
  let at = null;
  const picture = el("canvas", { class: "cells", role: "img" });
  const posterior = el("canvas", { class: "cells shares", role: "img" });
  const track = el("div", { class: "track-of-symbols", "aria-hidden": "true" });
  const names = el("div", { class: "row-names", "aria-hidden": "true" });
  const cursors = [0, 1, 2].map(() => el("span", { class: "at", hidden: true }));
  const readout = el("p", { class: "readout", role: "status" });
  const told = el("p", { class: "told" });
  const play = el("button", { type: "button" }, "Play");
  const sound = new Audio();
  const view = el(
    "div",
    { class: "heard", tabindex: "0", role: "application", "aria-roledescription": "recording" },
    el("span", { class: "side top" }, `${fixed(highest / 1000, 1)} kHz`),
    el("div", { class: "lane" }, picture, cursors[0]),
    el("span", { class: "side" }, "written"),
    el("div", { class: "lane" }, track, cursors[1]),
    names,
    el("div", { class: "lane" }, posterior, cursors[2]),
  );
  const select = el("select", { "aria-label": "Recording", onchange: () => choose(Number(select.value)) });
  const groups = [...new Set(recordings.map(({ group }) => group))];
  select.append(
    ...groups.map((group) =>
      el(
        "optgroup",
        { label: group },
        recordings.map((one, index) => (one.group === group ? el("option", { value: index }, `${one.name}, ${percent(one.confidence, 0)} sure`) : null)),
      ),
    ),
  );
  const numbers = tableOnDemand("What was written when", () => pathTable(recordings[chosen]));
  const steps = () => recordings[chosen].posterior[0].length;

  function move(step, byKey = false) {
    at = step === null ? null : Math.max(0, Math.min(steps() - 1, step));
    readout.setAttribute("aria-live", byKey ? "polite" : "off");
    readout.replaceChildren(...(at === null ? [el("span", { class: "quiet" }, HINT)] : reading(recordings[chosen], at)));
    for (const cursor of cursors) {
      cursor.hidden = at === null;
      if (at !== null) cursor.style.left = `${(100 * (at + 0.5)) / steps()}%`;
    }
  }

  function follow() {
    if (sound.paused) return;
    move(Math.floor(sound.currentTime / recordings[chosen].step));
    requestAnimationFrame(follow);
  }

  function toggle() {
    if (!recordings[chosen].sound) return;
    if (sound.paused) sound.play();
    else sound.pause();
  }

  for (const event of ["play", "pause", "ended"]) {
    sound.addEventListener(event, () => {
      play.textContent = sound.paused ? "Play" : "Pause";
      if (!sound.paused) follow();
    });
  }
  play.addEventListener("click", toggle);

  function choose(index, quietly = false) {
    chosen = Math.max(0, Math.min(recordings.length - 1, index));
    const one = recordings[chosen];
    sound.pause();
    if (one.sound) sound.src = `data:audio/wav;base64,${one.sound}`;
    play.disabled = !one.sound;
    play.title = one.sound ? "Play the recording" : "Too long to stand in this page";
    select.value = String(chosen);
    const wrong = one.words.filter(([said, answered]) => said !== answered).length;
    const verdict = wrong === 0 ? "all right" : wrong === 1 ? "1 word wrong" : `${wrong} words wrong`;
    told.replaceChildren(el("strong", {}, wordsOf(one)), el("span", { class: "note" }, `${verdict}, ${percent(one.confidence)} sure`));
    paint(picture, one.spectrogram, (value) => value / 99);
    paint(posterior, one.posterior, (value) => value / 100);
    picture.setAttribute("aria-label", `Spectrogram of ${one.name}, ${seconds(one.seconds)}`);
    posterior.setAttribute("aria-label", `Probability of ${one.symbols.length} symbols over time`);
    view.setAttribute("aria-label", `${one.name} over time`);
    posterior.style.height = `${Math.max(6, 1.05 * one.symbols.length)}rem`;
    names.replaceChildren(...one.symbols.map((symbol) => el("span", {}, named(symbol))));
    track.replaceChildren(...pathOf(one));
    numbers.refresh();
    move(null);
    if (!quietly) remember("recording", chosen ? String(chosen + 1) : null);
  }

  const stepUnder = (event) => {
    const box = picture.getBoundingClientRect();
    return Math.floor(((event.clientX - box.left) / box.width) * steps());
  };
  view.addEventListener("pointermove", (event) => sound.paused && move(stepUnder(event)));
  view.addEventListener("pointerdown", (event) => {
    const step = Math.max(0, Math.min(steps() - 1, stepUnder(event)));
    move(step);
    if (recordings[chosen].sound) sound.currentTime = step * recordings[chosen].step;
  });
  view.addEventListener("pointerleave", () => sound.paused && document.activeElement !== view && move(null));
  view.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const stride = event.shiftKey ? 10 : 1;
    const from = at ?? -1;
    const targets = { ArrowRight: from + stride, ArrowLeft: Math.max(0, from - stride), Home: 0, End: steps() - 1, Escape: null };
    if (event.key === " ") toggle();
    else if (event.key in targets) move(targets[event.key], true);
    else return;
    event.preventDefault();
  });

  const restore = () => choose((Number.parseInt(recall("recording") ?? "1", 10) || 1) - 1, true);
  onRecall(restore);
  restore();
  const other = (text, name, by) => el("button", { type: "button", title: name, "aria-label": name, onclick: () => choose(chosen + by) }, text);
  const tools = el("div", { class: "tools" }, other("←", "Recording before", -1), select, other("→", "Next recording", 1), play);
  return el(
    "div",
    { class: "listening" },
    el("div", { class: "bar" }, tools),
    told,
    readout,
    scroller("Recording", view),
    el("div", { class: "under" }, scale("0 %", "100 %"), el("span", {}, "probability; above, power over 80 dB")),
    numbers.element,
  );
}

// Play, step and slide through all moments.

import { el } from "../dom.js";

const SPEEDS = [
  { name: "slow", wait: 2600 },
  { name: "calm", wait: 1400 },
  { name: "quick", wait: 500 },
  { name: "fast", wait: 120 },
];

function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

const ICONS = {
  start: "M4 4h2v12H4zM16 4v12L7 10z",
  back: "M14 4v12L5 10z",
  play: "M5 3l12 7-12 7z",
  pause: "M5 4h3.5v12H5zM11.5 4H15v12h-3.5z",
  on: "M6 4v12l9-6z",
  end: "M14 4h2v12h-2zM4 4v12l9-6z",
};

export function transport({ move, go, setPlaying }) {
  const button = (name, shape, act) => {
    const node = el("button", { type: "button", "aria-label": name, title: name }, icon(ICONS[shape]));
    node.addEventListener("click", act);
    return node;
  };
  const play = button("Play", "play", () => setPlaying(!playing));
  const slider = el("input", { type: "range", min: "0", max: "1", step: "1", value: "0", "aria-label": "Moment" });
  const speed = el("select", { "aria-label": "Speed" }, SPEEDS.map((entry, index) => el("option", { value: index, selected: index === 1 }, entry.name)));
  const caption = el("p", { class: "caption" });
  const spoken = el("p", { class: "spoken", "aria-live": "polite" });
  slider.addEventListener("input", () => go(Number(slider.value)));
  const element = el(
    "div",
    { class: "transport", role: "group", "aria-label": "Journey through time" },
    el("div", { class: "buttons" }, button("To the beginning", "start", () => go(0)), button("One moment back", "back", () => move(-1)), play, button("One moment on", "on", () => move(1)), button("To the end", "end", () => go(Infinity))),
    slider,
    speed,
    caption,
    spoken,
  );
  let playing = false;
  let timer = 0;

  function tick() {
    if (!playing) return;
    if (!move(1)) return setPlaying(false);
    timer = setTimeout(tick, SPEEDS[speed.value].wait);
  }
  function show(now) {
    playing = now;
    clearTimeout(timer);
    play.replaceChildren(icon(ICONS[playing ? "pause" : "play"]));
    play.setAttribute("aria-label", playing ? "Pause" : "Play");
    play.title = playing ? "Pause" : "Play";
    if (playing) timer = setTimeout(tick, SPEEDS[speed.value].wait);
  }
  let speaking = 0;
  function update({ place, journey }, text, said) {
    slider.max = String(journey.count - 1);
    slider.value = String(place.index);
    slider.setAttribute("aria-valuetext", text);
    element.style.setProperty("--half", `${(100 * journey.steps * journey.F) / Math.max(1, journey.count - 1)}%`);
    caption.textContent = text;
    clearTimeout(speaking);
    speaking = setTimeout(() => (spoken.textContent = said), playing ? 1000 : 250);
  }
  return { element, update, show, isPlaying: () => playing };
}

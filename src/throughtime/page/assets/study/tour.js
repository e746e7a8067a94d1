// The guided tour: a band with one idea, and the page in the state that shows it.

import { el } from "../dom.js";

export function tourBand(chapters, { open, close }) {
  const title = el("h2", {});
  const text = el("p", {});
  const choice = el("select", { "aria-label": "Chapter" }, chapters.map((chapter, index) => el("option", { value: index }, `${index + 1} ${chapter.title}`)));
  const back = el("button", { type: "button" }, "Previous");
  const on = el("button", { type: "button" }, "Next");
  const shut = el("button", { type: "button", class: "close", "aria-label": "Close the tour" }, "×");
  const element = el("section", { class: "tour", "aria-label": "Guided tour", hidden: true }, el("div", { class: "story", "aria-live": "polite" }, title, text), el("div", { class: "tour-tools" }, choice, back, on, shut));
  let current = 0;
  choice.addEventListener("change", () => open(Number(choice.value)));
  back.addEventListener("click", () => open(current - 1));
  on.addEventListener("click", () => open(current + 1));
  shut.addEventListener("click", close);

  function update(index) {
    element.hidden = index === null;
    if (index === null) return;
    current = index;
    if (title.textContent !== chapters[index].title) {
      title.textContent = chapters[index].title;
      text.textContent = chapters[index].text;
    }
    choice.value = String(index);
    back.disabled = index === 0;
    on.disabled = index === chapters.length - 1;
  }
  return { element, update };
}

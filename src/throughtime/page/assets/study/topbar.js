// What is shown: layer, sequence, unit; how: light or dark, panels, export, help.

import { el } from "../dom.js";

function select(name, options, chosen, act) {
  const box = el("select", {}, options.map((text, index) => el("option", { value: index, selected: index === chosen }, text)));
  box.addEventListener("change", () => act(Number(box.value)));
  return { element: el("label", { class: options.length > 1 ? "" : "only" }, el("span", {}, name), box), box };
}

export function topbar({ fields, state, set, toggleTheme, panels, actions, startTour }) {
  const layers = select("layer", fields.layers.map((layer) => layer.label), state.layer, (layer) => set({ layer, unit: 0, input: 0, from: 0 }));
  const sequences = select("sequence", Array.from({ length: fields.layers[0].window.batch }, (_, b) => (fields.sequence_names ?? [])[b] ?? String(b + 1)), state.sequence, (sequence) => set({ sequence }));
  const unit = el("select", {});
  unit.addEventListener("change", () => set({ unit: Number(unit.value) }));
  const theme = el("button", { type: "button", "aria-label": "Switch between light and dark" });
  theme.addEventListener("click", toggleTheme);
  const tour = el("button", { type: "button", class: "tour-button" }, "Tour");
  if (startTour) tour.addEventListener("click", startTour);
  const menu = el(
    "details",
    { class: "menu" },
    el("summary", {}, "Show"),
    el("div", { class: "panel" }, panels.map(({ name, id, toggle }) => {
      const box = el("input", { type: "checkbox", checked: true });
      box.addEventListener("change", () => toggle(box.checked));
      return el("label", { "data-panel": id }, box, ` ${name}`);
    })),
  );
  const more = el(
    "details",
    { class: "menu" },
    el("summary", {}, "Export"),
    el("div", { class: "panel" }, actions.map(({ name, act }) => {
      const node = el("button", { type: "button" }, name);
      node.addEventListener("click", () => {
        more.open = false;
        act();
      });
      return node;
    })),
  );
  const element = el(
    "header",
    { class: "topbar" },
    el("div", { class: "what" }, el("h1", {}, fields.title), el("p", { class: "about" })),
    el("div", { class: "choices" }, layers.element, sequences.element, el("label", {}, el("span", {}, "unit"), unit)),
    el("div", { class: "tools" }, startTour ? tour : null, menu, more, theme),
  );

  function update(now, layer) {
    layers.box.value = String(now.layer);
    sequences.box.value = String(now.sequence);
    if (unit.dataset.count !== String(layer.hidden_size)) {
      unit.dataset.count = String(layer.hidden_size);
      unit.replaceChildren(...Array.from({ length: layer.hidden_size }, (_, k) => el("option", { value: k }, String(k + 1))));
    }
    unit.value = String(now.unit);
    element.querySelector(".about").textContent = [layer.name, `${layer.input_size} inputs`, `${layer.hidden_size} units`, layer.reverse ? "runs backwards" : "", ...fields.facts].filter(Boolean).join(" · ");
    theme.textContent = now.theme === "dark" ? "Light" : "Dark";
    for (const label of menu.querySelectorAll("[data-panel]")) label.firstChild.checked = !now.hidden.includes(label.dataset.panel);
  }
  return { element, update, menus: [menu, more] };
}

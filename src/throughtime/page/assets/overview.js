// The whole test part, small, with the part in view: drag the window, or draw a new one.

import { el, svg } from "./dom.js";
import { extent, linear, runs, touched } from "./scale.js";

export function overview(part, xs, show, currentView) {
  const height = 48;
  const canvas = svg("svg", { "aria-hidden": "true", focusable: "false" });
  const element = el("div", { class: "overview" }, canvas);
  const shade = svg("rect", { class: "window", y: 0.5, height: height - 1, rx: 3 });
  let x = null;
  let drag = null;

  const drawWindow = () => {
    if (!x) return;
    const [from, to] = currentView();
    shade.setAttribute("x", x(from));
    shade.setAttribute("width", Math.max(4, x(to) - x(from)));
  };
  const drawAll = () => {
    const width = element.clientWidth;
    if (width < 40) return;
    x = linear([xs[0], xs[xs.length - 1]], [1, width - 1]);
    const y = linear(extent([part.truth]) ?? [0, 1], [height - 5, 5]);
    const lines = runs(xs, [part.truth], 0, xs.length, Infinity).map((run) =>
      touched(run, xs, part.truth, x)
        .map((index, place) => `${place ? "L" : "M"}${x(xs[index]).toFixed(1)} ${y(part.truth[index]).toFixed(1)}`)
        .join(""),
    );
    canvas.setAttribute("viewBox", `0 0 ${width} ${height}`);
    canvas.replaceChildren(svg("path", { class: "trace", d: lines.join("") }), shade);
    drawWindow();
  };

  const at = (event) => x.invert(event.clientX - element.getBoundingClientRect().left);
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !x) return;
    const [from, to] = currentView();
    const inside = at(event) >= from && at(event) <= to;
    drag = { start: at(event), from, to, inside };
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const moved = at(event) - drag.start;
    if (drag.inside) show(drag.from + moved, drag.to + moved);
    else if (moved !== 0) show(Math.min(drag.start, at(event)), Math.max(drag.start, at(event)));
  });
  element.addEventListener("pointerup", (event) => {
    if (drag && !drag.inside && at(event) === drag.start) {
      const half = (drag.to - drag.from) / 2;
      show(drag.start - half, drag.start + half);
    }
    drag = null;
  });
  element.addEventListener("pointercancel", () => (drag = null));
  new ResizeObserver(drawAll).observe(element);
  return { element, draw: drawWindow };
}

// One drawing engine. A drawing declares wires and nodes by id; the journey says which of them are lit and known.

import { svg, uniqueId } from "../dom.js";
import { share } from "./palette.js";
import { onWire } from "./numbers.js";

const CHIP = { height: 27, letter: 9.5 };

// spec: a Drawing, see page/study/drawing.py.
export function drawDiagram(spec, hub, lacks) {
  const ghost = (part) => part.needs.some((need) => lacks.includes(need));
  const marker = uniqueId("arrow");
  const wires = drawWires(spec, ghost, marker, hub);
  const nodes = spec.nodes.map((node) => drawNode(node, ghost(node), hub));
  const chips = spec.chips.filter((chip) => !ghost(chip)).map(drawChip);
  const texts = spec.labels.map((text) =>
    svg("text", { class: `label ${text.kind} ${ghost(text) ? "ghost" : ""}`, x: text.x, y: text.y, "text-anchor": text.anchor }, text.text),
  );
  const element = svg(
    "svg",
    { class: `diagram ${spec.id}`, viewBox: `0 0 ${spec.box[0]} ${spec.box[1]}`, role: "img", "aria-label": spec.name },
    svg("defs", {}, arrowHead(marker)),
    svg("g", { class: "wires" }, Object.values(wires).map((wire) => wire.element)),
    svg("g", { class: "nodes" }, nodes.map((node) => node.element)),
    svg("g", { class: "labels" }, texts),
    svg("g", { class: "chips" }, chips.map((chip) => chip.element)),
  );

  function update(context) {
    const backward = context.place.phase === "backward";
    element.classList.toggle("backward", backward);
    for (const wire of Object.values(wires)) wire.update(context, backward);
    for (const node of nodes) node.update(context, backward);
    for (const chip of chips) chip.update(context, backward);
  }

  return { element, update };
}

function arrowHead(id) {
  return svg(
    "marker",
    { id, viewBox: "0 0 10 10", refX: 8, refY: 5, markerWidth: 10, markerHeight: 10, markerUnits: "userSpaceOnUse", orient: "auto-start-reverse" },
    svg("path", { d: "M0 0.8L9 5L0 9.2z", fill: "context-stroke" }),
  );
}

function drawWires(spec, ghost, marker, hub) {
  const wires = {};
  for (const [id, wire] of Object.entries(spec.wires)) {
    const missing = ghost(wire);
    const line = svg("path", { class: "line", d: wire.d });
    if (wire.arrow !== false && !missing) line.setAttribute("marker-end", `url(#${marker})`);
    const touch = svg("path", { class: "touch", d: wire.d });
    const element = svg("g", { class: `wire ${wire.kind}${missing ? " ghost" : ""}`, "data-wire": id }, line, touch);
    touch.addEventListener("pointerenter", () => hub.point([id], "drawing"));
    touch.addEventListener("pointerleave", () => hub.point([], "drawing"));
    hub.onPoint((ids) => element.classList.toggle("pointed", ids.includes(id)));
    wires[id] = { element, update: (context, backward) => updateWire(wire, id, line, element, missing, marker, context, backward) };
  }
  return wires;
}

function updateWire(wire, id, line, element, missing, marker, context, backward) {
  const lit = !missing && context.lit.has(id);
  element.classList.toggle("lit", lit);
  element.classList.toggle("result", !missing && context.results.has(id));
  if (missing) return;
  if (wire.arrow !== false) {
    line.setAttribute(backward ? "marker-start" : "marker-end", `url(#${marker})`);
    line.removeAttribute(backward ? "marker-end" : "marker-start");
  }
  const carried = backward ? wire.error : wire.value;
  const number = carried ? context.read(carried) : null;
  element.classList.toggle("unknown", carried !== null && number === null);
  if (number === null) {
    line.style.removeProperty("stroke");
    line.style.removeProperty("stroke-width");
    return;
  }
  const kind = backward ? "error" : "value";
  const scale = context.scale(carried.name);
  if (!wire.kind.startsWith("peephole")) line.style.stroke = context.palette.stroke(number, scale, kind);
  line.style.strokeWidth = String((wire.width || 1.5) + 3.5 * Math.abs(share(number, scale, kind)));
}

function drawNode(node, missing, hub) {
  const element = svg("g", { class: `node ${node.kind}${missing ? " ghost" : ""}`, transform: `translate(${node.x} ${node.y})` });
  const number = svg("text", { class: "number", y: 21, "text-anchor": "middle" });
  if (node.kind === "gate") {
    const [width, height] = [104, 70];
    element.append(
      svg("rect", { x: -width / 2, y: -height / 2, width, height, rx: 6 }),
      svg("text", { class: "title", y: -7, "text-anchor": "middle" }, svg("tspan", { class: "function" }, `${node.function} `), svg("tspan", { class: "letter" }, node.letter)),
      number,
    );
  } else if (node.kind === "squash") {
    element.append(svg("rect", { x: -30, y: -17, width: 60, height: 34, rx: 5 }), svg("text", { class: "function", y: 5, "text-anchor": "middle" }, node.letter));
  } else if (node.kind === "cell") {
    element.append(svg("circle", { r: 54 }), svg("text", { class: "letter", y: -16, "text-anchor": "middle" }, node.letter), number);
    number.setAttribute("y", 14);
  } else if (node.kind === "dot") {
    element.append(svg("circle", { r: 5 }));
  } else {
    element.append(svg("circle", { r: 17 }));
    const sign = node.kind === "times" ? "M-7 -7L7 7M-7 7L7 -7" : "M-9 0H9M0 -9V9";
    element.append(node.kind === "times" ? svg("circle", { class: "core", r: 3.5 }) : svg("path", { class: "sign", d: sign }));
  }
  if (node.moments.forward && !missing) {
    element.classList.add("link");
    element.addEventListener("click", () => hub.jump(node.moments));
  }
  function update(context, backward) {
    const { wires } = node;
    element.classList.toggle("lit", !missing && wires.some((id) => context.lit.has(id) || context.results.has(id)));
    const read = node.value && !missing ? (backward ? node.error : node.value) : null;
    const found = read ? context.read(read) : null;
    element.classList.toggle("unknown", Boolean(read) && found === null);
    number.textContent = found === null ? "" : onWire(found);
    if (node.kind === "cell") paint(element.firstChild, number, found, read?.name, backward, context);
  }
  return { element, update };
}

function paint(shape, text, number, name, backward, context) {
  if (number === null) {
    shape.style.removeProperty("fill");
    text.style.removeProperty("fill");
    return;
  }
  const kind = backward ? "error" : "value";
  shape.style.fill = context.palette.fill(number, context.scale(name), kind);
  const ink = context.palette.text(number, context.scale(name), kind);
  text.style.fill = ink;
}

function drawChip(chip) {
  const rect = svg("rect", { height: CHIP.height, y: -CHIP.height / 2, rx: 5 });
  const name = svg("tspan", { class: "name" });
  const number = svg("tspan", {}, "");
  const text = svg("text", { y: 6, "text-anchor": "middle" }, name, number);
  const element = svg("g", { class: "chip", transform: `translate(${chip.x} ${chip.y})` }, rect, text);

  function update(context, backward) {
    const errors = backward && chip.error;
    const read = errors ? chip.error : chip.value;
    const found = read ? context.read(read) : null;
    const muted = backward && !chip.error;
    const label = errors ? chip.error_label : chip.label;
    element.classList.toggle("absent", !read);
    element.classList.toggle("unknown", found === null);
    element.classList.toggle("muted", muted);
    element.classList.toggle("fresh", found !== null && !muted && (context.results.has(chip.wire) || context.lit.has(chip.wire)));
    name.textContent = `${label} `;
    number.textContent = found === null ? "" : onWire(found);
    const width = Math.max(30, (label.normalize("NFC").replace(/[\u0300-\u036f]/g, "").length + 1 + number.textContent.length) * CHIP.letter + 10);
    rect.setAttribute("width", width);
    rect.setAttribute("x", -width / 2);
    const plain = found === null || muted;
    const kind = errors ? "error" : "value";
    rect.style.fill = plain ? "" : context.palette.fill(found, context.scale(read.name), kind);
    text.style.fill = plain ? "" : context.palette.text(found, context.scale(read.name), kind);
  }
  return { element, update };
}

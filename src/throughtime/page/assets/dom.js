// Elements by one short call. Text always becomes a text node, so nothing in the data is read as markup.

const SVG = "http://www.w3.org/2000/svg";

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

export function el(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

let serial = 0;

export function uniqueId(stem) {
  serial += 1;
  return `${stem}-${serial}`;
}

// A table whose first column names the row. columns: [{head, number, title}], rows: [[text or node]].
export function table({ caption, columns, rows, className = "" }) {
  const kind = (column) => (column.number ? "number" : null);
  return el(
    "table",
    { class: className },
    caption ? el("caption", {}, caption) : null,
    el("thead", {}, el("tr", {}, columns.map((column) => el("th", { scope: "col", class: kind(column) }, column.head)))),
    el(
      "tbody",
      {},
      rows.map((row) =>
        el(
          "tr",
          {},
          row.map((cell, index) =>
            index === 0
              ? el("th", { scope: "row", class: kind(columns[index]) }, cell)
              : el("td", { class: kind(columns[index]) }, cell),
          ),
        ),
      ),
    ),
  );
}

// Lets a wide table scroll by itself, by keyboard too, instead of the whole page.
export function scroller(name, ...children) {
  return el("div", { class: "scroller", role: "region", "aria-label": name, tabindex: "0" }, children);
}

// A table that is built when somebody asks for it.
export function tableOnDemand(name, build) {
  const body = el("div", {});
  const details = el("details", { class: "as-table" }, el("summary", {}, "As table"), body);
  const refresh = () => {
    if (details.open) body.replaceChildren(scroller(`${name}, as table`, build()));
  };
  details.addEventListener("toggle", refresh);
  return { element: details, refresh };
}

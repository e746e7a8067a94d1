// Symbols of the equations as MathML.

const MATH = "http://www.w3.org/1998/Math/MathML";
const TIMES = { "-1": ["t", "−", "1"], 0: ["t"], 1: ["t", "+", "1"] };

export function math(tag, attributes, ...children) {
  const node = document.createElementNS(MATH, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

const MARKS = { hat: "^", tilde: "~" };
const COMBINING = { hat: "\u0302", tilde: "\u0303" };

const mi = (text) => math("mi", {}, text);
const mo = (text) => math("mo", {}, text);
const mn = (text) => math("mn", {}, text);

function time(shift) {
  const [t, sign, one] = TIMES[shift];
  return math("mrow", {}, mo("("), mi(t), sign ? [mo(sign), mn(one)] : null, mo(")"));
}

function letter(symbol) {
  let base = /^\d/.test(symbol.name) ? mn(symbol.name) : mi(symbol.name);
  if (symbol.bar) base = math("mover", {}, base, math("mo", { stretchy: "false", class: "bar" }, "‾"));
  if (symbol.mark) base = math("mover", {}, base, math("mo", { stretchy: "false" }, MARKS[symbol.mark]));
  if (symbol.sub && symbol.transposed) base = math("msubsup", {}, base, mi(symbol.sub), mo("⊤"));
  else if (symbol.sub) base = math("msub", {}, base, mi(symbol.sub));
  else if (symbol.transposed) base = math("msup", {}, base, mo("⊤"));
  return symbol.error ? math("mrow", {}, mi("δ"), base) : base;
}

export function symbolNode(symbol) {
  const inner = math("mrow", {}, letter(symbol), symbol.time === undefined ? null : time(symbol.time));
  if (!symbol.function) return inner;
  const [name, prime] = symbol.function.split("′");
  const head = prime === undefined ? mi(name) : math("msup", {}, mi(name), mo("′"));
  return math("mrow", {}, head, mo("("), inner, mo(")"));
}

// One factor after the other, a ⊙ between elementwise products.
export function factorsNode(factors) {
  const nodes = factors.map((factor) => math("mrow", {}, factor.symbols.map(symbolNode)));
  return nodes.flatMap((node, index) => (index ? [mo("⊙"), node] : [node]));
}

export function formula(...children) {
  return math("math", {}, children);
}

const PLAIN = { "-1": "(t−1)", 0: "(t)", 1: "(t+1)" };

// The same symbol as plain text, for names read aloud and small labels.
export function symbolText(symbol) {
  const bar = symbol.bar ? "\u0304" : (COMBINING[symbol.mark] ?? "");
  const sub = symbol.sub ? `_${symbol.sub}` : "";
  const shift = symbol.time === undefined ? "" : PLAIN[symbol.time];
  const text = `${symbol.error ? "δ" : ""}${symbol.name}${bar}${sub}${symbol.transposed ? "ᵀ" : ""}${shift}`;
  return symbol.function ? `${symbol.function}(${text})` : text;
}

// Colours of numbers: values from purple over grey to orange, errors from blue over grey to red.
// Both pairs stay apart for the common colour blindnesses; the number is always printed too.

const ENDS = {
  light: { value: ["#5b3a99", "#c2510a"], error: ["#1763a6", "#b3202c"], zero: "#eef0f2", wire: "#8b939c", dark: "#ffffff", ink: "#16191d" },
  dark: { value: ["#b9a0ec", "#f5a25a"], error: ["#7ab8f0", "#f58a85"], zero: "#23282e", wire: "#78818b", dark: "#101316", ink: "#eceff2" },
};

const parse = (hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
const mix = (from, to, share) => from.map((part, index) => Math.round(part + (to[index] - part) * share));
const css = ([red, green, blue]) => `rgb(${red} ${green} ${blue})`;

function luminance(rgb) {
  const [red, green, blue] = rgb.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const contrast = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);

// Share of the scale in [-1, 1]; errors by square root, since they span decades.
export function share(value, scale, kind) {
  const ratio = scale > 0 ? Math.max(-1, Math.min(1, value / scale)) : 0;
  return kind === "error" ? Math.sign(ratio) * Math.sqrt(Math.abs(ratio)) : ratio;
}

export function makePalette(theme) {
  const ends = ENDS[theme];
  const tables = {};
  for (const kind of ["value", "error"]) {
    const [low, high] = ends[kind].map(parse);
    const zero = parse(ends.zero);
    tables[kind] = Array.from({ length: 257 }, (_, index) => {
      const at = (index - 128) / 128;
      return mix(zero, at < 0 ? low : high, Math.abs(at));
    });
  }
  const wires = { value: ends.value.map(parse), error: ends.error.map(parse) };
  const wire = parse(ends.wire);
  const texts = [parse(ends.ink), parse(ends.dark)].map((rgb) => ({ css: css(rgb), luminance: luminance(rgb) }));
  const rgb = (value, scale, kind) => tables[kind][Math.round(128 + 128 * share(value, scale, kind))];
  return {
    rgb,
    fill: (value, scale, kind) => css(rgb(value, scale, kind)),
    text(value, scale, kind) {
      const ground = luminance(rgb(value, scale, kind));
      return texts.reduce((a, b) => (contrast(a.luminance, ground) >= contrast(b.luminance, ground) ? a : b)).css;
    },
    stroke(value, scale, kind) {
      const at = share(value, scale, kind);
      return css(mix(wire, wires[kind][at < 0 ? 0 : 1], Math.min(1, 0.25 + Math.abs(at))));
    },
    legend: (kind) => Array.from({ length: 33 }, (_, index) => css(tables[kind][index * 8])),
  };
}

// Numbers as the study page prints them: three significant digits, a true minus sign, one width for digits.

const MINUS = "\u2212";
const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

export function shown(value, figures = 3) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e5) {
    const [mantissa, power] = value.toExponential(figures - 1).split("e");
    const raised = [...String(Number(power))].map((digit) => RAISED[digit]).join("");
    return `${mantissa.replace("-", MINUS)}×10${raised}`;
  }
  const exponent = Math.floor(Math.log10(Number(size.toPrecision(figures))));
  return value.toFixed(Math.min(6, Math.max(0, figures - 1 - exponent))).replace("-", MINUS);
}

// Short enough to stand on a wire: three digits, two for small numbers.
export function onWire(value) {
  return shown(value, Math.abs(value) < 0.01 ? 2 : 3);
}

// In brackets where it follows a sign or a dot.
export function bracketed(value, figures = 3) {
  const text = shown(value, figures);
  return text.startsWith(MINUS) ? `(${text})` : text;
}

export function plural(count, word) {
  return `${count.toLocaleString("en-GB")} ${word}${count === 1 ? "" : "s"}`;
}

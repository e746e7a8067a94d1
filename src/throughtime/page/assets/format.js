// Numbers, shares and times as people read them.

export const NBSP = "\u00a0";
const MINUS = "\u2212";
const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export function fixed(value, decimals) {
  if (value === null || value === undefined) return "–";
  const text = Math.abs(value).toLocaleString("en-GB", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

// Decimals that show `size` with that many significant figures.
export function decimalsFor(size, figures = 3) {
  if (!(size > 0)) return 0;
  const exponent = Math.floor(Math.log10(Number(size.toPrecision(figures))));
  return Math.min(12, Math.max(0, figures - 1 - exponent));
}

export function significant(value, figures = 3) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size > 0 && (size < 1e-4 || size >= 1e9)) {
    const [mantissa, power] = value.toExponential(figures - 1).split("e");
    const raised = [...String(Number(power))].map((digit) => RAISED[digit]).join("");
    return `${mantissa.replace("-", MINUS)}×10${raised}`;
  }
  return fixed(value, decimalsFor(size, figures));
}

export function signed(value, decimals) {
  const text = fixed(value, decimals);
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

export function percent(share, decimals = 1) {
  return share === null || share === undefined ? "–" : `${fixed(100 * share, decimals)}${NBSP}%`;
}

export function count(value) {
  return fixed(value, 0);
}

export function withUnit(text, unit) {
  return unit ? `${text}${NBSP}${unit}` : text;
}

// Milliseconds of an ISO text. Without an offset it is the wall clock of the data, kept as it is.
export function instant(text) {
  return Date.parse(text.endsWith("Z") ? text : `${text}Z`);
}

const two = (value) => String(value).padStart(2, "0");

export function clock(at) {
  const time = new Date(at);
  const seconds = time.getUTCSeconds();
  return `${two(time.getUTCHours())}:${two(time.getUTCMinutes())}${seconds ? `:${two(seconds)}` : ""}`;
}

export function dayMonth(at) {
  const time = new Date(at);
  return `${time.getUTCDate()}${NBSP}${MONTHS[time.getUTCMonth()]}`;
}

export function month(at) {
  return MONTHS[new Date(at).getUTCMonth()];
}

export function year(at) {
  return String(new Date(at).getUTCFullYear());
}

export function day(at) {
  return `${dayMonth(at)}${NBSP}${year(at)}`;
}

export function moment(at) {
  return `${DAYS[new Date(at).getUTCDay()]} ${day(at)}, ${clock(at)}`;
}

export function span(from, to) {
  if (to - from < 3 * DAY) return `${day(from)}, ${clock(from)} to ${day(to)}, ${clock(to)}`;
  return year(from) === year(to) ? `${dayMonth(from)} to ${day(to)}` : `${day(from)} to ${day(to)}`;
}

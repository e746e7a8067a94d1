// From values to pixels: scales, round ticks, paths that stay short, labels that keep apart.

import { DAY, HOUR, clock, dayMonth, month, year } from "./format.js";

export function linear([from, to], [start, end]) {
  const factor = to === from ? 0 : (end - start) / (to - from);
  const scale = (value) => start + (value - from) * factor;
  scale.invert = (pixel) => (factor === 0 ? from : from + (pixel - start) / factor);
  return scale;
}

export function extent(columns) {
  let low = Infinity;
  let high = -Infinity;
  for (const column of columns) {
    for (const value of column) {
      if (value === null || value === undefined) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low > high ? null : [low, high];
}

// Round values from at or below `low` to at or above `high`, about `wanted` of them.
export function niceTicks(low, high, wanted) {
  if (low === high) {
    const margin = Math.abs(low) * 0.1 || 1;
    return niceTicks(low - margin, high + margin, wanted);
  }
  const raw = (high - low) / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw * 0.999);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
  const decimals = Math.min(12, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  return { ticks: ticks.map((tick) => Number(tick.toFixed(decimals))), decimals };
}

const MINUTE = HOUR / 60;
const EVEN_STEPS = [1, 5, 15, 30].map((n) => n * MINUTE).concat([1, 3, 6, 12].map((n) => n * HOUR), [DAY, 2 * DAY]);

function monthStarts(from, to, months) {
  const first = new Date(from);
  const ticks = [];
  for (let index = 0; ticks.length < 400; index += months) {
    const start = first.getUTCMonth() - (first.getUTCMonth() % Math.min(12, months)) + index;
    const at = Date.UTC(first.getUTCFullYear() - (months > 12 ? first.getUTCFullYear() % (months / 12) : 0), start, 1);
    if (at > to) break;
    if (at >= from) ticks.push(at);
  }
  return ticks;
}

function weekStarts(from, to) {
  const monday = 4 * DAY;
  const ticks = [];
  for (let at = Math.ceil((from - monday) / (7 * DAY)) * 7 * DAY + monday; at <= to; at += 7 * DAY) ticks.push(at);
  return ticks;
}

function timeTickPlaces(from, to, wanted) {
  const raw = (to - from) / Math.max(1, wanted);
  const even = EVEN_STEPS.find((step) => step >= raw);
  if (even) {
    const first = Math.ceil(from / even) * even;
    return Array.from({ length: Math.floor((to - first) / even) + 1 }, (_, index) => first + index * even);
  }
  if (raw <= 7 * DAY) return weekStarts(from, to);
  const months = [1, 3, 6, 12, 24, 60, 120, 240, 600].find((n) => n * 30.4 * DAY >= raw) ?? 1200;
  return monthStarts(from, to, months);
}

// [{at, text, context}]: the text names what changes from tick to tick, the context what does not.
export function timeTicks(from, to, wanted) {
  const places = timeTickPlaces(from, to, wanted);
  const step = places.length > 1 ? places[1] - places[0] : to - from;
  let known = "";
  return places.map((at) => {
    const text = step < DAY ? clock(at) : step < 27 * DAY ? dayMonth(at) : step < 360 * DAY ? month(at) : year(at);
    const context = step < DAY ? dayMonth(at) : step < 360 * DAY ? year(at) : "";
    const shown = context === known ? "" : context;
    known = context;
    return { at, text, context: shown };
  });
}

export function typicalStep(xs) {
  const steps = [];
  const stride = Math.max(1, Math.floor(xs.length / 500));
  for (let index = 1; index < xs.length; index += stride) steps.push(xs[index] - xs[index - 1]);
  steps.sort((a, b) => a - b);
  return steps.length ? steps[Math.floor(steps.length / 2)] : 1;
}

// First index with xs[index] >= value.
export function lowerBound(xs, value) {
  let low = 0;
  let high = xs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function nearest(xs, value) {
  const after = Math.min(xs.length - 1, lowerBound(xs, value));
  return after > 0 && value - xs[after - 1] < xs[after] - value ? after - 1 : after;
}

// Runs of indices without a gap in any of the columns nor, beyond `longest`, in xs.
export function runs(xs, columns, first, last, longest) {
  const found = [];
  let run = null;
  for (let index = first; index < last; index += 1) {
    const gap = columns.some((column) => column[index] === null || column[index] === undefined);
    if (gap || (run && xs[index] - xs[index - 1] > longest)) run = null;
    if (gap) continue;
    if (!run) found.push((run = []));
    run.push(index);
  }
  return found;
}

// For each column of pixels the run's indices that a line through all of them would touch.
export function touched(run, xs, ys, x) {
  const kept = [];
  let start = 0;
  while (start < run.length) {
    const column = Math.floor(x(xs[run[start]]));
    let stop = start + 1;
    while (stop < run.length && Math.floor(x(xs[run[stop]])) === column) stop += 1;
    const group = run.slice(start, stop);
    const least = group.reduce((a, b) => (ys[b] < ys[a] ? b : a));
    const most = group.reduce((a, b) => (ys[b] > ys[a] ? b : a));
    kept.push(...new Set([group[0], ...[least, most].sort((a, b) => a - b), group[group.length - 1]]));
    start = stop;
  }
  return kept;
}

// Positions moved as little as needed to lie `gap` apart within [low, high]; same order as given.
export function keptApart(positions, gap, low, high) {
  const order = positions.map((at, index) => ({ at, index })).sort((a, b) => a.at - b.at);
  let floor = low;
  for (const entry of order) {
    entry.at = Math.max(entry.at, floor);
    floor = entry.at + gap;
  }
  let ceiling = high;
  for (const entry of [...order].reverse()) {
    entry.at = Math.min(entry.at, ceiling);
    ceiling = entry.at - gap;
  }
  const moved = [];
  for (const entry of order) moved[entry.index] = entry.at;
  return moved;
}

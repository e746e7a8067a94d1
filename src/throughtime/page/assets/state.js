// What the reader has set, kept in the address after "#", so that a link shows the same view.

const listeners = [];
let values = read();
let pending = 0;

function read() {
  const text = location.hash.slice(1);
  return text.includes("=") ? new URLSearchParams(text) : new URLSearchParams();
}

export function recall(name) {
  return values.get(name);
}

export function remember(name, value) {
  if (value === null || value === "") values.delete(name);
  else values.set(name, value);
  clearTimeout(pending);
  pending = setTimeout(() => {
    const text = values.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  }, 200);
}

export function onRecall(listener) {
  listeners.push(listener);
}

addEventListener("hashchange", () => {
  if (!location.hash.includes("=")) return;
  values = read();
  for (const listener of listeners) listener();
});

// Light or dark: as the system says until the reader chooses.
const THEME = "throughtime-theme";

function stored() {
  try {
    return localStorage.getItem(THEME);
  } catch {
    return null; // A file opened from disk may have no storage.
  }
}

function store(theme) {
  try {
    localStorage.setItem(THEME, theme);
  } catch {
    return;
  }
}

const dark = matchMedia("(prefers-color-scheme: dark)");
let chosen = stored();
const themed = [];

export function currentTheme() {
  return document.documentElement.dataset.theme;
}

export function onTheme(listener) {
  themed.push(listener);
}

export function setTheme(theme) {
  chosen = theme;
  store(theme);
  applyTheme();
}

function applyTheme() {
  const known = chosen === "light" || chosen === "dark";
  document.documentElement.dataset.theme = known ? chosen : dark.matches ? "dark" : "light";
  for (const listener of themed) listener();
}

dark.addEventListener("change", applyTheme);
applyTheme();

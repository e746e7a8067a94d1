// The whole state of the page in the address after "#", so that a link shows a class the same picture.

export function makeAddress(enabled) {
  let pending = 0;
  let listener = () => {};
  let written = "";

  function read() {
    return enabled ? new URLSearchParams(location.hash.slice(1)) : new URLSearchParams();
  }

  function write(fields) {
    if (!enabled) return;
    const text = new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== null && value !== "")).toString();
    clearTimeout(pending);
    const seen = location.hash;
    pending = setTimeout(() => {
      if (location.hash !== seen) return; // the reader has gone elsewhere, and the event that says so is on its way
      written = `#${text}`;
      history.replaceState(null, "", written);
    }, 120);
  }

  if (enabled) {
    addEventListener("hashchange", () => {
      if (location.hash !== written) listener(read());
    });
  }
  return { read, write, onChange: (next) => (listener = next) };
}

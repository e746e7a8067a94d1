// The recording in the page: arrays decoded when they are first read, and one layer seen by name and time step.

export function makeStore(fields, bytesOf) {
  const decoded = new Map();
  function array(reference) {
    if (!decoded.has(reference.id)) {
      const bytes = bytesOf(reference.id);
      decoded.set(reference.id, new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4));
    }
    return decoded.get(reference.id);
  }
  // Other numbers for the same page.
  function replace(next) {
    decoded.clear();
    Object.assign(fields, next.fields);
    bytesOf = next.bytesOf;
  }
  return { fields, array, replace };
}

export function bytesFromText(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

// Bytes of a base64 script element of this document.
export function bytesFromElements(root) {
  return (id) => bytesFromText(root.querySelector(`script[data-array="${id}"]`).textContent);
}

// One layer. Time steps are counted from 0 as in the recording; "before" and "after" follow its direction.
export function openLayer(store, layer) {
  const H = layer.hidden_size;
  const cut = new Set(layer.cuts);
  const { first, start, batch } = layer.window;

  const length = (b) => Math.max(0, layer.lengths[b] - first);
  const timeOf = (s, b) => (layer.reverse ? layer.lengths[b] - 1 - s : first + s);
  const placeOf = (t, b) => (layer.reverse ? layer.lengths[b] - 1 - t : t - first);
  const within = (t, b) => (t >= 0 && t < layer.lengths[b] ? t : null);
  const before = (t, b) => within(layer.reverse ? t + 1 : t - 1, b);
  const after = (t, b) => within(layer.reverse ? t - 1 : t + 1, b);
  const severed = (t) => cut.has(layer.reverse ? t : t + 1);

  const array = (name) => store.array(layer.arrays[name]);
  const size = (name) => layer.arrays[name].shape[2];

  // Where a vector of (size) numbers begins: {data, from}; null where it is zero.
  function vector(name, shift, t, b) {
    const n = layer.arrays[name]?.shape[2] ?? H;
    let at = t;
    if (shift < 0) at = before(t, b);
    if (shift > 0) at = severed(t) ? null : after(t, b);
    if (at !== null) return { data: array(name), from: ((at - start) * batch + b) * n, size: n };
    if (shift < 0 && layer.initial[name]) return { data: store.array(layer.initial[name]), from: b * H, size: n };
    return null;
  }

  function value(name, shift, t, b, k) {
    const found = vector(name, shift, t, b);
    return found ? found.data[found.from + k] : 0;
  }

  const isLast = (t, b) => after(t, b) === null;
  const final = (name, b, k) => (layer.final[name] ? store.array(layer.final[name])[b * H + k] : 0);
  const parameter = (name) => ({ data: store.array(layer.parameters[name]), shape: layer.parameters[name].shape });
  const has = (name) => name in layer.arrays;

  // A tensor attached to the recording, one number for each time step and sequence; null where there is none.
  function attached(name, t, b) {
    const reference = layer.attached[name];
    return reference?.shape.length === 2 ? store.array(reference)[(t - start) * batch + b] : null;
  }

  return { attached, layer, H, length, timeOf, placeOf, before, after, severed, array, size, vector, value, isLast, final, parameter, has };
}

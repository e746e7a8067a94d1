// What every pane is told when the reader has moved: where they stand, what is known and lit, how to read a number.

export function contextOf({ store, view, journey, palette, hub, set, state }) {
  const place = journey.position(state.index);
  const moment = journey.moment(place);
  const { layer } = view;
  const context = {
    store,
    view,
    layer,
    journey,
    place,
    moment,
    palette,
    hub,
    set,
    t: place.t,
    b: state.sequence,
    k: Math.min(state.unit, view.H - 1),
    input: state.input,
    from: state.from,
    other: state.other,
    names: layer.input_names,
    isKnown: (name, t) => journey.isKnown(name, t, place),
    scale: (name) => layer.scales[name] ?? 1,
    weightScale: (name) => layer.weight_scales[name] ?? 1,
    lit: new Set(moment.lines.flatMap((line) => line.terms.flatMap((term) => term.wires))),
    results: new Set(moment.lines.flatMap((line) => line.wires)),
  };
  context.read = reader(context);
  return context;
}

// A number of the drawing, or null while it is not known.
function reader({ view, t, b, k, input, isKnown }) {
  const one = (name, shift, unit) => {
    if (!view.has(name)) return 1;
    const at = shift === 0 ? t : shift < 0 ? view.before(t, b) : view.after(t, b);
    if (at === null && shift > 0) return null;
    if (!isKnown(name, at)) return null;
    return view.value(name, shift, t, b, unit);
  };
  return (read) => {
    if (!read.product.length) return one(read.name, read.time, read.input ? Math.min(input, view.layer.input_size - 1) : k);
    const factors = read.product.map((name, index) => one(name, read.times[index], k));
    return factors.includes(null) ? null : factors.reduce((a, b) => a * b, 1);
  };
}

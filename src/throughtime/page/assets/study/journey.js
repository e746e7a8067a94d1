// Where the reader stands: forward through time, J, backward through time, the update. One number each.

// What h sees: with layer normalisation u, with zoneout the cell before it.
const SEEN = ["u", "c_tilde", "c"];

export function makeJourney(view, b) {
  const { forward, backward } = view.layer.journey;
  const steps = view.length(b);
  const F = forward.length;
  const B = backward.length;
  const atLoss = steps * F;
  const atUpdate = atLoss + 1 + steps * B;
  const count = !steps ? 1 : B ? atUpdate + 1 : atLoss + 1;

  function position(index) {
    const clamped = Math.min(Math.max(0, index), count - 1);
    if (clamped < atLoss) {
      const s = Math.floor(clamped / F);
      return { index: clamped, phase: "forward", s, m: clamped % F, t: view.timeOf(s, b) };
    }
    if (clamped === atLoss) return { index: clamped, phase: "loss", s: steps - 1, m: 0, t: view.timeOf(steps - 1, b) };
    if (clamped === atUpdate) return { index: clamped, phase: "update", s: 0, m: 0, t: view.timeOf(0, b) };
    const gone = clamped - atLoss - 1;
    const s = steps - 1 - Math.floor(gone / B);
    return { index: clamped, phase: "backward", s, m: gone % B, t: view.timeOf(s, b) };
  }

  function indexOf(phase, t, id) {
    if (phase === "loss") return atLoss;
    if (phase === "update") return atUpdate;
    const s = Math.min(Math.max(0, view.placeOf(t, b)), steps - 1);
    const moments = phase === "forward" ? forward : backward;
    const m = Math.max(0, moments.findIndex((moment) => moment.id === id));
    return phase === "forward" ? s * F + m : atLoss + 1 + (steps - 1 - s) * B + m;
  }

  // Index at which each value becomes known within its step.
  const known = { forward: new Map(), backward: new Map() };
  for (const [phase, moments] of [["forward", forward], ["backward", backward]]) {
    moments.forEach((moment, m) => {
      for (const line of moment.lines) if (!known[phase].has(line.target)) known[phase].set(line.target, m);
    });
  }

  // Whether a value of time step t has been found when the reader stands at `place`.
  function isKnown(name, t, place) {
    if (name.startsWith("d_") && !known.backward.has(name)) return false;
    if (t === null) return true;
    const s = view.placeOf(t, b);
    const phase = known.backward.has(name) ? "backward" : "forward";
    const m = known[phase].get(name) ?? known[phase].get(name === "h_c" ? SEEN.find((seen) => known[phase].has(seen)) : name) ?? 0;
    if (phase === "forward") {
      if (place.phase !== "forward") return true;
      return s < place.s || (s === place.s && m <= place.m);
    }
    if (place.phase === "update") return true;
    if (place.phase !== "backward") return false;
    return s > place.s || (s === place.s && m <= place.m);
  }

  function moment(place) {
    if (place.phase === "loss") return { id: "J", title: "the loss J", lines: [] };
    if (place.phase === "update") return { id: "update", title: "the one update", lines: [] };
    return (place.phase === "forward" ? forward : backward)[place.m];
  }

  // A whole time step on: the same moment of the next step in the direction of the phase.
  function nextStep(place, direction) {
    const size = place.phase === "forward" ? F : place.phase === "backward" ? B : 1;
    return position(place.index + direction * size);
  }

  return { count, steps, F, B, position, indexOf, isKnown, moment, nextStep, forward, backward };
}

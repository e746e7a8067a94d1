// A piano roll made audible in the browser itself: no file, no network. One player at a time.

const PEAK = 0.16; // of one note; four together stay below 1
const ATTACK = 0.012; // seconds
const RELEASE = 0.09;
const AHEAD = 0.06; // seconds until the first sound

const frequency = (note) => 440 * 2 ** ((note - 69) / 12);

// Held notes: a note in neighbouring steps sounds once. [{note, start, stop}], stop being the step after the last.
export function heldNotes(steps, from = 0) {
  const held = [];
  const open = new Map();
  [...steps.slice(from), []].forEach((notes, t) => {
    for (const [note, start] of open) {
      if (notes.includes(note)) continue;
      held.push({ note, start, stop: t });
      open.delete(note);
    }
    for (const note of notes) if (!open.has(note)) open.set(note, t);
  });
  return held;
}

function sound(context, output, { note, start, stop }, seconds, origin) {
  const [from, to] = [origin + start * seconds, origin + stop * seconds];
  const gain = context.createGain();
  gain.gain.setValueAtTime(0, from);
  gain.gain.linearRampToValueAtTime(PEAK, from + ATTACK);
  gain.gain.setTargetAtTime(0.6 * PEAK, from + ATTACK, 0.4);
  gain.gain.setTargetAtTime(0, Math.max(from + ATTACK, to - RELEASE), RELEASE / 3);
  gain.connect(output);
  for (const [type, share, times] of [["triangle", 1, 1], ["sine", 0.25, 2]]) {
    const level = context.createGain();
    level.gain.value = share;
    const oscillator = context.createOscillator();
    oscillator.type = type;
    oscillator.frequency.value = times * frequency(note);
    oscillator.connect(level).connect(gain);
    oscillator.start(from);
    oscillator.stop(to + RELEASE);
  }
}

let stopCurrent = () => {};

// Plays steps from one on. onStep(t) as each begins; onEnd() when it ends, is stopped or another begins. Gives stop().
export function play(steps, { from = 0, seconds, onStep, onEnd }) {
  stopCurrent();
  const context = new AudioContext();
  const output = context.createDynamicsCompressor();
  output.connect(context.destination);
  const origin = context.currentTime + AHEAD;
  for (const held of heldNotes(steps, from)) sound(context, output, held, seconds, origin);
  let frame = 0;
  let shown = -1;
  const stop = () => {
    cancelAnimationFrame(frame);
    if (context.state !== "closed") context.close();
    if (stopCurrent === stop) stopCurrent = () => {};
    onEnd();
  };
  const follow = () => {
    const t = from + Math.floor((context.currentTime - origin) / seconds);
    if (t >= steps.length) {
      stop();
      return;
    }
    if (t >= from && t !== shown) onStep((shown = t));
    frame = requestAnimationFrame(follow);
  };
  stopCurrent = stop;
  context.resume();
  follow();
  return stop;
}

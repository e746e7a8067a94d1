// The page of a composer: its sections in order, each left out when the report has nothing for it.

import { el, scroller, table } from "./dom.js";
import { methodClass, swatch } from "./errors.js";
import { count, fixed, percent } from "./format.js";
import { noteName, rollFigure } from "./roll.js";
import { learning, lede, masthead, report, section, settings, show, words } from "./shell.js";
import { repairTable } from "./tables.js";

const PIECES = 5; // at each end of the list
const secondsOfStep = 60 / report.tempo / report.steps_a_quarter;

function methods() {
  const ordered = [...report.scores].sort((a, b) => a.test.nats_per_step - b.test.nats_per_step);
  const named = (score, index) => [
    el(
      "span",
      { class: "method" },
      swatch(methodClass(report.scores, score.name)),
      el("span", {}, score.label, index === 0 && ordered.length > 1 ? [" ", el("span", { class: "tag" }, "lowest")] : null),
    ),
    score.note ? el("span", { class: "note" }, score.note) : null,
  ];
  const built = table({
    className: "scores",
    columns: [
      { head: "Method" },
      { head: "Test nats per step", number: true },
      { head: "Test notes foretold", number: true },
      { head: "Validation nats per step", number: true },
    ],
    rows: ordered.map((score, index) => [
      named(score, index),
      fixed(score.test.nats_per_step, 3),
      percent(score.test.frame_accuracy),
      fixed(score.validation.nats_per_step, 3),
    ]),
  });
  ordered.forEach((score, index) => {
    if (score.kind === "network") built.tBodies[0].rows[index].className = "network";
  });
  return scroller("Figures of the network and the baselines", built);
}

function music() {
  if (!report.rolls.length) return;
  section(
    "music",
    "Music",
    "See and hear",
    lede("White boxes are the notes that sound. Behind them, the brighter, the likelier the network held a note before it heard the step (the colour goes by the square root, so that small chances show); the bars below are what each step cost. Go along with the arrow keys."),
    report.rolls.map((roll) => rollFigure(roll, secondsOfStep).element),
  );
}

function accuracy() {
  section(
    "accuracy",
    "Accuracy",
    report.scores.length > 1 ? "Against the baselines" : "Accuracy",
    lede(
      `Nats per step: the negative logarithm of the probability of all notes of a step together, lower is better. The first step of each piece, which nothing comes before, is left out; it costs ${fixed(report.first_step_nats, 2)} on average. Notes foretold: of the notes that sounded, were given 50 % or more, or both, the share that was both.`,
    ),
    methods(),
  );
}

// What the network made after each epoch: a slider over the epochs.
function samples() {
  const { samples: all, best_epoch: best } = report;
  if (!all.length) return;
  const notes = all.flatMap((sample) => sample.steps.flat());
  const [lowest, highest] = notes.length ? [Math.min(...notes) - 1, Math.max(...notes) + 1] : [59, 73];
  const roll = (sample) => ({
    title: "A piece after each epoch",
    text: `After epoch ${sample.epoch}${sample.validation_loss === null ? "" : `; validation ${fixed(sample.validation_loss, 3)} nats`}${sample.epoch === best ? "; the weights that were kept" : ""}.`,
    steps: sample.steps,
    lowest,
    rows: highest - lowest + 1,
    chances: [],
    nats: [],
    given: 0,
  });
  const figure = rollFigure(roll(all[all.length - 1]), secondsOfStep);
  const slider = el("input", { type: "range", min: 1, max: all.length, value: all.length, step: 1, "aria-label": "Epoch of the piece" });
  const choose = () => {
    const sample = all[Number(slider.value) - 1];
    slider.setAttribute("aria-valuetext", `after epoch ${sample.epoch}`);
    figure.change(roll(sample));
  };
  slider.addEventListener("input", choose);
  choose();
  section(
    "samples",
    "Samples",
    "How its music changed",
    lede("A piece that the network began by itself after each epoch, from the same draws. Move the slider to an earlier one."),
    all.length > 1 ? el("div", { class: "tools" }, slider) : null,
    figure.element,
  );
}

function pieces() {
  const known = report.pieces.filter((piece) => piece.nats_per_step !== null).sort((a, b) => a.nats_per_step - b.nats_per_step);
  if (!known.length) return;
  const ends = known.length > 2 * PIECES ? [...known.slice(0, PIECES), ...known.slice(-PIECES)] : known;
  section(
    "pieces",
    "Pieces",
    "Piece by piece",
    lede(ends.length < known.length ? `The ${PIECES} test pieces it foretells best, and the ${PIECES} that surprise it most.` : "The test pieces, those it foretells best first."),
    scroller(
      "Nats of test pieces",
      table({
        className: "compact",
        columns: [{ head: "Piece" }, { head: "Steps", number: true }, { head: "Nats per step", number: true }],
        rows: ends.map((piece) => [piece.name, count(piece.steps), fixed(piece.nats_per_step, 2)]),
      }),
    ),
  );
}

function confidence() {
  if (!report.calibration.length) return;
  section(
    "confidence",
    "Confidence",
    "Do its probabilities mean something?",
    lede("Every note of every test step by the probability it was given."),
    scroller(
      "Probability against share that sounded",
      table({
        className: "compact",
        columns: [{ head: "It was given" }, { head: "So many sounded", number: true }, { head: "Notes", number: true }],
        rows: report.calibration.map((bin) => [percent(bin.probability), percent(bin.sounded), count(bin.notes)]),
      }),
    ),
  );
}

function data() {
  section(
    "data",
    "Data",
    "What was read",
    lede(`Read from ${report.source}; a step is one ${report.grid} note. The network knows the notes ${noteName(report.notes[0])} to ${noteName(report.notes[1])}.`),
    scroller(
      "Parts of the data",
      table({
        className: "compact",
        columns: [{ head: "Part" }, { head: "Pieces", number: true }, { head: "Steps", number: true }],
        rows: report.parts.map((part) => [part.part, count(part.pieces), count(part.steps)]),
      }),
    ),
    el("h3", {}, "Repairs"),
    report.repairs.length ? repairTable(report.repairs) : el("p", { class: "prose" }, "None: every piece was taken as it is."),
  );
}

music();
accuracy();
confidence();
pieces();
learning();
samples();
words();
data();
settings();
show(masthead("Composer report", [report.network, `${report.grid} notes`]));

// The block as an electronic circuit: the cell is a straight rail, gates are junctions on it.

const RAIL = 95;
const GATES = 334;
const TOP = GATES - 35;
const BOTTOM = GATES + 35;
const BUS = { y: 430, x: 468 };
const AT = { f: 215, i: 360, z: 500, o: 640 };
const LETTERS = { f: "f̄", i: "ī", z: "z̄", o: "ō" };
const READERS = { first: 850, apart: 31 };

const value = (name, time = 0) => ({ name, time });
const hopUp = (y) => `V${y + 6}a6 6 0 0 1 0 -12`;
const hopRight = (x) => `H${x - 6}a6 6 0 0 1 12 0`;

function needsOf(gate) {
  return gate === "z" ? [] : [gate];
}

function taps(wires, texts, { coupled, gates, variant }) {
  for (const [gate, x] of Object.entries(AT)) {
    const needs = gate === "f" && coupled ? ["coupled"] : needsOf(gate);
    wires[`y_${gate}`] = { d: `M${x - 28} ${BUS.y}V${BOTTOM + 2}`, kind: "tap recurrent", needs };
    wires[`x_${gate}`] = { d: `M${x} ${BUS.x}${hopUp(BUS.y)}V${BOTTOM + 2}`, kind: "tap", needs };
    wires[`b_${gate}`] = { d: `M${x + 22} 402V${BOTTOM + 2}`, kind: "tap", needs };
    texts.push({ x: x + 22, y: 419, text: "b", kind: "small", needs });
    if (!variant.includes("FGR") || !gates.includes(gate)) continue;
    wires[`g_${gate}`] = { d: `M${x + 42} 402V${BOTTOM + 2}`, kind: "tap recurrent" };
    texts.push({ x: x + 50, y: 419, text: gates.join(""), kind: "faint" });
  }
}

function peepholes(wires, coupled) {
  const own = coupled ? ["p", "coupled"] : ["p", "f"];
  wires.p_f = { d: `M169 ${RAIL}V${TOP - 2}`, kind: "peephole", needs: own, value: value("c", -1) };
  wires.p_i = { d: `M146 ${RAIL}V278${hopRight(169)}${hopRight(AT.f)}H322V${TOP - 2}`, kind: "peephole", needs: ["p", "i"], value: value("c", -1) };
  wires.p_o = { d: `M${AT.o} ${RAIL}V${TOP - 2}`, kind: "peephole", needs: ["p", "o"], value: value("c"), error: value("d_o_bar") };
  wires.n_c_f = { d: `M846 ${RAIL}V148`, kind: "peephole next", needs: own, error: value("d_f_bar", 1) };
  wires.n_c_i = { d: `M869 ${RAIL}V148`, kind: "peephole next", needs: ["p", "i"], error: value("d_i_bar", 1) };
}

function trunk(wires) {
  Object.assign(wires, {
    c_prev: { d: `M14 ${RAIL}H${AT.f - 19}`, kind: "rail", width: 4, value: value("c", -1) },
    c_kept: { d: `M${AT.f + 17} ${RAIL}H411`, kind: "rail", width: 4, value: { product: ["f", "c"], times: [0, -1], name: "c" }, error: { product: ["d_c", "f"], times: [0, 0], name: "d_c" } },
    c_rail: { d: `M447 ${RAIL}H750`, kind: "rail", width: 4, arrow: false, value: value("c"), error: value("d_c") },
    c_next: { d: `M750 ${RAIL}H970`, kind: "rail", width: 4, value: value("c"), error: value("d_c", 1) },
    f_out: { d: `M${AT.f} ${TOP}V${RAIL + 19}`, value: value("f"), needs: ["f"] },
    i_out: { d: `M${AT.i} ${TOP}V212H411`, value: value("i"), needs: ["i"] },
    z_out: { d: `M${AT.z} ${TOP}V212H449`, value: value("z") },
    c_new: { d: `M430 195V${RAIL + 19}`, value: { product: ["z", "i"], times: [0, 0], name: "c" }, error: value("d_c") },
    o_out: { d: `M692 ${GATES}H716V245H731`, value: value("o"), needs: ["o"] },
    c_tap: { d: `M750 ${RAIL}V133`, value: value("c") },
    h_out: { d: "M750 169V226", value: value("h_c") },
    y_out: { d: "M767 245H812", arrow: false, value: value("y"), error: value("d_y") },
    y_up: { d: `M812 245V${RAIL + 7}a7 7 0 0 1 0 -14V28`, value: value("y"), error: value("d_above") },
    y_next: { d: `M812 245V${BUS.y}H970`, kind: "recurrent", value: value("y") },
    y_prev: { d: `M14 ${BUS.y}H${AT.o - 28}`, kind: "recurrent", arrow: false, value: value("y", -1) },
    x_in: { d: `M116 552V${BUS.x}H${AT.o}`, arrow: false, value: { name: "x", time: 0, input: true } },
  });
}

export function circuit(layer) {
  const wires = {};
  const texts = [
    { x: 14, y: 68, text: "c(t−1)", anchor: "start" },
    { x: 970, y: 68, text: "c(t)", anchor: "end" },
    { x: 14, y: 459, text: "y(t−1)", anchor: "start" },
    { x: 970, y: 459, text: "y(t)", anchor: "end" },
    { x: 812, y: 18, text: "to the head" },
    { x: 130, y: 550, text: "x(t)", anchor: "start" },
    { x: 846, y: 167, text: "f̄", kind: "small", needs: ["p", "f"] },
    { x: 869, y: 167, text: "ī", kind: "small", needs: ["p", "i"] },
    { x: 858, y: 189, text: "at t+1", kind: "faint", needs: ["p"] },
    { x: 897, y: 347, text: "at t+1", kind: "faint" },
  ];
  const { coupled } = layer;
  taps(wires, texts, layer);
  peepholes(wires, coupled);
  trunk(wires);
  ["z", "i", "f", "o"].forEach((gate, index) => {
    const needs = gate === "f" && coupled ? ["coupled"] : needsOf(gate);
    wires[`n_y_${gate}`] = { d: `M${READERS.first + READERS.apart * index} ${BUS.y}V388`, kind: "recurrent next", needs, error: value(`d_${gate}_bar`, 1) };
    texts.push({ x: READERS.first + READERS.apart * index, y: 375, text: LETTERS[gate], kind: "small", needs });
  });
  if (coupled) wires.i_f = { d: `M308 ${GATES}H270`, value: value("i"), error: value("d_i_bar") };
  return { id: "circuit", name: "The block as an electronic circuit", box: [984, 564], wires, texts, nodes: nodes(layer), chips: chips() };
}

function gate(letter, layer) {
  const coupled = letter === "f" && layer.coupled;
  const squash = letter === "z" ? (layer.lacks.includes("g") ? "id" : "tanh") : "σ";
  return {
    id: letter,
    kind: "gate",
    x: AT[letter],
    y: GATES,
    function: coupled ? "1 − i =" : squash,
    letter: coupled ? "f" : LETTERS[letter],
    value: coupled ? value("f") : value(`${letter}_bar`),
    error: coupled ? undefined : value(`d_${letter}_bar`),
    wires: [`${letter}_gate`],
    needs: needsOf(letter),
    moments: { forward: letter, backward: coupled ? "d_i_bar" : `d_${letter}_bar` },
  };
}

function nodes(layer) {
  return [
    ...["f", "i", "z", "o"].map((letter) => gate(letter, layer)),
    { id: "forget", kind: "times", x: AT.f, y: RAIL, wires: ["c_kept"], needs: ["f"] },
    { id: "sum", kind: "plus", x: 430, y: RAIL, wires: ["c_rail"], moments: { forward: "c", backward: "d_c" } },
    { id: "new", kind: "times", x: 430, y: 212, wires: ["c_new"], needs: ["i"] },
    { id: "squash", kind: "squash", x: 750, y: 151, letter: layer.lacks.includes("h") ? "id" : "tanh", wires: ["h_out"] },
    { id: "out", kind: "times", x: 750, y: 245, wires: ["y_out"], needs: ["o"], moments: { forward: "y", backward: "d_y" } },
    { id: "tap_h", kind: "dot", x: 750, y: RAIL, wires: ["c_tap"] },
    { id: "tap_o", kind: "dot", x: AT.o, y: RAIL, wires: ["p_o"], needs: ["p", "o"] },
    { id: "tap_f", kind: "dot", x: 169, y: RAIL, wires: ["p_f"], needs: ["p", "f"] },
    { id: "tap_i", kind: "dot", x: 146, y: RAIL, wires: ["p_i"], needs: ["p", "i"] },
  ];
}

function chips() {
  return [
    { x: 78, y: RAIL, wire: "c_prev", label: "c", value: value("c", -1) },
    { x: 318, y: RAIL, wire: "c_kept", label: "c·f", value: { product: ["c", "f"], times: [-1, 0], name: "c" }, needs: ["f"] },
    { x: 542, y: RAIL, wire: "c_rail", label: "c", value: value("c"), error: value("d_c"), errorLabel: "δc" },
    { x: 926, y: RAIL, wire: "c_next", label: "", error: value("d_c", 1), errorLabel: "δc" },
    { x: AT.f, y: 200, wire: "f_out", label: "f", value: value("f"), needs: ["f"] },
    { x: AT.i, y: 249, wire: "i_out", label: "i", value: value("i"), needs: ["i"] },
    { x: AT.z, y: 258, wire: "z_out", label: "z", value: value("z") },
    { x: 430, y: 154, wire: "c_new", label: "z·i", value: { product: ["z", "i"], times: [0, 0], name: "c" }, needs: ["i"] },
    { x: 718, y: 275, wire: "o_out", label: "o", value: value("o"), needs: ["o"] },
    { x: 750, y: 198, wire: "h_out", label: "h", value: value("h_c") },
    { x: 812, y: 330, wire: "y_out", label: "y", value: value("y"), error: value("d_y"), errorLabel: "δy" },
    { x: 812, y: 56, wire: "y_up", label: "", error: value("d_above"), errorLabel: "Δ" },
    { x: 78, y: BUS.y, wire: "y_prev", label: "y", value: value("y", -1) },
    { x: 116, y: 510, wire: "x_in", label: "x", value: { name: "x", time: 0, input: true } },
  ];
}

// The block as in the Space Odyssey: the cell in the middle, its past value coming round, t−1 dotted.
// The wires bear the same ids as in the circuit.

const value = (name, time = 0) => ({ name, time });
const LETTERS = { f: "f̄", i: "ī", z: "z̄", o: "ō" };
const AT = { f: [110, 440], i: [245, 540], z: [430, 585], o: [650, 190] };
const needsOf = (gate, coupled) => (gate === "z" ? [] : gate === "f" && coupled ? ["coupled"] : [gate]);

function inputs(wires, texts, layer) {
  for (const [gate, [x, y]] of Object.entries(AT)) {
    const needs = needsOf(gate, layer.coupled);
    const parts = [["y", -26, "tap recurrent past"], ["x", 0, "tap"], ["b", 26, "tap"]];
    for (const [name, shift, kind] of parts) {
      const right = gate === "o";
      const d = right ? `M${x + 92} ${y + shift * 0.75}H${x + 53}` : `M${x + shift} ${y + 68}V${y + 34}`;
      wires[`${name}_${gate}`] = { d, kind, needs };
      texts.push({ x: right ? x + 102 : x + shift, y: right ? y + shift * 0.75 + 5 : y + 84, text: name, kind: "small", needs });
    }
  }
}

function readers(wires, texts, layer) {
  ["z", "i", "f", "o"].forEach((gate, index) => {
    const needs = needsOf(gate, layer.coupled);
    wires[`n_y_${gate}`] = { d: `M${830 + 32 * index} 60V98`, kind: "recurrent next", needs, error: value(`d_${gate}_bar`, 1) };
    texts.push({ x: 830 + 32 * index, y: 117, text: LETTERS[gate], kind: "small", needs });
  });
  const own = layer.coupled ? ["p", "coupled"] : ["p", "f"];
  wires.n_c_f = { d: "M862 345V383", kind: "peephole next", needs: own, error: value("d_f_bar", 1) };
  wires.n_c_i = { d: "M894 345V383", kind: "peephole next", needs: ["p", "i"], error: value("d_i_bar", 1) };
  texts.push({ x: 862, y: 402, text: "f̄", kind: "small", needs: own }, { x: 894, y: 402, text: "ī", kind: "small", needs: ["p", "i"] });
  texts.push({ x: 878, y: 137, text: "at t+1", kind: "faint" }, { x: 878, y: 422, text: "at t+1", kind: "faint", needs: ["p"] });
}

function trunk(wires, layer) {
  Object.assign(wires, {
    c_prev: { d: "M395 281Q380 225 335 225H265Q225 225 225 262V301", kind: "past", width: 3, value: value("c", -1) },
    c_kept: { d: "M242 320H374", width: 3, value: { product: ["f", "c"], times: [0, -1], name: "c" }, error: { product: ["d_c", "f"], times: [0, 0], name: "d_c" } },
    f_out: { d: "M160 440H225V339", value: value("f"), needs: ["f"] },
    i_out: { d: "M295 540H345V462H411", value: value("i"), needs: ["i"] },
    z_out: { d: "M430 554V481", value: value("z") },
    c_new: { d: "M430 443V374", value: { product: ["z", "i"], times: [0, 0], name: "c" }, error: value("d_c") },
    c_tap: { d: "M430 266V228", value: value("c") },
    h_out: { d: "M430 192V149", value: value("h_c") },
    o_out: { d: "M600 190H545V130H449", value: value("o"), needs: ["o"] },
    y_out: { d: "M430 111V60", arrow: false, value: value("y"), error: value("d_y") },
    y_up: { d: "M430 60V14", value: value("y"), error: value("d_above") },
    y_next: { d: "M430 60H970", kind: "recurrent", value: value("y") },
    c_next: { d: "M476 345H970", value: value("c"), error: value("d_c", 1) },
    p_f: { d: "M225 262H110V407", kind: "peephole past", needs: layer.coupled ? ["p", "coupled"] : ["p", "f"], value: value("c", -1) },
    p_i: { d: "M250 225V314a6 6 0 0 1 0 12V507", kind: "peephole past", needs: ["p", "i"], value: value("c", -1) },
    p_o: { d: "M480 305H650V223", kind: "peephole", needs: ["p", "o"], value: value("c"), error: value("d_o_bar") },
    x_in: { d: "M30 622H150", value: { name: "x", time: 0, input: true } },
    y_prev: { d: "M30 584H150", kind: "past recurrent", value: value("y", -1) },
  });
  if (layer.coupled) wires.i_f = { d: "M195 540H130V473", value: value("i"), error: value("d_i_bar") };
}

function nodes(layer) {
  const gates = Object.entries(AT).map(([letter, [x, y]]) => {
    const coupled = letter === "f" && layer.coupled;
    return {
      id: letter,
      kind: "gate",
      x,
      y,
      function: coupled ? "1 − i =" : letter === "z" ? (layer.lacks.includes("g") ? "id" : "tanh") : "σ",
      letter: coupled ? "f" : LETTERS[letter],
      value: coupled ? value("f") : value(`${letter}_bar`),
      error: coupled ? undefined : value(`d_${letter}_bar`),
      wires: [`${letter}_gate`],
      needs: letter === "z" ? [] : [letter],
      moments: { forward: letter, backward: coupled ? "d_i_bar" : `d_${letter}_bar` },
    };
  });
  return [
    ...gates,
    { id: "cell", kind: "cell", x: 430, y: 320, r: 54, letter: "c", value: value("c"), error: value("d_c"), wires: ["c_rail"], moments: { forward: "c", backward: "d_c" } },
    { id: "forget", kind: "times", x: 225, y: 320, wires: ["c_kept"], needs: ["f"] },
    { id: "new", kind: "times", x: 430, y: 462, wires: ["c_new"], needs: ["i"] },
    { id: "squash", kind: "squash", x: 430, y: 210, letter: layer.lacks.includes("h") ? "id" : "tanh", wires: ["h_out"] },
    { id: "out", kind: "times", x: 430, y: 130, wires: ["y_out"], needs: ["o"], moments: { forward: "y", backward: "d_y" } },
    { id: "tap_f", kind: "dot", x: 225, y: 262, wires: ["p_f"], needs: ["p", "f"] },
    { id: "tap_i", kind: "dot", x: 250, y: 225, wires: ["p_i"], needs: ["p", "i"] },
  ];
}

function chips() {
  return [
    { x: 312, y: 225, wire: "c_prev", label: "c", value: value("c", -1) },
    { x: 325, y: 320, wire: "c_kept", label: "c·f", value: { product: ["c", "f"], times: [-1, 0], name: "c" }, needs: ["f"] },
    { x: 225, y: 392, wire: "f_out", label: "f", value: value("f"), needs: ["f"] },
    { x: 345, y: 502, wire: "i_out", label: "i", value: value("i"), needs: ["i"] },
    { x: 430, y: 520, wire: "z_out", label: "z", value: value("z") },
    { x: 430, y: 408, wire: "c_new", label: "z·i", value: { product: ["z", "i"], times: [0, 0], name: "c" }, needs: ["i"] },
    { x: 430, y: 171, wire: "h_out", label: "h", value: value("h_c") },
    { x: 545, y: 160, wire: "o_out", label: "o", value: value("o"), needs: ["o"] },
    { x: 430, y: 88, wire: "y_out", label: "y", value: value("y"), error: value("d_y"), errorLabel: "δy" },
    { x: 430, y: 34, wire: "y_up", label: "", error: value("d_above"), errorLabel: "Δ" },
    { x: 740, y: 345, wire: "c_next", label: "", error: value("d_c", 1), errorLabel: "δc(t+1)" },
    { x: 82, y: 584, wire: "y_prev", label: "y", value: value("y", -1) },
    { x: 82, y: 622, wire: "x_in", label: "x", value: { name: "x", time: 0, input: true } },
  ];
}

export function odyssey(layer) {
  const wires = {};
  const texts = [
    { x: 316, y: 202, text: "c(t−1)" },
    { x: 970, y: 48, text: "y(t)", anchor: "end" },
    { x: 970, y: 333, text: "c(t)", anchor: "end" },
    { x: 482, y: 30, text: "to the head", anchor: "start" },
    { x: 30, y: 566, text: "y(t−1)", anchor: "start", kind: "small" },
    { x: 30, y: 656, text: "x(t)", anchor: "start", kind: "small" },
  ];
  trunk(wires, layer);
  inputs(wires, texts, layer);
  readers(wires, texts, layer);
  return { id: "odyssey", name: "The block as in the Space Odyssey, the cell in the middle", box: [1000, 680], wires, texts, nodes: nodes(layer), chips: chips() };
}

// The simple RNN's own drawing: two matrices, a bias and one activation.

const value = (name, time = 0) => ({ name, time });

export function rnncell(layer) {
  const wires = {
    h_prev: { d: "M30 210H146", kind: "recurrent", value: value("h", -1) },
    h_a: { d: "M190 210H327", kind: "recurrent" },
    x_in: { d: "M380 440V362", value: { name: "x", time: 0, input: true } },
    x_a: { d: "M380 326V245" },
    b_a: { d: "M418 300V245", needs: ["b"] },
    a_g: { d: "M432 210H526", value: value("a"), error: value("d_a") },
    h_out: { d: "M592 210H730", arrow: false, value: value("h"), error: value("d_h") },
    y_up: { d: "M730 210V40", value: value("h"), error: value("d_above") },
    h_next: { d: "M730 210H990", kind: "recurrent", value: value("h"), error: value("d_a", 1) },
    n_h_a: { d: "M900 210V272", kind: "recurrent next", error: value("d_a", 1) },
  };
  const texts = [
    { x: 30, y: 186, text: "h(t−1)", anchor: "start" },
    { x: 990, y: 186, text: "h(t)", anchor: "end" },
    { x: 730, y: 24, text: "to the head" },
    { x: 394, y: 436, text: "x(t)", anchor: "start" },
    { x: 418, y: 316, text: "b", kind: "small", needs: ["b"] },
    { x: 900, y: 292, text: "a", kind: "small" },
    { x: 900, y: 312, text: "at t+1", kind: "faint" },
  ];
  const nodes = [
    { id: "W", kind: "squash", x: 168, y: 210, letter: "W", wires: ["h_a"] },
    { id: "U", kind: "squash", x: 380, y: 344, letter: "U", wires: ["x_a"] },
    { id: "a", kind: "gate", x: 380, y: 210, function: "Σ", letter: "a", value: value("a"), error: value("d_a"), wires: ["a_g"], moments: { forward: "a", backward: "d_a" } },
    { id: "g", kind: "squash", x: 560, y: 210, letter: layer.nonlinearity === "logistic" ? "σ" : layer.nonlinearity, wires: ["h_out"], moments: { forward: "h", backward: "d_h" } },
    { id: "tap", kind: "dot", x: 730, y: 210, wires: ["y_up"] },
  ];
  const chips = [
    { x: 92, y: 210, wire: "h_prev", label: "h", value: value("h", -1) },
    { x: 380, y: 400, wire: "x_in", label: "x", value: { name: "x", time: 0, input: true } },
    { x: 664, y: 210, wire: "h_out", label: "h", value: value("h"), error: value("d_h"), errorLabel: "δh" },
    { x: 730, y: 110, wire: "y_up", label: "", error: value("d_above"), errorLabel: "Δ" },
    { x: 820, y: 210, wire: "h_next", label: "", error: value("d_a", 1), errorLabel: "δa(t+1)" },
  ];
  return { id: "rnncell", name: "The simple RNN, one time step", box: [1020, 460], wires, texts, nodes, chips };
}

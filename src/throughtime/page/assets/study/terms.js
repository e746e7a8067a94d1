// Numbers of a line for one unit: products and sums of numbers of the recording, for show.

// A row or a column of a matrix times a vector, summand by summand: [[weight, value], …].
function summands(view, factor, t, b, k) {
  const { data, shape } = view.parameter(factor.parameter);
  const found = view.vector(factor.value, factor.time ?? 0, t, b);
  if (!found) return [];
  const columns = shape[1];
  const n = factor.kind === "row" ? found.size : view.H;
  const block = (factor.block ?? 0) * view.H;
  const part = (factor.part ?? 0) * view.H;
  return Array.from({ length: n }, (_, j) => {
    const place = factor.kind === "row" ? (block + k) * columns + part + j : (block + j) * columns + part + k;
    return [data[place], found.data[found.from + j]];
  });
}

const SLOPES = { logistic: (out) => out * (1 - out), tanh: (out) => 1 - out * out, identity: () => 1 };

export function evaluateFactor(view, factor, t, b, k) {
  const shift = factor.time ?? 0;
  switch (factor.kind) {
    case "one":
      return { value: 1 };
    case "final":
      return { value: view.final(factor.value, b, k) };
    case "parameter":
      return { value: view.parameter(factor.parameter).data[(factor.block ?? 0) * view.H + k] };
    case "slope":
      return { value: SLOPES[factor.slope](view.value(factor.value, shift, t, b, k)) };
    case "row":
    case "column": {
      const pairs = summands(view, factor, t, b, k);
      return { value: pairs.reduce((sum, [weight, value]) => sum + weight * value, 0), pairs };
    }
    default:
      return { value: view.value(factor.value, shift, t, b, k) };
  }
}

export function evaluateTerm(view, term, t, b, k) {
  const factors = term.factors.map((factor) => ({ factor, ...evaluateFactor(view, factor, t, b, k) }));
  const product = factors.reduce((total, { value }) => total * value, 1);
  return { term, factors, value: term.minus ? -product : product };
}

// Terms that exist at this time step, with their numbers; the recorded result.
export function evaluateLine(view, line, t, b, k) {
  const last = view.isLast(t, b);
  const there = line.terms.filter((term) => !term.last_only || last);
  const terms = there.map((term) => evaluateTerm(view, term, t, b, k));
  return { line, terms, result: view.value(line.target, 0, t, b, k) };
}

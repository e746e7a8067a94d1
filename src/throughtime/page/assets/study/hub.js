// Who points at what: words between the panes, so that a term lights its wire and a wire its term.

export function makeHub() {
  const pointing = [];
  const weighing = [];
  let marking = [];
  return {
    onPoint: (listener) => pointing.push(listener),
    point: (ids, from) => pointing.forEach((listener) => listener(ids, from)),
    onWeight: (listener) => weighing.push(listener),
    weight: (weight) => weighing.forEach((listener) => listener(weight)),
    // Listeners that say they are gone are forgotten.
    onMark: (listener) => marking.push(listener),
    mark: (context) => (marking = marking.filter((listener) => listener(context))),
    goTo: () => {},
    jump: () => {},
    unit: () => {},
  };
}

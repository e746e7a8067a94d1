"""The guided tour: named chapters, each a state of the page and a few sentences about numbers on it."""

from __future__ import annotations

from collections.abc import Callable

import torch

from throughtime.page.study.evaluate import Place
from throughtime.page.study.shown import shown
from throughtime.page.study.symbols import reader_name
from throughtime.page.study.tour import Chapter, Scene


def chapters(scene: Scene) -> list[Chapter]:
    """The chapters that this recording can tell; none where its first sequence has fewer than four steps."""
    if len(scene.times) < 4:
        return []
    lstm, errors = scene.layer.kind == "LSTM", bool(scene.layer.errors)
    tellers: list[tuple[bool, Callable[[Scene], Chapter | None]]] = [
        (True, _order),
        (True, _unfolding),
        (True, _time),
        (True, _forward),
        (lstm, _forget),
        (errors, _errors),
        (errors, _routes),
        (errors, _share),
        (errors, _vanishing),
        (errors, _clipping),
        (lstm, _peepholes),
        (lstm, _variants),
    ]
    told = [teller(scene) for possible, teller in tellers if possible]
    return [chapter for chapter in told if chapter is not None]


def _order(s: Scene) -> Chapter:
    x = s.layer.values["x"][:, 0].double()
    times = s.times[3:] if len(s.times) > 4 else s.times
    apart = torch.cdist(x[times], x[times]) + torch.eye(len(times)) * 1e9
    first, second = sorted(divmod(int(apart.argmin()), len(times)))
    t, u, out = times[first], times[second], s.layer.output
    outputs = s.layer.values[out][:, 0]
    k = int((outputs[t] - outputs[u]).abs().argmax())
    return Chapter(
        "order",
        "Why not a plain network?",
        f"At steps {t + 1} and {u + 1} the inputs are alike (apart by "
        f"{shown(float(apart[first, second]))}). "
        f"Yet {out} of unit {k + 1} is {shown(s.at(out, t, k))} and then {shown(s.at(out, u, k))}. A plain "
        "network must answer alike inputs alike. This one also reads what it said before: order matters.",
        s.place("forward", u, s.journey.forward[-2].id, k),
    )


def _unfolding(s: Scene) -> Chapter:
    count = sum(parameter.numel() for parameter in s.layer.parameters.values())
    few = s.layer.hidden_size <= 12 and s.layer.input_size <= 12
    t = s.times[len(s.times) // 2]
    return Chapter(
        "unfolding",
        "What is copied when we unfold?",
        f"The strip below shows the network once for each of {len(s.times)} time steps. Only the drawing is "
        f"copied: its {count:,} parameters are the same numbers under every step. Point at a connection: the "
        "same weight lights up at every step.",
        s.place("forward", t, s.journey.forward[1].id, 0, **({"view": "neurons"} if few else {})),
    )


def _time(s: Scene) -> Chapter:
    t, u = s.times[1], s.times[2]
    name, bias = (
        ("f", "b_f") if s.layer.kind == "LSTM" and "f_bar" in s.layer.values else (s.layer.output, "b")
    )
    moment = name if name == "f" else s.journey.forward[-2].id
    fixed = ""
    if "bias" in s.layer.parameters:
        row = s.layer.cell.variant.blocks.index("f") if name == "f" else 0  # type: ignore[union-attr]
        block = 0 if s.layer.kind == "RNN" else row
        if s.layer.kind == "RNN" or name == "f":
            value = float(s.layer.parameters["bias"][block * s.layer.hidden_size])
            fixed = f" {bias} has none: it is {shown(value)} at both."
    return Chapter(
        "time",
        "Which values depend on time?",
        f"Whatever is written with (t): {name} is {shown(s.at(name, t, 0))} at step {t + 1} and "
        f"{shown(s.at(name, u, 0))} at step {u + 1}.{fixed} Values have errors, one for each step. "
        "Parameters have one gradient, to which each step adds its share.",
        s.place("forward", u, moment, 0),
    )


def _forward(s: Scene) -> Chapter:
    return Chapter(
        "forward",
        "Forward, one line at a time",
        "Press →. Each press makes one line known: the wires that feed it light up, the numbers are put "
        "in, the "
        "result appears on its wire. Shift and → goes on by a whole time step; Space plays.",
        s.place("forward", s.times[0], "x", 0),
    )


def _forget(s: Scene) -> Chapter | None:
    if "f_bar" not in s.layer.values:
        return None
    times = s.times[1:]
    f = s.layer.values["f"][times, 0]
    before = torch.stack([s.numbers.vector("c", -1, t, 0) for t in times])
    lost = ((1 - f) * before.abs()).flatten()
    t, k = times[int(lost.argmax()) // f.shape[1]], int(lost.argmax()) % f.shape[1]
    kept, gate = float(s.numbers.vector("c", -1, t, 0)[k]), s.at("f", t, k)
    return Chapter(
        "forget",
        "What does the forget gate forget here?",
        f"Step {t + 1}, unit {k + 1}: the cell held c(t−1) = {shown(kept)}. The forget gate is "
        f"{shown(gate)}, "
        f"so {shown(kept * gate)} stays and the rest is gone. At f = 1 nothing is forgotten, going forward; "
        "and going back, the error passes undiminished.",
        s.place("forward", t, "c_tilde" if s.layer.zoneout else "c", k),
    )


def _errors(s: Scene) -> Chapter:
    out = f"d_{s.layer.output}"
    t = s.times[-2]
    k = int(s.layer.errors[out][t, 0].abs().argmax())
    return Chapter(
        "errors",
        "What is an error?",
        f"δ{s.layer.output}(t) is ∂J/∂{s.layer.output}(t): how J would change if this one number did, all "
        "later "
        f"steps following. At step {t + 1}, unit {k + 1}: {shown(s.at(out, t, k))}. Nudge the output up by "
        f"0.001 and J changes by about {shown(0.001 * s.at(out, t, k))}. Errors belong to values.",
        s.place("backward", t, out, k),
    )


def _routes(s: Scene) -> Chapter:
    target = "d_c" if s.layer.kind == "LSTM" else "d_h"
    line = s.line("backward", target)
    t = s.times[len(s.times) // 2]
    k = int(s.layer.errors[target][t, 0].abs().argmax())
    place = Place(t, 0, k)
    terms = s.numbers.terms(line, place)
    parts = {term.route: s.numbers.term(term, place) for term in terms}
    total = sum(parts.values())
    largest = max(parts, key=lambda route: abs(parts[route]))
    reader = reader_name(largest)
    share = f", {100 * parts[largest] / total:.0f} %" if total else ""
    letter = target.removeprefix("d_")
    return Chapter(
        "routes",
        "Where does a partial derivative act?",
        f"Only where {letter}(t) stands directly in a line, all else in that line held fixed. {letter}(t) "
        "stands "
        f"in {len(parts)} lines; each sends back its own error times that local derivative. The sum is "
        f"{shown(total)}; the largest part, {shown(parts[largest])}{share}, comes through {reader}.",
        s.place("backward", t, target, k),
    )


def _share(s: Scene) -> Chapter:
    t = s.times[-1]
    return Chapter(
        "gradient",
        "How does a parameter learn from all steps?",
        "At each step it takes an error times what it met there; a bias met 1, so its share is the error "
        "itself. "
        "Walk on with Shift and →: Σ grows step by step towards the line that marks its end. Then, once, "
        "every "
        "parameter moves.",
        s.place("backward", t, "share", 0),
    )


def _vanishing(s: Scene) -> Chapter:
    name = "d_c" if s.layer.kind == "LSTM" else "d_h"
    norms = s.layer.errors[name][s.times, 0].double().norm(dim=-1)
    early, late = shown(float(norms[0])), shown(float(norms[-1]))
    tab = "map" if s.with_map else "compare" if s.beside else "errors"
    words = s.recording.notes.get(f"memory/{s.layer.path}", "")
    why = (
        "In the LSTM the rail passes an error on by the forget gate alone, so it can last."
        if s.layer.kind == "LSTM"
        else "Each step multiplies the error by W and g′ once more, so it fades or grows by powers."
    )
    return Chapter(
        "vanishing",
        "Why do errors vanish or explode?",
        f"‖δ{name[2:]}‖ is {late} at the last step and {early} at the first. {why} The map below shows how "
        "far "
        f"the error of each step’s loss reaches back. {words}".strip(),
        s.place("backward", s.times[0], name, 0, tab=tab),
    )


def _clipping(s: Scene) -> Chapter:
    norms = s.recording.step_gradient_norms(f"{s.layer.path}.weight_hh")[s.first :]
    peak, typical = int(norms.argmax()), float(norms.median())
    return Chapter(
        "clipping",
        "What would clipping do?",
        f"Step {peak + s.first + 1} adds the largest share to the gradient of weight_hh: its norm is "
        f"{shown(float(norms[peak]))}, the median step’s {shown(typical)}. Clipping by norm shortens the "
        "whole "
        "gradient where it is longer than a threshold, and keeps its direction: one steep place cannot throw "
        "the weights far away.",
        s.place("backward", peak + s.first, "share", 0, tab="gradients"),
    )


def _peepholes(s: Scene) -> Chapter | None:
    if "peephole" not in s.layer.parameters or "o_bar" not in s.layer.values:
        return Chapter(
            "peepholes",
            "What do peepholes add?",
            "This LSTM has none; they are drawn as ghosts. With them a gate sees the cell itself, even "
            "while the "
            "output gate is closed and y(t−1) says nothing. Input and forget gate see c(t−1), the output "
            "gate "
            "the new c(t).",
            s.place("forward", s.times[1], s.journey.forward[1].id, 0),
        )
    row = s.layer.cell.variant.gates.index("o")  # type: ignore[union-attr]
    cell = "c_tilde" if s.layer.zoneout else "c"
    seen = (s.layer.parameters["peephole"][row] * s.layer.values[cell][s.times, 0]).abs()
    place = int(seen.argmax())
    t, k = s.times[place // seen.shape[1]], place % seen.shape[1]
    part = float(s.layer.parameters["peephole"][row, k]) * s.at(cell, t, k)
    return Chapter(
        "peepholes",
        "What do peepholes add?",
        "A gate with a peephole sees the cell itself, even while the output gate hides it. Here, step "
        f"{t + 1}, "
        f"unit {k + 1}: of ō = {shown(s.at('o_bar', t, k))} the peephole brings {shown(part)}. Note which "
        "cell: the output gate sees the new c(t), the others c(t−1).",
        s.place("forward", t, "o", k),
    )


def _variants(s: Scene) -> Chapter:
    name = s.layer.cell.variant.name  # type: ignore[union-attr]
    here = "This is the vanilla LSTM" if name == "vanilla" else f"This is {name}"
    return Chapter(
        "variants",
        "The variants",
        f"{here}. Each variant of the Odyssey changes it in one place: no input, forget or output gate "
        "(NIG, NFG, "
        "NOG), no activation (NIAF, NOAF), f = 1 − i (CIFG), no peepholes (NP), gates that read gates "
        "(FGR). What "
        "a variant lacks is a ghost in the drawing.",
        s.place("forward", s.times[1], "c", 0, view="odyssey"),
    )

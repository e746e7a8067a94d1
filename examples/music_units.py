"""Which units of a composer follow the key of the music, and does one count the bar?

    python examples/music_units.py MODEL MUSIC [--quick]

For each thing a unit could know, the unit whose output goes along with it best on the validation pieces, and
the correlation of that one unit on the test pieces, which had no part in choosing it. --quick needs neither
model nor music: it trains a small network on cadences made up here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

import throughtime as tt
from throughtime.data import Music, Roll, read_music
from throughtime.data.roll_batches import heard
from throughtime.data.rolls import to_bits
from throughtime.training import QuietDisplay

WINDOW = 4  # steps in which a note counts as heard


def instead(note: int, of: int) -> Callable[[Roll, int], float]:
    """Whether a note (0 to 11, C is 0) was heard of late in place of another: 1, 0 (both or none) or -1."""

    def known(roll: Roll, t: int) -> float:
        recent = {number % 12 for step in roll.steps[max(0, t - WINDOW) : t] for number in step}
        return float(note in recent) - float(of in recent)

    return known


def beat(place: int) -> Callable[[Roll, int], float]:
    """Whether a step stands at a place in bars of four."""
    return lambda _, t: float(t % 4 == place)


THINGS: dict[str, Callable[[Roll, int], float]] = {
    "F sharp in place of F": instead(6, 5),
    "B flat in place of B": instead(10, 11),
    "E flat in place of E": instead(3, 4),
    "steps since the beginning": lambda _, t: float(t),
    **{f"step {place + 1} of 4": beat(place) for place in range(4)},
}


def outputs(composer: tt.Composer, rolls: Sequence[Roll]) -> Tensor:
    """What the recurrent layer puts out at every step of all pieces, before it hears the step: (S, H)."""
    found = []
    for roll in rolls:
        x = heard(to_bits(roll.steps, composer.lowest_, composer.highest_).unsqueeze(1))
        with torch.no_grad(), tt.record(composer.network_) as recording:
            composer.network_(x)
        found.append(recording["recurrent.layer0.y"][:, 0])
    return torch.cat(found)


def correlation(y: Tensor, known: Tensor) -> Tensor:
    """Of each unit's output (S, H) with what is known (S,): (H,)."""
    y, known = y.double() - y.double().mean(dim=0), known - known.mean()
    size = y.norm(dim=0) * known.norm()
    return (known @ y) / size.clamp(min=1e-12)


def values(thing: Callable[[Roll, int], float], rolls: Sequence[Roll]) -> Tensor:
    """What is known at every step of all pieces: (S,)."""
    return torch.tensor([thing(roll, t) for roll in rolls for t in range(len(roll))], dtype=torch.float64)


def small() -> tuple[tt.Composer, Music]:
    """A network trained for a moment on cadences that go to F and to G."""
    chords = ([48, 64, 67], [53, 65, 69], [58, 62, 65], [50, 66, 69], [55, 59, 67])
    pieces = [[chords[(3 * n + t * (n % 3 + 1)) % 5] for t in range(12 + n)] for n in range(12)]
    music = read_music({"train": pieces[:8], "valid": pieces[8:10], "test": pieces[10:]})
    return tt.Composer(hidden=8, epochs=2, batch_size=4).fit(music, display=QuietDisplay()), music


def main() -> None:
    """Print a line for each thing a unit could know."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?")
    parser.add_argument("music", nargs="?")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        composer, music = small()
    elif options.music:
        composer = tt.load(options.model)
        music = read_music(options.music, grid=composer.settings.grid)
    else:
        parser.error("expected MODEL and MUSIC, or --quick")
    chosen_on, told_of = music.parts["valid"], music.parts["test"]
    first, second = outputs(composer, chosen_on), outputs(composer, told_of)
    print(f"{'what a unit could know':28} unit  on validation  on test")
    for name, thing in THINGS.items():
        found = correlation(first, values(thing, chosen_on))
        unit = int(found.abs().argmax())
        told = correlation(second[:, unit : unit + 1], values(thing, told_of)).item()
        print(f"{name:28} {unit:4}  {found[unit].item():13.2f}  {told:7.2f}")


if __name__ == "__main__":
    main()

"""What a chapter of the guided tour is, and the scene that it is told about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from throughtime.page.study.evaluate import LayerNumbers
from throughtime.page.study.lines import Journey, Line
from throughtime.recording import LayerRecord, Recording


@dataclass(frozen=True)
class Chapter:
    """One idea.

    Attributes:
        id: Its name in the page's address.
        title: Its question or its name.
        text: At most sixty words; every number in it stands on the page.
        state: What the page shows, as in its address.
    """

    id: str
    title: str
    text: str
    state: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """What the page reads."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Scene:
    """What chapters are told about: one sequence of one layer."""

    recording: Recording
    layer: LayerRecord
    journey: Journey
    numbers: LayerNumbers
    first: int
    with_map: bool
    beside: bool

    @property
    def times(self) -> list[int]:
        """Time steps of the first sequence on the page, in the order in which the layer took them."""
        return [t for s in range(self.numbers.length(0)) if (t := self.numbers.step(s, 0)) >= self.first]

    def at(self, name: str, t: int, k: int) -> float:
        """A value or an error of the first sequence."""
        return float(self.numbers.vector(name, 0, t, 0)[k])

    def line(self, phase: str, target: str) -> Line:
        """The line that defines a value."""
        moments = self.journey.forward if phase == "forward" else self.journey.backward
        return next(line for moment in moments for line in moment.lines if line.target == target)

    def place(self, phase: str, t: int, moment: str, k: int, **more: str) -> dict[str, str]:
        """A state of the page."""
        return {"at": f"{phase}.{t + 1}.{moment}", "unit": str(k + 1), "seq": "1"} | more

"""The wires' SVG paths as points, for shapes that know straight lines only."""

from __future__ import annotations

import math
import re

Point = tuple[float, float]
_COMMAND = re.compile(r"([MHVLQa])([^MHVLQa]*)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_PIECES = 8  # straight pieces of a curve


def points_of(d: str) -> list[Point]:
    """The corners of a path of M, H, V, L, Q and half circles (a).

    Raises:
        ValueError: the path begins without M.
    """
    points: list[Point] = []
    for command, text in _COMMAND.findall(d):
        numbers = [float(number) for number in _NUMBER.findall(text)]
        if command == "M":
            points.append((numbers[0], numbers[1]))
            continue
        if not points:
            raise ValueError(f"path {d!r} begins without M.")
        x, y = points[-1]
        if command == "H":
            points.append((numbers[0], y))
        elif command == "V":
            points.append((x, numbers[0]))
        elif command == "L":
            points.append((numbers[0], numbers[1]))
        elif command == "Q":
            points += _quadratic((x, y), (numbers[0], numbers[1]), (numbers[2], numbers[3]))
        else:
            points += _half_circle((x, y), (x + numbers[5], y + numbers[6]))
    return points


def _quadratic(start: Point, bend: Point, end: Point) -> list[Point]:
    shares = [step / _PIECES for step in range(1, _PIECES + 1)]
    return [
        (
            (1 - u) ** 2 * start[0] + 2 * u * (1 - u) * bend[0] + u * u * end[0],
            (1 - u) ** 2 * start[1] + 2 * u * (1 - u) * bend[1] + u * u * end[1],
        )
        for u in shares
    ]


def _half_circle(start: Point, end: Point) -> list[Point]:
    """Clockwise on the screen, as the hops are drawn."""
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    radius = math.dist(start, end) / 2
    first = math.atan2(start[1] - middle[1], start[0] - middle[0])
    angles = [first + math.pi * step / _PIECES for step in range(1, _PIECES + 1)]
    return [(middle[0] + radius * math.cos(a), middle[1] + radius * math.sin(a)) for a in angles]

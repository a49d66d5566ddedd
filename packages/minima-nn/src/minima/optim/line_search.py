"""A step along a direction that satisfies the strong Wolfe conditions."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import NamedTuple

from minima import Tensor

__all__ = ["Point", "strong_wolfe"]

SUFFICIENT, CURVATURE = 1e-4, 0.9


class Point(NamedTuple):
    """A step, the loss and its gradient there, and the slope along the direction."""

    step: float
    loss: float
    gradient: Tensor
    slope: float


def _cubic(a: Point, b: Point, low: float, high: float) -> float:
    """Return where the cubic through both points, with their slopes, is least, within bounds."""
    if a.step > b.step:
        a, b = b, a
    bend = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.step - b.step)
    square = bend * bend - a.slope * b.slope
    if square < 0.0:
        return (low + high) / 2.0
    root = sqrt(square)
    divisor = b.slope - a.slope + 2.0 * root
    if divisor == 0.0:
        return (low + high) / 2.0
    least = b.step - (b.step - a.step) * ((b.slope + root - bend) / divisor)
    return min(max(least, low), high)


def strong_wolfe(
    evaluate: Callable[[float], Point],
    start: Point,
    first: float,
    longest: float,
    tolerance: float,
    most: int,
) -> tuple[Point, int]:
    """Return the point found, and how often *evaluate* was called, *most* times and one.

    *start* is the point of step 0, *first* the step to try first, *longest* the largest element
    of the direction; brackets that move no element by *tolerance* are not looked into.
    """

    def enough(point: Point) -> bool:
        return point.loss <= start.loss + SUFFICIENT * point.step * start.slope

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -CURVATURE * start.slope

    before, point, calls, tries = start, evaluate(first), 1, 0
    bracket: list[Point] = [start, point]
    while tries < most:
        if not enough(point) or (tries > 1 and point.loss >= before.loss):
            bracket = [before, point]
            break
        if flat(point):
            return point, calls
        if point.slope >= 0.0:
            bracket = [before, point]
            break
        low, high = point.step + 0.01 * (point.step - before.step), point.step * 10.0
        step = _cubic(before, point, low, high)
        before, point = point, evaluate(step)
        bracket = [start, point]
        calls, tries = calls + 1, tries + 1
    stuck = False
    while tries < most:
        bracket.sort(key=lambda p: p.loss)  # the best first; equal ones stay
        least, greatest = sorted(p.step for p in bracket)
        if (greatest - least) * longest < tolerance:
            break
        step = _cubic(bracket[0], bracket[1], least, greatest)
        margin = 0.1 * (greatest - least)
        if min(greatest - step, step - least) < margin:
            if stuck or step >= greatest or step <= least:
                near_end = abs(step - greatest) < abs(step - least)
                step, stuck = (greatest - margin if near_end else least + margin), False
            else:
                stuck = True
        else:
            stuck = False
        point = evaluate(step)
        calls, tries = calls + 1, tries + 1
        best, other = bracket
        if not enough(point) or point.loss >= best.loss:
            bracket = [best, point]
        else:
            if flat(point):
                return point, calls
            turns = point.slope * (other.step - best.step) >= 0.0
            bracket = [point, best if turns else other]
    return min(bracket, key=lambda p: p.loss), calls

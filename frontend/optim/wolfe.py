"""A line search for the strong Wolfe conditions, with cubic interpolation.

Takes: a function from step lengths to Points. Gives: the Point that was found. Must not know: what
is minimised. Nocedal and Wright, "Numerical Optimization", 2006, algorithms 3.5 and 3.6; the
constants and safeguards are those of Schmidt's minFunc, which PyTorch has too, so that steps agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

ARMIJO, CURVATURE = 1e-4, 0.9
"""How much of the first slope the loss must fall by, and the slope may keep."""


class Point(NamedTuple):
    """A place on the line: its step length, the loss, the gradient, the slope along the line."""

    step: float
    loss: float
    gradient: Any
    slope: float


def cubic_minimum(a: Point, b: Point, low: float, high: float) -> float:
    """Where the cubic through two points with their slopes is least, between low and high.

    Nocedal and Wright, equation (3.59); the middle where the cubic has no minimum.
    """
    a, b = (a, b) if a.step <= b.step else (b, a)
    width = b.step - a.step
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.step - b.step)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    d2 = math.sqrt(square)
    below = b.slope - a.slope + 2 * d2
    if below == 0:
        return (low + high) / 2
    return min(max(b.step - width * ((b.slope + d2 - d1) / below), low), high)


def search(
    evaluate: Callable[[float], Point], start: Point, step: float, reach: float, tolerance: float,
    most: int = 25,
) -> Point:  # fmt: skip
    """A point with the strong Wolfe conditions, or the best that was seen.

    `start` is the point at step 0; `reach`: the largest change of a parameter at step 1; intervals
    whose ends differ by less than `tolerance` are not searched any more. There are at most `most`
    evaluations after the first.
    """
    before, now = start, evaluate(step)
    for count in range(most):
        if _too_high(now, start) or (count > 1 and now.loss >= before.loss):
            return _zoom(evaluate, start, [before, now], most - count, reach, tolerance)
        if _flat(now, start):
            return now
        if now.slope >= 0:
            return _zoom(evaluate, start, [before, now], most - count, reach, tolerance)
        near, far = now.step + 0.01 * (now.step - before.step), now.step * 10
        before, now = now, evaluate(cubic_minimum(before, now, near, far))
    return now if now.loss < start.loss else start


def _too_high(point: Point, start: Point) -> bool:
    return point.loss > start.loss + ARMIJO * point.step * start.slope


def _flat(point: Point, start: Point) -> bool:
    return abs(point.slope) <= -CURVATURE * start.slope


def _zoom(
    evaluate: Callable[[float], Point], start: Point, ends: list[Point], left: int, reach: float,
    tolerance: float,
) -> Point:  # fmt: skip
    """The search between two points that have a good one between them, with `left` evaluations."""
    low = _lower(ends)
    slow = False
    while left > 0 and abs(ends[1].step - ends[0].step) * reach >= tolerance:
        first, last = sorted(p.step for p in ends)
        step = cubic_minimum(ends[0], ends[1], first, last)
        step, slow = _kept_away(step, first, last, slow)
        new = evaluate(step)
        left -= 1
        if _too_high(new, start) or new.loss >= ends[low].loss:
            ends[1 - low] = new
            low = _lower(ends)
            continue
        done = _flat(new, start)
        if not done and new.slope * (ends[1 - low].step - ends[low].step) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = new
        if done:
            break
    return ends[low]


def _lower(ends: list[Point]) -> int:
    return 0 if ends[0].loss <= ends[1].loss else 1


def _kept_away(step: float, first: float, last: float, slow: bool) -> tuple[float, bool]:
    """A step moved a tenth inside where it was near an end twice, and whether it is near now."""
    margin = 0.1 * (last - first)
    if min(last - step, step - first) >= margin:
        return step, False
    if not slow and first < step < last:
        return step, True
    return (last - margin if abs(step - last) < abs(step - first) else first + margin), False

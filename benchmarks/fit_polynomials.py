"""Fit the minimax polynomials behind lazir's elementary functions and print their constants.

Takes the table of fits below; gives the text of `compiler/maths/coefficients.py`.
Must not know how the functions use the constants beyond the form stated with each fit.

Method: Remez's exchange algorithm (Remez 1934; Muller, "Elementary Functions", ch. 3) on a dense
Chebyshev-spaced grid, with multiple-precision arithmetic. Coefficients are rounded one after the
other, lowest degree first, and the rest is fitted again to what rounding left over, so that the
rounded polynomial stays close to minimax.

Run `python benchmarks/fit_polynomials.py > compiler/maths/coefficients.py` (a minute), or give
names of fits to print only those.
"""

from __future__ import annotations

import struct
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from mpmath import lu_solve, matrix, mp, mpf
from polynomial_fits import FITS, Fit

mp.prec = 240
GRID = 24  # grid points per coefficient


@dataclass(frozen=True)
class Samples:
    """Target values and weights on the grid; `points` never contains 0."""

    points: Sequence[mpf]
    values: Sequence[mpf]
    weights: Sequence[mpf]


def round_to(value: mpf, dtype: str) -> float:
    """Round to the nearest f32 or f64 number."""
    with mp.workprec(24 if dtype == "f32" else 53):
        rounded = float(+value)
    if dtype == "f32":
        assert struct.unpack("f", struct.pack("f", rounded))[0] == rounded
    return rounded


def grid(low: mpf, high: mpf, count: int) -> list[mpf]:
    middle, half = (low + high) / 2, (high - low) / 2
    points = [middle - half * mp.cos(mp.pi * i / count) for i in range(count + 1)]
    return [p if abs(p) > mpf(10) ** -12 else mpf(10) ** -12 for p in points]


def evaluate(coefficients: Sequence[mpf], point: mpf) -> mpf:
    total = mpf(0)
    for coefficient in reversed(coefficients):
        total = total * point + coefficient
    return total


def solve_levelled(data: Samples, chosen: Sequence[int], count: int) -> list[mpf]:
    """The polynomial whose weighted error alternates with equal size at the chosen points."""
    system, right = matrix(count + 1, count + 1), matrix(count + 1, 1)
    for row, index in enumerate(chosen):
        weight, power = data.weights[index], data.weights[index]
        for column in range(count):
            system[row, column] = power
            power *= data.points[index]
        system[row, count] = mpf(-1) ** row
        right[row] = weight * data.values[index]
    solution = lu_solve(system, right)
    return [solution[i] for i in range(count)]


def alternating_extremes(errors: Sequence[mpf], count: int) -> list[int]:
    """Indices of the largest errors of alternating sign, `count` of them."""
    runs: list[int] = []
    for index, error in enumerate(errors):
        if runs and (error > 0) == (errors[runs[-1]] > 0):
            if abs(error) > abs(errors[runs[-1]]):
                runs[-1] = index
        else:
            runs.append(index)
    while len(runs) > count:
        if len(runs) == count + 1:
            runs.pop(0 if abs(errors[runs[0]]) < abs(errors[runs[-1]]) else -1)
            continue
        weakest = min(range(len(runs)), key=lambda i: abs(errors[runs[i]]))
        if weakest in (0, len(runs) - 1):
            runs.pop(weakest)
        else:
            neighbour = min((weakest - 1, weakest + 1), key=lambda i: abs(errors[runs[i]]))
            for position in sorted((weakest, neighbour), reverse=True):
                runs.pop(position)
    return runs


def remez(data: Samples, count: int) -> tuple[list[mpf], mpf]:
    """Near-minimax polynomial of `count` coefficients and its largest weighted error."""
    last = len(data.points) - 1
    chosen = [round(i * last / count) for i in range(count + 1)]  # Chebyshev extremes
    best: tuple[list[mpf], mpf] | None = None
    for _ in range(25):
        coefficients = solve_levelled(data, chosen, count)
        errors = [
            w * (v - evaluate(coefficients, p))
            for p, v, w in zip(data.points, data.values, data.weights)
        ]
        worst = max(abs(e) for e in errors)
        if best is None or worst < best[1]:
            best = (coefficients, worst)
        levelled = abs(errors[chosen[0]])
        if worst < levelled * mpf("1.001"):
            break
        chosen = alternating_extremes(errors, count + 1)
        if len(chosen) < count + 1:
            break
    assert best is not None
    return best


def fit(request: Fit, dtype: str) -> tuple[list[float], mpf]:
    """Rounded coefficients and the largest weighted error they give together."""
    count = request.counts[dtype]
    low, high = request.interval[dtype]
    points = grid(mpf(low), mpf(high), GRID * count)
    target, weight = request.target, request.weight
    target = target[dtype] if isinstance(target, dict) else target
    weight = weight[dtype] if isinstance(weight, dict) else weight
    values = [target(p) for p in points]
    weights = [abs(weight(p)) for p in points]
    full = Samples(points, values, weights)
    rounded: list[float] = []
    data = full
    while len(rounded) < count:
        coefficients, _ = remez(data, count - len(rounded))
        if len(rounded) >= 9:
            rounded.extend(round_to(c, dtype) for c in coefficients)
            break
        first = round_to(coefficients[0], dtype)
        rounded.append(first)
        data = Samples(
            points,
            [(v - first) / p for p, v in zip(points, data.values)],
            [w * abs(p) for p, w in zip(points, data.weights)],
        )
    exact = [mpf(c) for c in rounded]
    worst = max(
        w * abs(v - evaluate(exact, p)) for p, v, w in zip(full.points, full.values, full.weights)
    )
    return rounded, worst


def packed(words: Sequence[str]) -> list[str]:
    """Lines of as many words as fit."""
    return textwrap.wrap(
        " ".join(words), 96, initial_indent=" " * 8, subsequent_indent=" " * 8,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def constant_text(request: Fit) -> str:
    lines = [f"# {request.form}"]
    body = [f"{request.name}: Table = {{"]
    for dtype in request.counts:
        coefficients, worst = fit(request, dtype)
        low, high = (float(end) for end in request.interval[dtype])
        bits = float(mp.log(worst, 2))
        lines.append(f"# {dtype}: on [{low:.6g}, {high:.6g}], weighted error 2^{bits:.1f}.")
        body.append(f'    "{dtype}": (')
        body.extend(packed([f"{value!r}," for value in coefficients]))
        body.append("    ),")
        print(f"{request.name} {dtype}: 2^{bits:.2f}", file=sys.stderr, flush=True)
    body.append("}")
    return "\n".join(lines + body)


HEADER = '''"""Minimax polynomial coefficients, lowest degree first, for each dtype.

Takes nothing; gives constants exactly representable in their dtype.
Must not be edited: `benchmarks/fit_polynomials.py` derives and prints this file.
"""

from __future__ import annotations

Table = dict[str, tuple[float, ...]]

# fmt: off
'''


def main(names: Sequence[str]) -> None:
    if not names:
        print(HEADER)
    chosen = [request for request in FITS if not names or request.name in names]
    print("\n\n".join(constant_text(request) for request in chosen))


if __name__ == "__main__":
    main(sys.argv[1:])

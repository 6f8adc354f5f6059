"""The special cases of the array standard (2025.12), as data: function, conditions, result.

A rule is a condition for each operand, then the result. A condition is a name in HOLDS (`a|b` where
either may hold). A result is a name in RESULTS, or alternatives joined by `|`. Every rule is
checked on all pairs of `universe(dtype)`, so that "finite" means subnormal numbers and the largest
as well. Rules of "the remaining cases" (rounding) are not here.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

POSITIVE, NEGATIVE = "positive", "negative"
"""Results of which only the sign is given."""

HOLDS: dict[str, Callable[[float], bool]] = {
    "any": lambda v: True,
    "nan": math.isnan,
    "!nan": lambda v: not math.isnan(v),
    "+inf": lambda v: v == math.inf,
    "-inf": lambda v: v == -math.inf,
    "inf": math.isinf,
    "+0": lambda v: v == 0 and math.copysign(1, v) > 0,
    "-0": lambda v: v == 0 and math.copysign(1, v) < 0,
    "0": lambda v: v == 0,
    "!0": lambda v: v != 0,
    ">0": lambda v: v > 0,
    "<0": lambda v: v < 0,
    "finite": math.isfinite,
    "+finite": lambda v: 0 < v < math.inf,
    "-finite": lambda v: -math.inf < v < 0,
    "nonzero": lambda v: math.isfinite(v) and v != 0,
    "1": lambda v: v == 1,
    "!1": lambda v: v != 1,
    "-1": lambda v: v == -1,
    ">1": lambda v: v > 1,
    "<1": lambda v: v < 1,
    "<-1": lambda v: v < -1,
    "abs>1": lambda v: abs(v) > 1,
    "abs=1": lambda v: abs(v) == 1,
    "abs<1": lambda v: abs(v) < 1,
    "+odd": lambda v: v > 0 and math.isfinite(v) and v % 2 == 1,
    "-odd": lambda v: v < 0 and math.isfinite(v) and v % 2 == 1,
    "+other": lambda v: v > 0 and not (math.isfinite(v) and v % 2 == 1),
    "-other": lambda v: v < 0 and not (math.isfinite(v) and v % 2 == 1),
    "fraction": lambda v: math.isfinite(v) and v % 1 != 0,
    "whole": lambda v: math.isfinite(v) and v % 1 == 0,
    "half": lambda v: math.isfinite(v) and v % 1 == 0.5,
    "signed": lambda v: math.copysign(1, v) < 0,
    "unsigned": lambda v: math.copysign(1, v) > 0,
}

Result = Callable[..., float]
RESULTS: dict[str, Result] = {
    "nan": lambda *x: math.nan,
    "+inf": lambda *x: math.inf,
    "-inf": lambda *x: -math.inf,
    "+0": lambda *x: 0.0,
    "-0": lambda *x: -0.0,
    "1": lambda *x: 1.0,
    "-1": lambda *x: -1.0,
    "true": lambda *x: 1.0,
    "false": lambda *x: 0.0,
    "x1": lambda *x: x[0],
    "x2": lambda *x: x[1],
    "|x1|": lambda *x: math.copysign(x[0], 1),
    "|x2|": lambda *x: math.copysign(x[1], 1),
    "-|x1|": lambda *x: math.copysign(x[0], -1),
    "x1=x2": lambda *x: float(x[0] == x[1]),
    "x1!=x2": lambda *x: float(x[0] != x[1]),
    "even": lambda *x: math.copysign(2.0 * round(x[0] / 2), x[0]),
    "signed inf": lambda *x: math.copysign(math.inf, math.copysign(1, x[0]) * x[1]),
    **{f"{sign}pi{name}": lambda *x, v=float(sign + "1") * part: v * math.pi
       for sign in "+-" for name, part in (("", 1.0), ("/2", 0.5), ("/4", 0.25), ("3/4", 0.75))},
}  # fmt: skip

UNARY: dict[str, str] = {
    "abs": "nan nan, -0 +0, -inf +inf",
    "acos": "nan nan, >1 nan, <-1 nan, 1 +0",
    "acosh": "nan nan, <1 nan, 1 +0, +inf +inf",
    "asin": "nan nan, >1 nan, <-1 nan, +0 +0, -0 -0",
    "asinh": "nan nan, +0 +0, -0 -0, +inf +inf, -inf -inf",
    "atan": "nan nan, +0 +0, -0 -0, +inf +pi/2, -inf -pi/2",
    "atanh": "nan nan, <-1 nan, >1 nan, -1 -inf, 1 +inf, +0 +0, -0 -0",
    "ceil": "whole x1, +inf +inf, -inf -inf, +0 +0, -0 -0, nan nan",
    "cos": "nan nan, +0 1, -0 1, +inf nan, -inf nan",
    "cosh": "nan nan, +0 1, -0 1, +inf +inf, -inf +inf",
    "exp": "nan nan, +0 1, -0 1, +inf +inf, -inf +0",
    "expm1": "nan nan, +0 +0, -0 -0, +inf +inf, -inf -1",
    "floor": "whole x1, +inf +inf, -inf -inf, +0 +0, -0 -0, nan nan",
    "isfinite": "inf false, nan false, finite true",
    "isinf": "inf true, nan|finite false",
    "isnan": "nan true, inf|finite false",
    "log": "nan nan, <0 nan, 0 -inf, 1 +0, +inf +inf",
    "log1p": "nan nan, <-1 nan, -1 -inf, -0 -0, +0 +0, +inf +inf",
    "log2": "nan nan, <0 nan, 0 -inf, 1 +0, +inf +inf",
    "log10": "nan nan, <0 nan, 0 -inf, 1 +0, +inf +inf",
    "negative": "nan nan, +0 -0, -0 +0, +inf -inf, -inf +inf",
    "positive": "any x1",
    # As 1.0 / x and as x · x:
    "reciprocal": "nan nan, +0 +inf, -0 -inf, +inf +0, -inf -0",
    "square": "nan nan, 0 +0, inf +inf",
    "round": "whole x1, +inf +inf, -inf -inf, +0 +0, -0 -0, nan nan, half even",
    "sign": "<0 -1, 0 +0|-0, >0 1, nan nan",
    "signbit": "+0 false, -0 true, +inf false, -inf true, +finite false, -finite true, "
    "signed true, unsigned false",
    "sin": "nan nan, +0 +0, -0 -0, inf nan",
    "sinh": "nan nan, +0 +0, -0 -0, +inf +inf, -inf -inf",
    "sqrt": "nan nan, <0 nan, +0 +0, -0 -0, +inf +inf",
    "tan": "nan nan, +0 +0, -0 -0, inf nan",
    "tanh": "nan nan, +0 +0, -0 -0, +inf 1, -inf -1",
    "trunc": "whole x1, +inf +inf, -inf -inf, +0 +0, -0 -0, nan nan",
}

_QUOTIENT = """
    nan any nan, any nan nan, inf inf nan, 0 0 nan,
    +0 >0 +0, -0 >0 -0, +0 <0 -0, -0 <0 +0,
"""
BINARY: dict[str, str] = {
    "add": """
        nan any nan, any nan nan, +inf -inf nan, -inf +inf nan, +inf +inf +inf, -inf -inf -inf,
        +inf finite +inf, -inf finite -inf, finite +inf +inf, finite -inf -inf,
        -0 -0 -0, -0 +0 +0, +0 -0 +0, +0 +0 +0, 0 nonzero x2, nonzero 0 x1
    """,
    # x1 + (−x2):
    "subtract": """
        nan any nan, any nan nan, +inf +inf nan, -inf -inf nan, +inf -inf +inf, -inf +inf -inf,
        +inf finite +inf, -inf finite -inf, finite +inf -inf, finite -inf +inf,
        -0 +0 -0, -0 -0 +0, +0 +0 +0, +0 -0 +0, nonzero 0 x1
    """,
    "multiply": """
        nan any nan, any nan nan, inf 0 nan, 0 inf nan,
        inf inf signed inf, inf nonzero signed inf, nonzero inf signed inf,
        +0 +finite +0, -0 +finite -0, +0 -finite -0, -0 -finite +0, 1 !nan x2, !nan 1 x1,
        +finite +finite positive, -finite -finite positive, +finite -finite negative
    """,
    "divide": _QUOTIENT + """
        +finite +0 +inf, +finite -0 -inf, -finite +0 -inf, -finite -0 +inf,
        +inf +0 +inf, +inf -0 -inf, -inf +0 -inf, -inf -0 +inf,
        +inf +finite +inf, +inf -finite -inf, -inf +finite -inf, -inf -finite +inf,
        +finite +inf +0, +finite -inf -0, -finite +inf -0, -finite -inf +0,
        +finite +finite positive, -finite -finite positive, +finite -finite negative,
        -finite +finite negative
    """,
    # Where one operand is infinite, the standard allows Python's results, which are NumPy's.
    "floor_divide": _QUOTIENT + """
        +finite +0 +inf, +finite -0 -inf, -finite +0 -inf, -finite -0 +inf,
        +inf +0 +inf, +inf -0 -inf, -inf +0 -inf, -inf -0 +inf,
        +inf +finite +inf|nan, +inf -finite -inf|nan, -inf +finite -inf|nan, -inf -finite +inf|nan,
        +finite +inf +0, +finite -inf -0|-1, -finite +inf -0|-1, -finite -inf +0,
        +finite +finite positive, -finite -finite positive, +finite -finite negative,
        -finite +finite negative
    """,
    "remainder": """
        nan any nan, any nan nan, inf inf nan, 0 0 nan, +0 >0 +0, -0 >0 +0, +0 <0 -0, -0 <0 -0,
        >0 0 nan, <0 0 nan, inf +finite nan, inf -finite nan,
        +finite +inf x1, +finite -inf x2, -finite +inf x2, -finite -inf x1
    """,
    "pow": """
        !1 nan nan, any +0 1, any -0 1, nan !0 nan,
        abs>1 +inf +inf, abs>1 -inf +0, abs=1 +inf 1, abs=1 -inf 1, 1 !nan 1,
        abs<1 +inf +0, abs<1 -inf +inf, +inf >0 +inf, +inf <0 +0,
        -inf +odd -inf, -inf +other +inf, -inf -odd -0, -inf -other +0,
        +0 >0 +0, +0 <0 +inf, -0 +odd -0, -0 +other +0, -0 -odd -inf, -0 -other +inf,
        -finite fraction nan
    """,
    "atan2": """
        nan any nan, any nan nan, >0 +0 +pi/2, >0 -0 +pi/2, +0 >0 +0, +0 +0 +0, +0 -0 +pi,
        +0 <0 +pi, -0 >0 -0, -0 +0 -0, -0 -0 -pi, -0 <0 -pi, <0 +0 -pi/2, <0 -0 -pi/2,
        +finite +inf +0, +finite -inf +pi, -finite +inf -0, -finite -inf -pi,
        +inf finite +pi/2, -inf finite -pi/2, +inf +inf +pi/4, +inf -inf +pi3/4,
        -inf +inf -pi/4, -inf -inf -pi3/4
    """,
    "hypot": """
        inf any +inf, any inf +inf, 0 any |x2|, any 0 |x1|, finite|nan nan nan, nan finite|nan nan
    """,
    "logaddexp": "nan any nan, any nan nan, +inf !nan +inf, !nan +inf +inf",
    "maximum": "nan any nan, any nan nan, +inf !nan +inf, -inf !nan x2, !nan -inf x1",
    "minimum": "nan any nan, any nan nan, -inf !nan -inf, +inf !nan x2, !nan +inf x1",
    "nextafter": "nan any nan, any nan nan, -0 +0 +0, +0 -0 -0",
    "copysign": "!nan signed -|x1|, !nan unsigned |x1|, nan signed -|x1|, nan unsigned |x1|",
    "equal": """
        nan any false, any nan false, +inf +inf true, -inf -inf true, -0 0 true, +0 0 true,
        finite finite x1=x2, +inf -inf|finite false, -inf +inf|finite false
    """,
    "not_equal": """
        nan any true, any nan true, +inf -inf true, -inf +inf true, finite finite x1!=x2,
        +inf +inf false, -inf -inf false
    """,
}  # fmt: skip


def rules(text: str, operands: int) -> list[tuple[list[list[str]], list[str]]]:
    """The rules of a line of text: for each operand conditions, and the results it allows."""
    found = []
    for rule in text.replace("\n", " ").strip().strip(",").split(","):
        words = rule.split()
        conditions = [word.split("|") for word in words[:operands]]
        result = " ".join(words[operands:])
        found.append((conditions, [result] if result in RESULTS else result.split("|")))
    return found


def universe(info: object) -> np.ndarray:
    """Numbers of every kind that conditions tell apart, NaNs of both signs among them."""
    tiny, normal = info.smallest_subnormal, info.smallest_normal
    some = [0.0, tiny, normal, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 7.0, info.max, math.inf, math.nan]
    return np.array([*some, *(-v for v in some)])

"""The special cases of the array standard (2025.12) for complex numbers, as data.

A rule is a condition for the real and the imaginary part, then the parts of the result; names are
those of `standard_special`. `±` leaves a sign open; `cis` is the part of cos(b) + sin(b)·i times
the number before it. Besides, f(conj(x)) = conj(f(x)), which gives the rules for negative imaginary
parts.
"""

from __future__ import annotations

_LOG = """
    finite +inf +inf +pi/2, finite nan nan nan, -inf +finite +inf +pi, +inf +finite +inf +0,
    -inf +inf +inf +pi3/4, +inf +inf +inf +pi/4, inf nan +inf nan, nan finite nan nan,
    nan +inf +inf nan, nan nan nan nan,
"""
COMPLEX: dict[str, str] = {
    "acos": """
        0 +0 +pi/2 -0, 0 nan +pi/2 nan, finite +inf +pi/2 -inf, nonzero nan nan nan,
        -inf +finite +pi -inf, +inf +finite +0 -inf, -inf +inf +pi3/4 -inf, +inf +inf +pi/4 -inf,
        inf nan nan ±inf, nan finite nan nan, nan +inf nan -inf, nan nan nan nan
    """,
    "acosh": """
        0 +0 +0 +pi/2, finite +inf +inf +pi/2, nonzero nan nan nan, +0 nan nan ±pi/2,
        -inf +finite +inf +pi, +inf +finite +inf +0, -inf +inf +inf +pi3/4, +inf +inf +inf +pi/4,
        inf nan +inf nan, nan finite nan nan, nan +inf +inf nan, nan nan nan nan
    """,
    "asinh": """
        +0 +0 +0 +0, +finite +inf +inf +pi/2, finite nan nan nan, +inf +finite +inf +0,
        +inf +inf +inf +pi/4, nan +0 nan +0, nan nonzero nan nan, nan +inf ±inf nan,
        nan nan nan nan
    """,
    "atanh": """
        +0 +0 +0 +0, +0 nan +0 nan, 1 +0 +inf +0, +finite +inf +0 +pi/2, nonzero nan nan nan,
        +inf +finite +0 +pi/2, +inf +inf +0 +pi/2, +inf nan +0 nan, nan finite nan nan,
        nan +inf ±0 +pi/2, nan nan nan nan
    """,
    "cosh": """
        +0 +0 1 +0, +0 +inf nan ±0, +0 nan nan ±0, nonzero +inf nan nan, nonzero nan nan nan,
        +inf +0 +inf +0, +inf nonzero +inf:cis +inf:cis, +inf +inf ±inf nan, +inf nan +inf nan,
        nan 0 nan ±0, nan nonzero nan nan, nan nan nan nan
    """,
    "exp": """
        0 +0 1 +0, finite +inf nan nan, finite nan nan nan, +inf +0 +inf +0,
        -inf finite +0:cis +0:cis, +inf nonzero +inf:cis +inf:cis, -inf +inf ±0 ±0,
        +inf +inf ±inf nan, -inf nan ±0 ±0, +inf nan ±inf nan, nan +0 nan +0, nan nonzero nan nan,
        nan nan nan nan
    """,
    "expm1": """
        0 +0 ±0 +0, finite +inf nan nan, finite nan nan nan, +inf +0 +inf +0,
        -inf finite -1 +0:cis, +inf nonzero +inf:cis +inf:cis, -inf +inf -1 ±0,
        +inf +inf ±inf nan, -inf nan -1 ±0, +inf nan ±inf nan, nan +0 nan +0, nan nonzero nan nan,
        nan nan nan nan
    """,
    "log": "-0 +0 -inf +pi, +0 +0 -inf +0," + _LOG,
    "log1p": "-1 +0 -inf +0," + _LOG,
    "sinh": """
        +0 +0 +0 +0, +0 +inf ±0 nan, +0 nan ±0 nan, +finite +inf nan nan, +finite nan nan nan,
        +inf +0 +inf +0, +inf +finite +inf:cis +inf:cis, +inf +inf ±inf nan, +inf nan ±inf nan,
        nan +0 nan +0, nan nonzero nan nan, nan nan nan nan
    """,
    "sqrt": """
        0 +0 +0 +0, any +inf +inf +inf, finite nan nan nan, -inf +finite +0 +inf,
        +inf +finite +inf +0, -inf nan nan ±inf, +inf nan +inf nan, nan finite nan nan,
        nan nan nan nan
    """,
    "tanh": """
        +0 +0 +0 +0, nonzero +inf nan nan, +0 +inf +0 nan, nonzero nan nan nan, +0 nan +0 nan,
        +inf +finite 1 ±0, +inf +inf 1 ±0, +inf nan 1 ±0, nan +0 nan +0, nan nonzero nan nan,
        nan nan nan nan
    """,
    "sign": "0 0 ±0 ±0, nan any nan nan, any nan nan nan",
    "conj": "any +inf x1 -inf, any -inf x1 +inf, any +0 x1 -0, any nan x1 nan",
    "negative": "+0 -inf -0 +inf, nan +0 nan -0",
}

TO_REAL: dict[str, str] = {
    "abs": """
        inf any +inf, any inf +inf, 0 !nan |x2|, !nan 0 |x1|, nan finite nan, finite nan nan,
        nan nan nan
    """,
    "real": "any any x1",
    "imag": "any any x2",
    "isfinite": "nan any false, any nan false, inf any false, any inf false, finite finite true",
    "isinf": "inf any true, any inf true, finite|nan finite|nan false",
    "isnan": "nan any true, any nan true, finite|inf finite|inf false",
}
"""Functions with a real result."""

BY_WAY_OF: dict[str, tuple[str, str]] = {
    "asin": ("asinh", "f(x·i) / i"),
    "atan": ("atanh", "f(x·i) / i"),
    "sin": ("sinh", "f(x·i) / i"),
    "tan": ("tanh", "f(x·i) / i"),
    "cos": ("cosh", "f(x·i)"),
}
"""Functions whose special cases are those of another one, turned by 90°."""

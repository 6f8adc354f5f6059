"""lazir's own elementary functions: straight-line code over an abstract builder.

Takes a builder (see `builder.Builder`) and values of dtype f32 or f64; gives values.
Must not know arrays, IR nodes or instructions: one definition serves tests, CPU vectors and GPU
threads. There are no branches, loops, gathers or calls, and f32 functions never widen to f64.

>>> sorted(FUNCTIONS)[:4]
['acos', 'acosh', 'asin', 'asinh']
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .accuracy import ACCURACY
from .bessel import i0e, i1e
from .builder import Builder
from .exponential import exp, exp2, expm1
from .gamma import digamma, gamma, lgamma
from .hyperbolic import acosh, asinh, atanh, cosh, sinh, tanh
from .inverse_trigonometric import acos, asin, atan, atan2
from .logarithm import log, log1p, log2, log10
from .power import cbrt, hypot, pow, rsqrt
from .remainder import fmod, fmod_small
from .special import erf, erfc, erfinv, ndtri
from .trigonometric import SMALL_BOUND, cos, cos_small, sin, sin_small, tan, tan_small

__all__ = ["ACCURACY", "FUNCTIONS", "SMALL_BOUND", "SMALL_FORMS", "Builder"]

FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        exp, exp2, expm1, log, log2, log10, log1p,
        sin, cos, tan, asin, acos, atan, atan2,
        sinh, cosh, tanh, asinh, acosh, atanh,
        pow, cbrt, hypot, rsqrt, erf, erfc, erfinv, ndtri,
        lgamma, digamma, gamma, i0e, i1e, fmod,
    )
}  # fmt: skip
"""Name to `function(builder, *values)`; right for every argument."""

SMALL_FORMS: dict[str, Callable[..., Any]] = {
    "sin": sin_small, "cos": cos_small, "tan": tan_small, "fmod": fmod_small,
}  # fmt: skip
"""Cheaper forms with a condition on the arguments: |x| <= SMALL_BOUND, or see `fmod_small`."""

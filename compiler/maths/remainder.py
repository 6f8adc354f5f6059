"""fmod: the exact remainder with the sign of the dividend, as in C.

Takes a builder and f32 or f64 values; gives the remainder, and the pieces of a loop that gives it.
Must not know what the builder makes of its calls.

The quotient may have as many bits as the exponent range has values, so the exact remainder is a
long division: FMOD_STEPS equal steps in the worst case, each giving FMOD_BITS bits of quotient.
`fmod_small` is a single step for |x/y| < 2**FMOD_BITS; `fmod` is the whole chain. A caller that can
loop uses `fmod_start`, then `fmod_step` while any `remaining` is above 0, then `fmod_finish`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic

from .builder import Builder, V
from .formats import bits_of, format_of, infinity, nan, power_of_two, with_sign_of

FMOD_BITS = {"f32": 20, "f64": 48}
FMOD_STEPS = {"f32": 14, "f64": 44}
"""Enough for the widest exponent gap: 277 in 14 steps of 20 bits, 2098 in 44 of 48."""


@dataclass(frozen=True)
class Division(Generic[V]):
    """A long division in progress: `rest` < `divisor`, both significands scaled near 1.

    The result so far is rest * 2**remaining modulo divisor, to be scaled by 2**exponent.
    """

    rest: V
    divisor: V
    inverse: V
    remaining: V
    exponent: V


def _significand(b: Builder[V], a: V) -> tuple[V, V]:
    """`(m, e)` with a = m * 2**e and m in [1, 2), for finite positive a: 10 operations."""
    layout = format_of(b, a)
    lift = layout.fraction_bits + 1
    counter = 2.0**layout.fraction_bits + layout.bias
    subnormal = b.less(a, b.const(layout.smallest_normal, a))
    bits = bits_of(b, b.select(subnormal, b.mul(a, b.const(2.0**lift, a)), a))
    offset = b.select(subnormal, b.const(counter + lift, a), b.const(counter, a))
    fraction = b.bit_and(bits, b.const(layout.fraction_mask, bits))
    field = b.shift_right(bits, b.const(layout.fraction_bits, bits))
    base = b.const(layout.fraction_bits + layout.bias << layout.fraction_bits, bits)
    exponent = b.sub(b.bitcast(b.bit_or(field, base), layout.name), offset)
    one = b.const(layout.one_bits, bits)
    return b.bitcast(b.bit_or(fraction, one), layout.name), exponent


def _power(b: Builder[V], n: V) -> V:
    """2**n for an integral floating-point n in the normal range."""
    shifter = b.const(format_of(b, n).integer_shifter, n)
    return power_of_two(b, bits_of(b, b.add(n, shifter)), n)


def _below(b: Builder[V], rest: V, divisor: V, inverse: V) -> V:
    """rest modulo divisor, exact, for 0 <= rest < divisor * 2**(FMOD_BITS + 1): 7 operations.

    The quotient is never too small and at most 1 too large. So the fma lies between -divisor and
    divisor, and is exact: a multiple of the last place of an operand that it does not exceed.
    """
    quotient = b.trunc(b.mul(rest, inverse))
    rest = b.fma(b.neg(quotient), divisor, rest)
    return b.select(b.less(rest, b.const(0.0, rest)), b.add(rest, divisor), rest)


def _inverse_above(b: Builder[V], divisor: V) -> V:
    """1/divisor, more by a few units in the last place, so that quotients never fall short."""
    inverse = b.div(b.const(1.0, divisor), divisor)
    return b.mul(inverse, b.const(1.0 + 4.0 * format_of(b, divisor).epsilon, divisor))


def fmod_start(b: Builder[V], x: V, y: V) -> Division[V]:
    """Operands of |x| modulo |y| for finite x and finite nonzero y."""
    dividend, x_exponent = _significand(b, b.abs(x))
    divisor, y_exponent = _significand(b, b.abs(y))
    remaining = b.sub(x_exponent, y_exponent)
    zero = b.const(0.0, x)
    # |x| < |y| has nothing to divide; the caller keeps x then.
    remaining = b.select(b.less(remaining, zero), zero, remaining)
    rest = b.select(b.less(dividend, divisor), dividend, b.sub(dividend, divisor))
    return Division(rest, divisor, _inverse_above(b, divisor), remaining, y_exponent)


def fmod_step(b: Builder[V], state: Division[V]) -> Division[V]:
    """Up to FMOD_BITS further bits of quotient; nothing where none remain: 13 operations."""
    most = b.const(float(FMOD_BITS[b.dtype(state.rest)]), state.rest)
    count = b.select(b.less(state.remaining, most), state.remaining, most)
    rest = b.mul(state.rest, _power(b, count))
    rest = _below(b, rest, state.divisor, state.inverse)
    return replace(state, rest=rest, remaining=b.sub(state.remaining, count))


def fmod_finish(b: Builder[V], x: V, y: V, state: Division[V]) -> V:
    """The remainder with its exponent and sign, and the special cases of C99 Annex F."""
    half = b.floor(b.mul(state.exponent, b.const(0.5, x)))
    value = b.mul(b.mul(state.rest, _power(b, half)), _power(b, b.sub(state.exponent, half)))
    return _fmod_limits(b, x, y, with_sign_of(b, value, x))


def _fmod_limits(b: Builder[V], x: V, y: V, value: V) -> V:
    """x where |x| < |y|; NaN for infinite x, zero y or either NaN."""
    a, divisor = b.abs(x), b.abs(y)
    value = b.select(b.less(a, divisor), x, value)
    valid = b.bit_and(b.less(a, infinity(b, x)), b.less(b.const(0.0, x), divisor))
    valid = b.bit_and(valid, b.equal(y, y))
    return b.select(valid, value, nan(b, x))


def fmod_small(b: Builder[V], x: V, y: V) -> V:
    """fmod for |x/y| < 2**FMOD_BITS; 23 (f32) or 23 (f64) operations, one division.

    Where y is near underflow, the caller must have 1/y finite: |y| >= 2**(2 - bias).
    """
    a, divisor = b.abs(x), b.abs(y)
    value = _below(b, a, divisor, _inverse_above(b, divisor))
    return _fmod_limits(b, x, y, with_sign_of(b, value, x))


def fmod(b: Builder[V], x: V, y: V) -> V:
    """x - y*trunc(x/y) exactly; 231 (f32) or 621 (f64) operations, one division."""
    state = fmod_start(b, x, y)
    for _ in range(FMOD_STEPS[b.dtype(x)]):
        state = fmod_step(b, state)
    return fmod_finish(b, x, y, state)
